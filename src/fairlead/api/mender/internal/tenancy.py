"""On whose behalf does an internal call act? The caller is trusted, and names the tenant."""

from __future__ import annotations

from fairlead.api.mender.context import Context
from fairlead.base.scope import Scope, system_scope
from fairlead.domain import identity

CALLER = "internal API"


def scope_of_tenant(context: Context, tenant_id: str) -> Scope:
    """The server itself, acting within this tenant; `TenantNotFound` if there is none."""
    with context.database.across_tenants("is there such a tenant?", writing=False) as tx:
        tenant = identity.find_tenant(tx, tenant_id)
    return system_scope(tenant.id, CALLER)
