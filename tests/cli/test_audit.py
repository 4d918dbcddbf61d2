"""What does an operator learn about the audit trail at a shell?"""

from __future__ import annotations

import itertools
import re
import threading

import pytest
import sqlalchemy as sa

from fairlead.base.database import Database
from fairlead.base.scope import system_scope
from fairlead.domain import audit, identity
from fairlead.parts import prepare
from fairlead.settings import Settings
from house.people import prepare_data
from house.program import run, run_many

LINE = re.compile(r"(\S+): (\d+) entries, head ([0-9a-f]{64})\n")
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def installed(engine, tmp_path_factory):
    """Options of an installation with a trail of a few entries, and its database."""
    data, options = prepare_data(engine, tmp_path_factory.mktemp("audited"))
    database = Database(
        Settings(data=data, database=dict([options]).get("--database", "") if options else "").database_url
    )
    with database.begin(system_scope(identity.DEFAULT_TENANT_ID)) as tx:
        for number in range(5):
            audit.record(tx, "device.accept", str(number))
    yield ("--data", data, *options), database
    database.close()


def verify(*commands):
    return run_many([("audit", "verify", *command) for command in commands])


def test_a_good_trail_is_told_in_one_line_and_its_digest_is_known_from_then_on(installed):
    options, _ = installed
    first = run("audit", "verify", *options)
    tenant, entries, head = LINE.fullmatch(first.out).groups()

    again, unknown, chosen, nobody, no_digest = verify(
        (*options, "--head", head.upper()),
        (*options, "--head", "0" * 63 + "1"),
        (*options, "--tenant-id", identity.DEFAULT_TENANT_ID),
        (*options, "--tenant-id", "nobody"),
        (*options, "--head", "abc"),
    )

    assert (first.code, first.err, tenant, entries) == (0, "", identity.DEFAULT_TENANT_ID, "7")
    assert (again.code, again.out) == (0, first.out)
    assert unknown.code == 1
    assert "found in no trail" in unknown.out
    assert (chosen.code, chosen.out) == (0, first.out)
    assert (nobody.code, nobody.err) == (2, "fairlead: tenant not found\n")
    assert (no_digest.code, no_digest.err.count("\n")) == (2, 1)
    assert "--head" in no_digest.err


def test_the_first_entry_that_is_wrong_is_named_with_what_is_wrong(installed):
    options, database = installed
    with database.outside() as connection, connection.begin():
        was = connection.execute(sa.text("SELECT actor_name, at FROM audit_entries WHERE number = 5")).one()
        connection.execute(sa.text("UPDATE audit_entries SET actor_name = 'eve' WHERE number IN (5, 6)"))

    [found] = verify(options)

    with database.outside() as connection, connection.begin():
        back = sa.text("UPDATE audit_entries SET actor_name = :name WHERE number IN (5, 6)")
        connection.execute(back, {"name": was.actor_name})
    assert (found.code, found.err) == (1, "")
    named = r"default: entry 5 \(device\.accept, \d{4}-\d\d-\d\d \S+\) was altered, .*"
    assert re.fullmatch(named + r" \(4 entries are as written up to there\)\n", found.out), found.out


def test_a_missing_entry_and_a_missing_trail_are_named_each_for_its_tenant(engine, tokens, tmp_path):
    url = engine.url(f"audited{next(_numbers)}")
    database = prepare(Settings(data=tmp_path / "data", database=url, multitenant=True))
    with database.across_tenants("found some") as tx:
        for name in ("a", "b", "c", "d"):
            identity.add_tenant(tx, tokens, name, tenant_id=name)
            identity.suspend_tenant(tx, name)
            identity.activate_tenant(tx, name)
    with database.outside() as connection, connection.begin():
        for statement in (
            "DELETE FROM audit_entries WHERE tenant_id = 'b' AND number = 2",
            "DELETE FROM audit_entries WHERE tenant_id = 'c'",
            "DELETE FROM audit_heads WHERE tenant_id = 'c'",
            "DELETE FROM tenants WHERE id = 'd'",  # its trail stays, and is good
        ):
            connection.execute(sa.text(statement))
    database.close()

    [found] = verify(("--data", tmp_path / "data", "--database", url))

    lines = found.out.splitlines()
    assert found.code == 1
    assert [line.split()[0] for line in lines] == ["a:", "b:", "c:", "d:"]
    assert LINE.fullmatch(lines[0] + "\n")
    assert lines[1].startswith("b: entry 2 is missing: it was removed")
    assert lines[1].endswith("(1 entry is as written up to there)")
    assert lines[2].startswith("c: entry 1 is missing: the whole trail was removed")
    assert LINE.fullmatch(lines[3] + "\n")


def test_who_verifies_while_others_write_gets_no_false_alarm(installed):
    options, database = installed
    over = threading.Event()

    def write() -> None:
        while not over.is_set():
            with database.begin(system_scope(identity.DEFAULT_TENANT_ID)) as tx:
                audit.record(tx, "device.accept", "1")

    writer = threading.Thread(target=write)
    writer.start()
    try:
        found = verify(*[options] * 3)
    finally:
        over.set()
        writer.join()

    counts = [int(LINE.fullmatch(each.out).group(2)) for each in found]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1]


def test_where_there_is_nothing_to_verify_nothing_is_made(tmp_path):
    [found] = verify(("--data", tmp_path / "data"))

    assert found.code == 2
    assert "There is no database" in found.err
    assert not (tmp_path / "data").exists()


def test_a_database_of_another_version_is_left_as_it_is(engine, tmp_path):
    url = engine.url(f"audited{next(_numbers)}")
    database = Database(url)
    with database.outside() as connection, connection.begin():
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES ('0001')"))

    [found] = verify(("--data", tmp_path, "--database", url))

    assert found.code == 2
    assert "start the server once" in found.err
    assert sa.inspect(database.engine).get_table_names() == ["alembic_version"]
    database.close()
