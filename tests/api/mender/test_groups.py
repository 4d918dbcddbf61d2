"""Which devices belong together?"""

import json

import pytest

from house.world import ADA, BEN, INVENTORY

BLANK = "Group name cannot be blank"
LETTERS = "Group name can only contain: upper/lowercase alphanum, -(dash), _(underscore)"


@pytest.fixture
def group_of(mender):
    return lambda device: mender.as_(ADA).get(f"{INVENTORY}/devices/{device.id}/group").json()["group"]


@pytest.fixture
def assign(mender):
    def put(device, group: object):
        return mender.as_(ADA).put(f"{INVENTORY}/devices/{device.id}/group", json={"group": group})

    return put


def test_a_device_is_in_no_group_then_in_one_then_in_another(mender, acme, assign, group_of):
    device, before = acme.device("door"), None
    before = group_of(device)

    reply = assign(device, "doors")
    then = group_of(device)
    assign(device, "gates")

    assert (reply.status_code, reply.content) == (204, b"")
    assert (before, then, group_of(device)) == (None, "doors", "gates")
    assert mender.as_(ADA).get(f"{INVENTORY}/groups").json() == ["gates"]
    assert acme.log()[-2:] == ["ada group.add_devices", "ada group.add_devices"]


def test_the_group_is_an_attribute_of_the_device(mender, acme, assign):
    device = acme.device("door")

    assign(device, "doors")

    found = mender.as_(ADA).get(f"{INVENTORY}/devices/{device.id}").json()["attributes"]
    assert {"name": "group", "value": "doors", "scope": "system"} in found


def test_a_group_goes_with_its_last_member(mender, acme, assign, group_of):
    door, gate, ada = acme.device("door"), acme.device("gate"), mender.as_(ADA)
    assign(door, "doors")
    assign(gate, "doors")

    first = ada.delete(f"{INVENTORY}/devices/{door.id}/group/doors")
    between = ada.get(f"{INVENTORY}/groups").json()
    ada.delete(f"{INVENTORY}/devices/{gate.id}/group/doors")

    assert (first.status_code, first.content) == (204, b"")
    assert (between, ada.get(f"{INVENTORY}/groups").json()) == (["doors"], [])
    assert group_of(door) is None
    reply = ada.get(f"{INVENTORY}/groups/doors/devices")
    assert (reply.status_code, reply.json()["error"]) == (404, "group not found")


def test_taking_a_device_out_of_a_group_that_it_is_not_in_is_not_found(mender, acme, assign, group_of):
    device, ada = acme.device("door"), mender.as_(ADA)
    assign(device, "doors")

    replies = [
        ada.delete(f"{INVENTORY}/devices/{device.id}/group/gates"),
        ada.delete(f"{INVENTORY}/devices/nowhere/group/doors"),
        ada.delete(f"{INVENTORY}/devices/{device.id}/group/d%C3%BC"),
    ]

    assert [(reply.status_code, reply.json()["error"]) for reply in replies] == [(404, "Device not found")] * 3
    assert group_of(device) == "doors"


def test_the_group_of_an_unknown_device_is_not_found(standing):
    ada = standing.mender.as_(ADA)

    assert ada.get(f"{INVENTORY}/devices/nowhere/group").status_code == 404
    assert ada.put(f"{INVENTORY}/devices/nowhere/group", json={"group": "doors"}).status_code == 404


@pytest.mark.parametrize("name", ["a", "A-b_9", "-", "_", "x" * 1024])
def test_a_good_name_is_taken(acme, assign, group_of, name):
    device = acme.device("door")

    assert assign(device, name).status_code == 204
    assert group_of(device) == name


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("", BLANK),
        *((name, LETTERS) for name in ("a b", "ü", "a.b", "a/b", "a\n", "a%20", "$", "a,b")),
        ("x" * 1025, "Group name must be at most 1024 characters long"),
        ("x\0", "failed to decode device group data"),
        (5, "failed to decode device group data"),
        (None, "failed to decode device group data"),
    ],
)
def test_a_name_that_is_none_is_refused(standing, name, text):
    path = f"{INVENTORY}/devices/{standing.devices['door'].id}/group"

    reply = standing.mender.as_(ADA).put(path, json={"group": name})

    assert reply.status_code == 400
    assert reply.json()["error"].startswith(text)


@pytest.mark.parametrize("body", [b"", b"garbage", b"[]", b"{}", b'"doors"'])
def test_a_body_that_names_no_group_is_refused(standing, body):
    path = f"{INVENTORY}/devices/{standing.devices['door'].id}/group"

    reply = standing.mender.as_(ADA).put(path, content=body, headers={"Content-Type": "application/json"})

    assert reply.status_code == 400
    if body == b"":
        assert reply.json()["error"] == "failed to decode device group data: JSON payload is empty"


