"""The audit trail as one file."""

from __future__ import annotations

import csv
import io
import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fairlead.api.mender import auditlogs
from fairlead.domain import audit, identity
from house.world import ADA, USERADM

EXPORT = "/api/management/v1/auditlogs/logs/export"
LOGOUT = f"{USERADM}/auth/logout"
HEADER = (
    "actor.id,actor.type,actor.email,actor.identity_data,time,action,object.id,object.type,object.name,"
    "object.user.email,object.deployment.name,object.deployment.artifact_name,change"
)
START = datetime(2030, 1, 1, tzinfo=UTC)


def export(mender, **query) -> list[dict[str, str]]:
    reply = mender.as_(ADA).get(EXPORT, params=query)
    assert reply.status_code == 200, reply.text
    return list(csv.DictReader(io.StringIO(reply.text, newline="")))


@pytest.fixture
def record(server, acme):
    """Puts that many things on record, a second apart, two in each."""

    def add(count: int, name: str = "", **details) -> None:
        with server.fairlead.database.begin(acme.scope) as tx:
            for number in range(count):
                at = START + timedelta(seconds=number // 2)
                entry = audit.Entry(at, "user", "1", "ada@x", "thing.done", str(number), details, name)
                audit.record_for_others(tx, entry)

    return add


def test_it_is_a_csv_file_with_a_name_that_comes_in_pieces(mender, acme):
    reply = mender.as_(ADA).get(EXPORT)

    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.headers["content-disposition"] == 'attachment; filename="auditlogs.csv"'
    assert reply.headers["transfer-encoding"] == "chunked"
    assert reply.text.split("\r\n")[0] == HEADER
    assert reply.text.endswith("\r\n")


def test_it_says_what_the_list_says(mender, acme):
    acme.device("door").report({"device_type": "door-lock"})
    acme.artifact("release-1")
    acme.deploy("release-1")
    listed = mender.as_(ADA).get("/api/management/v1/auditlogs/logs", params={"per_page": 500}).json()

    rows = export(mender)

    def cell(entry, name: str) -> str:
        for part in name.split("."):
            entry = entry.get(part, {})
        return entry or ""

    assert rows == [{name: cell(entry, name) for name in HEADER.split(",")} for entry in listed]
    assert rows[0]["object.deployment.artifact_name"] == "release-1"


@pytest.mark.parametrize("count", [auditlogs.IN_ONE_GO - 1, auditlogs.IN_ONE_GO, 2 * auditlogs.IN_ONE_GO + 1])
@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_any_number_of_entries_comes_once_each_and_in_order(mender, acme, record, count, sort):
    record(count)

    rows = export(mender, object_type="thing", sort=sort)

    numbers = [int(row["object.id"]) for row in rows]
    assert numbers == sorted(range(count), reverse=sort == "desc")


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (1000, 1000), (1001, 1001), (5000, 1500), ("", 1500)])
def test_a_limit_ends_it(mender, acme, record, limit, count):
    record(1500)

    assert len(export(mender, object_type="thing", limit=limit)) == count


def test_the_filters_of_the_list_hold(mender, acme, record):
    record(10)

    rows = export(mender, object_type="thing", created_after=int(START.timestamp()) + 3, actor_email="ADA@x")

    assert [row["object.id"] for row in rows] == ["9", "8", "7", "6"]


def test_fields_are_joined_by_the_separator_that_is_asked_for(mender, acme):
    row = export(mender, format_separator="__", limit=1)[0]

    assert list(row) == HEADER.replace(".", "__").split(",")


@pytest.mark.parametrize(
    ("query", "gone"),
    [
        ("ignore=actor.id", {"actor.id"}),
        ("ignore=actor.id&ignore=change", {"actor.id", "change"}),
        ("ignore=actor.id,change,time", {"actor.id", "change", "time"}),
        ("ignore=actor", {"actor.id", "actor.type", "actor.email", "actor.identity_data"}),
        ("ignore=", set()),
    ],
)
def test_fields_can_be_left_out(mender, acme, query, gone):
    reply = mender.as_(ADA).get(f"{EXPORT}?{query}")

    assert set(HEADER.split(",")) - set(reply.text.split("\r\n")[0].split(",")) == gone


