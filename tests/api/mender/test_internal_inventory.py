"""What do other services ask and tell inventory? `/api/internal/v1/inventory` and `/api/internal/v2/inventory`."""

import uuid

import pytest

from fairlead.domain import audit
from house.world import ADA, BEN, DEVAUTH, INVENTORY, ZOE

INTERNAL = "/api/internal/v1/inventory"
SEARCH = "/api/internal/v2/inventory/tenants/{}/filters/search"
BEAT = [{"name": "beat", "value": 1}]


def told(person, device_id: str) -> dict[tuple[str, str], object]:
    """What a person is told of a device, by scope and name; nothing if there is no such device."""
    reply = person.get(f"{INVENTORY}/devices/{device_id}")
    assert reply.status_code in {200, 404}
    return {(each["scope"], each["name"]): each["value"] for each in reply.json().get("attributes", ())}


@pytest.fixture
def ada(mender, acme):
    return mender.as_(ADA)


@pytest.fixture
def boat(internal, acme):
    """A device that only inventory knows of; its id."""
    device_id = str(uuid.uuid4())
    body = {"id": device_id, "attributes": BEAT}
    reply = internal.post(f"{INTERNAL}/devices", params={"tenant_id": acme.tenant.id}, json=body)
    assert reply.status_code == 201
    return device_id


@pytest.fixture
def tell(internal, acme):
    """Tell inventory the status of devices: `tell("accepted", (id, revision))`."""

    def say(status: str, *devices: tuple[str, int]):
        body = [{"id": device_id, "revision": revision} for device_id, revision in devices]
        return internal.post(f"{INTERNAL}/tenants/{acme.tenant.id}/devices/{status}", json=body)

    return say


def patch(internal, tenant: str, device_id: str, scope: str, body):
    return internal.patch(f"{INTERNAL}/tenants/{tenant}/device/{device_id}/attribute/scope/{scope}", json=body)


def test_a_device_can_be_known_before_it_asks(internal, acme, ada):
    attributes = [
        {"name": "ip", "value": "1.2.3.4", "description": "its address"},
        {"name": "mac", "value": "00:01", "scope": "identity"},
        {"name": "ports", "value": [1, 2]},
    ]
    body = {"id": f"boat-{uuid.uuid4()}", "attributes": attributes}

    reply = internal.post(f"{INTERNAL}/devices", params={"tenant_id": acme.tenant.id}, json=body)

    assert (reply.status_code, reply.headers["location"]) == (201, f"devices/{body['id']}")
    known = told(ada, body["id"])
    assert known["inventory", "ip"] == "1.2.3.4"
    assert known["identity", "mac"] == "00:01"
    assert known["inventory", "ports"] == [1, 2]
    assert ("identity", "status") not in known
    assert [each["id"] for each in ada.get(f"{INVENTORY}/devices", params={"ip": "1.2.3.4"}).json()] == [body["id"]]
    assert ada.get(f"{DEVAUTH}/devices").json() == []


def test_a_device_that_is_known_gets_what_is_new(internal, acme, ada, boat):
    body = {"id": boat, "attributes": [{"name": "ip", "value": "1.2.3.4"}]}

    assert internal.post(f"{INTERNAL}/devices", params={"tenant_id": acme.tenant.id}, json=body).status_code == 201

    known = told(ada, boat)
    assert (known["inventory", "beat"], known["inventory", "ip"]) == (1, "1.2.3.4")


def test_a_token_says_whose_the_device_is(internal, mender, acme, ada):
    by_ada, by_door = str(uuid.uuid4()), str(uuid.uuid4())

    for device_id, token in ((by_ada, mender.tokens[ADA]), (by_door, acme.device("door").token)):
        headers = {"Authorization": f"Bearer {token}"}
        body = {"id": device_id, "attributes": BEAT}
        assert internal.post(f"{INTERNAL}/devices", headers=headers, json=body).status_code == 201

    assert told(ada, by_ada)["inventory", "beat"] == told(ada, by_door)["inventory", "beat"] == 1


