"""How far a device is, in its own words: which reports are taken, which are refused, and what they change."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from uuid import uuid4

import pytest

from house.devices import DEPLOYMENTS as REPORTS
from house.world import ADA, BEN, DEPLOYMENTS, DEVAUTH, settled

REPORTABLE = ("downloading", "installing", "rebooting", "success", "failure", "already-installed")
OUTCOMES = ("success", "failure", "already-installed")


@pytest.fixture
def begun(acme):
    """A device that has been offered a deployment to two devices, and the deployment."""
    device, _ = acme.device("door"), acme.device("other")
    acme.artifact()
    deployment = acme.deploy()
    assert acme.offers(device) == deployment
    return device, deployment


@pytest.fixture(scope="module")
def under_way(server):
    """The same for reports that change nothing: with the Acme that it is in."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL"}) as acme:
        device = acme.device("door")
        acme.artifact()
        deployment = acme.deploy()
        assert acme.offers(device) == deployment
        yield acme, device, deployment


def test_a_device_reports_step_by_step(mender, acme, begun):
    device, deployment = begun
    seen = []

    for status in ("downloading", "installing", "rebooting", "success"):
        reply = device.status(deployment, status)
        assert (reply.status_code, reply.content) == (204, b"")
        seen.append(acme.statistics(deployment))

    assert seen == [{"downloading": 1}, {"installing": 1}, {"rebooting": 1}, {"success": 1}]


def test_the_order_is_the_devices_own(mender, acme, begun):
    device, deployment = begun
    steps = ("rebooting", "downloading", "installing", "downloading", "rebooting", "installing")

    for status in steps:
        assert device.status(deployment, status).status_code == 204

    assert acme.statistics(deployment) == {"installing": 1}
    assert acme.deployment(deployment)["status"] == "inprogress"


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_an_outcome_may_come_at_once_and_stands(mender, acme, begun, outcome):
    device, deployment = begun

    assert device.status(deployment, outcome).status_code == 204

    assert device.status(deployment, outcome).status_code == 204
    for other in set(REPORTABLE) - {outcome}:
        reply = device.status(deployment, other)
        assert reply.status_code == 409
        assert reply.json()["error"] == f"Device has already finished this deployment with status {outcome}"
    assert acme.statistics(deployment) == {outcome: 1}
    assert acme.offers(device) == ""


def test_the_same_report_again_is_harmless(mender, acme, begun):
    device, deployment = begun

    replies = [device.status(deployment, "installing", "half") for _ in range(3)]

    assert [reply.status_code for reply in replies] == [204, 204, 204]
    assert acme.statistics(deployment) == {"installing": 1}


@pytest.mark.parametrize("substate", ["", "s", "ü" * 200, "installing.enter;script:foo-bar"])
def test_a_substate_is_shown(mender, acme, begun, substate):
    device, deployment = begun

    assert device.status(deployment, "installing", substate).status_code == 204

    [shown] = mender.as_(BEN).get(f"{DEPLOYMENTS}/deployments/{deployment}/devices").json()
    assert shown.get("substate", "") == substate


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"status": "pending"}, "unknown status value"),
        ({"status": "noartifact"}, "unknown status value"),
        ({"status": "aborted"}, "unknown status value"),
        ({"status": "decommissioned"}, "unknown status value"),
        ({"status": "waiting"}, "unknown status value"),
        ({"status": "done"}, "unknown status value"),
        ({"status": ""}, "unknown status value"),
        ({"status": "installing", "substate": "s" * 201}, "substate: the length must be no more than 200"),
        ({"status": None}, ""),
        ({"status": 5}, ""),
        ({"status": ["installing"]}, ""),
        ({"status": "installing", "substate": 5}, ""),
        ({"substate": "x"}, ""),
        ({}, ""),
        (None, ""),
    ],
)
def test_a_report_that_makes_no_sense_is_refused(under_way, body, error):
    acme, device, deployment = under_way

    reply = device.request("PUT", f"{REPORTS}/{deployment}/status", json=body)

    assert reply.status_code == 400
    assert error in reply.json()["error"]
    assert reply.json()["request_id"]
    assert acme.statistics(deployment) == {"pending": 1}


@pytest.mark.parametrize("deployment", [str(uuid4()), "x", "%ff"])
@pytest.mark.parametrize(("tail", "body"), [("status", {"status": "success"}), ("log", {"messages": []})])
def test_a_deployment_that_is_not_there_is_not_found(standing, deployment, tail, body):
    reply = standing.devices["door"].request("PUT", f"{REPORTS}/{deployment}/{tail}", json=body)

    assert (reply.status_code, reply.json()["error"]) == (404, "Device not found in deployment")


