"""How does a device leave, and what is left of it?"""

import pytest

from house.devices import Device, new_key, pem_of
from house.world import ADA, DEPLOYMENTS, DEVAUTH, INVENTORY


def test_a_decommissioned_device_is_gone_with_all_that_was_known_of_it(mender, acme):
    device, ada = acme.device("door"), mender.as_(ADA)
    device.report({"device_type": "door-lock"})
    ada.put(f"{INVENTORY}/devices/{device.id}/group", json={"group": "doors"})

    reply = ada.delete(f"{DEVAUTH}/devices/{device.id}")

    assert (reply.status_code, reply.content) == (204, b"")
    assert ada.get(f"{DEVAUTH}/devices/{device.id}").status_code == 404
    assert ada.get(f"{INVENTORY}/devices/{device.id}").status_code == 404
    assert ada.get(f"{INVENTORY}/groups").json() == []
    assert ada.get(f"{DEVAUTH}/devices/count").json() == {"count": 0}
    assert ada.delete(f"{DEVAUTH}/devices/{device.id}").status_code == 404
    assert acme.log()[-1] == "ada device.decommission"


def test_its_token_is_worth_nothing_at_once(mender, acme):
    device = acme.device("door")
    assert device.next().status_code == 204

    mender.as_(ADA).delete(f"{DEVAUTH}/devices/{device.id}")

    assert device.next().status_code == 401
    assert device.report({"a": "b"}).status_code == 401
    assert device.report({"a": "b"}, "PUT").status_code == 401


def test_when_it_asks_again_it_is_a_new_device_that_waits(mender, acme):
    device = acme.device("door")
    mender.as_(ADA).delete(f"{DEVAUTH}/devices/{device.id}")

    reply = device.ask()

    assert reply.status_code == 401
    (found,) = mender.as_(ADA).get(f"{DEVAUTH}/devices").json()
    assert found["status"] == "pending"
    assert (found["id"], found["auth_sets"][0]["id"]) != (device.id, device.auth_set)
    assert found["id"] != device.id
    assert device.report({"a": "b"}).status_code == 401


def test_it_leaves_the_deployment_that_it_was_part_of(mender, acme):
    device = acme.device("door")
    device.report({"device_type": "door-lock"})
    acme.artifact("release-1")
    deployment = acme.deploy("release-1")
    assert device.next().status_code == 200

    mender.as_(ADA).delete(f"{DEVAUTH}/devices/{device.id}")

    assert acme.statistics(deployment) == {"decommissioned": 1}
    assert mender.as_(ADA).get(f"{DEPLOYMENTS}/deployments/{deployment}").json()["status"] == "finished"


def test_a_key_that_is_removed_takes_its_token_along_and_leaves_the_device(mender, acme, ask_for):
    device = acme.device("door")

    reply = mender.as_(ADA).delete(f"{DEVAUTH}/devices/{device.id}/auth/{device.auth_set}")

    assert (reply.status_code, reply.content) == (204, b"")
    told = ask_for(device)
    assert (told["status"], told["auth_sets"]) == ("noauth", [])
    assert device.report({"a": "b"}).status_code == 401
    assert mender.as_(ADA).get(f"{DEVAUTH}/devices?status=noauth").json() == [told]
    assert device.ask().status_code == 401
    again = ask_for(device)
    assert (again["status"], len(again["auth_sets"])) == ("pending", 1)
    assert again["auth_sets"][0]["id"] != device.auth_set


def test_the_best_of_the_other_keys_says_what_the_device_is_then(mender, acme, ask_for):
    device = acme.device("door")
    Device(mender.client, device.identity, acme.tenant.token).ask()

    mender.as_(ADA).delete(f"{DEVAUTH}/devices/{device.id}/auth/{device.auth_set}")

    assert ask_for(device)["status"] == "pending"


def test_one_that_was_only_vouched_for_goes_with_its_last_key(mender, acme):
    ada, body = mender.as_(ADA), {"identity_data": {"mac": "door"}, "pubkey": pem_of(new_key())}
    ada.post(f"{DEVAUTH}/devices", json=body)
    (found,) = ada.get(f"{DEVAUTH}/devices").json()

    reply = ada.delete(f"{DEVAUTH}/devices/{found['id']}/auth/{found['auth_sets'][0]['id']}")

    assert reply.status_code == 204
    assert ada.get(f"{DEVAUTH}/devices").json() == []
    assert ada.get(f"{INVENTORY}/devices").json() == []
    assert ada.post(f"{DEVAUTH}/devices", json=body).status_code == 201


def test_a_key_that_is_not_there_or_not_this_devices_is_not_found(mender, acme):
    door, gate = acme.ask("door"), acme.ask("gate")
    paths = (f"{door.id}/auth/nothing", f"nowhere/auth/{door.auth_set}", f"{door.id}/auth/{gate.auth_set}")

    replies = [mender.as_(ADA).delete(f"{DEVAUTH}/devices/{path}") for path in paths]

    assert [reply.status_code for reply in replies] == [404, 404, 404]
    assert acme.status("gate") == "pending"


def test_revoking_a_token_ends_it_at_once_and_the_device_gets_another(mender, acme):
    device = acme.device("door")
    assert device.report({"a": "b"}).status_code == 200

    reply = mender.as_(ADA).delete(f"{DEVAUTH}/tokens/{device.auth_set}")

    assert (reply.status_code, reply.content) == (204, b"")
    old = device.token
    assert device.report({"a": "b"}).status_code == 401
    assert device.ask().status_code == 200
    assert device.report({"a": "b"}).status_code == 200
    device.token = old
    assert device.report({"a": "b"}).status_code == 401
    assert acme.status("door") == "accepted"


@pytest.mark.parametrize("token", ["nothing", "0f2f2bd2-1c5a-4b1e-9df4-2a4a4b9a2f11", "%00"])
def test_a_token_that_is_not_there_cannot_be_revoked(standing, token):
    assert standing.mender.as_(ADA).delete(f"{DEVAUTH}/tokens/{token}").status_code == 404


def test_a_token_can_be_revoked_once(mender, acme):
    device, ada = acme.device("door"), mender.as_(ADA)

    replies = [ada.delete(f"{DEVAUTH}/tokens/{device.auth_set}").status_code for _ in range(2)]

    assert replies == [204, 404]


def test_a_device_that_has_no_token_has_none_to_revoke(mender, acme):
    device = acme.ask("door")

    assert mender.as_(ADA).delete(f"{DEVAUTH}/tokens/{device.auth_set}").status_code == 404
