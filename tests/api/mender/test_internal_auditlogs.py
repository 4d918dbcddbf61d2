"""What other services put on record, and read."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from fairlead.domain import audit, identity
from house.world import ADA, BEN, settled

ENTRY = {
    "actor": {"id": "4711", "type": "user", "email": "carl@acme.example"},
    "time": "2026-08-24T14:15:22.5Z",
    "action": "open_terminal",
    "object": {"id": "door", "type": "device"},
    "change": "opened\na terminal",
}


@pytest.fixture
def internal(server):
    with httpx.Client(base_url=server.internal_url, verify=False, timeout=30) as client:
        yield client


def logs_of(organization) -> str:
    return f"/api/internal/v1/auditlogs/tenants/{organization.tenant.id}/logs"


def newest(internal, organization):
    reply = internal.get(logs_of(organization), params={"per_page": 1})
    assert reply.status_code == 200, reply.text
    return reply.json()[0]


def verified(server, organization) -> audit.Finding:
    with server.fairlead.database.read(organization.scope) as tx:
        return audit.verify(tx, founded_by=identity.FOUNDED)


@pytest.mark.parametrize(
    "entry",
    [
        ENTRY,
        ENTRY | {"time": "2026-08-24T14:15:22Z"},
        {name: value for name, value in ENTRY.items() if name != "change"},
        ENTRY | {"actor": {"id": "1", "type": "device", "identity_data": '{"mac":"x"}'}},
        ENTRY | {"actor": {"id": "1", "type": "user", "email": "a@x", "identity_data": "both"}},
        ENTRY | {"actor": {"id": "deviceconnect", "type": "system"}},
        ENTRY | {"object": {"id": "2", "type": "user", "user": {"email": "a@x"}}, "action": "create"},
        ENTRY | {"object": {"id": "3", "type": "deployment", "deployment": {"name": "d", "artifact_name": "r"}}},
        ENTRY | {"object": {"id": "4", "type": "artifact", "name": "release-1"}, "action": "a.b:c-d_e"},
    ],
)
def test_what_a_service_says_comes_back_as_it_was_said(server, internal, standing, entry):
    entry = entry | {"time": entry["time"].replace("2026", "2090")}  # so that it is the newest
    before = verified(server, standing).entries

    reply = internal.post(logs_of(standing), json=entry)

    assert (reply.status_code, reply.content) == (201, b"")
    shown = internal.get(logs_of(standing), params={"per_page": 50}).json()
    expected = entry | {"time": entry["time"].replace("22.5Z", "22.500000Z")}
    assert expected in shown
    found = verified(server, standing)
    assert (found.entries, found.fault) == (before + 1, None)


def test_people_see_it_and_find_it(internal, mender, acme):
    deployment = {"id": "3", "type": "deployment", "deployment": {"name": "spring", "artifact_name": "r"}}
    internal.post(logs_of(acme), json=ENTRY | {"object": deployment, "time": "2090-01-01T00:00:00Z"})
    questions = ({"actor_email": "CARL@acme.example"}, {"object_deployment_name": "spring"}, {"object_id": "3"})
    questions += ({"actor_id": "4711"}, {"object_type": "deployment"})

    for question in questions:
        reply = mender.as_(ADA).get("/api/management/v1/auditlogs/logs", params=question)
        assert [each["object"] for each in reply.json()] == [deployment]


def test_the_example_of_the_reference_is_taken_and_shown_as_its_schema_says(internal, acme):
    names = {"name": "production", "artifact_name": "Application 0.0.1"}
    example = {"id": "s", "type": "user", "user": {"email": "user@acme.com"}, "deployment": {"application/json": names}}
    entry = ENTRY | {"object": example, "action": "create", "time": "2019-08-24T14:15:22Z"}

    assert internal.post(logs_of(acme), json=entry).status_code == 201

    shown = internal.get(logs_of(acme), params={"sort": "asc"}).json()[0]
    assert shown == entry | {"object": example | {"deployment": names}}


def test_without_a_time_it_was_done_now(internal, acme):
    assert internal.post(logs_of(acme), json={n: v for n, v in ENTRY.items() if n != "time"}).status_code == 201

    shown = datetime.fromisoformat(newest(internal, acme)["time"])
    assert abs(datetime.now(UTC) - shown) < timedelta(minutes=1)


def test_times_are_told_in_utc(internal, acme):
    internal.post(logs_of(acme), json=ENTRY | {"time": "2090-08-24T14:15:22+02:00"})

    assert newest(internal, acme)["time"] == "2090-08-24T12:15:22Z"


@pytest.mark.parametrize(
    "change",
    [
        {"actor": None},
        {"actor": {}},
        {"actor": {"id": "", "type": "user"}},
        {"actor": {"id": "x" * 1025, "type": "user"}},
        {"actor": {"id": "1", "type": "robot"}},
        {"actor": {"id": 1, "type": "user"}},
        {"action": None},
        {"action": ""},
        {"action": "open terminal"},
        {"action": "x" * 65},
        {"action": "create\n"},
        {"object": None},
        {"object": {"id": "1"}},
        {"object": {"id": "1", "type": "a.b"}},
        {"object": {"id": "1", "type": ""}},
        {"object": {"id": "1", "type": "user", "user": {}}},
        {"object": {"id": "1", "type": "deployment", "deployment": {"name": "d"}}},
        {"time": "yesterday"},
        {"time": "2026-08-24T14:15:22"},
        {"time": "0001-01-01T00:00:00Z"},
        {"time": "0001-01-01T00:00:00+14:00"},
        {"time": 1},
        {"change": 7},
        {"change": "\0"},
    ],
    ids=str,
)
def test_what_is_no_entry_is_refused_and_not_kept(server, internal, standing, change):
    before = verified(server, standing).entries
    entry = {name: value for name, value in (ENTRY | change).items() if value is not None}

    reply = internal.post(logs_of(standing), json=entry)

    assert reply.status_code == 400, reply.text
    assert set(reply.json()) == {"error", "request_id"}
    assert verified(server, standing).entries == before


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"actor":'])
def test_what_is_no_json_object_is_refused(internal, standing, body):
    reply = internal.post(logs_of(standing), content=body, headers={"Content-Type": "application/json"})

    assert reply.status_code == 400


def test_a_novel_is_refused(internal, standing):
    assert internal.post(logs_of(standing), json=ENTRY | {"change": "x" * 70_000}).status_code == 413


def test_an_organization_that_is_not_there_has_no_trail(internal):
    path = "/api/internal/v1/auditlogs/tenants/nowhere/logs"

    replies = [internal.get(path), internal.post(path, json=ENTRY)]

    assert [reply.status_code for reply in replies] == [404, 404]
    assert {reply.json()["error"] for reply in replies} == {"tenant not found"}


def test_services_read_the_trail_of_any_plan_page_by_page(server, internal):
    with settled(server, "small", {ADA: "RBAC_ROLE_PERMIT_ALL", BEN: "RBAC_ROLE_OBSERVER"}, "os") as small:
        reply = internal.get(logs_of(small), params={"per_page": 2, "sort": "asc"})

    assert [each["action"] for each in reply.json()] == ["create", "create"]
    assert reply.headers["x-total-count"] == "3"
    assert reply.headers.get_list("link")[0].endswith('rel="next"')


def test_services_are_refused_what_makes_no_sense_like_people(internal, standing):
    assert internal.get(logs_of(standing), params={"sort": "up"}).status_code == 400


def test_one_organization_sees_nothing_of_another(internal, acme, zenith):
    internal.post(logs_of(acme), json=ENTRY)

    assert "4711" not in internal.get(logs_of(zenith)).text


def test_many_services_that_report_at_once_leave_the_chain_unbroken(server, internal, acme):
    before, codes = verified(server, acme).entries, []

    def report() -> None:
        for _ in range(10):
            codes.append(internal.post(logs_of(acme), json=ENTRY).status_code)

    threads = [threading.Thread(target=report) for _ in range(6)]
    began_at = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert set(codes) == {201}
    found = verified(server, acme)
    assert (found.entries, found.fault) == (before + 60, None), time.monotonic() - began_at