def test_who_is_not_part_of_it_or_has_not_asked_is_not_found(mender, acme, zenith, begun):
    _, deployment = begun
    not_asked, late, stranger = acme.devices["other"], acme.device("late"), zenith.device("safe")

    for device in (not_asked, late, stranger):
        assert device.status(deployment, "success").status_code == 404
        assert device.log(deployment, "hello").status_code == 404

    assert acme.statistics(deployment) == {"pending": 1}


@pytest.mark.parametrize("status", REPORTABLE)
def test_an_aborted_deployment_is_refused_with_409(mender, acme, begun, status):
    device, deployment = begun
    mender.as_(ADA).put(f"{DEPLOYMENTS}/deployments/{deployment}/status", json={"status": "aborted"})

    reply = device.status(deployment, status)

    assert (reply.status_code, reply.json()["error"]) == (409, "Deployment aborted")
    assert acme.statistics(deployment) == {"aborted": 1}


def test_a_device_taken_out_is_refused_with_409(mender, acme, begun):
    device, deployment = begun
    gone = mender.as_(ADA).delete(f"{DEPLOYMENTS}/deployments/devices/{device.id}")

    reply = device.status(deployment, "success")

    assert (gone.status_code, gone.content) == (204, b"")
    assert (reply.status_code, reply.json()["error"]) == (409, "Device decommissioned")
    assert acme.statistics(deployment) == {"decommissioned": 1}
    assert acme.offers(device) == ""


def test_taking_a_device_out_closes_all_that_it_has_not_finished(mender, acme):
    device, other = acme.device("door"), acme.device("other")
    acme.artifact()
    finished, begun, waiting = acme.deploy(), acme.deploy(), acme.deploy()
    assert acme.offers(device) == finished
    device.status(finished, "success")
    assert acme.offers(device) == begun

    mender.as_(ADA).delete(f"{DEPLOYMENTS}/deployments/devices/{device.id}")

    assert [acme.statistics(each) for each in (finished, begun, waiting)] == [
        {"success": 1},
        {"decommissioned": 1},
        {"decommissioned": 1},
    ]
    assert acme.offers(device) == ""
    assert acme.offers(other) == finished


def test_taking_out_a_device_that_takes_part_in_nothing_is_no_error(mender, acme):
    assert mender.as_(ADA).delete(f"{DEPLOYMENTS}/deployments/devices/{uuid4()}").status_code == 204
    assert mender.as_(BEN).delete(f"{DEPLOYMENTS}/deployments/devices/{uuid4()}").status_code == 403


def test_decommissioning_a_device_in_the_middle_finishes_the_rest_without_it(mender, acme, begun):
    device, deployment = begun
    device.status(deployment, "installing")
    other = acme.devices["other"]
    assert acme.offers(other) == deployment
    other.status(deployment, "success")
    assert acme.deployment(deployment)["status"] == "inprogress"

    assert mender.as_(ADA).delete(f"{DEVAUTH}/devices/{device.id}").status_code == 204

    assert acme.deployment(deployment)["status"] == "finished"
    assert acme.statistics(deployment) == {"success": 1, "decommissioned": 1}


def test_every_move_is_counted_once_on_both_sides(mender, acme):
    fleet = [acme.device(name) for name in "abcd"]
    acme.artifact()
    deployment = acme.deploy()
    for device in fleet:
        assert acme.offers(device) == deployment
    steps = ("downloading", "installing", "rebooting", "success")

    for behind, device in enumerate(fleet):
        for _, status in pairwise(("pending", *steps[: len(steps) - behind])):
            device.status(deployment, status)

    assert acme.statistics(deployment) == dict.fromkeys(steps, 1)
    assert acme.deployment(deployment)["device_count"] == 4


def test_reports_of_many_devices_at_the_same_time_are_all_counted(mender, acme):
    fleet = [acme.device(f"door-{number}") for number in range(8)]
    acme.artifact()
    deployment = acme.deploy()

    def update(device):
        assert acme.offers(device) == deployment
        return [device.status(deployment, status).status_code for status in ("downloading", "installing", "success")]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(update, fleet))

    assert answers == [[204, 204, 204]] * 8
    assert acme.statistics(deployment) == {"success": 8}
    assert acme.deployment(deployment)["status"] == "finished"
