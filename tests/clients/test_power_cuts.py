"""What do devices notice when the server goes away, asked to or not, in the middle of their work?"""

import os

import pytest

from .artifacts import SMALL_BYTES
from .world import World

pytestmark = pytest.mark.clients


@pytest.fixture(scope="module")
def fragile(real_programs, tmp_path_factory):
    with World(tmp_path_factory.mktemp("fragile")) as world:
        yield world


def test_a_device_keeps_its_token_across_the_end_of_the_server(fragile):
    device = fragile.fleet.member()
    fragile.ada.wait_for_inventory(device, "place", "attic")
    said = device.log

    fragile.server.kill()
    device.wait_for_log("connection refused", after=said)
    fragile.server.start()
    device.stand_in("cellar")

    fragile.ada.wait_for_inventory(device, "place", "cellar")
    assert "Device unauthorized" not in device.log[len(said) :]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_group_is_updated_across_the_end_of_the_server(fragile, workshop, end):
    ada, payload = fragile.ada, os.urandom(SMALL_BYTES)
    fragile.cli.upload(workshop.artifact(f"outlives-{end}", payload, module="patient"))
    quick, slow = fragile.fleet.member(), fragile.fleet.member()
    ada.group(f"pair-{end}", quick, slow)
    deployment = ada.deploy_to_group(f"outlives-{end}", f"pair-{end}")
    slow.wait_until_waiting()
    quick.go_on()
    ada.wait_for_result(quick, deployment, "success")

    getattr(fragile.server, end)()
    fragile.server.start()
    assert ada.statistics(deployment) == {"success": 1, "installing": 1}
    slow.go_on()

    ada.wait_until_finished(deployment)
    assert ada.statistics(deployment) == {"success": 2}
    assert slow.installed("motto") == quick.installed("motto") == payload


def test_a_download_cut_off_by_a_power_cut_is_taken_up_where_it_broke(interrupted):
    ada, device = interrupted.world.ada, interrupted.device
    assert interrupted.remembered == {"downloading": 1}

    ada.wait_until_finished(interrupted.deployment, seconds=100)

    assert ada.statistics(interrupted.deployment) == {"success": 1}
    assert "Attempting to resume artifact download from offset" in device.log
    assert device.installed("motto") == interrupted.payload
