"""What is there for somebody whose roles name device groups? Those devices, and nothing else, whatever they ask."""

import pytest
from operations import MANAGEMENT, call, unknown_ids
from test_strangers import all_of, said

from house.roles import ALL, OBSERVER, deploy, permission, role, someone, view, view_any, with_role
from house.world import ADA, DEPLOYMENTS, DEVAUTH, INVENTORY

CREATE = f"{DEPLOYMENTS}/deployments"
NAMING_DEVICES = {"device", "auth_set", "deployment", "group"}


@pytest.fixture
def stage(mender, acme):
    """Doors and gates, an own and a common deployment; every device has asked for it and written about it."""
    acme.artifact("release-1")
    for name in ("door", "gate"):
        device = acme.device(name)
        assert device.report({"device_type": "door-lock", "kind": name}).status_code == 200
        path = f"{INVENTORY}/groups/{name}s/devices"
        assert mender.as_(ADA).patch(path, json=[device.id]).status_code == 200
    return acme


@pytest.fixture
def rollouts(stage):
    """Deployments to both, to the door and to the gate, all asked for by the gate, the first one by the door too."""
    door, gate = stage.devices["door"], stage.devices["gate"]
    wanted = {"both": [door, gate], "doors": [door], "gates": [gate]}
    made = {name: stage.deploy(name=f"to {name}", devices=[each.id for each in to]) for name, to in wanted.items()}
    for device in (door, gate):
        assert stage.offers(device) == made["both"]
        assert device.log(made["both"], f"the {device.identity['mac']} speaks").status_code == 204
    assert gate.status(made["both"], "installing").status_code == 204
    return made


@pytest.fixture(params=["sees doors", "may do all, to doors", "deploys to doors", "one door", "CI for doors"])
def eve(request, stage):
    """Somebody who is limited to the door, in one of the ways to say it."""
    door = permission("VIEW_DEVICE", "DEVICE_ID", stage.devices["door"].id)
    grants, besides = {
        "sees doors": ([view("doors")], (OBSERVER,)),
        "may do all, to doors": ([view("doors")], (ALL,)),
        "deploys to doors": ([deploy("doors")], (ALL, OBSERVER)),
        "one door": ([door], (ALL,)),
        "CI for doors": ([deploy("doors")], ("RBAC_ROLE_CI",)),
    }[request.param]
    return with_role(stage, *grants, besides=besides)


@pytest.fixture
def outside(stage, rollouts):
    gate = stage.devices["gate"]
    found = {"device": gate.id, "auth_set": gate.auth_set, "group": "gates", "deployment": rollouts["gates"]}
    return unknown_ids() | found


def test_what_is_outside_looks_like_what_is_not_there_on_every_route(mender, stage, eve, outside):
    naming = [each for each in MANAGEMENT if each.is_built and not each.is_open]
    naming = [each for each in naming if NAMING_DEVICES & set(each.names.split()) or "{device}" in str(each.body)]
    nowhere = unknown_ids()
    before = all_of(mender, ADA, outside, only=NAMING_DEVICES)

    told = {
        str(each): (said(call(eve, each, outside), outside), said(call(eve, each, nowhere), nowhere)) for each in naming
    }

    assert len(told) > 20
    assert {name: pair for name, pair in told.items() if pair[0] != pair[1]} == {}
    assert all_of(mender, ADA, outside, only=NAMING_DEVICES) == before


def test_nothing_of_what_is_outside_is_told_on_any_route(stage, eve, rollouts):
    gate = stage.devices["gate"]
    lists = [each for each in MANAGEMENT if each.is_built and not each.is_open and not each.names and not each.changes]
    inside = unknown_ids() | {"device": stage.devices["door"].id}

    texts = {str(each): call(eve, each, inside).text for each in lists if not each.path.endswith("/logout")}

    secrets = (gate.id, gate.auth_set, rollouts["gates"], '"gate"', "gates")
    assert {
        name: each for name, text in texts.items() for each in secrets if each in text and "useradm" not in name
    } == {}