def test_whose_the_device_is_must_be_said_and_be_true(internal):
    body = {"id": "boat", "attributes": BEAT}

    assert internal.post(f"{INTERNAL}/devices", json=body).json()["error"] == "tenant_id must be provided"
    assert internal.post(f"{INTERNAL}/devices", params={"tenant_id": "nowhere"}, json=body).status_code == 404
    bad = internal.post(f"{INTERNAL}/devices", headers={"Authorization": "Bearer garbage"}, json=body)
    assert bad.status_code == 401


def test_an_id_that_somebody_else_has_is_a_conflict(internal, mender, acme, zenith, boat):
    body = {"id": boat, "attributes": [{"name": "beat", "value": 2}]}

    assert internal.post(f"{INTERNAL}/devices", params={"tenant_id": zenith.tenant.id}, json=body).status_code == 409

    assert told(mender.as_(ADA), boat)["inventory", "beat"] == 1
    assert told(mender.as_(ZOE), boat) == {}


@pytest.mark.parametrize("device_id", ["a/b", "a b", "ä", "x\r\nSet-Cookie: a=b", "%2f"])
def test_the_location_is_an_address_whatever_the_id(internal, acme, device_id):
    body = {"id": f"{uuid.uuid4()}{device_id}"}

    reply = internal.post(f"{INTERNAL}/devices", params={"tenant_id": acme.tenant.id}, json=body)

    assert reply.status_code == 201
    assert reply.headers["location"].startswith("devices/")
    assert reply.headers["location"].isascii()
    assert "set-cookie" not in reply.headers


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": ""},
        {"id": "  "},
        {"id": 5},
        {"id": "x" * 1025},
        {"id": "a\0"},
        {"id": "boat", "attributes": {}},
        {"id": "boat", "attributes": [{"name": "a"}]},
        {"id": "boat", "attributes": [{"name": "", "value": 1}]},
        {"id": "boat", "attributes": [{"name": "a", "value": True}]},
        {"id": "boat", "attributes": [{"name": "a", "value": None}]},
        {"id": "boat", "attributes": [{"name": "a", "value": {"b": 1}}]},
        {"id": "boat", "attributes": [{"name": "a", "value": ["b", 1]}]},
        {"id": "boat", "attributes": [{"name": "a", "value": 1, "scope": "a/b"}]},
        {"id": "boat", "attributes": [{"name": "created_ts", "value": "now", "scope": "system"}]},
        {"id": "boat", "attributes": [{"name": "status", "value": "accepted", "scope": "identity"}]},
        [],
    ],
)
def test_a_device_that_makes_no_sense_is_refused(internal, acme, ada, body):
    reply = internal.post(f"{INTERNAL}/devices", params={"tenant_id": acme.tenant.id}, json=body)

    assert reply.status_code == 400, reply.text
    assert set(reply.json()) == {"error", "request_id"}
    assert ada.get(f"{INVENTORY}/devices").json() == []


@pytest.mark.parametrize("scope", ["inventory", "identity", "tags", "monitor", "system", "ä ö"])
def test_attributes_of_a_scope_are_laid_over_what_is_known(internal, acme, ada, scope):
    door = acme.device("door")
    door.report({"kept": "as it was"})

    for value in ("old", "new"):
        body = [{"name": "mood", "value": value}, {"name": f"only {value}", "value": [1.5]}]
        assert patch(internal, acme.tenant.id, door.id, scope, body).status_code == 200

    known = told(ada, door.id)
    assert (known[scope, "mood"], known[scope, "only old"], known[scope, "only new"]) == ("new", [1.5], [1.5])
    assert (known["inventory", "kept"], known["identity", "mac"]) == ("as it was", "door")


def test_what_others_say_stays_when_the_device_replaces_what_it_said(internal, acme, ada):
    door = acme.device("door")
    patch(internal, acme.tenant.id, door.id, "tags", [{"name": "place", "value": "harbour"}])

    assert door.report({"a": 1}, method="PUT").status_code == 200

    assert told(ada, door.id)["tags", "place"] == "harbour"


