"""How often may an organization's people and devices call?"""

import httpx
import pytest

from house.devices import ATTRIBUTES
from house.world import ADA, BEN, DEVAUTH, ZOE

TENANTS = "/api/internal/v1/tenantadm/tenants"


@pytest.fixture
def limit(server, acme):
    """Sets the limits of Acme as an operator does."""

    def change(**limits) -> None:
        reply = httpx.put(f"{server.internal_url}{TENANTS}/{acme.tenant.id}", json={"api_limits": limits})
        assert reply.status_code == 204, reply.text

    return change


def test_people_beyond_their_quota_are_told_when_to_come_back(mender, acme, zenith, limit):
    limit(management={"quota": {"max_calls": 3, "interval_sec": 100_000}})

    statuses = [mender.as_(ADA).get(f"{DEVAUTH}/devices").status_code for _ in range(4)]
    refused = mender.as_(ADA).get(f"{DEVAUTH}/devices")

    assert statuses == [200, 200, 200, 429]
    assert 0 < int(refused.headers["retry-after"]) <= 100_000
    assert set(refused.json()) == {"error", "request_id"}
    assert "3 calls in 100000 seconds" in refused.json()["error"]
    assert mender.as_(BEN).get(f"{DEVAUTH}/devices").status_code == 200
    assert mender.as_(ZOE).get(f"{DEVAUTH}/devices").status_code == 200


def test_devices_are_counted_apart_from_people_and_from_each_other(mender, acme, limit):
    door, gate = acme.device("door"), acme.device("gate")
    limit(devices={"quota": {"max_calls": 2, "interval_sec": 100_000}})

    at_the_door = [door.next().status_code, door.report({"a": 1}).status_code, door.next().status_code]

    assert at_the_door == [204, 200, 429]
    assert gate.next().status_code == 204
    assert mender.as_(ADA).get(f"{DEVAUTH}/devices").status_code == 200


def test_an_operation_may_have_a_pace_of_its_own(mender, acme, limit):
    door = acme.device("door")
    limit(devices={"bursts": [{"action": "PATCH", "uri": ATTRIBUTES, "min_interval_sec": 1000}]})

    first, second = door.request("PATCH", ATTRIBUTES, json=[]), door.request("PATCH", ATTRIBUTES, json=[])

    assert (first.status_code, second.status_code) == (200, 429)
    assert 990 <= int(second.headers["retry-after"]) <= 1000
    assert [door.next().status_code for _ in range(3)] == [204, 204, 204]


def test_the_limits_hold_for_a_device_that_was_served_from_memory_before(acme, limit):
    door = acme.device("door")
    assert [door.next().status_code for _ in range(3)] == [204, 204, 204]

    limit(devices={"quota": {"max_calls": 2, "interval_sec": 100_000}})

    assert [door.next().status_code for _ in range(3)] == [204, 204, 429]


def test_lifted_limits_are_gone_at_once(mender, acme, limit):
    limit(management={"quota": {"max_calls": 1, "interval_sec": 100_000}})
    assert [mender.as_(ADA).get(f"{DEVAUTH}/devices").status_code for _ in range(2)] == [200, 429]

    limit(management={})

    assert [mender.as_(ADA).get(f"{DEVAUTH}/devices").status_code for _ in range(3)] == [200, 200, 200]