def test_lists_and_counts_hold_what_is_inside(stage, eve):
    door, gate = stage.devices["door"].id, stage.devices["gate"].id
    stage.ask("asks and is in no group")
    ids = lambda reply: [each["id"] for each in reply.json()]  # noqa: E731

    assert ids(eve.get(f"{DEVAUTH}/devices")) == [door]
    assert ids(eve.get(f"{DEVAUTH}/devices?id={gate}&id={door}")) == [door]
    assert ids(eve.get(f"{DEVAUTH}/devices?per_page=1&page=2")) == []
    assert "next" not in eve.get(f"{DEVAUTH}/devices?per_page=1").links
    assert ids(eve.post(f"{DEVAUTH}/devices/search", json={"id": [gate, door]})) == [door]
    assert [eve.get(f"{DEVAUTH}/devices/count{q}").json()["count"] for q in ("", "?status=pending")] == [1, 0]
    for query in ("", "?has_group=true", "?sort=kind", "?identity/status=accepted", "?device_type=door-lock"):
        listed = eve.get(f"{INVENTORY}/devices{query}")
        assert (ids(listed), listed.headers["x-total-count"]) == ([door], "1")
    for query in ("?group=gates", "?kind=gate", "?system/group=gates", f"?identity/id={gate}", "?has_group=false"):
        listed = eve.get(f"{INVENTORY}/devices{query}")
        assert (listed.json(), listed.headers["x-total-count"]) == ([], "0")
    assert eve.get(f"{INVENTORY}/groups").json() == ["doors"]
    attributes = eve.get("/api/management/v2/inventory/filters/attributes").json()
    assert {each["name"] for each in attributes} >= {"kind", "mac", "status", "group"}
    assert {each["count"] for each in attributes} == {1}
    assert eve.get(f"{INVENTORY}/groups?status=accepted").json() == ["doors"]
    assert eve.get(f"{INVENTORY}/groups/doors/devices").json() == [door]
    assert eve.get(f"{INVENTORY}/devices/{door}/group").json() == {"group": "doors"}


def test_a_deployment_is_seen_as_if_it_were_to_the_own_devices_only(stage, eve, rollouts):
    door, gate, path = stage.devices["door"].id, stage.devices["gate"].id, f"{CREATE}/{rollouts['both']}"

    shown = eve.get(path).json()
    counted = {status: count for status, count in eve.get(f"{path}/statistics").json().items() if count}

    assert (shown["max_devices"], shown["device_count"], shown["status"]) == (1, 1, "pending")
    assert counted == {"pending": 1}
    assert [each["id"] for each in eve.get(f"{path}/devices").json()] == [door]
    assert eve.get(f"{path}/device_list").json() == [door]
    assert "the door speaks" in eve.get(f"{path}/devices/{door}/log").text
    assert eve.get(f"{path}/devices/{gate}/log").status_code == 404


def test_deployments_are_listed_and_found_as_they_are_seen(stage, eve, rollouts):
    wanted = {
        "": ["doors", "both"],
        "?search=both": ["both"],
        "?search=gates": [],
        "?status=pending": ["doors", "both"],
        "?status=inprogress": [],
        "?status=finished": [],
    }

    told = {query: eve.get(f"{CREATE}{query}") for query in wanted}

    names = {query: [each["name"].removeprefix("to ") for each in reply.json()] for query, reply in told.items()}
    assert names == wanted
    assert {query: int(reply.headers["x-total-count"]) for query, reply in told.items()} == {
        query: len(found) for query, found in wanted.items()
    }
    assert all(each["status"] == "pending" for each in told[""].json())


def test_who_sees_all_finds_the_same_deployment_in_progress(mender, stage, rollouts):
    found = mender.as_(ADA).get(f"{CREATE}?status=inprogress").json()

    assert [each["name"] for each in found] == ["to both"]


@pytest.fixture
def may_deploy(stage):
    return with_role(stage, deploy("doors"), besides=(ALL,))


def deployment(**wishes) -> dict:
    return {"name": "x", "artifact_name": "release-1", **wishes}


def test_a_deployment_goes_to_the_own_groups_and_to_no_other_device(stage, may_deploy):
    """405, as Mender's own tests insist (mender.md §2.5), though the same person may do everything besides."""
    door, gate = stage.devices["door"].id, stage.devices["gate"].id
    beyond = {
        "another": (CREATE, deployment(devices=[gate])),
        "one of each": (CREATE, deployment(devices=[door, gate])),
        "one that is not there": (CREATE, deployment(devices=["nowhere"])),
        "all": (CREATE, deployment(all_devices=True)),
        "another group": (f"{CREATE}/group/gates", deployment()),
        "a group that is not there": (f"{CREATE}/group/nowhere", deployment()),
    }

    refused = {what: may_deploy.post(path, json=body) for what, (path, body) in beyond.items()}

    assert {reply.status_code for reply in refused.values()} == {405}
    assert len({reply.json()["error"] for reply in refused.values()}) == 1
    assert stage.mender.as_(ADA).get(CREATE).json() == []
    assert may_deploy.post(CREATE, json=deployment(devices=[door])).status_code == 201
    assert may_deploy.post(f"{CREATE}/group/doors", json=deployment()).status_code == 201


def test_all_devices_may_be_meant_when_all_are_own(stage, may_deploy):
    stage.change_status(stage.devices["gate"], "rejected")

    assert may_deploy.post(CREATE, json=deployment(all_devices=True)).status_code == 201


