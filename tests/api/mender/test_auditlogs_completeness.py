"""Is everything that changes something on record? Held against the table of operations, so none is forgotten."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import httpx
import pytest
import sqlalchemy as sa
from operations import EVERYTHING, INTERNAL_SIDE, MANAGEMENT, Operation, call, unknown_ids

from artifact_maker import make_artifact
from fairlead.base.database import Database
from fairlead.domain import audit, identity
from house.world import ADA, BEN

WITHOUT_MEANING = {"changes", "sessions", "failed_logins", "password_resets", "letters", "heard_keys", "counted_calls"}
WITHOUT_MEANING |= {
    "workflow_definitions",
    "workflow_jobs",
    "workflow_steps",
}  # of no tenant: they are a record of their own
"""What is written besides: announcements, sessions, letters on their way, the counting of bad logins and of calls."""

NOT_ON_RECORD = ("/auth/login", "/auth/logout")
"""Mender does not record who comes and goes."""

_WRITES = re.compile(r'\s*(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+"?(\w+)', re.IGNORECASE)

CHANGING = [
    each
    for each in MANAGEMENT + INTERNAL_SIDE
    if each.is_built and each.method != "GET" and not each.path.endswith(NOT_ON_RECORD)
]


@contextlib.contextmanager
def committed(database: Database) -> Iterator[list[set[str]]]:
    """The tables to which each transaction wrote that was committed meanwhile."""
    open_ones: dict[sa.Connection, set[str]] = {}
    done: list[set[str]] = []

    def note(connection, _cursor, statement, *_more) -> None:
        found = _WRITES.match(statement)
        if found and "last_seen" not in statement:  # a task of our own, which nobody asked for
            open_ones.setdefault(connection, set()).add(found.group(1))

    def keep(connection) -> None:
        if written := open_ones.pop(connection, None):
            done.append(written)

    def forget(connection) -> None:
        open_ones.pop(connection, None)

    listeners = {"before_cursor_execute": note, "commit": keep, "rollback": forget}
    for name, listener in listeners.items():
        sa.event.listen(database.engine, name, listener)
    try:
        yield done
    finally:
        for name, listener in listeners.items():
            sa.event.remove(database.engine, name, listener)


def trail_of(server, organization) -> audit.Finding:
    with server.fairlead.database.read(organization.scope) as tx:
        return audit.verify(tx, founded_by=identity.FOUNDED)


@pytest.fixture
def internal(server):
    with httpx.Client(base_url=server.internal_url, verify=False, timeout=30) as client:
        yield client


@pytest.fixture
def do(mender, internal, acme):
    """Calls the operation as whoever may."""

    def do(operation: Operation, ids: dict[str, str]) -> httpx.Response:
        if operation.form:
            return mender.as_(ADA).upload(make_artifact(name="more", device_types=["door-lock"]))
        if operation in INTERNAL_SIDE:
            return call(internal, operation, ids)
        return call(mender.client if operation.is_open else mender.as_(ADA), operation, ids)

    return do


@pytest.mark.parametrize("operation", CHANGING, ids=str)
def test_what_is_changed_is_on_record_in_the_same_transaction(server, acme, ids, do, operation):
    before = trail_of(server, acme)
    ids = ids | ({"artifact": acme.artifact("unused")} if "/artifacts/" in operation.path else {})
    ids = ids | ({"group": "another"} if operation.method == "PATCH" else {})

    with committed(server.fairlead.database) as transactions:
        reply = do(operation, ids)

    unrecorded = [tables - WITHOUT_MEANING for tables in transactions if "audit_entries" not in tables]
    assert [tables for tables in unrecorded if tables] == []
    after = trail_of(server, acme)
    assert after.fault is None
    if reply.is_error:
        assert all(not tables - WITHOUT_MEANING for tables in transactions), reply.text
    if operation in ALWAYS_RECORDED:
        assert reply.is_success, reply.text
        assert after.entries > before.entries


DEPENDING = ("/upgrade/", "/billing/")
"""What succeeds only on a server that does billing, or in a trial."""

ALWAYS_RECORDED = [
    each
    for each in CHANGING
    if each.changes and not each.is_open and each in MANAGEMENT and not any(word in each.path for word in DEPENDING)
]


def test_looking_leaves_no_trace(server, acme, ids, do):
    before = trail_of(server, acme)
    looking = [
        each for each in EVERYTHING if each.is_built and each.method == "GET" and "/devices/v1/" not in each.path
    ]

    with committed(server.fairlead.database) as transactions:
        replies = [do(each, ids) for each in looking]

    assert sum(reply.is_success for reply in replies) > len(looking) / 2
    assert trail_of(server, acme) == before
    assert [tables for tables in transactions if tables - WITHOUT_MEANING] == []


def test_what_is_refused_leaves_no_trace(server, mender, acme, ids, internal):
    before = trail_of(server, acme)
    nowhere = unknown_ids()
    refusing = [each for each in CHANGING if not each.is_open]

    replies = []
    for each in refusing:
        if each in INTERNAL_SIDE:
            replies.append(call(internal, each, nowhere))
            continue
        if each.changes:
            replies.append(call(mender.as_(BEN), each, ids | {"user": "someone"}))
        replies.append(mender.as_(ADA).request(each.method, each.path, content=b"{", headers=JSON))

    assert sum(reply.is_error for reply in replies) > len(refusing)
    assert trail_of(server, acme) == before


JSON = {"Content-Type": "application/json"}


def test_what_devices_say_of_themselves_is_not_on_record(server, acme, ids):
    door = acme.devices["door"]
    before = trail_of(server, acme)

    assert door.report({"colour": "blue"}).status_code == 200
    assert door.next().status_code == 200
    assert door.log(ids["deployment"], "hello").status_code == 204
    assert door.status(ids["deployment"], "success").status_code == 204

    assert trail_of(server, acme) == before