def test_many_devices_can_be_put_into_a_group_at_once(mender, acme, assign):
    door, gate, ada = acme.device("door"), acme.device("gate"), mender.as_(ADA)
    path = f"{INVENTORY}/groups/doors/devices"
    assign(door, "doors")

    first = ada.patch(path, json=[door.id, gate.id, "nowhere"])
    again = ada.patch(path, json=[door.id, gate.id])

    assert (first.status_code, first.json()) == (200, {"matched_count": 2, "updated_count": 1})
    assert (again.status_code, again.json()) == (200, {"matched_count": 2, "updated_count": 0})
    listed = ada.get(path)
    assert (listed.json(), listed.headers["x-total-count"]) == ([door.id, gate.id], "2")


def test_many_devices_can_be_taken_out_at_once_and_others_stay_where_they_are(mender, acme, assign, group_of):
    door, gate, hatch, ada = acme.device("door"), acme.device("gate"), acme.device("hatch"), mender.as_(ADA)
    for device, group in ((door, "doors"), (gate, "doors"), (hatch, "hatches")):
        assign(device, group)

    reply = ada.request("DELETE", f"{INVENTORY}/groups/doors/devices", json=[door.id, hatch.id, "nowhere"])

    assert (reply.status_code, reply.json()["updated_count"]) == (200, 1)
    assert [group_of(device) for device in (door, gate, hatch)] == [None, "doors", "hatches"]


@pytest.mark.parametrize("ids", [["nowhere"], ["nowhere", "nowhere"], ["'", "ü", ""]])
def test_devices_that_are_not_there_are_passed_over(standing, ids):
    for method in ("PATCH", "DELETE"):
        reply = standing.mender.as_(ADA).request(method, f"{INVENTORY}/groups/ghosts/devices", json=ids)

        assert (reply.status_code, reply.json()) == (200, {"matched_count": 0, "updated_count": 0})
    assert "ghosts" not in standing.mender.as_(ADA).get(f"{INVENTORY}/groups").json()


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        ([], "no device IDs present in payload"),
        ({}, "invalid payload schema: "),
        ("text", "invalid payload schema: "),
        ([5], "invalid payload schema: "),
        ([None], "invalid payload schema: "),
        (["a\0"], "invalid payload schema: "),
        (None, "invalid payload schema: "),
    ],
)
def test_a_body_that_lists_no_ids_is_refused(standing, method, body, text):
    reply = standing.mender.as_(ADA).request(
        method,
        f"{INVENTORY}/groups/doors/devices",
        content=json.dumps(body),
        headers={"Content-Type": "application/json"},
    )

    assert reply.status_code == 400
    assert reply.json()["error"].startswith(text)


@pytest.mark.parametrize(
    ("name", "text"), [("a%20b", LETTERS), ("%C3%BC", LETTERS), ("x" * 1025, "Group name must be")]
)
def test_devices_cannot_be_put_into_a_group_that_cannot_be_named_so(standing, name, text):
    reply = standing.mender.as_(ADA).patch(f"{INVENTORY}/groups/{name}/devices", json=["x"])

    assert reply.status_code == 400
    assert reply.json()["error"].startswith(text)


def test_groups_are_listed_by_name_or_by_the_status_of_their_devices(mender, acme, assign):
    door, gate, ada = acme.device("door"), acme.ask("gate"), mender.as_(ADA)
    assign(door, "doors")
    assign(gate, "Gates")
    groups = lambda query="": ada.get(f"{INVENTORY}/groups{query}").json()  # noqa: E731

    assert sorted(groups()) == ["Gates", "doors"]
    assert (groups("?status=accepted"), groups("?status=pending")) == (["doors"], ["Gates"])
    assert (groups("?status=rejected"), groups("?status=garbage")) == ([], [])


def test_the_members_of_a_group_come_in_pages(mender, acme):
    ids = [acme.ask(f"door{number}").id for number in range(3)]
    ada, path = mender.as_(ADA), f"{INVENTORY}/groups/doors/devices"
    ada.patch(path, json=ids)

    pages = [ada.get(f"{path}?page={number}&per_page=2") for number in (1, 2, 3)]

    assert [page.json() for page in pages] == [ids[:2], ids[2:], []]
    assert [page.headers["x-total-count"] for page in pages] == ["3"] * 3
    assert [sorted(page.links) for page in pages] == [["first", "next"], ["first", "prev"], ["first", "prev"]]


def test_someone_who_may_only_look_is_refused(mender, acme, assign):
    device = acme.device("door")
    assign(device, "doors")
    ben = mender.as_(BEN)

    replies = [
        ben.put(f"{INVENTORY}/devices/{device.id}/group", json={"group": "bens"}),
        ben.delete(f"{INVENTORY}/devices/{device.id}/group/doors"),
        ben.patch(f"{INVENTORY}/groups/bens/devices", json=[device.id]),
        ben.request("DELETE", f"{INVENTORY}/groups/doors/devices", json=[device.id]),
    ]

    assert [reply.status_code for reply in replies] == [403] * 4
    assert ben.get(f"{INVENTORY}/groups/doors/devices").json() == [device.id]
