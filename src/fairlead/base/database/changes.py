"""How does one process learn, within a second, what another has changed?

What is kept in memory (verified tokens, devices with nothing to do) is corrected by announcements. An
announcement is a row written in the transaction that makes the change; every process reads the new rows four
times a second. A process that could not read them says so (`fresh()` is false), and its memory is not trusted.
One that could not read them for so long that some are gone forgets all that it remembers, and starts over.
"""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa
import structlog

from fairlead.base import clock
from fairlead.base.database.columns import Moment, metadata

if TYPE_CHECKING:
    from fairlead.base.database.engine import Database

POLL_SECONDS = 0.25
TRUSTED_SECONDS = 0.9
KEPT = timedelta(hours=1)

log = structlog.get_logger()

changes = sa.Table(
    "changes",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("announced_at", Moment, nullable=False),
    sqlite_autoincrement=True,
)

_since = sa.select(changes).where(changes.c.id >= sa.bindparam("last_id")).order_by(changes.c.id)
_newest = sa.select(sa.func.coalesce(sa.func.max(changes.c.id), 0))


@dataclass(frozen=True, slots=True)
class Change:
    """Something that other processes must hear of: what kind of change, and to what."""

    kind: str
    subject: str


Listener = Callable[[str], None]


class Changes:
    """The announcements of all processes, read by one thread of this one."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._listeners: dict[str, list[Listener]] = defaultdict(list)
        self._start_over: list[Callable[[], None]] = []
        self._last_id = 0
        self._read_at = float("-inf")
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def on(self, kind: str, listener: Listener) -> None:
        """Call the listener with the subject of each such change, from here or from any other process."""
        self._listeners[kind].append(listener)

    def when_missed(self, start_over: Callable[[], None]) -> None:
        """Do this when some changes can never be heard of any more."""
        self._start_over.append(start_over)

    def apply(self, change: Change) -> None:
        """Tell the listeners. Hearing of the same change twice must be harmless: it happens."""
        for listener in self._listeners[change.kind]:
            listener(change.subject)

    def fresh(self) -> bool:
        """Has everything that was announced up to a second ago been heard?"""
        return time.monotonic() - self._read_at < TRUSTED_SECONDS

    def start(self) -> None:
        """Begin to listen. What was announced earlier is in the database that memory is filled from."""
        began_at = time.monotonic()
        with self._database.across_tenants("listen to changes", writing=False) as tx:
            self._last_id = tx.scalar(_newest)
        self._read_at = began_at
        self._thread = threading.Thread(target=self._follow, name="changes", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join(timeout=5)

    def read(self) -> None:
        """Hear of what is new. Freshness counts from before the look, not from after it."""
        began_at = time.monotonic()
        with self._database.across_tenants("listen to changes", writing=False) as tx:
            news = list(tx.all(_since, {"last_id": self._last_id}))
        first = news[0].id if news else 0
        if first not in {self._last_id, 1}:  # the newest is always kept, so others have come and gone meanwhile
            log.warning("changes.missed", last=self._last_id)
            for start_over in self._start_over:
                start_over()
            self._last_id = 0
        for row in news:
            if row.id > self._last_id:
                self.apply(Change(row.kind, row.subject))
                self._last_id = row.id
        self._read_at = began_at

    def forget_old(self) -> None:
        """Drop announcements that every process has long heard, but for the newest: by it they know where they are."""
        with self._database.across_tenants("forget old changes") as tx:
            newest = tx.scalar(_newest)
            tx.run(sa.delete(changes).where(changes.c.announced_at < clock.now() - KEPT, changes.c.id < newest))

    def _follow(self) -> None:
        reading = True
        while not self._stop.wait(POLL_SECONDS):
            try:
                self.read()
            except Exception as problem:  # the database may be away: memory is not trusted until it is back
                if reading:
                    log.warning("changes.unread", problem=str(problem))
                reading = False
            else:
                if not reading:
                    log.info("changes.read_again")
                reading = True
