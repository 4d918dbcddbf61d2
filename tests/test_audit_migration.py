"""Entries from before there was a chain are tied together as they stand, and the chain goes on from them."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from alembic import command

from fairlead import migrations
from fairlead.base.database import Database, Moment
from fairlead.base.scope import system_scope
from fairlead.domain import audit, identity

START = datetime(2026, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC)
OLD = sa.table(
    "audit_entries",
    *(sa.column(name) for name in ("tenant_id", "actor_kind", "actor_id", "actor_name", "action", "object_id")),
    sa.column("at", Moment),
    sa.column("details"),
)
_numbers = itertools.count(1)


@pytest.fixture
def old(engine):
    """A database as version 0001 has made it."""
    database = Database(engine.url(f"old{next(_numbers)}"))
    with database.outside() as connection, connection.begin():
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    yield database
    database.close()


def entry(tenant_id: str, number: int) -> dict[str, object]:
    return {
        "tenant_id": tenant_id,
        "at": START + timedelta(microseconds=number),
        "actor_kind": "user",
        "actor_id": str(number),
        "actor_name": "ada@acme.example",
        "action": "device.accept" if number else identity.FOUNDED,
        "object_id": f"Gerät {number}",
        "details": f'{{"number": {number},  "spaces": "as they were"}}',
    }


def verified(database: Database, tenant_id: str) -> audit.Finding:
    with database.read(system_scope(tenant_id)) as tx:
        return audit.verify(tx, founded_by=identity.FOUNDED)


def test_entries_of_an_older_version_become_a_chain(old):
    """More than are read in one go, of two tenants in turn."""
    rows = [entry(tenant_id, number) for number in range(1200) for tenant_id in ("acme", "zenith")]
    with old.outside() as connection, connection.begin():
        connection.execute(sa.insert(OLD), rows)

    migrations.upgrade(old)

    for tenant_id in ("acme", "zenith"):
        found = verified(old, tenant_id)
        assert (found.entries, found.fault) == (1200, None)
        with old.read(system_scope(tenant_id)) as tx:
            newest, *_ = audit.recent(tx, 1200)
        assert newest.object_id == "Gerät 1199"
        assert newest.at == START + timedelta(microseconds=1199)
        assert newest.details == {"number": 1199, "spaces": "as they were"}


def test_the_chain_goes_on_and_what_was_altered_before_is_found_from_then_on(old):
    with old.outside() as connection, connection.begin():
        connection.execute(sa.insert(OLD), [entry("acme", number) for number in range(5)])
    migrations.upgrade(old)

    with old.begin(system_scope("acme")) as tx:
        audit.record(tx, "device.accept", "6", name="six")

    assert (verified(old, "acme").entries, verified(old, "acme").fault) == (6, None)
    with old.outside() as connection, connection.begin():
        connection.execute(sa.text("UPDATE audit_entries SET actor_id = '7' WHERE number = 3"))
    assert verified(old, "acme").fault.number == 3


def test_without_entries_there_is_no_head_and_the_first_one_begins_the_chain(old):
    migrations.upgrade(old)
    with old.outside() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM audit_heads")).scalar() == 0

    with old.begin(system_scope("acme")) as tx:
        audit.record(tx, identity.FOUNDED, "acme")

    assert (verified(old, "acme").entries, verified(old, "acme").fault) == (1, None)
