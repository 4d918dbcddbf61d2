"""Where tenants, users and their sessions are kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fairlead.base import clock
from fairlead.base.database import TENANT, Moment, Tx, list_of_strings, metadata, tenant_column
from fairlead.domain.identity.api_limits import read_limits, written
from fairlead.domain.identity.model import EmailTaken, Tenant, TenantStatus, User

tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("token", sa.Text, nullable=False),
    sa.Column("device_limit", sa.BigInteger, nullable=False),
    sa.Column("storage_limit_bytes", sa.BigInteger, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("trial_ends_at", Moment),
    sa.Column("api_limits", sa.Text, nullable=False, server_default="{}"),
    sa.Column("billing", sa.Text, nullable=False, server_default="{}"),
    sa.Column("cancelled_at", Moment),
    sa.Column("cancel_reason", sa.Text, nullable=False, server_default=""),
)

users = sa.Table(
    "users",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("email", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("roles", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("logged_in_at", Moment),
    sa.Column("settings", sa.Text, nullable=False, server_default="{}"),
    sa.Column("second_factor", sa.Text),  # sealed
    sa.Column("second_factor_on", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("second_factor_step", sa.BigInteger, nullable=False, server_default="0"),  # of the last login
    sa.Column("second_factor_verified_step", sa.BigInteger, nullable=False, server_default="0"),
    sa.Index("users_by_tenant", "tenant_id", "created_at"),
    sa.Index("users_one_email", sa.func.lower(sa.literal_column("email")), unique=True),
)

sessions = sa.Table(
    "sessions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("user_id", sa.Text, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("sessions_by_user", "user_id"),
)

roles = sa.Table(
    "roles",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("permissions", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
)

password_resets = sa.Table(
    "password_resets",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("user_id", sa.Text, sa.ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Index("password_resets_by_user", "user_id"),
)

failed_logins = sa.Table(
    "failed_logins",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("since", Moment, nullable=False),
)

_tenant = sa.select(tenants).where(tenants.c.id == sa.bindparam("id"))
_users = sa.select(users).where(users.c.tenant_id == TENANT)
_user = _users.where(users.c.id == sa.bindparam("id"))
_user_by_email = sa.select(users).where(sa.func.lower(users.c.email) == sa.bindparam("email"))
_session = (
    sa.select(users)
    .join(sessions, sessions.c.user_id == users.c.id)
    .where(
        sessions.c.tenant_id == TENANT,
        users.c.tenant_id == TENANT,
        sessions.c.id == sa.bindparam("id"),
        users.c.id == sa.bindparam("user_id"),
        sessions.c.expires_at > sa.bindparam("now", type_=Moment),
    )
)


def find_tenant(tx: Tx, tenant_id: str) -> Tenant | None:
    row = tx.one(_tenant, {"id": tenant_id})
    return row and as_tenant(row)


def tenant_ids(tx: Tx) -> list[str]:
    """Across tenants: all that there are."""
    return [row.id for row in tx.all(sa.select(tenants.c.id).order_by(tenants.c.id))]


def add_tenant(tx: Tx, tenant: Tenant) -> None:
    tx.run(
        sa.insert(tenants),
        {
            "id": tenant.id,
            "name": tenant.name,
            "status": tenant.status.value,
            "plan": tenant.plan,
            "token": tenant.token,
            "device_limit": tenant.device_limit,
            "storage_limit_bytes": tenant.storage_limit_bytes,
            "created_at": clock.now(),
            "trial_ends_at": tenant.trial_ends_at,
            "api_limits": written(tenant.api_limits),
            "billing": msgspec.json.encode(tenant.billing).decode(),
        },
    )


def change_tenant(tx: Tx, tenant_id: str, **values: Any) -> bool:
    return bool(tx.run(sa.update(tenants).where(tenants.c.id == tenant_id).values(**values)).rowcount)


def find_user(tx: Tx, user_id: str) -> User | None:
    row = tx.one(_user, {"id": user_id})
    return row and _as_user(row)


def find_user_by_email(tx: Tx, email: str) -> User | None:
    """Across tenants: an e-mail belongs to one user of one tenant, whatever its capitals."""
    row = tx.one(_user_by_email, {"email": email.lower()})
    return row and _as_user(row)


def find_user_of_session(tx: Tx, session_id: str, user_id: str) -> User | None:
    row = tx.one(_session, {"id": session_id, "user_id": user_id, "now": clock.now()})
    return row and _as_user(row)


def search_users(tx: Tx, ids: Sequence[str], emails: Sequence[str], times: Mapping[str, datetime]) -> list[User]:
    """The tenant's users, oldest first. `times` holds `created_after`, `created_before`, `updated_…`: all inclusive."""
    found = _users.order_by(users.c.created_at, users.c.id)
    if ids:
        found = found.where(users.c.id.in_(list_of_strings(ids)))
    if emails:
        found = found.where(sa.func.lower(users.c.email).in_(list_of_strings(email.lower() for email in emails)))
    for name, moment in times.items():
        column = users.c.created_at if name.startswith("created") else users.c.updated_at
        found = found.where(column >= moment if name.endswith("after") else column <= moment)
    return [_as_user(row) for row in tx.all(found)]


