"""What becomes of an update, from the artifact somebody makes to the file on a device?"""

import os

import pytest

from .artifacts import SMALL_BYTES

pytestmark = pytest.mark.clients

FETCHING = "[Sync] -> update-fetch"


def test_an_uploaded_artifact_is_installed_and_reported(ada, cli, device, workshop):
    payload = os.urandom(SMALL_BYTES)
    cli.upload(workshop.artifact("release-1", payload))

    deployment = ada.deploy("release-1", device)

    ada.wait_until_finished(deployment)
    assert ada.statistics(deployment) == {"success": 1}
    assert device.installed("motto") == payload
    ada.wait_for_inventory(device, "artifact_name", "release-1")


def test_an_artifact_that_is_already_there_is_not_fetched_again(ada, cli, device, workshop):
    cli.upload(workshop.artifact("twice", os.urandom(SMALL_BYTES)))
    ada.wait_until_finished(ada.deploy("twice", device))
    ada.wait_for_inventory(device, "artifact_name", "twice")

    deployment = ada.deploy("twice", device)

    ada.wait_until_finished(deployment)
    assert ada.statistics(deployment) == {"already-installed": 1}
    assert device.log.count(FETCHING) == 1


def test_a_module_that_fails_is_reported_with_its_log(ada, cli, device, workshop):
    cli.upload(workshop.artifact("doomed", os.urandom(SMALL_BYTES), module="broken"))

    deployment = ada.deploy("doomed", device)

    ada.wait_until_finished(deployment)
    assert ada.statistics(deployment) == {"failure": 1}
    assert "the disk is made of cheese" in ada.log_of(device, deployment)
    assert device.installed("motto") == b"as shipped\n"


def test_an_aborted_device_puts_back_what_was_there(ada, cli, device, workshop):
    cli.upload(workshop.artifact("regretted", os.urandom(SMALL_BYTES), module="patient"))
    deployment = ada.deploy("regretted", device)
    device.wait_until_waiting()
    assert ada.deployment_status(deployment) == "inprogress"
    assert ada.statistics(deployment) == {"installing": 1}

    ada.abort(deployment)
    device.go_on()

    device.wait_for_log("[ArtifactRollback]")
    device.wait_for_log("-> check-wait [Idle]", after=device.log)
    assert ada.deployment_status(deployment) == "finished"
    assert ada.statistics(deployment) == {"aborted": 1}
    assert device.installed("motto") == b"as shipped\n"
    assert ada.inventory_of(device)["inventory", "artifact_name"] == "as-shipped"


def test_an_artifact_for_another_type_of_device_is_never_offered(ada, cli, device, workshop):
    cli.upload(workshop.artifact("for-others", os.urandom(SMALL_BYTES), device_type="other-board"))

    deployment = ada.deploy("for-others", device)

    ada.wait_until_finished(deployment)
    assert ada.statistics(deployment) == {"noartifact": 1}
    assert FETCHING not in device.log


def test_an_update_waits_for_a_device_that_is_switched_off(ada, cli, device, workshop):
    cli.upload(workshop.artifact("later", os.urandom(SMALL_BYTES)))
    ada.wait_for_inventory(device, "place", "attic")
    device.stop()

    deployment = ada.deploy("later", device)
    assert ada.deployment_status(deployment) == "pending"
    device.start()

    ada.wait_for_result(device, deployment, "success")
