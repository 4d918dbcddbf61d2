"""Can anybody come to more than they were given? Every way that leads through users, roles, groups and rules."""

import uuid

import pytest

from house.roles import (
    ALL,
    CI,
    OBSERVER,
    TERMINAL,
    Someone,
    deploy,
    http,
    log_in,
    permission,
    role,
    someone,
    view,
    view_any,
    with_role,
)
from house.world import ADA, BEN, DEPLOYMENTS, DEVAUTH, INVENTORY, USERADM

ROLES, USERS, ME = f"{USERADM}/roles", f"{USERADM}/users", f"{USERADM}/users/me"
SECRET = "a good long secret"
PEOPLE = http("any", "^/api/management/v1/useradm/.*")
ANYTHING = permission("any", "any", "any")


@pytest.fixture
def stage(mender, acme):
    """Two groups with a device each, and roles that somebody could wish for."""
    for group in ("doors", "gates"):
        device = acme.device(group)
        assert mender.as_(ADA).patch(f"{INVENTORY}/groups/{group}/devices", json=[device.id]).status_code == 200
        role(acme, group, view(group))
    role(acme, "super", ANYTHING)
    role(acme, "all devices", view_any())
    role(acme, "all requests", http("any", ".*"))
    return acme


@pytest.fixture
def world(mender, stage):
    """What must not change: people, roles and who is in which group, as Ada sees them."""

    def look() -> list[object]:
        ada = mender.as_(ADA)
        users = [{**each, "updated_ts": "", "login_ts": ""} for each in ada.get(USERS).json()]
        members = [ada.get(f"{INVENTORY}/groups/{group}/devices").json() for group in ("doors", "gates")]
        return [users, ada.get(ROLES).json(), ada.get(f"{INVENTORY}/groups").json(), members]

    return look


@pytest.fixture
def me_of(mender):
    return lambda who: mender.as_(who).get(ME).json()


def try_all(actor: Someone, attempts: list[tuple[str, str, object]]) -> dict[str, int]:
    """Every attempt that was not refused with 403."""
    replies = [(attempt, actor.request(attempt[0], attempt[1], json=attempt[2])) for attempt in attempts]
    return {f"{attempt}": reply.status_code for attempt, reply in replies if reply.status_code != 403}


def new_email() -> str:
    return f"{uuid.uuid4()}@acme.example"


def new_user(*roles: str) -> tuple[str, str, object]:
    return "POST", USERS, {"email": new_email(), "password": SECRET, **({"roles": roles} if roles else {})}


def new_role(*permissions: object) -> tuple[str, str, object]:
    return "POST", ROLES, {"name": "new", "permissions": permissions}


def changed_role(name: str, *permissions: object) -> tuple[str, str, object]:
    return "PUT", f"{ROLES}/{name}", {"permissions": permissions}


def against(user_id: str) -> list[tuple[str, str, object]]:
    """All that one can do to somebody."""
    path = f"{USERS}/{user_id}"
    bodies = ({"password": SECRET}, {"email": new_email()}, {"roles": []}, {"roles": [OBSERVER]})
    return [*(("PUT", path, body) for body in bodies), ("DELETE", path, None)]


def test_who_may_only_administer_people_by_a_rule_makes_nobody_mightier(mender, stage, world, me_of):
    clerk = with_role(stage, PEOPLE)
    own = clerk.get(ME).json()["roles"][0]
    before = world()

    done = try_all(
        clerk,
        [
            *(new_user(*roles) for roles in ((), (ALL,), (OBSERVER,), ("super",), ("doors",), (own, "all requests"))),
            *(("PUT", ME, {"roles": list(roles)}) for roles in ((ALL,), (own, TERMINAL), ("super",), (own, "doors"))),
            *(
                new_role(each)
                for each in (ANYTHING, http("any", ".*"), http("GET", "^/api/.*"), view("doors"), deploy("x"))
            ),
            changed_role(own, ANYTHING),
            changed_role(own, PEOPLE, http("GET", "/api/management/v2/devauth")),
            changed_role("super"),
            changed_role("doors", PEOPLE),
            ("DELETE", f"{ROLES}/super", None),
            ("DELETE", f"{ROLES}/doors", None),
            *against(me_of(ADA)["id"]),
            *against(me_of(BEN)["id"]),
        ],
    )

    assert done == {}
    assert world() == before
    assert log_in(stage, me_of(ADA)["email"])