def test_the_scope_of_the_path_counts(internal, acme, ada, boat):
    body = [{"name": "place", "value": "harbour", "scope": "inventory"}]

    assert patch(internal, acme.tenant.id, boat, "tags", body).status_code == 200

    known = told(ada, boat)
    assert known["tags", "place"] == "harbour"
    assert ("inventory", "place") not in known


def test_attributes_begin_an_inventory_where_there_is_none(internal, acme, ada):
    device_id = str(uuid.uuid4())

    assert patch(internal, acme.tenant.id, device_id, "inventory", BEAT).status_code == 200

    assert told(ada, device_id)["inventory", "beat"] == 1


@pytest.mark.parametrize(
    ("scope", "body"),
    [
        ("tags", {}),
        ("tags", [{"name": "a", "value": False}]),
        ("tags", [{"value": 1}]),
        ("x" * 1025, BEAT),
        ("system", [{"name": "group", "value": "doors"}]),
        ("identity", [{"name": "status", "value": "accepted"}]),
    ],
)
def test_attributes_that_make_no_sense_are_refused(internal, acme, ada, boat, scope, body):
    before = told(ada, boat)

    assert patch(internal, acme.tenant.id, boat, scope, body).status_code == 400

    assert told(ada, boat) == before


def test_a_status_is_kept_of_devices_that_are_not_ours_to_let_in(tell, ada, boat):
    reply = tell("pending", (boat, 1))

    assert (reply.status_code, reply.json()) == (200, {"matched_count": 1, "updated_count": 1})
    assert told(ada, boat)["identity", "status"] == "pending"
    assert told(ada, boat)["inventory", "beat"] == 1
    found = ada.get(f"{INVENTORY}/devices", params={"identity/status": "pending"}).json()
    assert [each["id"] for each in found] == [boat]


def test_an_older_or_equal_revision_is_ignored(tell, ada, boat):
    tell("accepted", (boat, 5))

    assert tell("rejected", (boat, 4)).json() == {"matched_count": 1, "updated_count": 0}
    assert tell("rejected", (boat, 5)).json() == {"matched_count": 1, "updated_count": 0}
    assert told(ada, boat)["identity", "status"] == "accepted"
    assert tell("noauth", (boat, 3), (boat, 6)).json() == {"matched_count": 1, "updated_count": 1}
    assert told(ada, boat)["identity", "status"] == "noauth"


def test_a_status_begins_an_inventory_where_there_is_none(tell, ada):
    device_id = str(uuid.uuid4())

    assert tell("preauthorized", (device_id, 0)).json() == {"matched_count": 1, "updated_count": 1}

    assert told(ada, device_id)["identity", "status"] == "preauthorized"


def test_the_status_of_devices_that_asked_us_is_ours(tell, acme, ada):
    door = acme.device("door")

    assert tell("rejected", (door.id, 100)).json() == {"matched_count": 1, "updated_count": 0}

    assert told(ada, door.id)["identity", "status"] == acme.status("door") == "accepted"
    assert door.report({"a": 1}).status_code == 200


def test_decommissioned_devices_are_forgotten(tell, acme, ada, boat):
    door = acme.device("door")

    reply = tell("decommissioned", (boat, 1), (door.id, 1), ("nobody", 1))

    assert (reply.status_code, reply.json()) == (200, {"matched_count": 2, "updated_count": 2})
    assert ada.get(f"{INVENTORY}/devices").json() == []
    assert door.report({"back": 1}).status_code == 200
    assert told(ada, door.id)["inventory", "back"] == 1