def test_who_only_sees_other_groups_does_not_deploy_to_them(stage, rollouts):
    """Seeing is one thing, and deploying another: 405 even though the device is in sight."""
    eve = with_role(stage, view("gates"), deploy("doors"))

    assert len(eve.get(f"{DEVAUTH}/devices").json()) == 2
    assert eve.post(CREATE, json=deployment(devices=[stage.devices["gate"].id])).status_code == 405
    assert eve.put(f"{CREATE}/{rollouts['gates']}/status", json={"status": "aborted"}).status_code == 405
    assert eve.delete(f"{DEPLOYMENTS}/deployments/devices/{stage.devices['gate'].id}").status_code == 204
    assert stage.statistics(rollouts["gates"]) == {}
    assert stage.deployment(rollouts["gates"])["status"] == "pending"


def test_a_deployment_that_reaches_further_is_not_aborted(stage, may_deploy, rollouts):
    abort = {"status": "aborted"}

    replies = {name: may_deploy.put(f"{CREATE}/{id_}/status", json=abort).status_code for name, id_ in rollouts.items()}

    assert replies == {"both": 405, "gates": 422, "doors": 204}  # 422: as if it were not there
    assert {name: stage.deployment(id_)["status"] for name, id_ in rollouts.items()} == {
        "both": "inprogress",
        "gates": "pending",
        "doors": "finished",
    }


def test_what_is_inside_can_be_changed(mender, stage):
    eve, door, gate = someone(stage, ALL, role(stage, "doors", view("doors"))), *stage.devices.values()
    path = f"{DEVAUTH}/devices/{door.id}"

    assert eve.put(f"{path}/auth/{door.auth_set}/status", json={"status": "rejected"}).status_code == 204
    assert eve.put(f"{path}/auth/{door.auth_set}/status", json={"status": "accepted"}).status_code == 204
    assert eve.get(f"{path}/auth/{door.auth_set}/status").json() == {"status": "accepted"}
    assert eve.put(f"{path}/auth/{gate.auth_set}/status", json={"status": "rejected"}).status_code == 404
    assert eve.delete(f"{INVENTORY}/devices/{door.id}/group/doors").status_code == 204
    assert eve.get(path).status_code == 404  # it is in no group now
    mender.as_(ADA).patch(f"{INVENTORY}/groups/doors/devices", json=[door.id])
    assert eve.delete(path).status_code == 204
    assert mender.as_(ADA).get(path).status_code == 404


def test_a_new_device_is_not_for_somebody_with_groups(eve, stage):
    body = {"identity_data": {"mac": "new"}, "pubkey": unknown_ids()["key"]}
    known = {"identity_data": {"mac": "gate"}, "pubkey": unknown_ids()["key"]}

    assert [eve.post(f"{DEVAUTH}/devices", json=each).status_code for each in (body, known)] == [403, 403]


def test_the_audit_trail_is_not_for_somebody_with_groups(eve):
    assert [eve.get(f"/api/management/v1/auditlogs/logs{more}").status_code for more in ("", "/export")] == [403, 403]


def test_who_leaves_the_group_leaves_their_sight_and_who_comes_appears(mender, stage):
    eve, door, gate = with_role(stage, view("doors")), stage.devices["door"].id, stage.devices["gate"].id
    seen = lambda: [each["id"] for each in eve.get(f"{DEVAUTH}/devices").json()]  # noqa: E731
    before = seen()

    mender.as_(ADA).put(f"{INVENTORY}/devices/{door}/group", json={"group": "gates"})
    mender.as_(ADA).put(f"{INVENTORY}/devices/{gate}/group", json={"group": "doors"})

    assert (before, seen()) == ([door], [gate])
    assert [eve.get(f"{DEVAUTH}/devices/{id_}").status_code for id_ in (door, gate)] == [404, 200]


def test_who_may_view_all_besides_is_not_limited_in_looking(stage):
    eve = with_role(stage, view("doors"), view_any())

    assert eve.get(f"{DEVAUTH}/devices/count").json() == {"count": 2}
    assert eve.get("/api/management/v1/auditlogs/logs").status_code == 403


def test_a_group_of_the_same_name_next_door_stays_next_door(mender, stage, zenith):
    theirs = zenith.device("their door")
    mender.as_("zoe").patch(f"{INVENTORY}/groups/doors/devices", json=[theirs.id])

    eve = with_role(stage, view("doors"), permission("VIEW_DEVICE", "DEVICE_ID", theirs.id), besides=(ALL,))

    assert [each["id"] for each in eve.get(f"{DEVAUTH}/devices").json()] == [stage.devices["door"].id]
    assert eve.get(f"{DEVAUTH}/devices/{theirs.id}").status_code == 404
    assert eve.delete(f"{DEVAUTH}/devices/{theirs.id}").status_code == 404
