"""Does every kind of artifact that mender-artifact makes reach a device unharmed?"""

import os

import pytest

from .artifacts import SMALL_BYTES

pytestmark = pytest.mark.clients


@pytest.mark.parametrize("compression", ["none", "gzip", "lzma"])
def test_every_compression_is_read_here_and_there(ada, cli, device, workshop, compression):
    payload = os.urandom(SMALL_BYTES)
    cli.upload(workshop.artifact(f"packed-{compression}", payload, compression=compression))

    ada.wait_until_finished(ada.deploy(f"packed-{compression}", device))

    assert device.installed("motto") == payload


def test_thirty_megabytes_arrive_whole(ada, cli, device, workshop):
    payload = os.urandom(30_000_000)
    cli.upload(workshop.artifact("large", payload))

    ada.wait_until_finished(ada.deploy("large", device))

    assert device.installed("motto") == payload


def test_a_device_with_a_key_takes_what_is_signed_and_refuses_the_rest(ada, cli, fleet, workshop):
    device = fleet.make(artifact_key=workshop.verify_key())
    ada.accept(device)
    cli.upload(workshop.artifact("unsigned", os.urandom(SMALL_BYTES)))
    cli.upload(workshop.artifact("signed", os.urandom(SMALL_BYTES), signed=True))

    refused = ada.deploy("unsigned", device)
    ada.wait_until_finished(refused)
    taken = ada.deploy("signed", device)
    ada.wait_until_finished(taken)

    assert ada.statistics(refused) == {"failure": 1}
    assert "no signature file found" in ada.log_of(device, refused)
    assert ada.statistics(taken) == {"success": 1}
    assert {each["name"]: each["signed"] for each in ada.artifacts("signed", "unsigned")} == {
        "signed": True,
        "unsigned": False,
    }
