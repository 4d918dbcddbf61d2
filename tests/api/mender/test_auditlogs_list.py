"""What people are shown of who did what."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from fairlead.domain import audit
from house.world import ADA, BEN, DEVAUTH, INVENTORY, USERADM, settled

LOGS = "/api/management/v1/auditlogs/logs"


def listed(mender, **query):
    reply = mender.as_(ADA).get(LOGS, params=query)
    assert reply.status_code == 200, reply.text
    return reply.json()


def said(entries) -> list[str]:
    return [f"{entry['object']['type']}.{entry['action']}" for entry in entries]


@pytest.fixture
def record(server, acme):
    """Puts an entry of that moment on record."""

    def add(action: str, at: datetime, target: str = "1", name: str = "", **details) -> None:
        entry = audit.Entry(at, "user", "ada", "ada@x", action, target, details, name)
        with server.fairlead.database.begin(acme.scope) as tx:
            audit.record_for_others(tx, entry)

    return add


def user_called(mender, who: str):
    return next(user for user in mender.as_(ADA).get(f"{USERADM}/users").json() if user["email"].startswith(who))


def test_a_new_deployment_looks_as_in_the_reference(mender, acme):
    acme.device("door").report({"device_type": "door-lock"})
    acme.artifact("release-1")
    deployment = acme.deploy("release-1")

    entry = listed(mender)[0]

    ada = user_called(mender, ADA)
    assert entry.pop("time").endswith("Z")
    assert entry == {
        "actor": {"id": ada["id"], "type": "user", "email": ada["email"]},
        "action": "create",
        "object": {
            "id": deployment,
            "type": "deployment",
            "deployment": {"name": "rollout", "artifact_name": "release-1"},
        },
        "change": "Created deployment rollout:\ndevices: 1",
    }


def test_a_changed_user_looks_as_in_the_reference_and_no_secret_is_told(mender, acme):
    ben = user_called(mender, BEN)
    change = {"email": "benjamin@acme.example", "password": "a very good secret", "roles": ["RBAC_ROLE_CI"]}
    assert mender.as_(ADA).put(f"{USERADM}/users/{ben['id']}", json=change).status_code == 204

    entry = listed(mender)[0]

    assert (entry["action"], entry["object"]) == (
        "update",
        {"id": ben["id"], "type": "user", "user": {"email": "benjamin@acme.example"}},
    )
    assert sorted(entry["change"].splitlines()) == sorted(
        [
            "Updated user benjamin@acme.example:",
            "password was changed",
            f"- email: {ben['email']}",
            "+ email: benjamin@acme.example",
            "- roles: RBAC_ROLE_OBSERVER",
            "+ roles: RBAC_ROLE_CI",
        ]
    )
    assert entry["change"].startswith("Updated user benjamin@acme.example:\n")


def test_users_that_come_and_go_are_told_with_their_address(mender, acme):
    ada = mender.as_(ADA)
    ada.post(f"{USERADM}/users", json={"email": "carl@acme.example", "password": "long enough"})
    carl = user_called(mender, "carl")
    ada.delete(f"{USERADM}/users/{carl['id']}")

    gone, come = listed(mender, object_id=carl["id"])

    assert (gone["action"], come["action"]) == ("delete", "create")
    assert (
        gone["object"] == come["object"] == {"id": carl["id"], "type": "user", "user": {"email": "carl@acme.example"}}
    )
    assert "long enough" not in str(come)


def test_of_a_new_role_it_is_told_what_it_allows(mender, acme):
    permission = {"action": "VIEW_DEVICE", "object": {"type": "DEVICE_GROUP", "value": "doors"}}
    role = {"name": "watchers", "description": "at the doors", "permissions": [permission]}
    assert mender.as_(ADA).post(f"{USERADM}/roles", json=role).status_code == 201

    change = listed(mender, object_type="role")[0]["change"]

    assert change.splitlines() == [
        "Created role watchers:",
        "description: at the doors",
        'grants: [{"type":"devices","deed":"view","which":"group","value":"doors"}]',
    ]


def test_of_a_changed_organization_old_and_new_are_told_and_nothing_else(server, mender, acme):
    path = f"{server.internal_url}/api/internal/v1/tenantadm/tenants/{acme.tenant.id}"
    limits = {"management": {"bursts": [], "quota": {"max_calls": 900, "interval_sec": 60}}}
    body = {"name": "acme", "plan": "enterprise", "trial_expiration": "2099-01-01T00:00:00Z", "api_limits": limits}

    replies = [mender.client.put(path, json=body) for _ in range(2)]

    assert [reply.status_code for reply in replies] == [204, 204]
    (entry,) = [entry for entry in listed(mender, object_type="tenant") if entry["action"] == "update"]
    assert entry["change"].splitlines() == [
        "Updated tenant acme:",
        "- api_limits: {}",
        '+ api_limits: {"management":{"bursts":[],"quota":{"max_calls":900,"interval_sec":60}},'
        '"devices":{"bursts":[],"quota":{"max_calls":0,"interval_sec":0}}}',
        "- trial_expiration: null",
        "+ trial_expiration: 2099-01-01T00:00:00Z",
    ]


def test_of_a_new_limit_it_is_told_who_changed_it_from_what(server, mender, acme):
    limits = {"devauth/tenant/{}/limits/max_devices": 7, "deployments/tenants/{}/limits/storage": 900}
    for path, limit in limits.items():
        address = f"{server.internal_url}/api/internal/v1/{path.format(acme.tenant.id)}"
        assert mender.client.put(address, json={"limit": limit}).status_code == 204

    storage, devices = listed(mender, object_type="tenant")[:2]

    assert devices["actor"] == storage["actor"] == {"id": "internal API", "type": "system"}
    assert devices["object"] == storage["object"] == {"id": acme.tenant.id, "type": "tenant", "name": "acme"}
    assert devices["change"].splitlines()[1:] == ["- device_limit: 0", "+ device_limit: 7"]
    assert storage["change"].splitlines()[1:] == ["- storage_limit_bytes: 0", "+ storage_limit_bytes: 900"]


def test_of_a_group_the_devices_are_told_that_came_or_went_and_no_others(mender, acme):
    door, gate, group = acme.device("door"), acme.device("gate"), f"{INVENTORY}/groups/doors/devices"
    ada, those = mender.as_(ADA), [gate.id, "nobody", door.id]
    assert ada.patch(group, json=[door.id]).status_code == 200

    assert ada.patch(group, json=those).status_code == 200
    come = listed(mender)[0]
    assert ada.delete(f"{INVENTORY}/devices/{gate.id}/group/doors").status_code == 204
    assert ada.request("DELETE", group, json=those).status_code == 200
    gone = listed(mender)[0]

    assert come["change"].splitlines()[1:] == [f"devices: {gate.id}", "count: 1"]
    assert gone["change"].splitlines()[1:] == [f"devices: {door.id}", "count: 1"]


def test_a_device_that_asks_is_named_with_its_identity(mender, acme):
    device = acme.ask("door")

    entry = listed(mender, actor_type="device")[0]

    assert entry["actor"] == {"id": device.id, "type": "device", "identity_data": '{"mac":"door"}'}
    assert (entry["object"], entry["action"]) == ({"id": device.id, "type": "device"}, "ask")


def test_what_the_server_does_by_itself_is_done_by_the_system(mender, acme):
    founded = listed(mender, sort="asc")[0]

    assert said([founded]) == ["tenant.create"]
    assert founded["actor"] == {"id": "fairlead", "type": "system"}
    assert founded["object"] == {"id": acme.tenant.id, "type": "tenant", "name": "acme"}


def test_entries_are_listed_newest_first_or_oldest_first(mender, acme, record):
    for minute in (3, 1, 2):
        record("thing.done", datetime(2030, 1, 1, 0, minute, tzinfo=UTC), str(minute))

    newest, oldest = (listed(mender, object_type="thing", **query) for query in ({}, {"sort": "asc"}))

    assert [entry["object"]["id"] for entry in newest] == ["3", "2", "1"]
    assert oldest == newest[::-1] == listed(mender, object_type="thing", sort="desc")[::-1]


def test_entries_of_one_moment_stand_in_the_order_of_the_chain(mender, acme, record):
    for number in range(4):
        record("thing.done", datetime(2030, 1, 1, tzinfo=UTC), str(number))

    assert [entry["object"]["id"] for entry in listed(mender, object_type="thing")] == ["3", "2", "1", "0"]


@pytest.mark.parametrize("microsecond", [0, 1, 500_000, 999_999])
def test_both_ends_of_a_time_are_inclusive_to_the_whole_second(mender, acme, record, microsecond):
    at = datetime(2030, 1, 1, 12, 0, 30, microsecond, tzinfo=UTC)
    record("thing.done", at)
    second = int(at.timestamp())

    def found(**query) -> int:
        return len(listed(mender, object_type="thing", **query))

    assert found(created_after=second, created_before=second) == 1
    assert found(created_before=second - 1) == found(created_after=second + 1) == 0


def test_everything_that_can_be_asked_for_is_found_and_nothing_else(mender, acme, zenith):
    acme.device("door").report({"device_type": "door-lock"})
    acme.artifact("release-1")
    deployment = acme.deploy("release-1", name="first")
    acme.deploy("release-1", name="second")
    ada = user_called(mender, ADA)
    everything = listed(mender, per_page=500)

    questions = {
        "actor_id": (ada["id"], lambda each: each["actor"]["id"] == ada["id"]),
        "actor_type": ("system", lambda each: each["actor"]["type"] == "system"),
        "actor_email": (ada["email"].upper(), lambda each: each["actor"].get("email") == ada["email"]),
        "object_id": (deployment, lambda each: each["object"]["id"] == deployment),
        "object_type": ("user", lambda each: each["object"]["type"] == "user"),
        "object_deployment_name": ("first", lambda each: each["object"]["id"] == deployment),
    }

    for name, (value, is_wanted) in questions.items():
        expected = [each for each in everything if is_wanted(each)]
        assert 0 < len(expected) < len(everything)
        assert listed(mender, per_page=500, **{name: value}) == expected, name
    assert said(listed(mender, object_type="deployment", actor_id=ada["id"], object_deployment_name="second")) == [
        "deployment.create"
    ]
    for name in questions:
        if name != "actor_type":
            assert listed(mender, **{name: "nothing"}) == []
    assert listed(mender, object_type="use") == listed(mender, object_type="USER") == []


def test_pages_are_counted_linked_and_complete(mender, acme, record):
    for number in range(7):
        record("thing.done", datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=number // 2), str(number))

    replies = [
        mender.as_(ADA).get(LOGS, params={"page": page, "per_page": 3, "object_type": "thing"}) for page in (1, 2, 3, 4)
    ]

    pages = [[entry["object"]["id"] for entry in reply.json()] for reply in replies]
    assert pages == [["6", "5", "4"], ["3", "2", "1"], ["0"], []]
    assert {reply.headers["x-total-count"] for reply in replies} == {"7"}
    relations = [[part.split('rel="')[1][:-1] for part in reply.headers.get_list("link")] for reply in replies]
    assert relations == [["next", "first"], ["prev", "next", "first"], ["prev", "first"], ["prev", "first"]]
    assert f"<{LOGS}?object_type=thing&page=2&per_page=3>" in replies[0].headers["link"]


def test_twenty_entries_make_a_page(mender, acme, record):
    for number in range(21):
        record("thing.done", datetime(2030, 1, 1, tzinfo=UTC), str(number))

    assert len(listed(mender)) == 20


@pytest.mark.parametrize("path", [LOGS, f"{LOGS}/export"])
@pytest.mark.parametrize(
    "query",
    [
        "sort=newest",
        "created_before=yesterday",
        "created_after=-1",
        "created_after=1.5",
        "created_before=99999999999999",
        "actor_type=robot",
        "object_type=user.create",
        "actor_id=%00",
    ],
)
def test_what_cannot_be_asked_for_is_refused(standing, path, query):
    reply = standing.mender.as_(ADA).get(f"{path}?{query}")

    assert reply.status_code == 400, reply.text
    assert set(reply.json()) == {"error", "request_id"}


@pytest.mark.parametrize("query", ["page=0", "page=x", "per_page=501", "per_page=0"])
def test_pages_that_there_cannot_be_are_refused(standing, query):
    assert standing.mender.as_(ADA).get(f"{LOGS}?{query}").status_code == 400


def test_the_end_of_time_can_be_asked_for(standing):
    reply = standing.mender.as_(ADA).get(LOGS, params={"created_before": 253_402_300_799, "created_after": 0})

    assert reply.status_code == 200
    assert reply.json()


@pytest.mark.parametrize("path", [LOGS, f"{LOGS}/export"])
def test_who_may_only_look_does_not_see_who_did_what(standing, path):
    reply = standing.mender.as_(BEN).get(path)

    assert reply.status_code == 403
    assert "view the audit log" in reply.json()["error"]


@pytest.mark.parametrize("path", [LOGS, f"{LOGS}/export"])
@pytest.mark.parametrize("plan", ["os", "professional"])
def test_smaller_plans_are_refused(server, path, plan):
    with settled(server, "small", {ADA: "RBAC_ROLE_PERMIT_ALL"}, plan) as small:
        reply = small.mender.as_(ADA).get(path)

    assert reply.status_code == 403
    assert "enterprise" in reply.json()["error"]


def test_every_action_that_can_be_recorded_has_a_noun_and_a_verb(mender, acme, zenith):
    """What is shown as type and action is what is kept, whatever was done."""
    device = acme.device("door")
    acme.mender.as_(ADA).delete(f"{DEVAUTH}/devices/{device.id}")

    found = listed(mender, sort="asc", per_page=100)

    kept = itertools.takewhile(lambda word: word != "device.ask", said(found))
    assert list(kept) == ["tenant.create", "user.create", "user.create"]
    assert said(found)[-3:] == ["device.ask", "device.accept", "device.decommission"]
