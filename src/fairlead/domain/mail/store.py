"""Where letters wait until they are sent."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import Moment, Tx, metadata
from fairlead.domain.mail.model import Waiting

letters = sa.Table(
    "letters",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sealed", sa.Text, nullable=False),  # who it is for and what it says: it may hold a secret
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try_at", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("letters_by_next_try", "next_try_at"),
)

_due = (
    sa.select(letters)
    .where(letters.c.next_try_at <= sa.bindparam("now", type_=Moment))
    .order_by(letters.c.next_try_at, letters.c.id)
    .limit(1)
)
_claim = (
    sa.update(letters)
    .where(letters.c.id == sa.bindparam("letter_id"), letters.c.next_try_at == sa.bindparam("seen", type_=Moment))
    .values(next_try_at=sa.bindparam("until", type_=Moment), attempts=letters.c.attempts + 1)
)
_put_back = (
    sa.update(letters)
    .where(letters.c.id == sa.bindparam("letter_id"))
    .values(next_try_at=sa.bindparam("at", type_=Moment))
)
_remove = sa.delete(letters).where(letters.c.id == sa.bindparam("letter_id"))


def add(tx: Tx, letter_id: str, sealed: str) -> None:
    now = clock.now()
    row = {"id": letter_id, "sealed": sealed, "attempts": 0, "next_try_at": now, "created_at": now}
    tx.run(sa.insert(letters), row)


def is_any_due(tx: Tx) -> bool:
    return tx.one(_due, {"now": clock.now()}) is not None


def claim(tx: Tx, until: datetime) -> Waiting | None:
    """The letter that has been due for longest, ours until then; None if there is none, or another was quicker.

    Whoever claims a letter and dies leaves it to the next who looks after that time.
    """
    row = tx.one(_due, {"now": clock.now()})
    if row is None:
        return None
    claimed = tx.run(_claim, {"letter_id": row.id, "seen": row.next_try_at, "until": until})
    return Waiting(row.id, row.sealed, row.attempts + 1, row.created_at) if claimed.rowcount else None


def put_back(tx: Tx, letter_id: str, at: datetime) -> None:
    tx.run(_put_back, {"letter_id": letter_id, "at": at})


def remove(tx: Tx, letter_id: str) -> None:
    tx.run(_remove, {"letter_id": letter_id})
