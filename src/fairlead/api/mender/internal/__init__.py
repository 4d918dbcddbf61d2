"""What operators and other back-end services call, on the internal listener only."""

from __future__ import annotations

from litestar import HttpMethod, Router, route
from litestar.handlers import HTTPRouteHandler

from fairlead.api.mender.internal import (
    auditlogs,
    deployments,
    devauth,
    health,
    inventory,
    tenancy,
    tenantadm,
    useradm,
    workflows,
)
from fairlead.api.mender.not_built import NotBuiltYet

NOT_BUILT: tuple[tuple[str, str], ...] = (
    ("POST", "/api/internal/v1/deviceconnect/tenants"),
    ("POST", "/api/internal/v1/deviceconnect/tenants/{tenant_id:str}/devices"),
    ("DELETE", "/api/internal/v1/deviceconnect/tenants/{tenant_id:str}/devices/{device_id:str}"),
)


async def _answer() -> None:
    raise NotBuiltYet


def _handler(method: str, path: str, number: int) -> HTTPRouteHandler:
    return route(
        path,
        http_method=HttpMethod(method),
        status_code=501,
        include_in_schema=False,
        name=f"internal-not-built-{number}",
    )(_answer)


def routers() -> list[Router]:
    missing = [_handler(method, path, number) for number, (method, path) in enumerate(NOT_BUILT)]
    everywhere = [*health.handlers, *tenancy.handlers, *auditlogs.handlers, *missing]
    return [
        Router("/", route_handlers=everywhere),
        devauth.routes,
        inventory.routes,
        inventory.routes_v2,
        deployments.routes,
        useradm.routes,
        workflows.routes,
        tenantadm.routes,
    ]
