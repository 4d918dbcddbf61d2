"""On whose behalf does an internal call act? The caller is trusted, and names the tenant."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, post
from litestar.handlers import HTTPRouteHandler

from fairlead.api.mender.context import Call, Context
from fairlead.api.mender.errors import BadParameter
from fairlead.api.mender.wire import empty, parameter
from fairlead.base.http.hosts import host_of
from fairlead.base.scope import Scope, system_scope
from fairlead.domain import identity

CALLER = "internal API"
_SERVICES = ("devauth", "inventory", "deployments", "useradm")


def scope_of_tenant(context: Context, tenant_id: str) -> Scope:
    """The server itself, acting within this tenant; `TenantNotFound` if there is none."""
    with context.database.across_tenants("is there such a tenant?", writing=False) as tx:
        tenant = identity.find_tenant(tx, tenant_id)
    return system_scope(tenant.id, CALLER)


def call_within(request: Request[Any, Any, Any], context: Context, tenant_id: str) -> Call:
    """What a handler of the management API works with, when it is the server itself that asks."""
    scope = scope_of_tenant(context, tenant_id)
    return Call(context, identity.Bearer(scope, CALLER, "", 0), scope, host_of(request.scope))


def named_tenant(request: Request[Any, Any, Any]) -> str:
    """The tenant that the query has to name."""
    tenant_id = parameter(request, "tenant_id")
    if not tenant_id:
        raise BadParameter(reason="tenant_id must be provided")
    return tenant_id


class NewTenant(msgspec.Struct):
    tenant_id: str = ""


def _provision_tenant(context: Context, data: NewTenant) -> Response[bytes]:
    """Make sure that there is such an organization. There is one list of them, whichever service is asked."""
    with context.database.across_tenants("a tenant that another service names") as tx:
        identity.provision_tenant(tx, context.tokens, data.tenant_id, CALLER)
    return empty(201)


def _handler(service: str) -> HTTPRouteHandler:
    path, name = f"/api/internal/v1/{service}/tenants", f"provision-tenant-{service}"
    return post(path, name=name, sync_to_thread=True, summary="Create Tenant")(_provision_tenant)


handlers = [_handler(service) for service in _SERVICES]


def key_of(request: Request[Any, Any, Any]) -> str:
    """The `Idempotency-Key` with which a caller says that it may have asked for this before; "" if it has none."""
    key = request.headers.get("idempotency-key", "")
    return f"{request.scope['path']} {key}" if key and "\0" not in key else ""
