"""How does a real device get in, and how does it get out again?"""

import pytest

from .artifacts import run
from .voice import Voice
from .waiting import wait_until

pytestmark = pytest.mark.clients


def test_a_stranger_waits_until_it_is_accepted_and_then_tells_about_itself(ada, fleet):
    device = fleet.stranger()

    ada.wait_for_status(device, "pending")
    assert ("inventory", "artifact_name") not in ada.inventory_of(device)
    ada.accept(device)

    ada.wait_for_inventory(device, "artifact_name", "as-shipped")
    told = ada.inventory_of(device)
    assert told["inventory", "device_type"] == "test-board"
    assert told["inventory", "mender_client_version"].startswith("3.")
    assert told["inventory", "place"] == "attic"
    assert told["identity", "mac"] == device.mac
    assert told["identity", "status"] == "accepted"


def test_a_rejected_device_is_locked_out_and_may_be_let_in_again(ada, device):
    ada.wait_for_inventory(device, "place", "attic")

    said = device.log
    ada.reject(device)
    device.wait_for_log("Reauthorization failed", after=said)
    assert ada.status_of(device) == "rejected"

    device.stand_in("cellar")
    ada.accept(device)
    ada.wait_for_inventory(device, "place", "cellar")


def test_a_decommissioned_device_loses_its_token_and_comes_back_as_a_stranger(world, ada, device):
    ada.wait_for_inventory(device, "place", "attic")
    device.stop()
    voice = Voice(device, world.server)
    token = voice.log_in().text
    assert voice.ask_for_updates(token) == 204
    before = ada.id_of(device)

    ada.decommission(device)

    wait_until("the token is refused", lambda: voice.ask_for_updates(token) == 401, seconds=1)
    device.start()
    ada.wait_for_status(device, "pending")
    assert ada.id_of(device) != before


def test_a_device_with_a_new_key_stays_the_same_device_and_its_old_key_is_shut_out(world, ada, device):
    ada.wait_for_inventory(device, "place", "attic")
    before = ada.id_of(device)
    device.stop()
    voice = Voice(device, world.server)
    assert voice.log_in().status_code == 200

    device.key.unlink()
    device.stand_in("cellar")
    device.start()
    ada.wait_for_keys(device, "accepted", "pending")
    ada.accept(device)

    ada.wait_for_keys(device, "accepted", "rejected")
    ada.wait_for_inventory(device, "place", "cellar")
    assert ada.id_of(device) == before
    assert voice.log_in().status_code == 401


def test_a_device_announced_with_its_elliptic_curve_key_is_let_in_at_once(world, ada, fleet):
    device = fleet.make(start=False)
    run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", str(device.key)])
    ada.preauthorize(device, Voice(device, world.server).public_key)
    assert ada.status_of(device) == "preauthorized"

    device.start()

    ada.wait_for_inventory(device, "place", "attic")
    assert ada.keys_of(device) == ["accepted"]