def test_who_may_only_administer_people_by_a_rule_may_do_it_to_their_like(stage):
    clerk = with_role(stage, PEOPLE)
    own = clerk.get(ME).json()["roles"][0]
    other = someone(stage, own)

    assert clerk.request(*new_user(own)[:2], json=new_user(own)[2]).status_code == 201
    assert clerk.put(f"{USERS}/{other.id}", json={"password": SECRET}).status_code == 204
    assert clerk.request(*new_role(PEOPLE)[:2], json=new_role(PEOPLE)[2]).status_code == 201
    assert clerk.delete(f"{USERS}/{other.id}").status_code == 204


@pytest.mark.parametrize("rule", ["^/api/management/.*users.*", ".*users.*", "^/api/management/v1/useradm/users/me$"])
def test_a_rule_that_opens_ones_own_account_gives_no_role(mender, stage, world, rule):
    eve = with_role(stage, http("any", rule), besides=(OBSERVER,))
    own = eve.get(ME).json()["roles"]
    before = world()

    done = try_all(
        eve, [("PUT", ME, {"roles": [*own, wanted]}) for wanted in (ALL, CI, TERMINAL, "super", "all requests")]
    )

    assert done == {}
    assert world() == before


@pytest.mark.parametrize("roles", [(OBSERVER,), (CI,), (TERMINAL,), (OBSERVER, CI, TERMINAL), ("doors",), ()])
def test_who_does_not_manage_users_changes_nobody_and_nothing_of_theirs_but_account_and_password(
    stage, world, me_of, roles
):
    eve = someone(stage, *roles)
    before = world()

    done = try_all(
        eve,
        [
            *(("PUT", ME, {"roles": wanted}) for wanted in ([ALL], [OBSERVER], [])),
            ("PUT", f"{USERS}/{eve.id}", {"roles": [ALL], "password": SECRET}),
            ("DELETE", ME, None),
            new_user(),
            new_user(*roles),
            new_role(),
            changed_role("doors", view("doors"), view("gates")),
            ("DELETE", f"{ROLES}/super", None),
            *against(me_of(ADA)["id"]),
        ],
    )

    assert done == {}
    assert world() == before


def test_who_is_limited_to_a_group_lifts_nobodys_limit(stage, world, me_of):
    """Eve may do everything, to the doors."""
    eve = someone(stage, ALL, "doors")
    like_her = someone(stage, ALL, "doors")
    before = world()

    done = try_all(
        eve,
        [
            *(
                ("PUT", f"{USERS}/{who}", {"roles": roles})
                for who in ("me", like_her.id)
                for roles in (
                    [ALL],
                    ["super"],
                    [OBSERVER],
                    [ALL, "gates"],
                    [ALL, "doors", "gates"],
                    [ALL, "doors", "all devices"],
                    ["all requests"],
                )
            ),
            *(new_user(*roles) for roles in ((), (ALL,), (CI,), (TERMINAL,), ("gates",), ("super", "gates"))),
            *(
                changed_role("doors", *permissions)
                for permissions in ((), (view("gates"),), (view("doors"), view("gates")), (view("doors"), view_any()))
            ),
            changed_role("doors", permission("VIEW_DEVICE", "DEVICE_ID", stage.devices["gates"].id)),
            changed_role("gates", view("doors")),
            ("DELETE", f"{ROLES}/gates", None),
            *(new_role(each) for each in (view("gates"), deploy("gates"), view_any(), ANYTHING, http("GET", ".*"))),
            *against(me_of(ADA)["id"]),
            *against(me_of(BEN)["id"]),
        ],
    )

    assert done == {}
    assert world() == before
    assert eve.delete(f"{ROLES}/doors").status_code == 422


def test_who_is_limited_to_a_group_may_do_it_to_their_like(stage):
    eve = someone(stage, ALL, "doors")
    like_her = someone(stage, ALL, "doors")

    replies = [
        eve.request(method, path, json=body) for method, path, body in (new_user(ALL, "doors"), new_role(view("doors")))
    ]

    assert [reply.status_code for reply in replies] == [201, 201]
    assert eve.put(f"{USERS}/{like_her.id}", json={"roles": ["doors"]}).status_code == 204
    assert eve.delete(f"{USERS}/{like_her.id}").status_code == 204


