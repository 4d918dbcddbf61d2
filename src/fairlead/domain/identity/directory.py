"""Where the operator looks organizations and people up, across all of them; and where an organization goes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fairlead.base.database import TENANT, Tx, mentions, metadata
from fairlead.domain.identity.model import DEFAULT_ROLES, Tenant, TenantStatus
from fairlead.domain.identity.store import as_tenant, tenants, users

LONGEST_SEARCH = 1024

_is_own = tenants.c.id == TENANT


def search_tenants(tx: Tx, username: str, text: str, skip: int, at_most: int) -> Sequence[Tenant]:
    """Tenants by age: the one of the user, and those that the text is the id of or is part of a name of.

    Parts are looked for in the tenant's name and in the e-mails of those who may do everything in it.
    """
    found = sa.select(tenants).order_by(tenants.c.created_at, tenants.c.id)
    if username:
        found = found.where(tenants.c.id.in_(_tenants_of(sa.func.lower(users.c.email) == username.lower())))
    if len(text) > LONGEST_SEARCH:
        return []
    if text:
        administrators = sa.and_(
            users.c.roles.contains(f'"{DEFAULT_ROLES[0]}"', autoescape=True),
            mentions(users.c.email, text),
        )
        found = found.where(
            sa.or_(
                tenants.c.id == text,
                mentions(tenants.c.name, text),
                tenants.c.id.in_(_tenants_of(administrators)),
            )
        )
    return [as_tenant(row) for row in tx.all(found.offset(skip).limit(at_most))]


def _tenants_of(condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return sa.select(users.c.tenant_id).where(condition)


def search_accounts(tx: Tx, email: str, tenant_id: str, user_id: str, skip: int, at_most: int) -> Sequence[sa.Row[Any]]:
    """Users of all tenants by age: id, tenant_id, email, and the plan of their tenant."""
    found = (
        sa.select(users.c.id, users.c.tenant_id, users.c.email, tenants.c.plan)
        .join(tenants, tenants.c.id == users.c.tenant_id)
        .order_by(users.c.created_at, users.c.id)
    )
    if email:
        found = found.where(sa.func.lower(users.c.email) == email.lower())
    if tenant_id:
        found = found.where(users.c.tenant_id == tenant_id)
    if user_id:
        found = found.where(users.c.id == user_id)
    return tx.all(found.offset(skip).limit(at_most))


def change_status(tx: Tx, old: TenantStatus, new: TenantStatus, **values: Any) -> bool:
    """Move the tenant of the scope from one status to another, unless it has left the first one meanwhile."""
    moved = sa.update(tenants).where(_is_own, tenants.c.status == old.value).values(status=new.value, **values)
    return bool(tx.run(moved).rowcount)


def remove_tenant(tx: Tx, status: TenantStatus) -> bool:
    """Remove the tenant of the scope if it has this status, with every row that names it, in any table."""
    if not tx.run(sa.delete(tenants).where(_is_own, tenants.c.status == status.value)).rowcount:
        return False
    for table in reversed(metadata.sorted_tables):
        if "tenant_id" in table.c:
            tx.run(sa.delete(table).where(table.c.tenant_id == TENANT))
    return True


def ids_of_inactive(tx: Tx, founded_before: datetime) -> list[str]:
    """Across tenants: those that have waited since then to be let in for the first time."""
    waiting = sa.and_(tenants.c.status == TenantStatus.INACTIVE.value, tenants.c.created_at < founded_before)
    return [row.id for row in tx.all(sa.select(tenants.c.id).where(waiting).order_by(tenants.c.id))]


def _over(now: datetime) -> sa.ColumnElement[bool]:
    return sa.and_(tenants.c.trial_ends_at <= now, tenants.c.status == TenantStatus.ACTIVE.value)


def ids_of_ended_trials(tx: Tx, now: datetime) -> list[str]:
    """Across tenants."""
    return [row.id for row in tx.all(sa.select(tenants.c.id).where(_over(now)).order_by(tenants.c.id))]


def suspend_ended_trial(tx: Tx, now: datetime) -> bool:
    locked_out = sa.update(tenants).where(_is_own, _over(now)).values(status=TenantStatus.SUSPENDED.value)
    return bool(tx.run(locked_out).rowcount)