def add_user(tx: Tx, user: User) -> None:
    values = {name: getattr(user, name) for name in User.__dataclass_fields__ if name != "tenant_id"}
    try:
        tx.run(sa.insert(users), {**values, "roles": _json(user.roles)})
    except IntegrityError:
        raise EmailTaken from None


def change_user(tx: Tx, user_id: str, **values: Any) -> None:
    if "roles" in values:
        values["roles"] = _json(values["roles"])
    try:
        tx.run(sa.update(users).where(users.c.tenant_id == TENANT, users.c.id == user_id).values(**values))
    except IntegrityError:
        raise EmailTaken from None


def remove_user(tx: Tx, user_id: str) -> bool:
    return bool(tx.run(sa.delete(users).where(users.c.tenant_id == TENANT, users.c.id == user_id)).rowcount)


def add_session(tx: Tx, session_id: str, user_id: str, expires_at: datetime) -> None:
    tx.run(sa.insert(sessions), {"id": session_id, "user_id": user_id, "expires_at": expires_at})


def remove_session(tx: Tx, session_id: str) -> None:
    tx.run(sa.delete(sessions).where(sessions.c.tenant_id == TENANT, sessions.c.id == session_id))


def remove_sessions_of(tx: Tx, user_id: str, except_for: str | None = None) -> None:
    gone = sa.delete(sessions).where(sessions.c.tenant_id == TENANT, sessions.c.user_id == user_id)
    tx.run(gone.where(sessions.c.id != except_for) if except_for else gone)


def remove_sessions(tx: Tx) -> None:
    """Those of all users of the tenant."""
    tx.run(sa.delete(sessions).where(sessions.c.tenant_id == TENANT))


def remove_expired_sessions(tx: Tx) -> int:
    """Across tenants."""
    return tx.run(sa.delete(sessions).where(sessions.c.expires_at <= clock.now())).rowcount


def _json(roles: Sequence[str]) -> str:
    return msgspec.json.encode(list(roles)).decode()


def as_tenant(row: sa.Row[Any]) -> Tenant:
    values = {name: getattr(row, name) for name in Tenant.__dataclass_fields__}
    api_limits, billing = read_limits(row.api_limits), msgspec.json.decode(row.billing)
    return Tenant(**{**values, "status": TenantStatus(row.status), "api_limits": api_limits, "billing": billing})


def _as_user(row: sa.Row[Any]) -> User:
    values = {name: getattr(row, name) for name in User.__dataclass_fields__}
    return User(**{**values, "roles": tuple(msgspec.json.decode(row.roles))})
