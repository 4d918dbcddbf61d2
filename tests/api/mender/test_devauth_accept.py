"""What becomes of a device when someone decides about one of its keys? The state machine, row by row."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from fairlead.domain import identity
from house.devices import Device, new_key, pem_of
from house.world import ADA, BEN, DEVAUTH


@pytest.fixture
def put(mender):
    """Decide: `put(device, "accepted")`, or `put(device, "accepted", auth_set=…)`."""

    def decide(device: Device, status: object, auth_set: str = "", who: str = ADA):
        path = f"{DEVAUTH}/devices/{device.id}/auth/{auth_set or device.auth_set}/status"
        return mender.as_(who).put(path, json={"status": status})

    return decide


@pytest.fixture
def limit(server, acme):
    """Set how many devices Acme may accept."""

    def change(number: int) -> None:
        with server.fairlead.database.across_tenants("a test") as tx:
            identity.change_device_limit(tx, acme.tenant.id, number)

    return change


def with_another_key(acme, device: Device, ask_for) -> Device:
    """The same device with a new key, which waits."""
    other = Device(device.client, device.identity, device.tenant_token, id=device.id, key=new_key())
    known = {each["id"] for each in ask_for(device)["auth_sets"]}
    other.ask()
    (other.auth_set,) = {each["id"] for each in ask_for(device)["auth_sets"]} - known
    return other


@pytest.mark.parametrize("before", ["pending", "rejected", "accepted"])
@pytest.mark.parametrize("after", ["pending", "rejected", "accepted"])
def test_every_status_can_follow_every_other(mender, acme, put, ask_for, before, after):
    device = acme.ask("door")
    put(device, before)

    reply = put(device, after)

    assert (reply.status_code, reply.content) == (204, b"")
    told = ask_for(device)
    assert (told["status"], told["auth_sets"][0]["status"]) == (after, after)
    status = mender.as_(ADA).get(f"{DEVAUTH}/devices/{device.id}/auth/{device.auth_set}/status")
    assert (status.status_code, status.json()) == (200, {"status": after})
    assert device.ask().status_code == (200 if after == "accepted" else 401)


def test_accepting_says_who_did_it_once(acme, put):
    device = acme.ask("door")

    put(device, "accepted")
    put(device, "accepted")

    assert acme.log() == ["ada device.accept"]


@pytest.mark.parametrize("status", ["rejected", "pending"])
def test_taking_it_back_ends_the_token_at_once_and_a_new_one_is_needed(acme, put, status):
    device = acme.device("door")
    assert device.report({"a": "b"}).status_code == 200

    put(device, status)

    assert device.report({"a": "b"}).status_code == 401
    assert device.next().status_code == 401
    put(device, "accepted")
    assert device.report({"a": "b"}).status_code == 401
    device.ask()
    assert device.report({"a": "b"}).status_code == 200


def test_accepting_another_key_rejects_the_one_before_with_its_token(acme, put, ask_for):
    device = acme.device("door")
    other = with_another_key(acme, device, ask_for)

    assert put(other, "accepted").status_code == 204

    assert [each["status"] for each in ask_for(device)["auth_sets"]] == ["rejected", "accepted"]
    assert ask_for(device)["status"] == "accepted"
    assert device.report({"a": "b"}).status_code == 401
    assert device.ask().status_code == 401
    assert other.ask().status_code == 200
    assert other.report({"a": "b"}).status_code == 200


def test_accepting_another_key_rejects_the_preauthorized_one(mender, acme, put, ask_for):
    vouched, other = new_key(), Device(mender.client, {"mac": "door"}, acme.tenant.token)
    body = {"identity_data": {"mac": "door"}, "pubkey": pem_of(vouched)}
    place = mender.as_(ADA).post(f"{DEVAUTH}/devices", json=body).headers["location"]
    other.id = place.removeprefix("devices/")
    other.ask()
    other.auth_set = ask_for(other)["auth_sets"][1]["id"]

    put(other, "accepted")

    assert [each["status"] for each in ask_for(other)["auth_sets"]] == ["rejected", "accepted"]


def test_rejecting_one_key_leaves_the_others_as_they_are(acme, put, ask_for):
    device = acme.device("door")
    other = with_another_key(acme, device, ask_for)

    put(other, "rejected")

    assert [each["status"] for each in ask_for(device)["auth_sets"]] == ["accepted", "rejected"]
    assert device.report({"a": "b"}).status_code == 200


@pytest.mark.parametrize(
    ("statuses", "of_device"),
    [
        (("accepted", "pending"), "accepted"),
        (("accepted", "rejected"), "accepted"),
        (("rejected", "pending"), "pending"),
        (("rejected", "rejected"), "rejected"),
        (("pending", "accepted"), "accepted"),
    ],
)
def test_a_device_is_what_the_best_of_its_keys_is(acme, put, ask_for, statuses, of_device):
    device = acme.ask("door")
    other = with_another_key(acme, device, ask_for)

    put(device, statuses[0])
    put(other, statuses[1])

    assert ask_for(device)["status"] == of_device


@pytest.mark.parametrize("status", ["", "garbage", "noauth", "preauthorized", "Accepted", "accepted "])
def test_a_status_that_cannot_be_set_is_refused(standing, status):
    device = standing.devices["door"]
    path = f"{DEVAUTH}/devices/{device.id}/auth/{device.auth_set}/status"

    reply = standing.mender.as_(ADA).put(path, json={"status": status})

    assert (reply.status_code, reply.json()["error"]) == (400, "incorrect device status")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", "failed to decode status data: JSON payload is empty"),
        (b"garbage", "failed to decode status data: "),
        (b"[]", "failed to decode status data: "),
        (b'{"status": 5}', "failed to decode status data: "),
        (b"{}", "incorrect device status"),
    ],
)
def test_a_body_that_says_no_status_is_refused(standing, body, text):
    device = standing.devices["door"]
    path = f"{DEVAUTH}/devices/{device.id}/auth/{device.auth_set}/status"

    reply = standing.mender.as_(ADA).put(path, content=body, headers={"Content-Type": "application/json"})

    assert reply.status_code == 400
    assert reply.json()["error"].startswith(text)


def test_deciding_about_another_devices_key_is_a_mistake(acme, put):
    door, gate = acme.ask("door"), acme.ask("gate")

    reply = put(door, "accepted", auth_set=gate.auth_set)

    assert (reply.status_code, reply.json()["error"]) == (400, "dev auth: dev ID and auth ID mismatch")
    assert (acme.status("door"), acme.status("gate")) == ("pending", "pending")


def test_what_is_not_there_cannot_be_decided_about(mender, acme, put):
    device = acme.ask("door")
    nowhere = Device(mender.client, {}, id="nowhere", auth_set=device.auth_set)

    assert (put(nowhere, "accepted").status_code, put(device, "accepted", "nothing").status_code) == (404, 404)
    for path in (f"nowhere/auth/{device.auth_set}", f"{device.id}/auth/nothing"):
        reply = mender.as_(ADA).get(f"{DEVAUTH}/devices/{path}/status")
        assert reply.status_code == 404


def test_the_status_of_another_devices_key_is_not_found(mender, acme):
    door, gate = acme.ask("door"), acme.ask("gate")

    assert mender.as_(ADA).get(f"{DEVAUTH}/devices/{door.id}/auth/{gate.auth_set}/status").status_code == 404


def test_someone_who_may_only_look_is_refused(acme, put):
    device = acme.ask("door")

    reply = put(device, "accepted", who=BEN)

    assert reply.status_code == 403
    assert acme.status("door") == "pending"


def test_a_full_fleet_accepts_nobody_until_someone_leaves(mender, acme, put, limit):
    limit(1)
    acme.device("door")
    gate = acme.ask("gate")

    full = put(gate, "accepted")

    assert (full.status_code, full.json()["error"]) == (422, "maximum number of accepted devices reached")
    assert acme.status("gate") == "pending"
    assert mender.as_(ADA).get(f"{DEVAUTH}/limits/max_devices").json() == {"limit": 1}
    put(acme.devices["door"], "rejected")
    assert put(gate, "accepted").status_code == 204


def test_a_full_fleet_still_lets_a_device_change_its_key(acme, put, limit, ask_for):
    device = acme.device("door")
    limit(1)
    other = with_another_key(acme, device, ask_for)

    assert put(device, "accepted").status_code == 204
    assert put(other, "accepted").status_code == 204
    assert other.ask().status_code == 200


def test_no_limit_is_a_limit_of_zero(standing):
    ada = standing.mender.as_(ADA)

    assert ada.get(f"{DEVAUTH}/limits/max_devices").json() == {"limit": 0}
    other = ada.get(f"{DEVAUTH}/limits/max_wishes")
    assert (other.status_code, other.json()["error"]) == (400, "unsupported limit max_wishes")


def test_many_at_once_do_not_get_past_the_limit(mender, acme, put, limit):
    waiting = [acme.ask(f"door{number}") for number in range(8)]
    limit(3)

    with ThreadPoolExecutor(8) as people:
        statuses = sorted(reply.status_code for reply in people.map(lambda each: put(each, "accepted"), waiting))

    assert statuses == [204] * 3 + [422] * 5
    assert mender.as_(ADA).get(f"{DEVAUTH}/devices/count?status=accepted").json() == {"count": 3}
