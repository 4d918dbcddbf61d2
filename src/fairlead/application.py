"""How are the routes of all APIs served as one application, each in its own words?"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from litestar import Litestar
from litestar.config.response_cache import ResponseCacheConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import ScalarRenderPlugin, SwaggerRenderPlugin

from fairlead import __version__
from fairlead.api.mender import errors as mender_errors
from fairlead.api.mender.context import Context, provide_call
from fairlead.api.mender.wire import WireRequest
from fairlead.api.mobingi import door as mobingi_door
from fairlead.api.mobingi import errors as mobingi_errors
from fairlead.api.mobyle import errors as mobyle_errors

LARGEST_BODY = 10 * 1024 * 1024
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")


def application_of(handlers: list[Any], context: Context, **state: Any) -> Litestar:
    """These routes as one application; `state` is what handlers find at `request.app.state`."""

    async def provide_context() -> Context:
        return context

    application = Litestar(
        route_handlers=handlers,
        dependencies={
            "call": Provide(provide_call, sync_to_thread=False),
            "context": Provide(provide_context),
        },
        exception_handlers={kind: _worded(kind) for kind in mender_errors.HANDLERS},
        request_class=WireRequest,
        request_max_body_size=LARGEST_BODY,
        response_cache_config=ResponseCacheConfig(),
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title="Fairlead",
            version=__version__,
            path="/openapi",
            render_plugins=[ScalarRenderPlugin(), SwaggerRenderPlugin()],
        ),
    )
    application.state.mender = context
    for name, value in state.items():
        setattr(application.state, name, value)
    return application


class Nameable:
    """Answers for what cannot be the name of anything that there is nothing: PostgreSQL could not even be asked."""

    def __init__(self, application: Litestar) -> None:
        self._application = application

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        answer: Callable[[Any, Any, Any], Awaitable[None]] = self._application
        if scope["type"] == "http" and "\0" in scope["path"]:
            request = WireRequest(scope, receive, send)  # type: ignore[arg-type]
            nothing = _worded(HTTPException)(request, NotFoundException())
            answer = nothing.to_asgi_response(app=self._application, request=request)
        await answer(scope, receive, send)


def _worded(kind: Any) -> Callable[[Any, Any], Any]:
    """The handler of such problems in the words of the API whose path was asked for, be there anything or not."""

    def word(request: Any, problem: Any) -> Any:
        path = request.scope["path"]
        if mobyle_errors.is_ours(path):
            return mobyle_errors.HANDLERS[kind](request, problem)
        handlers = mobingi_errors.HANDLERS if mobingi_door.is_ours(path) else mender_errors.HANDLERS
        return handlers[kind](request, problem)

    return word


def methods_of(application: Litestar, path: str) -> list[str]:
    """What can be done with the thing at this path; nothing if there is no such route."""
    allowed = []
    for method in _METHODS:
        try:
            application.asgi_router.handle_routing(path, method)
        except HTTPException:
            continue
        allowed.append(method)
    return [*allowed, "OPTIONS"] if allowed else []
