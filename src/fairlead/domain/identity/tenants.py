"""What can be done with organizations?"""

from __future__ import annotations

import secrets

from fairlead.base.database import Database, Tx
from fairlead.base.scope import system_scope
from fairlead.domain import audit
from fairlead.domain.identity import store
from fairlead.domain.identity.model import DEFAULT_TENANT_ID, Tenant, TenantNotFound, TenantStatus
from fairlead.domain.identity.tokens import Tokens

TENANT_CHANGED = "tenant-changed"
"""The change that tells every process to verify all tokens of a tenant anew."""


def make_sure_default_tenant_exists(database: Database, tokens: Tokens) -> None:
    """A server that is not multitenant has one tenant, made at its first start."""
    with database.across_tenants("first start") as tx:
        if store.find_tenant(tx, DEFAULT_TENANT_ID) is None:
            add_tenant(tx, tokens, "default", tenant_id=DEFAULT_TENANT_ID)


def add_tenant(
    tx: Tx, tokens: Tokens, name: str, plan: str = "enterprise", device_limit: int = 0, tenant_id: str = ""
) -> Tenant:
    """Found an organization. Through the operator's door: nobody inside a tenant can."""
    tenant_id = tenant_id or secrets.token_hex(12)
    tenant = Tenant(
        tenant_id, name, TenantStatus.ACTIVE, plan, tokens.for_tenant(tenant_id), device_limit, storage_limit_bytes=0
    )
    store.add_tenant(tx, tenant)
    audit.record(tx.within(system_scope(tenant.id)), "tenant.create", tenant.id, name=name, plan=plan)
    return tenant


def find_tenant(tx: Tx, tenant_id: str) -> Tenant:
    tenant = store.find_tenant(tx, tenant_id)
    if tenant is None:
        raise TenantNotFound
    return tenant


def own_tenant(tx: Tx) -> Tenant:
    """The tenant of the scope: its plan and its limits."""
    return find_tenant(tx, tx.tenant_id)


def suspend_tenant(tx: Tx, tenant_id: str) -> None:
    """Lock an organization out. Its people and its devices are refused within a second, and nothing is lost."""
    _change_status(tx, tenant_id, TenantStatus.SUSPENDED, "tenant.suspend")


def activate_tenant(tx: Tx, tenant_id: str) -> None:
    _change_status(tx, tenant_id, TenantStatus.ACTIVE, "tenant.activate")


def change_device_limit(tx: Tx, tenant_id: str, limit: int) -> None:
    """How many devices the tenant may accept; 0 lifts the limit. Devices that are in stay in."""
    if not store.change_tenant(tx, tenant_id, device_limit=limit):
        raise TenantNotFound
    audit.record(tx.within(system_scope(tenant_id)), "tenant.limit", tenant_id, device_limit=limit)


def _change_status(tx: Tx, tenant_id: str, status: TenantStatus, action: str) -> None:
    if not store.change_tenant(tx, tenant_id, status=status.value):
        raise TenantNotFound
    tx.announce(TENANT_CHANGED, tenant_id)
    audit.record(tx.within(system_scope(tenant_id)), action, tenant_id)
