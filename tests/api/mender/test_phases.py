"""Rolling out in phases: how large they are, when they begin, who enters them."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest

from artifact_maker import make_artifact
from house.world import ADA, DEPLOYMENTS, INVENTORY, ZOE, settled

CREATE = f"{DEPLOYMENTS}/deployments"


def at(**later: float) -> str:
    return (datetime.now(UTC) + timedelta(**later)).isoformat()


TOMORROW, THE_DAY_AFTER = at(days=1), at(days=2)


def create(organization, count, phases):
    ids = [f"device-{number}" for number in range(count)]
    body = {"name": "rollout", "artifact_name": "release-1", "devices": ids, "phases": phases}
    return organization.mender.as_(organization.admin).post(CREATE, json=body)


def created(organization, count, phases):
    reply = create(organization, count, phases)
    assert reply.status_code == 201, reply.text
    return organization.deployment(reply.headers["location"].rsplit("/", 1)[1])


@pytest.fixture(scope="module")
def phased(server):
    """An Acme with a release, for phases of devices that are only named."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL"}) as acme:
        acme.artifact("release-1")
        yield acme


def test_phases_are_shown_with_an_id_and_a_count(phased):
    phases = [{"batch_size": 10}, {"batch_size": 20, "start_ts": TOMORROW}, {"start_ts": THE_DAY_AFTER}]

    shown = created(phased, 10, phases)

    ids = [phase.pop("id") for phase in shown["phases"]]
    starts = [phase.pop("start_ts", None) for phase in shown["phases"]]
    assert len(set(ids)) == 3
    assert [start and datetime.fromisoformat(start) for start in starts] == [
        None,
        datetime.fromisoformat(TOMORROW),
        datetime.fromisoformat(THE_DAY_AFTER),
    ]
    assert shown["phases"] == [
        {"batch_size": 10, "device_count": 0},
        {"batch_size": 20, "device_count": 0},
        {"device_count": 0},
    ]
    assert (shown["status"], shown["max_devices"]) == ("pending", 10)


ZERO = "Validating request body: Attempt to create a batch with zero devices not allowed. Batch: ({}) will be empty"
FIRST, NEXT, LAST = {"batch_size": 10}, {"batch_size": 10, "start_ts": TOMORROW}, {"start_ts": THE_DAY_AFTER}


@pytest.mark.parametrize(
    ("count", "phases", "error"),
    [
        (9, [FIRST, LAST], ZERO.format(1)),
        (11, [{"batch_size": 5}, LAST], ZERO.format(1)),
        (10, [FIRST, {"batch_size": 1, "start_ts": TOMORROW}, LAST], ZERO.format(2)),
        (10, [{"batch_size": 50}, {"batch_size": 50, "start_ts": TOMORROW}, LAST], ZERO.format(3)),
        (10, [{"batch_size": 60}, {"batch_size": 60, "start_ts": TOMORROW}, LAST], ZERO.format(3)),
        (1, [{"batch_size": 100}, LAST], ZERO.format(2)),
        (10, [{"batch_size": 0}, LAST], "batch_size of phase 1 must be between 1 and 100"),
        (10, [{"batch_size": 101}, LAST], "batch_size of phase 1 must be between 1 and 100"),
        (10, [{"batch_size": -1}], "batch_size of phase 1 must be between 1 and 100"),
        (10, [{}, LAST], "phase 1 needs a batch_size"),
        (10, [FIRST, {"batch_size": 10}, LAST], "phase 2 needs a start_ts"),
        (10, [FIRST, {}], "phase 2 needs a start_ts"),
        (10, [FIRST, LAST | {"batch_size": 10}, {"start_ts": TOMORROW}], "phase 3 starts before"),
        (10, [{"start_ts": "2026-01-01T00:00:00"}], "start_ts needs a time zone"),
        (10, [{"start_ts": "soon"}], "start_ts"),
        (10, [{"start_ts": "0001-01-01T00:00:00+14:00"}], "start_ts is out of range"),
        (10, [{"batch_size": 1.5}], "batch_size"),
        (10, [FIRST] * 101, "at most 100"),
        (10, ["all"], "phases"),
        (10, {"batch_size": 10}, "phases"),
    ],
)
def test_phases_that_cannot_be_are_refused(phased, count, phases, error):
    reply = create(phased, count, phases)

    assert reply.status_code == 400
    assert reply.json()["error"].startswith("Validating request body: ")
    assert error in reply.json()["error"]


@pytest.mark.parametrize("start", [None, TOMORROW, at(days=-1)])
def test_one_phase_is_enough(phased, start):
    shown = created(phased, 1, [{"start_ts": start} if start else {}])

    assert shown["status"] == ("scheduled" if start == TOMORROW else "pending")


def test_no_phases_are_as_good_as_none(phased):
    assert "phases" not in created(phased, 1, [])
    assert "phases" not in created(phased, 1, None)


