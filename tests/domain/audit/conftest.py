"""A trail of entries of every kind, and the means to tamper with it: what is done to it is undone after each look."""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from fairlead.base.database import TENANT, Database, Tx
from fairlead.base.scope import Actor, ActorKind, Scope, system_scope
from fairlead.domain import audit, identity
from fairlead.domain.audit.store import audit_entries as entries
from fairlead.domain.audit.store import audit_heads as heads

LENGTH = 40
KINDS = (
    ("user.create", "ada@acme.example", {"roles": ["RBAC_ROLE_PERMIT_ALL"]}),
    ("user.update", "ada@acme.example", {"changed": {"email": ["a@acme.example", "b@acme.example"]}}),
    ("device.accept", "", {"auth_set": "4711"}),
    ("deployment.create", "rollout", {"artifact_name": "release-1", "devices": 3}),
    ("group.add_devices", "", {"devices": ["1", "2"], "count": 2}),
    ("artifact.update", "Gerät „ein“ 🚀", {}),
    ("tenant.limit", "", {"device_limit": None}),
)
ACTORS = (
    Actor(ActorKind.USER, "1", "ada@acme.example"),
    Actor(ActorKind.DEVICE, "2", '{"mac":"door"}'),
    Actor(ActorKind.SYSTEM, "command line", "command line"),
)


@dataclass(frozen=True)
class Trail:
    """The trail of a tenant that exists."""

    database: Database
    tenant_id: str

    @property
    def scope(self) -> Scope:
        return system_scope(self.tenant_id)

    def add(self, count: int) -> None:
        """One transaction for each three entries."""
        numbers = itertools.count()
        for _ in range(0, count, 3):
            with self.database.begin(self.scope) as tx:
                for number in itertools.islice(numbers, min(3, count - _)):
                    action, name, details = KINDS[number % len(KINDS)]
                    actor = replace(self.scope, actor=ACTORS[number % len(ACTORS)])
                    audit.record(tx.within(actor), action, f"target {number}", name=name, **details)

    def verify(self, **wishes: Any) -> audit.Finding:
        with self.database.read(self.scope) as tx:
            return audit.verify(tx, founded_by=identity.FOUNDED, **wishes)

    @contextlib.contextmanager
    def tampered(self) -> Iterator[Tampering]:
        """What is done in here is undone at the end."""
        with contextlib.suppress(_Undo), self.database.across_tenants("tamper") as tx:
            yield Tampering(tx, self.scope)
            raise _Undo


class _Undo(Exception):
    """Ends the transaction without a trace."""


@dataclass(frozen=True)
class Tampering:
    """Someone who may write to the database at will."""

    tx: Tx
    scope: Scope

    def verify(self, **wishes: Any) -> audit.Finding:
        return audit.verify(self.tx.within(self.scope), founded_by=identity.FOUNDED, **wishes)

    def rows(self) -> list[dict[str, Any]]:
        own = sa.select(entries).where(entries.c.tenant_id == TENANT).order_by(entries.c.number)
        return [dict(row._mapping) for row in self.tx.within(self.scope).all(own)]

    def alter(self, place: int, /, **values: Any) -> None:
        named = (entries.c.tenant_id == self.scope.tenant_id, entries.c.number == place)
        assert self.tx.run(sa.update(entries).where(*named).values(**values)).rowcount == 1

    def remove(self, first: int, last: int | None = None) -> None:
        named = (entries.c.tenant_id == self.scope.tenant_id, entries.c.number.between(first, last or first))
        assert self.tx.run(sa.delete(entries).where(*named)).rowcount

    def replace(self, number: int, content: dict[str, Any]) -> None:
        """Put the content of an entry in the place of another."""
        self.alter(number, **{name: value for name, value in content.items() if name not in {"id", "number"}})

    def insert(self, after: int, *, renumbering: bool = True, digest: str | None = None) -> None:
        """A forged entry that fits to the one before it, unless another digest is given."""
        if renumbering:
            later = (entries.c.tenant_id == self.scope.tenant_id, entries.c.number > after)
            self.tx.run(sa.update(entries).where(*later).values(number=entries.c.number + 1))
        previous = next((row["digest"] for row in self.rows() if row["number"] == after), audit.BEGINNING)
        entry = audit.Entry(datetime(2026, 1, 1, tzinfo=UTC), "user", "1", "eve@x", "user.create", "9", {}, "eve@x")
        values = {name: getattr(entry, name) for name in audit.Entry.__dataclass_fields__} | {"details": "{}"}
        digest = digest or audit.digest_of(previous, self.scope.tenant_id, after + 1, entry, "{}")
        row = values | {"tenant_id": self.scope.tenant_id, "number": after + 1, "digest": digest}
        self.tx.run(sa.insert(entries), row)

    def rewrite(self, first: int) -> None:
        """Forge all digests from this entry on, and the head, so that the chain is good in itself."""
        previous = audit.BEGINNING
        for row in self.rows():
            fields = {name: row[name] for name in audit.Entry.__dataclass_fields__}
            entry = audit.Entry(**{**fields, "details": {}})
            digest = audit.digest_of(previous, self.scope.tenant_id, row["number"], entry, row["details"])
            assert row["number"] >= first or digest == row["digest"]
            self.alter(row["number"], digest=digest)
            previous = digest
        self.alter_head(digest=previous)

    def alter_head(self, **values: Any) -> None:
        own = heads.c.tenant_id == self.scope.tenant_id
        assert self.tx.run(sa.update(heads).where(own).values(**values)).rowcount == 1

    def remove_head(self) -> None:
        assert self.tx.run(sa.delete(heads).where(heads.c.tenant_id == self.scope.tenant_id)).rowcount == 1


@pytest.fixture
def new_trail(database, tokens):
    """Makes tenants, each with a trail of so many entries."""

    def make(length: int = 1) -> Trail:
        with database.across_tenants("a new organization") as tx:
            tenant = identity.add_tenant(tx, tokens, f"organization {uuid.uuid4()}")
        trail = Trail(database, tenant.id)
        trail.add(length - 1)
        return trail

    return make


@pytest.fixture(scope="module")
def trail(database, tokens) -> Trail:
    """One that the tests of a module share, because they leave it as it was."""
    with database.across_tenants("a new organization") as tx:
        tenant = identity.add_tenant(tx, tokens, f"organization {uuid.uuid4()}")
    trail = Trail(database, tenant.id)
    trail.add(LENGTH - 1)
    return trail
