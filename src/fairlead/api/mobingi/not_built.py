"""Which operations do clients know that are not there yet? They answer 501, and `docs/status.md` lists them."""

from __future__ import annotations

from litestar import HttpMethod, Router, route
from litestar.handlers import HTTPRouteHandler

from fairlead.api.mobingi.auth import for_anyone_with_a_token
from fairlead.base.errors import Kind, Refusal

OPERATIONS: tuple[tuple[str, str], ...] = (
    ("GET", "/v3/alm/registry"),
    ("GET", "/v3/alm/registry/imagetags"),
    ("PUT", "/v3/alm/registry/description"),
    ("PUT", "/v3/alm/registry/visibility"),
    ("DELETE", "/v3/alm/registry/image"),
    ("GET", "/v3/misc/docker/search"),
    ("POST", "/v2/alm/stack/{stack_id:str}/code"),
    ("POST", "/v2/alm/stack/{stack_id:str}/restart_instance"),
    ("GET", "/v2/alm/stack/{stack_id:str}/lifecyclehook"),
    ("PUT", "/v2/alm/stack/{stack_id:str}/lifecyclehook"),
)


class NotBuiltYet(Refusal):
    kind = Kind.NOT_BUILT
    message = "Mobingi's clients know this operation, and Fairlead does not have it yet: see docs/status.md."


async def _answer() -> None:
    raise NotBuiltYet


def _handler(method: str, path: str) -> HTTPRouteHandler:
    name = f"not-built-{method}-{path}"
    return route(path, http_method=HttpMethod(method), status_code=501, include_in_schema=False, name=name)(_answer)


routes = Router(
    "/", guards=[for_anyone_with_a_token], route_handlers=[_handler(method, path) for method, path in OPERATIONS]
)