def test_a_start_is_understood_in_any_zone(phased):
    start = datetime.now(timezone(timedelta(hours=5, minutes=30))) + timedelta(hours=1)

    [phase] = created(phased, 1, [{"start_ts": start.isoformat()}])["phases"]

    assert datetime.fromisoformat(phase["start_ts"]) == start


def test_a_phase_takes_its_percentage_rounded_down_and_the_last_the_rest(mender, acme):
    fleet = [acme.device(f"door-{number}") for number in range(7)]
    acme.artifact()
    past = [at(hours=-3), at(hours=-2), at(hours=-1)]
    sizes = [30, 40, None]
    phases = [{"batch_size": b, "start_ts": s} if b else {"start_ts": s} for b, s in zip(sizes, past, strict=True)]
    deployment = acme.deploy(phases=phases)
    counts = []

    for device in fleet:
        assert acme.offers(device) == deployment
        counts.append([phase["device_count"] for phase in acme.deployment(deployment)["phases"]])

    assert counts == [[1, 0, 0], [2, 0, 0], [2, 1, 0], [2, 2, 0], [2, 2, 1], [2, 2, 2], [2, 2, 3]]


def test_who_finds_no_room_waits_for_the_next_phase(mender, acme):
    fleet = [acme.device(f"door-{number}") for number in range(4)]
    acme.artifact()
    deployment = acme.deploy(phases=[{"batch_size": 25}, {"start_ts": at(seconds=5)}])

    offered = [acme.offers(device) for device in fleet]

    assert offered == [deployment, "", "", ""]
    assert acme.offers(fleet[0]) == deployment
    fleet[0].status(deployment, "success")
    assert acme.deployment(deployment)["status"] == "inprogress"
    assert acme.deployment(deployment)["device_count"] == 1
    until = time.monotonic() + 30
    while not acme.offers(fleet[1]):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert [acme.offers(device) for device in fleet[2:]] == [deployment, deployment]
    assert [phase["device_count"] for phase in acme.deployment(deployment)["phases"]] == [1, 3]


def test_before_its_start_a_deployment_is_scheduled_and_offers_nothing(mender, acme):
    device = acme.device("door")
    acme.artifact()
    deployment = acme.deploy(phases=[{"start_ts": TOMORROW}])

    assert acme.offers(device) == ""

    assert acme.deployment(deployment)["status"] == "scheduled"
    assert acme.statistics(deployment) == {}
    other = acme.deploy()
    assert acme.offers(device) == other


def test_who_gets_nothing_takes_a_place_all_the_same(mender, acme):
    first, second = acme.device("first"), acme.device("second")
    acme.artifact()
    deployment = acme.deploy(phases=[{"batch_size": 50}, {"start_ts": TOMORROW}])

    assert acme.offers(first, device_type="window") == ""

    assert acme.offers(second) == ""
    assert [phase["device_count"] for phase in acme.deployment(deployment)["phases"]] == [1, 0]
    assert acme.statistics(deployment) == {"noartifact": 1}


def test_devices_that_ask_at_the_same_time_never_overfill_a_phase(mender, acme):
    fleet = [acme.device(f"door-{number}") for number in range(8)]
    acme.artifact()
    deployment = acme.deploy(phases=[{"batch_size": 50}, {"start_ts": TOMORROW}])

    with ThreadPoolExecutor(8) as pool:
        offered = list(pool.map(acme.offers, fleet))

    assert sorted(offered) == [""] * 4 + [deployment] * 4
    assert [phase["device_count"] for phase in acme.deployment(deployment)["phases"]] == [4, 0]


def test_a_group_can_be_rolled_out_in_phases(mender, acme):
    devices = [acme.device(name) for name in ("one", "two")]
    for device in devices:
        mender.as_(ADA).put(f"{INVENTORY}/devices/{device.id}/group", json={"group": "doors"})
    acme.artifact()
    body = {"name": "rollout", "artifact_name": "release-1", "phases": [{"batch_size": 50}, LAST]}

    reply = mender.as_(ADA).post(f"{CREATE}/group/doors", json=body)

    assert reply.status_code == 201
    assert sorted(acme.offers(device) != "" for device in devices) == [False, True]


@pytest.mark.parametrize(("plan", "status"), [("os", 403), ("professional", 201), ("enterprise", 201)])
def test_phases_need_more_than_the_smallest_plan(server, plan, status):
    with settled(server, "zenith", {ZOE: "RBAC_ROLE_PERMIT_ALL"}, plan) as zenith:
        assert zenith.mender.as_(ZOE).upload(make_artifact()).status_code == 201

        reply = create(zenith, 10, [FIRST, LAST])

        assert reply.status_code == status
        if status == 403:
            assert reply.json()["error"].startswith("Feature not available in your Plan")
        assert create(zenith, 10, []).status_code == 201
