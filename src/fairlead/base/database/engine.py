"""How is the database opened, and how does a transaction begin and end?"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa
import structlog
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from fairlead.base.database.changes import Changes
from fairlead.base.database.dialects import LOWER
from fairlead.base.database.transaction import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import Scope

log = structlog.get_logger()

BUSY_SECONDS = 30
POOL_SIZE = 40
SYNCHRONOUS = "FULL"
"""SQLite's word for: an acknowledged write survives a power cut."""


class BadDatabaseUrl(Refusal):
    message = (
        "The database URL {url!r} is not one that Fairlead understands: use sqlite:///path/to/file "
        "or postgresql://user:password@host/name."
    )


class DatabaseIsAway(Refusal):
    kind = Kind.UNAVAILABLE
    message = "The database does not answer at the moment; please try again."


class DatabaseCannotBeUsed(Refusal):
    """Told to whoever starts a server or a command, who can mend it; a client is only told `DatabaseIsAway`."""

    kind = Kind.UNAVAILABLE
    message = "The database {url} cannot be used: {reason}"


class StorageIsFull(Refusal):
    kind = Kind.UNAVAILABLE
    message = "The disk that holds the database is full: free some space, nothing was changed."


class Database:
    """One engine, and the doors through which transactions are opened."""

    def __init__(self, url: str) -> None:
        self.url = _normal(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self.engine = _sqlite(self.url) if self.is_sqlite else _postgresql(self.url)
        self.changes = Changes(self)
        self._one_writer = threading.Lock()

    def describe(self) -> str:
        """Where the records are, without the password."""
        return self.url.set(drivername=self.url.get_backend_name()).render_as_string(hide_password=True)

    @contextlib.contextmanager
    def outside(self) -> Iterator[sa.Connection]:
        """A connection for what comes before any tenant: looking for tables, and making them."""
        try:
            with self.engine.connect() as connection:
                yield connection
        except DBAPIError as problem:
            reason = " ".join(str(problem.orig).split())
            raise DatabaseCannotBeUsed(url=self.describe(), reason=reason[:400]) from problem

    def begin(self, scope: Scope) -> contextlib.AbstractContextManager[Tx]:
        """A transaction that may write, within one tenant."""
        return self._transaction(scope, writing=True)

    def read(self, scope: Scope) -> contextlib.AbstractContextManager[Tx]:
        """A transaction that only looks, within one tenant. It never waits for a writer."""
        return self._transaction(scope, writing=False)

    def across_tenants(self, why: str, *, writing: bool = True) -> contextlib.AbstractContextManager[Tx]:
        """The operator's and the scheduler's door: every tenant's rows. `why` is for the reader of the call."""
        return self._transaction(None, writing=writing)

    @contextlib.contextmanager
    def _transaction(self, scope: Scope | None, *, writing: bool) -> Iterator[Tx]:
        queue: Any = self._one_writer if writing and self.is_sqlite else contextlib.nullcontext()
        with _worded():
            with queue, self.engine.connect() as connection:
                connection = connection.execution_options(fairlead_writing=writing)
                with connection.begin():
                    tx = Tx(connection, scope)
                    yield tx
                    tx.do_last_acts()
                    announced = tx.write_announcements() if writing else []
            for change in announced:
                _without_harm(partial(self.changes.apply, change))
            for deed in tx.afterwards_deeds:
                _without_harm(deed)

    def close(self) -> None:
        self.changes.stop()
        self.engine.dispose()


def _normal(url: str) -> sa.URL:
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError):
        raise BadDatabaseUrl(url=_without_password(url)) from None
    backend = parsed.drivername.split("+")[0]
    if backend == "sqlite" and parsed.database and not parsed.database.startswith((":memory:", "file:")):
        return parsed.set(drivername="sqlite+pysqlite")
    if backend in {"postgresql", "postgres"}:
        return parsed.set(drivername="postgresql+psycopg")
    raise BadDatabaseUrl(url=_without_password(url))


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://…@{rest.rpartition('@')[2]}" if "@" in rest else url


def _sqlite(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        poolclass=sa.QueuePool,
        pool_size=POOL_SIZE,
        max_overflow=0,
        pool_use_lifo=True,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
    )

    @sa.event.listens_for(engine, "do_connect")
    def make_file(*_: Any) -> None:
        _make_private_file(Path(str(url.database)))

    @sa.event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        connection.create_function(LOWER, 1, lambda text: text and text.lower(), deterministic=True)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute(f"PRAGMA synchronous={SYNCHRONOUS}")
        connection.execute("PRAGMA foreign_keys=ON")
        connection.execute("PRAGMA cache_size=-1000")  # 1 MB for each connection; the system caches the file for all

    @sa.event.listens_for(engine, "begin")
    def begin(connection: sa.Connection) -> None:
        writing = connection.get_execution_options().get("fairlead_writing", True)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _make_private_file(path: Path) -> None:
    """The records hold password hashes: what we make for them is ours alone. SQLite's other files take after it."""
    if path.exists():
        return
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError as problem:
        raise DatabaseCannotBeUsed(url=f"sqlite:///{path}", reason=problem.strerror) from problem


def _postgresql(url: sa.URL) -> sa.Engine:
    return sa.create_engine(
        url,
        pool_size=POOL_SIZE // 2,
        max_overflow=POOL_SIZE // 2,
        pool_pre_ping=True,
        connect_args={"connect_timeout": 5, "application_name": "fairlead"},
    )


def _without_harm(deed: Callable[[], None]) -> None:
    """What follows a commit cannot undo it: a failure is logged. An announcement is heard again with the next poll."""
    try:
        deed()
    except Exception as problem:
        log.warning("commit.followed_by_failure", problem=str(problem))


@contextlib.contextmanager
def _worded() -> Iterator[None]:
    """Say "away" or "full" for the failures that are not our bugs, and let the others through as they are."""
    try:
        yield
    except (OperationalError, InterfaceError, PoolTimeout) as problem:
        if "disk is full" in str(problem) or "No space left" in str(problem):
            raise StorageIsFull from problem
        raise DatabaseIsAway from problem
    except DBAPIError as problem:
        if problem.connection_invalidated:
            raise DatabaseIsAway from problem
        raise
