"""Under which id is a request logged, and who is told?"""

import uuid

import pytest

from house.devices import AUTH, NEXT
from house.world import ADA, DEVAUTH, INVENTORY, LOGIN

ID = "X-MEN-RequestID"
PLACES = {
    "a list": ("GET", f"{DEVAUTH}/devices", 200),
    "no content": ("DELETE", f"{INVENTORY}/devices/nowhere", 204),
    "not found": ("GET", f"{DEVAUTH}/devices/nowhere", 404),
    "no such route": ("GET", "/api/management/v1/nothing", 404),
    "no such method": ("PATCH", f"{DEVAUTH}/devices", 405),
    "bad body": ("POST", f"{DEVAUTH}/devices", 400),
    "not built": ("GET", "/api/management/v2/inventory/filters", 501),
    "options": ("OPTIONS", f"{DEVAUTH}/devices", 200),
    "wrong login": ("POST", LOGIN, 401),
    "bad auth request": ("POST", AUTH, 400),
    "not a device": ("GET", NEXT, 401),
    "a NUL in the path": ("GET", f"{DEVAUTH}/devices/%00", 404),
}


@pytest.mark.parametrize("place", PLACES)
def test_the_id_that_the_client_gave_comes_back_in_header_and_body(standing, place):
    method, path, status = PLACES[place]

    reply = standing.mender.as_(ADA).request(method, path, headers={ID: "client-7/a"})

    assert reply.status_code == status
    assert reply.headers.get_list(ID) == ["client-7/a"]
    if status >= 400:
        assert reply.json()["request_id"] == "client-7/a"


@pytest.mark.parametrize("place", PLACES)
def test_a_request_without_an_id_gets_a_new_one(standing, place):
    method, path, _ = PLACES[place]

    replies = [standing.mender.as_(ADA).request(method, path) for _ in range(2)]

    ids = [uuid.UUID(reply.headers[ID]) for reply in replies]
    assert ids[0] != ids[1]
    assert [each.version for each in ids] == [4, 4]
    assert all(each.variant == uuid.RFC_4122 for each in ids)


def test_what_is_answered_at_the_front_door_has_one_too(standing):
    device = standing.devices["door"]
    requests = (device.next, lambda: device.report({"a": 1}), device.ask, lambda: device.ask(pubkey=""))

    replies = [request() for request in requests for _ in range(2)]

    assert [reply.status_code for reply in replies] == [204, 204, 200, 200, 200, 200, 400, 400]
    assert len({uuid.UUID(reply.headers[ID]) for reply in replies}) == len(replies)


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\tb"])
def test_an_id_that_would_spoil_the_log_is_replaced(standing, given):
    reply = standing.mender.as_(ADA).get(f"{DEVAUTH}/devices", headers={ID: given})

    assert uuid.UUID(reply.headers[ID]).version == 4


def test_an_id_of_other_letters_is_replaced(standing):
    reply = standing.mender.client.get("/", headers={ID: "ü".encode()})

    assert uuid.UUID(reply.headers[ID]).version == 4