def test_an_unknown_status_is_not_found(tell, boat):
    reply = tell("happy", (boat, 1))

    assert (reply.status_code, reply.json()["error"]) == (404, "unrecognized status: happy")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [{"id": "a"}],
        [{"revision": 1}],
        [{"id": "a", "revision": -1}],
        [{"id": "a", "revision": 2**70}],
        [{"id": "a", "revision": 1.5}],
        [{"id": "", "revision": 1}],
        [{"id": "a", "revision": 1}] * 10_001,
    ],
)
def test_a_status_of_nobody_is_refused(internal, acme, body):
    reply = internal.post(f"{INTERNAL}/tenants/{acme.tenant.id}/devices/accepted", json=body)

    assert reply.status_code == 400


def test_nothing_is_told_of_another_tenants_devices(internal, mender, acme, zenith, boat):
    path = f"{INTERNAL}/tenants/{zenith.tenant.id}"
    theirs = [{"id": boat, "revision": 9}]
    door = acme.device("door")

    assert internal.post(f"{path}/devices/decommissioned", json=theirs).json() == {
        "matched_count": 0,
        "updated_count": 0,
    }
    assert internal.post(f"{path}/devices/accepted", json=theirs).status_code == 409
    assert patch(internal, zenith.tenant.id, door.id, "tags", BEAT).status_code == 409
    assert ("tags", "beat") not in told(mender.as_(ADA), door.id)
    assert ("identity", "status") not in told(mender.as_(ADA), boat)
    assert mender.as_(ZOE).get(f"{INVENTORY}/devices").json() == []


def test_a_tenant_that_is_not_there_is_not_found(internal):
    assert internal.post(f"{INTERNAL}/tenants/nowhere/devices/accepted", json=[]).status_code == 404
    assert patch(internal, "nowhere", "boat", "tags", BEAT).status_code == 404
    assert internal.post(SEARCH.format("nowhere"), json={}).status_code == 404


def test_the_same_search_is_there_for_services(internal, acme, ada, boat):
    body = {"filters": [{"scope": "inventory", "attribute": "beat", "type": "$gte", "value": 1}], "per_page": 5}

    reply = internal.post(SEARCH.format(acme.tenant.id), json=body)

    public = ada.post("/api/management/v2/inventory/filters/search", json=body)
    assert reply.json() == public.json()
    assert [each["id"] for each in reply.json()] == [boat]
    assert reply.headers["x-total-count"] == "1"
    body["filters"][0]["type"] = "$near"
    assert internal.post(SEARCH.format(acme.tenant.id), json=body).status_code == 400


def test_the_search_is_not_there_for_others(mender, acme):
    assert mender.as_(ADA).post(SEARCH.format(acme.tenant.id), json={}).status_code == 404
    assert mender.as_(BEN).post(SEARCH.format(acme.tenant.id), json={}).status_code == 404


def test_what_services_do_is_on_record(server, acme, internal, tell, boat):
    tell("accepted", (boat, 1))
    tell("decommissioned", (boat, 2))

    with server.fairlead.database.read(acme.scope) as tx:
        entries = [entry for entry in audit.recent(tx, 10) if entry.object_id == boat]
    assert [entry.action for entry in reversed(entries)] == ["inventory.assign", "inventory.status", "inventory.delete"]
    assert {entry.actor_name for entry in entries} == {"internal API"}


def test_a_server_of_one_organization_needs_no_tenant_to_be_named(alone):
    internal = alone.internal
    body = {"id": "boat", "attributes": BEAT}

    assert internal.post(f"{INTERNAL}/devices", json=body).status_code == 201
    assert internal.post(f"{INTERNAL}/devices", params={"tenant_id": "default"}, json=body).status_code == 201
    assert internal.post(f"{INTERNAL}/devices", params={"tenant_id": "acme"}, json=body).status_code == 404
    assert patch(internal, "default", "boat", "tags", BEAT).status_code == 200
    path = f"{INTERNAL}/tenants/default/devices"
    assert internal.post(f"{path}/pending", json=[{"id": "boat", "revision": 1}]).json()["updated_count"] == 1

    known = told(alone.ada, "boat")
    assert (known["inventory", "beat"], known["tags", "beat"], known["identity", "status"]) == (1, 1, "pending")
    assert len(internal.post(SEARCH.format("default"), json={}).json()) == 2
