"""Where the audit trail is kept: a chain for each tenant, every entry numbered and tied to the one before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.base.database import TENANT, Moment, Tx, metadata, tenant_column
from fairlead.domain.audit.model import BEGINNING, Entry, digest_of

audit_entries = sa.Table(
    "audit_entries",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
    tenant_column(),
    sa.Column("number", sa.BigInteger, nullable=False, server_default="0"),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor_kind", sa.Text, nullable=False),
    sa.Column("actor_id", sa.Text, nullable=False),
    sa.Column("actor_name", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("object_id", sa.Text, nullable=False),
    sa.Column("object_name", sa.Text, nullable=False, server_default=""),
    sa.Column("details", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False, server_default=""),
    sa.Index("audit_entries_by_tenant", "tenant_id", "id"),
    sa.Index("audit_entries_by_number", "tenant_id", "number"),
    sa.Index("audit_entries_by_time", "tenant_id", "at", "number"),
    sqlite_autoincrement=True,
)

audit_heads = sa.Table(
    "audit_heads",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
)

_own = sa.select(audit_entries).where(audit_entries.c.tenant_id == TENANT)
_recent = _own.order_by(audit_entries.c.number.desc()).limit(sa.bindparam("at_most"))
_head = sa.select(audit_heads.c.number, audit_heads.c.digest).where(audit_heads.c.tenant_id == TENANT)
_add = sa.insert(audit_entries)
_move_head = (
    sa.update(audit_heads)
    .where(audit_heads.c.tenant_id == TENANT)
    .values(number=sa.bindparam("new_number"), digest=sa.bindparam("new_digest"))
)
_begin_head = sa.insert(audit_heads)


def add(items: Sequence[tuple[Tx, Entry]]) -> None:
    """Add entries at the end of their tenants' chains. Tenants come in one order, so that nobody waits in a circle."""
    ordered = sorted(items, key=lambda item: item[0].tenant_id)
    for _, group in groupby(ordered, key=lambda item: item[0].tenant_id):
        together = list(group)
        _add_to_chain(together[0][0], [entry for _, entry in together])


def _add_to_chain(tx: Tx, entries: Sequence[Entry]) -> None:
    tx.one_at_a_time("audit trail")
    head = tx.one(_head)
    number, digest = (head.number, head.digest) if head else (0, BEGINNING)
    rows = []
    for entry in entries:
        number += 1
        details = msgspec.json.encode(entry.details).decode()
        digest = digest_of(digest, tx.tenant_id, number, entry, details)
        row = {name: getattr(entry, name) for name in Entry.__dataclass_fields__}
        rows.append({**row, "details": details, "number": number, "digest": digest})
    tx.run(_add, rows)
    if head:
        tx.run(_move_head, {"new_number": number, "new_digest": digest})
    else:
        tx.run(_begin_head, {"number": number, "digest": digest})


def head(tx: Tx) -> tuple[int, str]:
    """The number and the digest of the tenant's newest entry."""
    row = tx.one(_head)
    return (row.number, row.digest) if row else (0, BEGINNING)


def chain(tx: Tx, in_one_go: int = 1000) -> Iterator[sa.Row[Any]]:
    """The tenant's entries as they are stored, oldest first."""
    last = None
    while True:
        page = _own.order_by(audit_entries.c.number, audit_entries.c.id).limit(in_one_go)
        if last is not None:
            after = sa.tuple_(audit_entries.c.number, audit_entries.c.id) > sa.tuple_(last.number, last.id)
            page = page.where(after)
        rows = tx.all(page)
        yield from rows
        if len(rows) < in_one_go:
            return
        last = rows[-1]


def recent(tx: Tx, at_most: int = 100) -> list[Entry]:
    """The newest entries of the tenant, newest first."""
    return [as_entry(row) for row in tx.all(_recent, {"at_most": at_most})]


def as_entry(row: sa.Row[Any]) -> Entry:
    values = {name: getattr(row, name) for name in Entry.__dataclass_fields__}
    return Entry(**{**values, "details": msgspec.json.decode(row.details)})