def test_fields_to_leave_out_can_be_named_as_in_the_header_or_with_dots(mender, acme):
    for name in ("actor.id", "actor/id"):
        rows = export(mender, format_separator="/", ignore=name)
        assert "actor/id" not in rows[0]
        assert "actor/type" in rows[0]


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1"])
def test_what_a_spreadsheet_would_take_for_a_formula_is_defused(mender, acme, record, text):
    record(1, name=text)

    assert export(mender, object_type="thing")[0]["object.name"] == f"'{text}"


def test_commas_quotes_and_lines_survive(mender, acme, record):
    text = 'one, "two"\nthree\r\nvier ü 🚀'
    record(1, name=text)

    assert export(mender, object_type="thing")[0]["object.name"] == text


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=many",
        "format_separator=%00",
        "format_separator=%0A",
        "format_separator=aaaaaaaaaaaaaaaaa",
        "ignore=password",
        "ignore=actor,time,action,object,change",
    ],
)
def test_what_cannot_be_exported_is_refused(standing, query):
    reply = standing.mender.as_(ADA).get(f"{EXPORT}?{query}")

    assert reply.status_code == 400, reply.text
    assert set(reply.json()) == {"error", "request_id"}


def test_a_reader_that_stops_in_the_middle_holds_nothing_open(server, mender, acme, record):
    record(3 * auditlogs.IN_ONE_GO)
    headers = {"Authorization": f"Bearer {mender.tokens[ADA]}"}

    with mender.client.stream("GET", EXPORT, headers=headers) as reply:
        next(reply.iter_bytes(100))

    assert mender.as_(ADA).get(EXPORT, params={"limit": 1}).status_code == 200
    pool, until = server.fairlead.database.engine.pool, time.monotonic() + 20
    while pool.checkedout() > 1:  # the server's own threads have connections, too, but never for long
        assert time.monotonic() < until, pool.status()
        time.sleep(0.01)


def test_what_is_added_meanwhile_neither_repeats_nor_hides_an_entry(server, mender, acme, record):
    record(2 * auditlogs.IN_ONE_GO + 500)
    over = threading.Event()

    def go_on() -> None:
        while not over.is_set():
            with server.fairlead.database.begin(acme.scope) as tx:
                audit.record(tx, "other.done", "1")

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        rows = export(mender)
    finally:
        over.set()
        writer.join()

    numbers = [int(row["object.id"]) for row in rows if row["object.type"] == "thing"]
    assert numbers == list(range(2 * auditlogs.IN_ONE_GO + 499, -1, -1))


@pytest.mark.parametrize("lost", ["the session", "the organization"])
def test_who_is_put_out_in_the_middle_gets_no_more_of_it(server, mender, acme, record, lost):
    record(4 * auditlogs.IN_ONE_GO, text="x" * 8000)  # more than what is under way between two sockets
    headers = {"Authorization": f"Bearer {mender.tokens[ADA]}"}
    read = 0

    with (
        httpx.Client(base_url=server.url, verify=False, timeout=30) as slow,
        pytest.raises(httpx.RemoteProtocolError),
        slow.stream("GET", EXPORT, headers=headers) as reply,
    ):
        pieces = reply.iter_bytes(1000)
        next(pieces)
        put_out(server, mender, acme, lost)
        for piece in pieces:
            read += len(piece)

    assert 0 < read < 3 * auditlogs.IN_ONE_GO * 8000


def put_out(server, mender, acme, lost) -> None:
    if lost == "the session":
        assert mender.as_(ADA).post(LOGOUT).status_code == 202
        return
    with server.fairlead.database.across_tenants("suspended by the test") as tx:
        identity.suspend_tenant(tx, acme.tenant.id)
