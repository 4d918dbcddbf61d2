"""Which devices are there? Lists, searches and counts."""

from datetime import datetime

import pytest

from house.devices import Device, new_key, pem_of
from house.world import ADA, DEVAUTH, settled


@pytest.fixture(scope="module")
def fleet(server):
    """An Acme with a device of each status, by status; nobody changes it."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL"}) as acme:
        ada = acme.mender.as_(ADA)
        for status in ("pending", "accepted", "rejected"):
            acme.change_status(acme.ask(status), status)
        bare = acme.ask("noauth")
        ada.delete(f"{DEVAUTH}/devices/{bare.id}/auth/{bare.auth_set}")
        body = {"identity_data": {"mac": "preauthorized"}, "pubkey": pem_of(new_key())}
        place = ada.post(f"{DEVAUTH}/devices", json=body).headers["location"]
        acme.devices["preauthorized"] = Device(acme.mender.client, {}, id=place.removeprefix("devices/"))
        yield acme


def names(reply) -> list[str]:
    assert reply.status_code == 200, reply.text
    return [each["identity_data"]["mac"] for each in reply.json()]


STATUSES = ["pending", "accepted", "rejected", "noauth", "preauthorized"]


def test_a_device_is_shown_in_the_shape_of_the_reference(fleet):
    door = fleet.devices["accepted"]

    shown = fleet.mender.as_(ADA).get(f"{DEVAUTH}/devices/{door.id}").json()

    moments = [shown.pop("created_ts"), shown.pop("updated_ts"), shown["auth_sets"][0].pop("ts")]
    assert all(datetime.fromisoformat(moment).tzinfo for moment in moments)
    shown.pop("check_in_time", None)
    assert shown == {
        "id": door.id,
        "identity_data": {"mac": "accepted"},
        "status": "accepted",
        "decommissioning": False,
        "auth_sets": [
            {
                "id": door.auth_set,
                "identity_data": {"mac": "accepted"},
                "pubkey": pem_of(door.key),
                "status": "accepted",
            }
        ],
    }


def test_a_device_that_is_not_there_is_not_found(fleet):
    assert fleet.mender.as_(ADA).get(f"{DEVAUTH}/devices/nowhere").status_code == 404


def test_the_list_has_all_devices_by_age_and_no_total(fleet):
    reply = fleet.mender.as_(ADA).get(f"{DEVAUTH}/devices")

    assert names(reply) == STATUSES
    assert "x-total-count" not in reply.headers


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        *((f"status={status}", [status]) for status in STATUSES),
        ("status=pending&status=noauth", ["pending", "noauth"]),
        ("status=", STATUSES),
        ("id={accepted}", ["accepted"]),
        ("id={accepted}&id={pending}", ["pending", "accepted"]),
        ("id={accepted}&id=nowhere", ["accepted"]),
        ("id=nowhere", []),
        ("id=%27%22%5C%25%C3%BC", []),
        ("status=pending&id={accepted}", []),
        ("status=pending&id={pending}&id={accepted}", ["pending"]),
        ("per_page=2", STATUSES[:2]),
        ("per_page=2&page=2", STATUSES[2:4]),
        ("per_page=2&page=9", []),
        ("status=pending&status=accepted&status=rejected&per_page=1&page=2", ["accepted"]),
    ],
)
def test_the_list_can_be_narrowed_down(fleet, query, wanted):
    ids = {name: device.id for name, device in fleet.devices.items()}

    assert names(fleet.mender.as_(ADA).get(f"{DEVAUTH}/devices?{query.format(**ids)}")) == wanted


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ({}, STATUSES),
        ({"status": "pending"}, ["pending"]),
        ({"status": ["pending", "noauth"]}, ["pending", "noauth"]),
        ({"status": []}, STATUSES),
        ({"id": "{accepted}"}, ["accepted"]),
        ({"id": ["{accepted}", "{pending}"]}, ["pending", "accepted"]),
        ({"id": ["nowhere"]}, []),
        ({"id": []}, STATUSES),
        ({"status": None, "id": None}, STATUSES),
        ({"status": "pending", "id": ["{accepted}"]}, []),
        ({"status": "accepted", "id": "{accepted}", "unknown": 1}, ["accepted"]),
    ],
)
def test_a_search_takes_one_or_many_of_each(fleet, body, wanted):
    ids = {f"{{{name}}}": device.id for name, device in fleet.devices.items()}
    ids_of = lambda value: [ids.get(each, each) for each in value] if isinstance(value, list) else ids.get(value, value)  # noqa: E731

    reply = fleet.mender.as_(ADA).post(
        f"{DEVAUTH}/devices/search", json={name: ids_of(value) for name, value in body.items()}
    )

    assert names(reply) == wanted


def test_a_search_has_pages_as_well(fleet):
    reply = fleet.mender.as_(ADA).post(f"{DEVAUTH}/devices/search?page=2&per_page=2", json={})

    assert names(reply) == STATUSES[2:4]
    assert [link["url"] for link in reply.links.values()] == [
        f"{DEVAUTH}/devices/search?page={page}&per_page=2" for page in (1, 3, 1)
    ]


@pytest.mark.parametrize("status", ["garbage", "Pending", "pending,accepted", "%00"])
def test_an_unknown_status_is_refused_everywhere(fleet, status):
    ada, words = fleet.mender.as_(ADA), "status must be one of: pending, accepted, rejected, preauthorized, noauth"
    replies = [ada.get(f"{DEVAUTH}/devices?status={status}"), ada.get(f"{DEVAUTH}/devices/count?status={status}")]
    if "%" not in status:
        replies.append(ada.post(f"{DEVAUTH}/devices/search", json={"status": ["pending", status]}))

    assert {reply.status_code for reply in replies} == {400}
    if "%" not in status:
        assert {reply.json()["error"] for reply in replies} == {words}


@pytest.mark.parametrize("body", [b"", b"garbage", b"[]", b'{"status": 5}', b'{"id": {"a": 1}}', b'{"id": [5]}'])
def test_a_search_for_nonsense_is_refused(fleet, body):
    reply = fleet.mender.as_(ADA).post(
        f"{DEVAUTH}/devices/search", content=body, headers={"Content-Type": "application/json"}
    )

    assert reply.status_code == 400
    assert reply.json()["error"].startswith("failed to decode")


@pytest.mark.parametrize("status", STATUSES)
def test_devices_of_one_status_are_counted(fleet, status):
    reply = fleet.mender.as_(ADA).get(f"{DEVAUTH}/devices/count?status={status}")

    assert (reply.status_code, reply.json()) == (200, {"count": 1})


@pytest.mark.parametrize("query", ["", "?status="])
def test_all_devices_are_counted(fleet, query):
    assert fleet.mender.as_(ADA).get(f"{DEVAUTH}/devices/count{query}").json() == {"count": 5}
