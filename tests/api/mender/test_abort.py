"""Stopping a rollout."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from house.world import ADA, BEN, DEPLOYMENTS, ZOE


def abort(person, deployment, **arguments):
    return person.put(
        f"{DEPLOYMENTS}/deployments/{deployment}/status", **(arguments or {"json": {"status": "aborted"}})
    )


def test_aborting_stops_who_has_begun_and_who_has_not_and_leaves_outcomes(mender, acme):
    done, middle, waiting = acme.device("done"), acme.device("middle"), acme.device("waiting")
    acme.artifact()
    deployment = acme.deploy()
    acme.offers(done), acme.offers(middle)
    done.status(deployment, "success")
    middle.status(deployment, "installing")

    reply = abort(mender.as_(ADA), deployment)

    assert (reply.status_code, reply.content) == (204, b"")
    assert acme.statistics(deployment) == {"success": 1, "aborted": 1}
    assert [acme.offers(device) for device in (done, middle, waiting)] == ["", "", ""]
    assert middle.status(deployment, "success").status_code == 409
    assert waiting.status(deployment, "success").status_code == 404
    assert done.status(deployment, "success").status_code == 204
    shown = acme.deployment(deployment)
    assert (shown["status"], shown["device_count"]) == ("finished", 2)
    assert shown["finished"] > shown["created"]
    devices = mender.as_(BEN).get(f"{DEPLOYMENTS}/deployments/{deployment}/devices").json()
    assert {each["id"]: each["status"] for each in devices} == {done.id: "success", middle.id: "aborted"}
    assert "ada deployment.abort" in acme.log()


def test_an_aborted_deployment_makes_way_for_the_next(mender, acme):
    device = acme.device("door")
    acme.artifact()
    first, second = acme.deploy(), acme.deploy()
    assert acme.offers(device) == first

    abort(mender.as_(ADA), first)

    assert acme.offers(device) == second


def test_what_has_ended_cannot_be_aborted(mender, acme):
    device = acme.device("door")
    acme.artifact()
    aborted, finished = acme.deploy(), acme.deploy()
    abort(mender.as_(ADA), aborted)
    acme.offers(device)
    device.status(finished, "success")

    for deployment in (aborted, finished, uuid4(), "rollout"):
        reply = abort(mender.as_(ADA), deployment)
        assert (reply.status_code, reply.json()["error"]) == (422, "Deployment already finished")
    assert acme.statistics(finished) == {"success": 1}


@pytest.mark.parametrize("status", ["finished", "inprogress", "pending", "", "ABORTED", "success"])
def test_aborted_is_the_only_status_that_can_be_set(standing, status):
    reply = abort(standing.mender.as_(ADA), uuid4(), json={"status": status})

    assert (reply.status_code, reply.json()["error"]) == (400, "Unexpected deployment status")


@pytest.mark.parametrize("arguments", [{"json": {}}, {"json": []}, {"json": {"status": 5}}, {"content": b""}])
def test_a_body_that_names_no_status_is_refused(standing, arguments):
    reply = abort(standing.mender.as_(ADA), uuid4(), **arguments)

    assert reply.status_code == 400
    assert reply.json()["error"].startswith("failed to decode request body: ")


def test_nobody_else_may_abort(mender, acme, zenith):
    device = acme.device("door")
    acme.artifact()
    deployment = acme.deploy()

    assert abort(mender.as_(BEN), deployment).status_code == 403
    assert abort(mender.as_(ZOE), deployment).status_code == 422
    assert acme.offers(device) == deployment


def test_an_abort_and_reports_at_the_same_time_add_up(mender, acme):
    fleet = [acme.device(f"door-{number}") for number in range(6)]
    acme.artifact()
    deployment = acme.deploy()
    for device in fleet:
        acme.offers(device)

    with ThreadPoolExecutor(7) as pool:
        reports = [pool.submit(device.status, deployment, "success") for device in fleet]
        stopped = pool.submit(abort, mender.as_(ADA), deployment)

    outcomes = [report.result().status_code for report in reports]
    assert set(outcomes) <= {204, 409}
    assert stopped.result().status_code == (422 if outcomes == [204] * 6 else 204)
    counts = acme.statistics(deployment)
    assert counts.get("success", 0) == outcomes.count(204)
    assert counts.get("aborted", 0) == outcomes.count(409)
