"""What can be done inside a transaction, and what does it refuse?"""

from __future__ import annotations

import enum
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import once
from fairlead.base.database.binding import TenantNotBound, has_tenant, make_sure_tenant_is_bound
from fairlead.base.database.changes import Change, changes
from fairlead.base.database.columns import TENANT
from fairlead.base.database.dialects import insert_or_ignore
from fairlead.base.scope import Scope

Parameters = Mapping[str, Any] | Sequence[Mapping[str, Any]]


LastAct = Callable[["list[tuple[Tx, Any]]"], None]
"""Takes what was handed to `Tx.lastly`, each with the view of the transaction that it was handed to."""


class Tx:
    """A transaction for one scope. Actions take it as their first argument and never commit it."""

    def __init__(self, connection: sa.Connection, scope: Scope | None) -> None:
        self._connection = connection
        self._scope = scope
        self._announced: list[Change] = []
        self._afterwards: list[Callable[[], None]] = []
        self._last: dict[LastAct, list[tuple[Tx, Any]]] = {}

    @property
    def scope(self) -> Scope:
        if self._scope is None:
            raise TenantNotBound("This transaction is across tenants and has no scope.")
        return self._scope

    @property
    def tenant_id(self) -> str:
        return self.scope.tenant_id

    @property
    def is_sqlite(self) -> bool:
        return self._connection.dialect.name == "sqlite"

    def within(self, scope: Scope) -> Tx:
        """The same transaction seen from a tenant's scope: for work that first has to find out whose it is."""
        inner = Tx(self._connection, scope)
        inner._announced, inner._afterwards, inner._last = self._announced, self._afterwards, self._last
        return inner

    def require(self, permission: enum.Enum) -> None:
        self.scope.require(permission)

    def run(self, statement: Any, parameters: Parameters | None = None) -> sa.CursorResult[Any]:
        """Run one statement, with the tenant filled in. Rows to insert get their tenant from here too."""
        if self._scope is None:
            return self._connection.execute(statement, parameters)
        make_sure_tenant_is_bound(statement)
        own = self._own(statement)
        if isinstance(parameters, Sequence):
            return self._connection.execute(statement, [{**row, **own} for row in parameters])
        return self._connection.execute(statement, {**(parameters or {}), **own})

    def _own(self, statement: Any) -> dict[str, str]:
        """What the statement is told of our tenant: a row to insert takes it as a value, all else as a condition."""
        if not statement.is_insert or statement.select is not None:
            return {TENANT.key: self.tenant_id}
        return {"tenant_id": self.tenant_id} if has_tenant(statement.table) else {}

    def one(self, statement: Any, parameters: Mapping[str, Any] | None = None) -> sa.Row[Any] | None:
        return self.run(statement, parameters).first()

    def all(self, statement: Any, parameters: Mapping[str, Any] | None = None) -> Sequence[sa.Row[Any]]:
        return self.run(statement, parameters).all()

    def scalar(self, statement: Any, parameters: Mapping[str, Any] | None = None) -> Any:
        return self.run(statement, parameters).scalar()

    def one_at_a_time(self, what: str, *, in_all_tenants: bool = False) -> None:
        """Until the end of this transaction, nobody else in the same tenant (or in any) does `what`.

        SQLite lets only one transaction write anyway; PostgreSQL takes an advisory lock.
        """
        if not self.is_sqlite:
            tenant = self._scope.tenant_id if self._scope and not in_all_tenants else ""
            number = zlib.crc32(f"{tenant}/{what}".encode())
            self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(number)))

    def once(self, key: str) -> bool:
        """Is this the first transaction that does what the key stands for? An empty key always is."""
        if not key:
            return True
        row = {"key": key[: once.LONGEST_KEY], "heard_at": clock.now()}
        added = insert_or_ignore(once.heard_keys, on_sqlite=self.is_sqlite)
        return bool(self._connection.execute(added, row).rowcount)

    def forget_old_keys(self) -> None:
        self._connection.execute(once.forget, {"before": clock.now() - once.KEPT})

    def announce(self, kind: str, subject: str) -> None:
        """Let every process hear of a change once it is committed; this one before the answer leaves."""
        self._announced.append(Change(kind, subject))

    def lastly(self, act: LastAct, item: Any) -> None:
        """Hand the item to `act` at the end of this transaction, together with all others for the same act.

        For what everybody has to queue up for: nobody who holds the place in that queue waits for anything else.
        """
        self._last.setdefault(act, []).append((self, item))

    def do_last_acts(self) -> None:
        for act, items in self._last.items():
            act(items)

    def afterwards(self, deed: Callable[[], None]) -> None:
        """Do this once the transaction is committed, in this process only. It must not fail."""
        self._afterwards.append(deed)

    def write_announcements(self) -> list[Change]:
        """Store what was announced: the last thing before the commit, so that ids follow the order of commits."""
        if self._announced:
            if not self.is_sqlite:
                self._connection.execute(sa.select(sa.func.pg_advisory_xact_lock(zlib.crc32(b"changes"))))
            at = clock.now()
            rows = [{"kind": c.kind, "subject": c.subject, "announced_at": at} for c in self._announced]
            self._connection.execute(sa.insert(changes), rows)
        return self._announced

    @property
    def afterwards_deeds(self) -> list[Callable[[], None]]:
        """What is left to do once the commit stands."""
        return self._afterwards
