"""What operators and other back-end services call, on the internal listener only."""

from __future__ import annotations

from litestar import Router

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
from fairlead.base.http.not_built import handlers_of

NOT_BUILT: tuple[tuple[str, str], ...] = (
    ("POST", "/api/internal/v1/deviceconnect/tenants"),
    ("POST", "/api/internal/v1/deviceconnect/tenants/{tenant_id:str}/devices"),
    ("DELETE", "/api/internal/v1/deviceconnect/tenants/{tenant_id:str}/devices/{device_id:str}"),
)


def routers() -> list[Router]:
    everywhere = [*health.handlers, *tenancy.handlers, *auditlogs.handlers, *handlers_of(NOT_BUILT, NotBuiltYet)]
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
