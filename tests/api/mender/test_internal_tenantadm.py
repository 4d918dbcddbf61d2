"""Operators and other services look organizations up, change them, lock them out and let them in again."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from operations import INTERNAL, TENANTADM

from fairlead.domain import identity
from house.devices import ATTRIBUTES
from house.world import ADA, DEVAUTH, ZOE, settle

TENANTS = f"{INTERNAL}/tenantadm/tenants"
OWN = f"{TENANTADM}/user/tenant"
LIMITS = {
    "management": {"quota": {"max_calls": 100, "interval_sec": 60}},
    "devices": {
        "quota": {"max_calls": 1000, "interval_sec": 60},
        "bursts": [{"action": "PATCH", "uri": "/api/devices/v1/inventory/device/attributes", "min_interval_sec": 10}],
    },
}
_numbers = itertools.count(1)


@pytest.fixture
def internal(server):
    with httpx.Client(base_url=server.internal_url, verify=False, timeout=30) as client:
        yield client


def verify(internal, token, scheme="Bearer "):
    return internal.post(f"{TENANTS}/verify", headers={"Authorization": f"{scheme}{token}"} if token else {})


def test_a_tenant_token_says_whose_it_is(internal, acme):
    reply = verify(internal, acme.tenant.token)

    assert reply.status_code == 200
    assert (reply.json()["id"], reply.json()["name"]) == (acme.tenant.id, "acme")


def test_what_is_no_tenant_token_is_refused(server, internal, mender, acme):
    door = acme.device("door")
    head, middle, signature = acme.tenant.token.split(".")
    nobodys = server.fairlead.tokens.for_tenant("nowhere")
    forged = f"{head}.{middle}.{'A' * len(signature)}"

    for token in ("garbage", forged, nobodys, door.token, mender.tokens[ADA]):
        assert verify(internal, token).status_code == 401, token
    assert verify(internal, "").status_code == 400
    assert verify(internal, acme.tenant.token, scheme="Basic ").status_code == 400


def test_the_token_of_a_suspended_tenant_is_refused(internal, acme):
    internal.put(f"{TENANTS}/{acme.tenant.id}/status", json={"status": "suspended"})

    reply = verify(internal, acme.tenant.token)

    assert (reply.status_code, reply.json()["error"]) == (401, "tenant account suspended")


def test_a_tenant_is_shown_with_all_that_is_known_of_it(internal, acme):
    reply = internal.get(f"{TENANTS}/{acme.tenant.id}")

    assert reply.status_code == 200
    said = reply.json()
    assert (said["id"], said["name"], said["status"], said["plan"]) == (acme.tenant.id, "acme", "active", "enterprise")
    assert said["tenant_token"] == acme.tenant.token
    assert said["trial"] is False
    assert internal.get(f"{TENANTS}/nowhere").status_code == 404


def test_tenants_are_found_by_a_user_by_their_name_or_by_their_administrator(server, internal, mender):
    name = f"Harbour_{next(_numbers)}%"
    harbour = settle(server, mender, "harbour", {ADA: "RBAC_ROLE_PERMIT_ALL", ZOE: "RBAC_ROLE_OBSERVER"})
    internal.put(f"{TENANTS}/{harbour.tenant.id}", json={"name": name})
    users = mender.as_(ADA).get("/api/management/v1/useradm/users").json()
    ada, zoe = (next(user["email"] for user in users if user["email"].startswith(who)) for who in (ADA, ZOE))

    def found(**wanted):
        return [each["id"] for each in internal.get(TENANTS, params=wanted).json()]

    only = [harbour.tenant.id]
    assert found(username=ada) == found(username=zoe.upper()) == only
    assert found(q=harbour.tenant.id) == found(q=name.lower()[2:]) == found(q=ada[1:].upper()) == only
    assert found(username=ada, q=name) == only
    assert found(q=harbour.tenant.id[1:]) == found(q=zoe) == found(username="nobody@example.org") == []
    assert found(username=ada, q="nothing of it") == found(q="x" * 2000) == []


def test_tenants_come_in_pages_by_age(server, internal, mender):
    name = f"fleet{next(_numbers)}page"
    ids = [settle(server, mender, name, {ADA: "RBAC_ROLE_PERMIT_ALL"}).tenant.id for _ in range(3)]

    first = internal.get(TENANTS, params={"q": name, "per_page": 2})
    second = internal.get(first.links["next"]["url"])

    assert [each["id"] for each in first.json() + second.json()] == ids
    assert set(first.links) == {"next", "first"}
    assert set(second.links) == {"prev", "first"}


@pytest.mark.parametrize("wrong", [{"page": "0"}, {"per_page": "501"}, {"page": "x"}, {"q": "a\0b"}])
def test_a_list_is_not_asked_for_in_any_other_way(internal, wrong):
    assert internal.get(TENANTS, params=wrong).status_code == 400


def test_what_the_operator_changes_is_in_force_at_once(internal, mender, acme):
    until = datetime(2040, 1, 1, tzinfo=UTC)
    wanted = {"name": "Acme Boats", "plan": "professional", "trial": True, "trial_expiration": until.isoformat()}

    reply = internal.put(f"{TENANTS}/{acme.tenant.id}", json=wanted | {"api_limits": LIMITS})

    assert (reply.status_code, reply.content) == (204, b"")
    said = mender.as_(ADA).get(OWN).json()
    assert (said["name"], said["plan"], said["trial"]) == ("Acme Boats", "professional", True)
    assert datetime.fromisoformat(said["trial_expiration"]) == until
    assert said["api_limits"]["devices"] == LIMITS["devices"]
    assert said["api_limits"]["management"]["quota"] == LIMITS["management"]["quota"]


def test_what_is_left_out_stays_as_it_is(internal, acme):
    path = f"{TENANTS}/{acme.tenant.id}"
    internal.put(path, json={"api_limits": LIMITS})
    before = internal.get(path).json()

    for wanted in ({}, {"plan": ""}, {"name": before["name"]}, {"trial": False}):
        assert internal.put(path, json=wanted).status_code == 204

    assert internal.get(path).json() == before


def limit_of(mender):
    return mender.as_(ADA).get(f"{DEVAUTH}/limits/max_devices").json()["limit"]


def test_a_new_plan_brings_its_device_limit_unless_another_was_set(server, internal, mender, acme):
    path = f"{TENANTS}/{acme.tenant.id}"
    limits = []
    for plan in ("os", "professional", "enterprise", "os"):
        internal.put(path, json={"plan": plan})
        limits.append(limit_of(mender))
    assert limits == [50, 250, 0, 50]

    with server.fairlead.database.across_tenants("the operator") as tx:
        identity.change_device_limit(tx, acme.tenant.id, 7)
    internal.put(path, json={"plan": "enterprise"})

    assert limit_of(mender) == 7


PACE = {"action": "GET", "uri": "/a", "min_interval_sec": 1}
BAD = {
    "no object": [],
    "a blank name": {"name": " "},
    "a long name": {"name": "x" * 257},
    "an unknown plan": {"plan": "platinum"},
    "a trial without an end": {"trial": True},
    "an end without a zone": {"trial_expiration": "2040-01-01T00:00:00"},
    "an end that is no time": {"trial_expiration": "soon"},
    "an end long ago": {"trial_expiration": "0001-01-01T00:00:00+14:00"},
    "an end far away": {"trial_expiration": "9999-12-31T23:59:59-12:00"},
    "calls below zero": {"api_limits": {"devices": {"quota": {"max_calls": -1, "interval_sec": 60}}}},
    "seconds below zero": {"api_limits": {"devices": {"quota": {"max_calls": 1, "interval_sec": -60}}}},
    "calls within no time": {"api_limits": {"devices": {"quota": {"max_calls": 1, "interval_sec": 0}}}},
    "calls in words": {"api_limits": {"devices": {"quota": {"max_calls": "ten", "interval_sec": 60}}}},
    "a pace of nothing": {"api_limits": {"devices": {"bursts": [{"min_interval_sec": 1}]}}},
    "a pace of no verb": {"api_limits": {"devices": {"bursts": [{"action": "DO", "uri": "/a"}]}}},
    "a pace of no path": {"api_limits": {"devices": {"bursts": [{"action": "GET", "uri": "a"}]}}},
    "a pace below zero": {"api_limits": {"devices": {"bursts": [PACE | {"min_interval_sec": -1}]}}},
    "a thousand paces": {"api_limits": {"devices": {"bursts": [PACE] * 1000}}},
}


@pytest.mark.parametrize("what", BAD)
def test_a_change_that_makes_no_sense_is_refused_whole(internal, acme, what):
    path = f"{TENANTS}/{acme.tenant.id}"
    before = internal.get(path).json()
    wanted = {"name": "taken", **BAD[what]} if isinstance(BAD[what], dict) else BAD[what]

    reply = internal.put(path, json=wanted)

    assert reply.status_code == 400, reply.text
    assert set(reply.json()) == {"error", "request_id"}
    assert internal.get(path).json() == before


def test_an_unknown_tenant_is_neither_changed_nor_suspended(internal):
    assert internal.put(f"{TENANTS}/nowhere", json={"name": "taken"}).status_code == 404
    assert internal.put(f"{TENANTS}/nowhere/status", json={"status": "active"}).status_code == 404


def test_a_suspended_tenants_tokens_are_refused_within_a_second_until_it_is_active_again(internal, mender, acme):
    door, ada = acme.device("door"), mender.as_(ADA)
    assert door.report({"a": 1}).status_code == 200

    reply = internal.put(f"{TENANTS}/{acme.tenant.id}/status", json={"status": "suspended"})

    assert (reply.status_code, reply.content) == (200, b"")
    until = time.monotonic() + 1
    while (door.report({"a": 2}).status_code, ada.get(OWN).status_code) != (401, 401):
        assert time.monotonic() < until
    assert door.ask().status_code == 401

    assert internal.put(f"{TENANTS}/{acme.tenant.id}/status", json={"status": "active"}).status_code == 200
    assert ada.get(OWN).status_code == 200
    assert door.request("PATCH", ATTRIBUTES, json=[]).status_code == 200


@pytest.mark.parametrize("body", [{}, {"status": "inactive"}, {"status": ""}, {"status": 1}, []])
def test_there_are_two_statuses_that_can_be_set(internal, acme, body):
    assert internal.put(f"{TENANTS}/{acme.tenant.id}/status", json=body).status_code == 400
    assert internal.get(f"{TENANTS}/{acme.tenant.id}").json()["status"] == "active"


def test_a_trial_that_was_made_longer_goes_on(server, internal, mender, acme):
    path = f"{TENANTS}/{acme.tenant.id}"
    past, future = (datetime.now(UTC) + timedelta(minutes=minutes) for minutes in (-1, 1))
    internal.put(path, json={"trial_expiration": past.isoformat()})
    internal.put(path, json={"trial_expiration": future.isoformat()})

    identity.suspend_ended_trials(server.fairlead.database)

    assert mender.as_(ADA).get(OWN).json()["status"] == "active"
