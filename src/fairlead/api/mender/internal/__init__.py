"""What operators and other back-end services call, on the internal listener only."""

from __future__ import annotations

from litestar import HttpMethod, Router, route
from litestar.handlers import HTTPRouteHandler

from fairlead.api.mender.internal import health
from fairlead.api.mender.not_built import NotBuiltYet

NOT_BUILT: tuple[tuple[str, str], ...] = (
    ("POST", "/api/internal/v1/devauth/tokens/verify"),
    ("DELETE", "/api/internal/v1/devauth/tokens"),
    ("GET", "/api/internal/v1/devauth/tenant/{tenant_id:str}/limits/max_devices"),
    ("PUT", "/api/internal/v1/devauth/tenant/{tenant_id:str}/limits/max_devices"),
    ("DELETE", "/api/internal/v1/devauth/tenant/{tenant_id:str}/limits/max_devices"),
    ("POST", "/api/internal/v1/devauth/tenants"),
    ("GET", "/api/internal/v1/devauth/tenants/{tid:str}/devices/{did:str}/status"),
    ("GET", "/api/internal/v1/devauth/tenants/{tid:str}/devices"),
    ("GET", "/api/internal/v1/devauth/tenants/{tid:str}/devices/count"),
    ("POST", "/api/internal/v1/inventory/tenants"),
    ("POST", "/api/internal/v1/inventory/devices"),
    ("POST", "/api/internal/v1/inventory/tenants/{tenant_id:str}/devices/{status:str}"),
    ("PATCH", "/api/internal/v1/inventory/tenants/{tenant_id:str}/device/{device_id:str}/attribute/scope/{name:str}"),
    ("GET", "/api/internal/v1/deployments/tenants/{id:str}/limits/storage"),
    ("PUT", "/api/internal/v1/deployments/tenants/{id:str}/limits/storage"),
    ("POST", "/api/internal/v1/deployments/tenants"),
    ("GET", "/api/internal/v1/deployments/tenants/{id:str}/deployments"),
    ("POST", "/api/internal/v1/deployments/tenants/{id:str}/artifacts"),
    ("POST", "/api/internal/v1/useradm/auth/verify"),
    ("POST", "/api/internal/v1/useradm/tenants"),
    ("POST", "/api/internal/v1/useradm/tenants/{tenant_id:str}/users"),
    ("GET", "/api/internal/v1/useradm/tenants/{tenant_id:str}/users"),
    ("DELETE", "/api/internal/v1/useradm/tokens"),
    ("POST", "/api/internal/v1/tenantadm/tenants/verify"),
    ("GET", "/api/internal/v1/tenantadm/tenants"),
    ("GET", "/api/internal/v1/tenantadm/tenants/{tenant_id:str}"),
    ("PUT", "/api/internal/v1/tenantadm/tenants/{tenant_id:str}"),
    ("POST", "/api/internal/v1/tenantadm/users"),
    ("GET", "/api/internal/v1/tenantadm/users"),
    ("PUT", "/api/internal/v1/tenantadm/tenants/{tenant_id:str}/users/{user_id:str}"),
    ("DELETE", "/api/internal/v1/tenantadm/tenants/{tenant_id:str}/users/{user_id:str}"),
    ("PUT", "/api/internal/v1/tenantadm/tenants/{id:str}/status"),
    ("POST", "/api/v1/workflow/{name:str}"),
    ("GET", "/api/v1/workflow/{name:str}/{id:str}"),
    ("GET", "/api/v1/metadata/workflows"),
    ("POST", "/api/v1/metadata/workflows"),
    ("GET", "/api/internal/v1/auditlogs/tenants/{tenant_id:str}/logs"),
    ("POST", "/api/internal/v1/auditlogs/tenants/{tenant_id:str}/logs"),
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
    return [Router("/", route_handlers=[*health.handlers, *missing])]
