"""Where the audit trail is kept: a chain for each tenant, every entry numbered and tied to the one before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

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
_stored = (
    sa.select(
        *(column for column in audit_entries.c if column.name != "at"),
        sa.cast(audit_entries.c.at, sa.Text).label("at"),
    )
    .where(audit_entries.c.tenant_id == TENANT)
    .order_by(audit_entries.c.number, audit_entries.c.id)
)
_ends = sa.select(
    sa.select(sa.func.max(audit_entries.c.number))
    .where(audit_entries.c.tenant_id == TENANT)
    .scalar_subquery()
    .label("top"),
    sa.select(audit_heads.c.number).where(audit_heads.c.tenant_id == TENANT).scalar_subquery().label("number"),
    sa.select(audit_heads.c.digest).where(audit_heads.c.tenant_id == TENANT).scalar_subquery().label("digest"),
)
_tenants = sa.union(sa.select(audit_entries.c.tenant_id), sa.select(audit_heads.c.tenant_id)).order_by("tenant_id")
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


class Head(NamedTuple):
    """Where a chain ends, as it is stored."""

    number: Any
    digest: Any


def ends(tx: Tx) -> tuple[Any, Head | None]:
    """The largest number that an entry of the tenant has, None if there is none, and where its chain should end.

    Both as of one moment: whoever walks the chain up to that number sees nothing of what is added meanwhile.
    """
    row = tx.one(_ends)
    assert row is not None
    return row.top, None if row.number is None else Head(row.number, row.digest)


def chain(tx: Tx, top: Any, in_one_go: int = 1000) -> Iterator[sa.Row[Any]]:
    """The tenant's entries up to this number as they are stored, oldest first, whatever somebody made of them."""
    last = None
    while True:
        page = _stored.where(audit_entries.c.number <= top).limit(in_one_go)
        if last is not None:
            after = sa.tuple_(audit_entries.c.number, audit_entries.c.id) > sa.tuple_(last.number, last.id)
            page = page.where(after)
        rows = tx.all(page)
        yield from rows
        if len(rows) < in_one_go:
            return
        last = rows[-1]


def tenants(tx: Tx) -> list[str]:
    """Across tenants: those that have a trail, or had one and still have its head."""
    return [row.tenant_id for row in tx.all(_tenants)]


def recent(tx: Tx, at_most: int = 100) -> list[Entry]:
    """The newest entries of the tenant, newest first."""
    return [as_entry(row) for row in tx.all(_recent, {"at_most": at_most})]


def as_entry(row: sa.Row[Any]) -> Entry:
    values = {name: getattr(row, name) for name in Entry.__dataclass_fields__}
    return Entry(**{**values, "details": msgspec.json.decode(row.details)})
