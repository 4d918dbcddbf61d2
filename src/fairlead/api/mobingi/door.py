"""What does a browser need to be told of every answer of this API?

Mobingi's own pages call it from another host: so each answer says that any page may read it, as the reference server
does. Nothing here goes by cookies, so that gives nobody what they could not have without a browser.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from fairlead.api.mobingi.errors import JSON, NOTHING_HERE, body_of

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]

_PREFIXES = ("/v3/", "/v2/")
_HEADERS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, GET, OPTIONS, PUT, DELETE"),
    (b"access-control-allow-headers", b"Content-Type, Authorization"),
    (b"cache-control", b"no-store"),
]


def is_ours(path: str) -> bool:
    """Is this path one of this API, whether or not there is anything at it?"""
    return path.startswith(_PREFIXES) or path in {"/v3", "/v2"}


class Door:
    """Stands in front of an ASGI application, and adds to the answers under this API's paths."""

    def __init__(self, app: App, methods_of: Callable[[str], list[str]]) -> None:
        self._app = app
        self._methods_of = methods_of

    def __call__(self, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
        if scope["type"] != "http" or not is_ours(scope["path"]):
            return self._app(scope, receive, send)
        return self._serve(scope, receive, send)

    async def _serve(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = _with_ours(message.get("headers", ()))
            await send(message)

        if scope["method"] == "OPTIONS":
            methods = self._methods_of(scope["path"])
            body = b"" if methods else body_of(NOTHING_HERE)
            await _answer(send_with_headers, 200 if methods else 404, body, ", ".join(methods))
        else:
            await self._app(scope, receive, send_with_headers)


def _with_ours(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    said = list(headers)
    names = {name.lower() for name, _ in said}
    return said + [(name, value) for name, value in _HEADERS if name not in names]


async def _answer(send: Any, status: int, body: bytes, allow: str = "") -> None:
    headers = [(b"content-type", JSON.encode()), (b"content-length", str(len(body)).encode())]
    headers += [(b"allow", allow.encode())] if allow else []
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
