"""Which documented operations are not there yet? They answer 501, and `docs/status.md` lists them."""

from __future__ import annotations

from litestar import HttpMethod, Router, route
from litestar.handlers import HTTPRouteHandler

from fairlead.api.mender.auth import for_devices, for_users
from fairlead.base.errors import Kind, Refusal

MANAGEMENT: tuple[tuple[str, str], ...] = (
    ("GET", "/v2/inventory/filters"),
    ("POST", "/v2/inventory/filters"),
    ("GET", "/v2/inventory/filters/{id:str}"),
    ("DELETE", "/v2/inventory/filters/{id:str}"),
    ("GET", "/v2/inventory/filters/{id:str}/search"),
    ("POST", "/v2/deployments/deployments"),
    ("GET", "/v1/deviceconnect/devices/{id:str}"),
    ("GET", "/v1/deviceconnect/devices/{id:str}/connect"),
)
OPEN: tuple[tuple[str, str], ...] = ()
DEVICES: tuple[tuple[str, str], ...] = (("GET", "/v1/deviceconnect/connect"),)


class NotBuiltYet(Refusal):
    kind = Kind.NOT_BUILT
    message = "This operation is part of the reference, and Fairlead does not have it yet: see docs/status.md."


async def _answer() -> None:
    raise NotBuiltYet


def _handler(method: str, path: str, number: int) -> HTTPRouteHandler:
    return route(
        path,
        http_method=HttpMethod(method),
        status_code=501,
        include_in_schema=False,
        name=f"not-built-{number}-{path}",
    )(_answer)


def _router(prefix: str, operations: tuple[tuple[str, str], ...], guards: list[object]) -> Router:
    handlers = [_handler(method, path, number) for number, (method, path) in enumerate(operations)]
    return Router(prefix, route_handlers=handlers, guards=guards)  # type: ignore[arg-type]


def routers() -> list[Router]:
    return [
        _router("/api/management", MANAGEMENT, [for_users]),
        _router("/api/management", OPEN, []),
        _router("/api/devices", DEVICES, [for_devices]),
    ]