def test_who_is_limited_to_a_group_moves_no_device_in_or_out(stage, world):
    eve = someone(stage, ALL, "doors")
    door, gate = stage.devices["doors"].id, stage.devices["gates"].id
    outside = stage.device("in no group").id
    before = world()

    replies = {
        "a stranger in": eve.put(f"{INVENTORY}/devices/{gate}/group", json={"group": "doors"}),
        "one without a group in": eve.put(f"{INVENTORY}/devices/{outside}/group", json={"group": "doors"}),
        "out": eve.put(f"{INVENTORY}/devices/{door}/group", json={"group": "gates"}),
        "into a new one": eve.put(f"{INVENTORY}/devices/{door}/group", json={"group": "new"}),
        "many out": eve.patch(f"{INVENTORY}/groups/gates/devices", json=[door, gate]),
        "a stranger out": eve.delete(f"{INVENTORY}/devices/{gate}/group/gates"),
    }
    many_in = eve.patch(f"{INVENTORY}/groups/doors/devices", json=[gate, outside])
    many_gone = eve.request("DELETE", f"{INVENTORY}/groups/gates/devices", json=[gate])

    assert {what: reply.status_code for what, reply in replies.items()} == {
        "a stranger in": 404,
        "one without a group in": 404,
        "out": 403,
        "into a new one": 403,
        "many out": 403,
        "a stranger out": 404,
    }
    assert [reply.json() for reply in (many_in, many_gone)] == [{"matched_count": 0, "updated_count": 0}] * 2
    assert world() == before


@pytest.mark.parametrize("what", ["CREATE_DEPLOYMENT", "REMOTE_TERMINAL"])
@pytest.mark.parametrize("seen", [view("gates"), view_any()], ids=["two groups", "all"])
def test_a_device_cannot_be_moved_to_where_one_may_do_more_to_it(stage, world, what, seen):
    """Eve sees the gates too, and may do one thing to doors only."""
    eve = with_role(stage, permission(what, "DEVICE_GROUP", "doors"), seen, besides=(ALL,))
    door, gate = stage.devices["doors"].id, stage.devices["gates"].id
    before = world()

    replies = [
        eve.put(f"{INVENTORY}/devices/{gate}/group", json={"group": "doors"}),
        eve.patch(f"{INVENTORY}/groups/doors/devices", json=[door, gate]),
    ]

    assert [reply.status_code for reply in replies] == [403, 403]
    assert world() == before
    assert eve.put(f"{INVENTORY}/devices/{door}/group", json={"group": "doors"}).status_code == 204


def test_a_limit_on_deployments_cannot_be_lifted_either(stage, world):
    """Eve sees everything and deploys to doors only: PERMIT_ALL does not help (mender.md §2.5)."""
    stage.artifact("release-1")
    eve = with_role(stage, deploy("doors"), view_any(), besides=(ALL,))
    own = next(name for name in eve.get(ME).json()["roles"] if name != ALL)
    body = {"name": "x", "artifact_name": "release-1", "devices": [stage.devices["gates"].id]}
    before = world()

    done = try_all(
        eve,
        [
            ("PUT", ME, {"roles": [ALL]}),
            ("PUT", ME, {"roles": [ALL, "all devices"]}),
            new_user(),
            new_user(CI),
            changed_role(own),
            changed_role(own, deploy("doors"), permission("CREATE_DEPLOYMENT", "any", "any"), view_any()),
            new_role(deploy("gates")),
        ],
    )

    assert done == {}
    assert world() == before
    assert eve.post(f"{DEPLOYMENTS}/deployments", json=body).status_code == 405
    assert eve.get(f"{DEVAUTH}/devices/{stage.devices['gates'].id}").status_code == 200


def test_dropping_the_limiting_role_and_keeping_a_rule_is_no_way_out(stage, world):
    eve = with_role(stage, http("any", ".*"), besides=("doors",))
    rule = next(name for name in eve.get(ME).json()["roles"] if name != "doors")
    before = world()

    done = try_all(eve, [("PUT", ME, {"roles": [rule]}), changed_role("doors"), new_user(rule)])

    assert done == {}
    assert world() == before
    assert eve.get(f"{DEVAUTH}/devices/{stage.devices['gates'].id}").status_code == 404


def test_a_role_that_others_hold_is_not_changed_to_lift_their_limits(stage, world):
    """Eve's own limits are wider than those of the role, yet what its holders come to have would be beyond her."""
    eve = someone(stage, ALL, "doors", "gates")
    someone(stage, ALL, "doors")
    before = world()

    done = try_all(eve, [changed_role("doors"), changed_role("doors", http("GET", "/x"))])

    assert done == {}
    assert world() == before
    assert eve.put(f"{ROLES}/doors", json={"permissions": [view("doors"), view("gates")]}).status_code == 202
