"""Which entries of the trail are wanted?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from fairlead.base.database import TENANT, Moment, Tx
from fairlead.domain.audit.model import Entry
from fairlead.domain.audit.store import as_entry, audit_entries


@dataclass(frozen=True, slots=True)
class Wanted:
    """What entries must be like; what is None does not matter. Both times are inclusive."""

    actor_id: str | None = None
    actor_kind: str | None = None
    actor_email: str | None = None
    object_id: str | None = None
    object_type: str | None = None
    deployment_name: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    oldest_first: bool = False


class Place(NamedTuple):
    """Where one has got to in a list: at the entry of this time and number."""

    at: datetime
    number: int


def search(tx: Tx, wanted: Wanted, skip: int, at_most: int) -> list[Entry]:
    """Part of the entries that are wanted, by their time; entries of one moment in the order of the chain."""
    found = _ordered(sa.select(audit_entries), wanted).offset(skip).limit(at_most)
    return [as_entry(row) for row in tx.all(found)]


def count(tx: Tx, wanted: Wanted) -> int:
    """How many entries are wanted."""
    return int(tx.scalar(sa.select(sa.func.count()).select_from(audit_entries).where(*_conditions(wanted))))


def search_on(tx: Tx, wanted: Wanted, after: Place | None, at_most: int) -> tuple[list[Entry], Place | None]:
    """The entries that come after a place, and where they end; None if there are no more after them.

    Each part is as quick as the first, however many came before it.
    """
    found = _ordered(sa.select(audit_entries), wanted).limit(at_most)
    if after is not None:
        here = sa.tuple_(audit_entries.c.at, audit_entries.c.number)
        there = sa.tuple_(sa.literal(after.at, Moment), sa.literal(after.number, sa.BigInteger))
        found = found.where(here > there if wanted.oldest_first else here < there)
    rows = tx.all(found)
    place = Place(rows[-1].at, rows[-1].number) if len(rows) == at_most else None
    return [as_entry(row) for row in rows], place


def _ordered(statement: sa.Select[Any], wanted: Wanted) -> sa.Select[Any]:
    columns = (audit_entries.c.at, audit_entries.c.number)
    order = columns if wanted.oldest_first else tuple(column.desc() for column in columns)
    return statement.where(*_conditions(wanted)).order_by(*order)


def _conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    entries = audit_entries.c
    conditions = [entries.tenant_id == TENANT]
    same = {
        entries.actor_id: wanted.actor_id,
        entries.actor_kind: wanted.actor_kind,
        entries.object_id: wanted.object_id,
    }
    conditions += [column == value for column, value in same.items() if value is not None]
    if wanted.actor_email is not None:
        conditions += [entries.actor_kind == "user", sa.func.lower(entries.actor_name) == wanted.actor_email.lower()]
    if wanted.object_type is not None:
        conditions.append(_is_about(wanted.object_type))
    if wanted.deployment_name is not None:
        conditions += [_is_about("deployment"), entries.object_name == wanted.deployment_name]
    if wanted.since is not None:
        conditions.append(entries.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(entries.at <= wanted.until)
    return conditions


def _is_about(noun: str) -> sa.ColumnElement[bool]:
    """Actions name the noun before their first dot; a noun holds none, so `user` is not found by `us`."""
    beginning = f"{noun}."
    return sa.func.substr(audit_entries.c.action, 1, len(beginning)) == beginning
