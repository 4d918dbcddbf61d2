"""A device that fails may try again, as often as the deployment says."""

from __future__ import annotations

import pytest

from house.world import BEN, DEPLOYMENTS


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_failure_is_an_outcome_once_the_retries_are_used_up(mender, acme, retries):
    device = acme.device("door")
    acme.artifact()
    deployment = acme.deploy(retries=retries)
    assert acme.deployment(deployment)["retries"] == retries

    for _ in range(retries):
        assert acme.offers(device) == deployment
        assert device.status(deployment, "installing").status_code == 204
        assert device.status(deployment, "failure").status_code == 204
        assert acme.statistics(deployment) == {"pending": 1}
        assert acme.deployment(deployment)["status"] == "pending"
    assert acme.offers(device) == deployment
    device.status(deployment, "failure")

    assert acme.statistics(deployment) == {"failure": 1}
    assert acme.deployment(deployment)["status"] == "finished"
    assert acme.offers(device) == ""


def test_a_success_after_a_failure_is_a_success(mender, acme):
    device = acme.device("door")
    acme.artifact()
    deployment = acme.deploy(retries=1)
    acme.offers(device)
    device.status(deployment, "failure", "disk full")
    device.log(deployment, "no space left")

    assert acme.offers(device) == deployment
    device.status(deployment, "success")

    assert acme.statistics(deployment) == {"success": 1}
    [shown] = mender.as_(BEN).get(f"{DEPLOYMENTS}/deployments/{deployment}/devices").json()
    assert (shown["status"], shown["log"]) == ("success", True)


def test_another_try_is_counted_once_in_its_phase(mender, acme):
    device, _ = acme.device("door"), acme.device("other")
    acme.artifact()
    deployment = acme.deploy(retries=1, phases=[{"batch_size": 50}, {"start_ts": "2099-01-01T00:00:00Z"}])
    acme.offers(device)
    device.status(deployment, "failure")

    assert acme.offers(device) == deployment

    assert [phase["device_count"] for phase in acme.deployment(deployment)["phases"]] == [1, 0]


def test_another_try_looks_for_the_artifact_anew(mender, acme):
    device = acme.device("door")
    for rootfs in ("1", "2"):
        acme.artifact(depends={"rootfs": rootfs})
    deployment = acme.deploy(retries=1)
    first = device.next(rootfs="1").json()["artifact"]["id"]
    device.status(deployment, "failure")

    second = device.next(rootfs="2").json()["artifact"]["id"]

    assert first != second
