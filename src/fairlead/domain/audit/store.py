"""Where the audit trail is kept."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from fairlead.base.database import TENANT, Moment, Tx, metadata, tenant_column
from fairlead.domain.audit.model import Entry

audit_entries = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
    tenant_column(),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor_kind", sa.Text, nullable=False),
    sa.Column("actor_id", sa.Text, nullable=False),
    sa.Column("actor_name", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("details", sa.Text, nullable=False),
    sa.Index("audit_entries_by_tenant", "tenant_id", "id"),
    sqlite_autoincrement=True,
)

_add = sa.insert(audit_entries)
_recent = (
    sa.select(audit_entries)
    .where(audit_entries.c.tenant_id == TENANT)
    .order_by(audit_entries.c.id.desc())
    .limit(sa.bindparam("at_most"))
)


def add(tx: Tx, entry: Entry) -> None:
    row = {name: getattr(entry, name) for name in Entry.__dataclass_fields__ if name != "details"}
    tx.run(_add, {**row, "details": msgspec.json.encode(entry.details).decode()})


def recent(tx: Tx, at_most: int = 100) -> list[Entry]:
    """The newest entries of the tenant, newest first."""
    return [
        Entry(
            at=row.at,
            actor_kind=row.actor_kind,
            actor_id=row.actor_id,
            actor_name=row.actor_name,
            action=row.action,
            object_id=row.object_id,
            details=msgspec.json.decode(row.details),
        )
        for row in tx.all(_recent, {"at_most": at_most})
    ]
