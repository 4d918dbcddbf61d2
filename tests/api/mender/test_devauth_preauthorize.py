"""Can someone vouch for a device before it asks?"""

import json

import pytest

from fairlead.domain import identity
from house.devices import Device, new_key, pem_of
from house.world import ADA, DEVAUTH, INVENTORY


@pytest.fixture
def vouch(mender, acme):
    """Preauthorize a device that has not asked: `vouch(device)`."""

    def vouch_for(device: Device, **changes):
        body = {"identity_data": device.identity, "pubkey": pem_of(device.key), **changes}
        reply = mender.as_(ADA).post(f"{DEVAUTH}/devices", json=body)
        if reply.status_code == 201:
            device.id = reply.headers["location"].removeprefix("devices/")
        return reply

    return vouch_for


@pytest.fixture
def door(mender, acme) -> Device:
    return Device(mender.client, {"mac": "door", "sn": "1"}, acme.tenant.token, key=new_key("rsa"))


def test_a_device_that_someone_vouched_for_is_let_in_the_first_time_it_asks(mender, acme, door, vouch, ask_for):
    reply = vouch(door)
    before = ask_for(door)
    known = mender.as_(ADA).get(f"{INVENTORY}/devices/{door.id}").json()["attributes"]

    asked = door.ask()

    assert (reply.status_code, reply.content) == (201, b"")
    assert reply.headers["location"] == f"devices/{door.id}"
    assert (before["status"], before["auth_sets"][0]["status"]) == ("preauthorized", "preauthorized")
    assert before["auth_sets"][0]["pubkey"] == pem_of(door.key)
    assert {"name": "sn", "value": "1", "scope": "identity"} in known
    assert asked.status_code == 200
    assert ask_for(door)["status"] == "accepted"
    assert door.report({"a": "b"}).status_code == 200


def test_the_order_of_the_keys_and_the_spelling_of_the_public_key_do_not_matter(door, vouch):
    vouch(door, identity_data={"sn": "1", "mac": "door"}, pubkey=pem_of(door.key).replace("\n", "\r\n"))

    assert door.ask().status_code == 200


def test_a_known_identity_is_a_conflict_that_shows_what_is_known(mender, acme, vouch, ask_for):
    door = acme.ask("door")

    reply = vouch(door, pubkey=pem_of(new_key()))

    assert reply.status_code == 409
    assert reply.json() == ask_for(door)


def test_vouching_twice_is_a_conflict(door, vouch):
    assert (vouch(door).status_code, vouch(door).status_code) == (201, 409)


def test_the_right_identity_with_another_key_has_to_wait(mender, acme, door, vouch, ask_for):
    vouch(door)
    impostor = Device(mender.client, door.identity, acme.tenant.token)

    assert impostor.ask().status_code == 401

    told = ask_for(door)
    assert told["status"] == "preauthorized"
    assert [each["status"] for each in told["auth_sets"]] == ["preauthorized", "pending"]
    assert door.ask().status_code == 200


def test_one_that_someone_vouched_for_waits_outside_a_full_fleet(server, acme, door, vouch, ask_for):
    acme.device("gate")
    vouch(door)
    database = server.fairlead.database
    with database.across_tenants("a test") as tx:
        identity.change_device_limit(tx, acme.tenant.id, 1)

    outside = door.ask()
    with database.across_tenants("a test") as tx:
        identity.change_device_limit(tx, acme.tenant.id, 2)

    assert (outside.status_code, outside.json()["error"]) == (401, "dev auth: unauthorized")
    assert ask_for(door)["status"] == "preauthorized"
    assert door.ask().status_code == 200


@pytest.mark.parametrize("status", ["accepted", "rejected", "pending"])
def test_one_that_someone_vouched_for_can_be_decided_about(mender, door, vouch, ask_for, status):
    vouch(door)
    door.auth_set = ask_for(door)["auth_sets"][0]["id"]

    path = f"{DEVAUTH}/devices/{door.id}/auth/{door.auth_set}/status"
    assert mender.as_(ADA).put(path, json={"status": status}).status_code == 204

    assert ask_for(door)["status"] == status
    assert door.ask().status_code == (200 if status == "accepted" else 401)


def test_one_that_asks_with_a_wrong_signature_is_not_let_in(door, vouch, ask_for):
    vouch(door)

    assert door.ask(signature="AAAA").status_code == 401
    assert ask_for(door)["status"] == "preauthorized"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"pubkey": "…"}, "id_data: non zero value required;"),
        ({"identity_data": {}, "pubkey": "…"}, "id_data: non zero value required;"),
        ({"identity_data": {"mac": "\0"}, "pubkey": "…"}, "NUL"),
        ({"identity_data": {"mac": "new"}}, "cannot decode public key"),
        ({"identity_data": {"mac": "new"}, "pubkey": "garbage"}, "cannot decode public key"),
        ({"identity_data": "text", "pubkey": "…"}, ""),
        ({"identity_data": {"mac": "new"}, "pubkey": 5}, ""),
        ([], ""),
        ("text", ""),
    ],
)
def test_what_vouches_for_nothing_is_refused(standing, body, text):
    content = json.dumps(body).replace("\\u2026", pem_of(new_key()).replace("\n", "\\n"))

    reply = standing.mender.as_(ADA).post(
        f"{DEVAUTH}/devices", content=content, headers={"Content-Type": "application/json"}
    )

    assert reply.status_code == 400
    assert reply.json()["error"].startswith("failed to decode preauth request: ")
    assert text in reply.json()["error"]


def test_an_empty_body_vouches_for_nothing(standing):
    reply = standing.mender.as_(ADA).post(f"{DEVAUTH}/devices")

    assert (reply.status_code, reply.json()["error"]) == (
        400,
        "failed to decode preauth request: JSON payload is empty",
    )
