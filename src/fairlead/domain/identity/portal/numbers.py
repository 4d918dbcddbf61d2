"""How is something on a portal called? By a number that its tenant gives out, written with eleven digits."""

from __future__ import annotations

import re

import sqlalchemy as sa

from fairlead.base.database import TENANT, Tx, insert_or_ignore
from fairlead.domain.identity.portal.tables import portal_counters as counters

DIGITS = 11
NOTHING = 0
"""The number that is never given out."""

_ID = re.compile(f"[0-9]{{{DIGITS}}}")
_count = (
    sa.update(counters)
    .where(counters.c.tenant_id == TENANT, counters.c.kind == sa.bindparam("counted"))
    .values(last_number=counters.c.last_number + 1)
    .returning(counters.c.last_number)
)


def next_number(tx: Tx, kind: str) -> int:
    """The next number for something of this kind: `user`, `project`, `job`, `data`. Each kind is counted for itself.

    Until the end of the transaction nobody else in the tenant gets one, of any kind: with a lock for each kind, two
    who want numbers of two kinds could wait for each other for ever.
    """
    tx.one_at_a_time("portal numbers")
    number: int | None = tx.scalar(_count, {"counted": kind})
    while number is None:
        tx.run(insert_or_ignore(counters, on_sqlite=tx.is_sqlite), {"kind": kind, "last_number": NOTHING})
        number = tx.scalar(_count, {"counted": kind})
    return number


def written(number: int) -> str:
    """The number as an id: `00000000001`."""
    return f"{number:0{DIGITS}}"


def number_of(text: str) -> int:
    """The number that this id is written for; `NOTHING`, which finds nothing, if it is none."""
    return int(text) if _ID.fullmatch(text) else NOTHING
