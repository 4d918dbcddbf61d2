"""What can be done with organizations by whoever runs the server?"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fairlead.base.database import Database, Tx
from fairlead.base.scope import system_scope
from fairlead.domain import audit
from fairlead.domain.identity import directory, store
from fairlead.domain.identity.model import (
    DEFAULT_TENANT_ID,
    BadToken,
    Tenant,
    TenantNotFound,
    TenantStatus,
    TenantSuspended,
)
from fairlead.domain.identity.plans import DEVICE_LIMITS, Plan, plan_called
from fairlead.domain.identity.tokens import Tokens

TENANT_CHANGED = "tenant-changed"
"""The change that tells every process to verify all tokens of a tenant anew."""

OPERATOR = "fairlead"

FOUNDED = "tenant.create"
"""The first entry in the audit trail of every organization."""


def make_sure_there_is_a_tenant(database: Database, tokens: Tokens) -> None:
    """A server that is not multitenant has one tenant, made at its first start; not where there are others already."""
    with database.across_tenants("first start") as tx:
        if not directory.search_tenants(tx, "", "", 0, 1):
            add_tenant(tx, tokens, "default", tenant_id=DEFAULT_TENANT_ID)


def new_tenant_id() -> str:
    """An id that nobody can guess: who knows that of an inactive organization may activate it."""
    return secrets.token_hex(12)


def add_tenant(
    tx: Tx,
    tokens: Tokens,
    name: str,
    plan: str = Plan.ENTERPRISE.value,
    device_limit: int | None = None,
    tenant_id: str = "",
    status: TenantStatus = TenantStatus.ACTIVE,
    trial_ends_at: datetime | None = None,
    billing: Mapping[str, str] | None = None,
    by: str = OPERATOR,
) -> Tenant:
    """Found an organization, with the device limit of its plan unless another is given.

    Through the operator's door: nobody inside a tenant can.
    """
    tenant_id = tenant_id or new_tenant_id()
    limit = DEVICE_LIMITS[plan_called(plan)] if device_limit is None else device_limit
    token = tokens.for_tenant(tenant_id)
    tenant = Tenant(
        tenant_id, name, status, plan, token, limit, 0, trial_ends_at=trial_ends_at, billing=dict(billing or {})
    )
    store.add_tenant(tx, tenant)
    audit.record(tx.within(system_scope(tenant.id, by)), FOUNDED, tenant.id, name=name, plan=plan)
    return tenant


def find_tenant(tx: Tx, tenant_id: str) -> Tenant:
    tenant = store.find_tenant(tx, tenant_id)
    if tenant is None:
        raise TenantNotFound
    return tenant


def tenant_with_token(tx: Tx, tenant_id: str) -> Tenant:
    """The tenant that a verified tenant token names: `BadToken` if it is gone, `TenantSuspended` if it is kept out."""
    tenant = store.find_tenant(tx, tenant_id)
    if tenant is None:
        raise BadToken
    if not tenant.is_active:
        raise TenantSuspended
    return tenant


def own_tenant(tx: Tx) -> Tenant:
    """The tenant of the scope: its plan and its limits."""
    return find_tenant(tx, tx.tenant_id)


def suspend_tenant(tx: Tx, tenant_id: str, by: str = OPERATOR) -> None:
    """Lock an organization out. Its people and its devices are refused within a second, and nothing is lost."""
    _change_status(tx, tenant_id, "tenant.suspend", by, status=TenantStatus.SUSPENDED.value)


def activate_tenant(tx: Tx, tenant_id: str, by: str = OPERATOR) -> None:
    """Let an organization in, whatever kept it out. That it was cancelled is forgotten."""
    values = {"status": TenantStatus.ACTIVE.value, "cancelled_at": None, "cancel_reason": ""}
    _change_status(tx, tenant_id, "tenant.activate", by, **values)


def change_device_limit(tx: Tx, tenant_id: str, limit: int, by: str = OPERATOR) -> None:
    """How many devices the tenant may accept; 0 lifts the limit. Devices that are in stay in."""
    tenant = find_tenant(tx, tenant_id)
    store.change_tenant(tx, tenant_id, device_limit=limit)
    changed = {"device_limit": (tenant.device_limit, limit)}
    audit.record(tx.within(system_scope(tenant_id, by)), "tenant.limit", tenant_id, name=tenant.name, changed=changed)


def _change_status(tx: Tx, tenant_id: str, action: str, by: str, **values: Any) -> None:
    tenant = find_tenant(tx, tenant_id)
    store.change_tenant(tx, tenant_id, **values)
    tx.announce(TENANT_CHANGED, tenant_id)
    audit.record(tx.within(system_scope(tenant_id, by)), action, tenant_id, name=tenant.name)
