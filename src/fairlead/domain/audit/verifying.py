"""Is the audit trail as it was written, and if not: which entry is the first that is not?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from fairlead.base.database import Tx
from fairlead.domain.audit import store
from fairlead.domain.audit.model import BEGINNING, Entry, digest_of

_TEXTS = ("actor_kind", "actor_id", "actor_name", "action", "object_id", "object_name", "details", "digest")
_PROGRESS_EVERY = 1000

INSERTED = "was inserted"
TWICE = "was inserted, or its number was altered: there is another entry with this number"
UNCHAINED = "is not part of the chain: it was inserted, its number was altered, or an older version wrote it"
MISSING = "is missing: it was removed, or its number was altered"
MOVED = "is not in its place: the order was changed"
ALTERED = "was altered, or does not follow the one before it"
BEGUN_ANEW = "is not the founding of the tenant, with which every trail begins: what came before was removed"
ALL_GONE = "is missing: the whole trail was removed"
NO_HEAD = "is the last one, and the record of where the chain ends was removed"
BAD_HEAD = "is the last one, and the record of where the chain ends says something else: that record was altered"
TAIL_GONE = "is missing: it was removed from the end of the chain"
BEYOND = "comes after the end of the chain: it was inserted, or the record of where the chain ends was altered"


@dataclass(frozen=True, slots=True)
class Fault:
    """The first entry that is not as it was written. One that is missing has neither time nor action."""

    number: Any
    problem: str
    at: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """How many entries are as they were written, from the first one on, and the digest of the last of them."""

    entries: int
    digest: str
    fault: Fault | None
    has_noted: bool
    """Is the digest that was noted earlier one of theirs?"""


def verify(
    tx: Tx, *, founded_by: str = "", noted: str = "", progress: Callable[[int], None] = lambda count: None
) -> Finding:
    """Walk the tenant's chain from its beginning to its head, up to the first fault.

    `founded_by` is the action that every trail of a tenant that exists begins with. `noted` is a digest that was
    noted earlier: it catches someone who rewrote all that came after. What is added meanwhile is left out.
    """
    top, head = store.ends(tx)
    if top is None:
        return _nothing(head, founded_by, noted)
    walk = _Walk(tx.tenant_id, head, founded_by, noted, progress)
    fault = walk.first_fault(store.chain(tx, top)) or walk.fault_at_the_end()
    return Finding(walk.number, walk.digest, fault, walk.has_noted)


def _nothing(head: store.Head | None, founded_by: str, noted: str) -> Finding:
    gone = Fault(1, ALL_GONE) if head is not None or founded_by else None
    return Finding(0, BEGINNING, gone, noted == BEGINNING)


class _Walk:
    """Where one has got to: the last good entry's number and digest, and the digest before that."""

    def __init__(
        self, tenant_id: str, head: store.Head | None, founded_by: str, noted: str, progress: Callable[[int], None]
    ) -> None:
        self._tenant_id = tenant_id
        self._head = head
        self._founded_by = founded_by
        self._noted = noted
        self._progress = progress
        self._before = ""
        self._last: sa.Row[Any] | None = None
        self._beyond: sa.Row[Any] | None = None
        self.number = 0
        self.digest = BEGINNING
        self.has_noted = noted == BEGINNING

    def first_fault(self, rows: Iterable[sa.Row[Any]]) -> Fault | None:
        for row, following in _with_following(rows):
            if row.number != self.number + 1 or not self._fits(row, self.number + 1, self.digest):
                return self._what_is_wrong(row, following)
            if row.number == 1 and self._founded_by and row.action != self._founded_by:
                return _at(row, BEGUN_ANEW)
            self._go_on(row)
        return None

    def _go_on(self, row: sa.Row[Any]) -> None:
        self._before, self._last = self.digest, row
        if self._head is not None and row.number - 1 == self._head.number:
            self._beyond = row
        self.number, self.digest = row.number, row.digest
        self.has_noted = self.has_noted or row.digest == self._noted
        if self.number % _PROGRESS_EVERY == 0:
            self._progress(self.number)

    def _fits(self, row: sa.Row[Any], number: int, previous: str) -> bool:
        """Was this recorded as the entry of that number, after the one with that digest?"""
        at = _moment(row.at)
        if at is None or not all(isinstance(getattr(row, name), str) for name in _TEXTS):
            return False
        entry = Entry(at, row.actor_kind, row.actor_id, row.actor_name, row.action, row.object_id, {}, row.object_name)
        return bool(digest_of(previous, self._tenant_id, number, entry, row.details) == row.digest)

    def _what_is_wrong(self, row: sa.Row[Any], following: sa.Row[Any] | None) -> Fault:
        expected = self.number + 1
        if not isinstance(row.number, int) or row.number < 1:
            return _at(row, UNCHAINED)
        if row.number < expected:
            return _at(row, TWICE)
        if row.number > expected:
            return Fault(expected, MISSING)
        if following is not None and following.number == expected and self._fits(following, expected, self.digest):
            return _at(row, INSERTED)
        if self._last is not None and self._fits(row, self.number, self._before):
            return _at(self._last, INSERTED)
        if following is not None and self._fits(row, expected + 1, following.digest):
            return _at(row, MOVED)
        return _at(row, ALTERED)

    def fault_at_the_end(self) -> Fault | None:
        """The chain is good in itself: does it end where it should?"""
        assert self._last is not None
        if self._head is None:
            return _at(self._last, NO_HEAD)
        if self._head == (self.number, self.digest):
            return None
        if self._beyond is not None:
            return _at(self._beyond, BEYOND)
        if isinstance(self._head.number, int) and self._head.number > self.number:
            return Fault(self.number + 1, TAIL_GONE)
        return _at(self._last, BAD_HEAD)


def _with_following(rows: Iterable[sa.Row[Any]]) -> Iterator[tuple[sa.Row[Any], sa.Row[Any] | None]]:
    held: sa.Row[Any] | None = None
    for row in rows:
        if held is not None:
            yield held, row
        held = row
    if held is not None:
        yield held, None


def _at(row: sa.Row[Any], problem: str) -> Fault:
    return Fault(row.number, problem, str(row.at), str(row.action))


def _moment(stored: object) -> datetime | None:
    """The moment that is stored as this text, None if nothing that we write is.

    PostgreSQL says it with its zone and without zeros at the end; SQLite keeps what we have written, to the letter.
    """
    try:
        moment = datetime.fromisoformat(str(stored))
    except ValueError:
        return None
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    return moment.replace(tzinfo=UTC) if moment.isoformat(" ", "microseconds") == stored else None
