"""Where are calls counted? Under digests, like failed logins: whose they are is nobody's business."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from fairlead.base.database import Moment, Tx, list_of_strings, metadata

counted_calls = sa.Table(
    "counted_calls",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("calls", sa.BigInteger, nullable=False),
    sa.Column("ends_at", Moment, nullable=False),
)

_change = (
    sa.update(counted_calls)
    .where(counted_calls.c.digest == sa.bindparam("counted"))
    .values(calls=sa.bindparam("new_calls"), ends_at=sa.bindparam("new_end", type_=Moment))
)


@dataclass(frozen=True, slots=True)
class Count:
    """So many calls in the interval that ends then."""

    calls: int
    ends_at: datetime


def find_counts(tx: Tx, digests: Iterable[str]) -> dict[str, Count]:
    wanted = counted_calls.c.digest.in_(list_of_strings(digests))
    return {row.digest: Count(row.calls, row.ends_at) for row in tx.all(sa.select(counted_calls).where(wanted))}


def write_counts(tx: Tx, counts: Mapping[str, Count], known: Collection[str]) -> None:
    """Write each over the one that is known to be there, or as the first."""
    changed = [
        {"counted": digest, "new_calls": count.calls, "new_end": count.ends_at}
        for digest, count in counts.items()
        if digest in known
    ]
    added = [
        {"digest": digest, "calls": count.calls, "ends_at": count.ends_at}
        for digest, count in counts.items()
        if digest not in known
    ]
    if changed:
        tx.run(_change, changed)
    if added:
        tx.run(sa.insert(counted_calls), added)


def remove_counts_before(tx: Tx, moment: datetime) -> None:
    tx.run(sa.delete(counted_calls).where(counted_calls.c.ends_at <= moment))
