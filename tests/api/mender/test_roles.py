"""Which roles are there besides the built-in ones, and who may make them? `/useradm/roles`."""

from urllib.parse import quote

import pytest

from house.roles import ALL, CI, OBSERVER, TERMINAL, deploy, http, permission, role, someone, view, with_role
from house.world import ADA, BEN, DEVAUTH, INVENTORY, USERADM, ZOE, settle

ROLES, USERS = f"{USERADM}/roles", f"{USERADM}/users"
WATCHERS = {"name": "watchers", "description": "They watch", "permissions": [view("doors"), http("GET", "^/api/x$")]}
MISSING = "role not found"


def told(reply) -> tuple[int, str]:
    """Status and sentence of a refusal in the API's shape."""
    assert set(reply.json()) == {"error", "request_id"}, reply.text
    assert reply.json()["request_id"] == reply.headers["x-men-requestid"]
    return reply.status_code, reply.json()["error"]


def test_a_new_role_is_shown_as_it_was_given(mender, acme):
    reply = mender.as_(ADA).post(ROLES, json=WATCHERS)

    assert (reply.status_code, reply.content, reply.headers["location"]) == (201, b"", "roles/watchers")
    assert mender.as_(ADA).get(f"{USERADM}/{reply.headers['location']}").json() == WATCHERS
    assert acme.log() == ["ada role.create"]


def test_the_built_in_roles_come_first_and_then_the_tenants_own_by_name(mender, acme):
    for name in ("b", "a", "C"):
        role(acme, name)

    listed = mender.as_(ADA).get(ROLES).json()

    assert [each["name"] for each in listed] == [ALL, OBSERVER, CI, TERMINAL, *sorted(["b", "a", "C"])]
    assert all(set(each) == {"name", "description", "permissions"} for each in listed)
    assert all(mender.as_(ADA).get(f"{ROLES}/{each['name']}").json() == each for each in listed)
    assert listed[0]["permissions"] == [permission("any", "any", "any")]


@pytest.mark.parametrize("name", [ALL, OBSERVER, CI, TERMINAL])
def test_a_built_in_role_can_neither_be_changed_nor_removed_nor_made(standing, name):
    ada = standing.mender.as_(ADA)
    before = ada.get(ROLES).json()

    changed = ada.put(f"{ROLES}/{name}", json={"description": "mine", "permissions": []})
    removed = ada.delete(f"{ROLES}/{name}")
    made = ada.post(ROLES, json={"name": name})

    words = f"the role {name} is built in and cannot be changed"
    assert [told(changed), told(removed)] == [(422, words)] * 2
    assert told(made) == (422, "role with a given name already exists")
    assert ada.get(ROLES).json() == before


def test_a_role_can_be_changed_all_but_its_name(mender, acme):
    role(acme, "watchers", view("doors"))
    path = f"{ROLES}/watchers"

    replies = [
        mender.as_(ADA).put(path, json={"name": "watchers", "permissions": [view("gates")]}),
        mender.as_(ADA).put(path, json={"description": "x", "permissions": [view("gates")]}),
    ]
    renamed = mender.as_(ADA).put(path, json={"name": "others", "permissions": []})

    assert [(reply.status_code, reply.content) for reply in replies] == [(202, b"")] * 2
    assert told(renamed) == (400, "failed to decode role: the name of a role cannot be changed")
    shown = mender.as_(ADA).get(path).json()
    assert shown == {"name": "watchers", "description": "x", "permissions": [view("gates")]}
    assert acme.log() == ["ada role.create", "ada role.update", "ada role.update"]


def test_a_name_can_be_taken_once_by_each_tenant(mender, acme, zenith):
    role(acme, "watchers", view("doors"))
    role(zenith, "watchers", view("gates"))

    again = mender.as_(ADA).post(ROLES, json=WATCHERS)

    assert told(again) == (422, "role with a given name already exists")
    assert mender.as_(ADA).get(f"{ROLES}/watchers").json()["permissions"] == [view("doors")]


def test_a_role_of_another_tenant_looks_like_none(mender, acme, zenith):
    role(acme, "watchers", view("doors"))
    zoe, path = mender.as_(ZOE), f"{ROLES}/watchers"

    assert told(zoe.get(path)) == (404, MISSING)
    assert told(zoe.put(path, json=WATCHERS)) == (404, MISSING)
    assert zoe.delete(path).status_code == 204
    assert told(zoe.put(f"{USERS}/me", json={"roles": [ALL, "watchers"]})) == (400, "there is no role 'watchers'")
    assert "watchers" not in zoe.get(ROLES).text
    assert mender.as_(ADA).get(path).status_code == 200


def test_a_role_that_is_not_there_is_not_found_and_needs_no_removing(standing):
    ada, path = standing.mender.as_(ADA), f"{ROLES}/nobody"

    assert told(ada.get(path)) == (404, MISSING)
    assert told(ada.put(path, json={"permissions": []})) == (404, MISSING)
    assert (ada.delete(path).status_code, ada.delete(path).content) == (204, b"")


def test_a_role_goes_only_when_nobody_has_it(mender, acme):
    role(acme, "watchers", view("doors"))
    carl = someone(acme, "watchers", OBSERVER)

    kept = mender.as_(ADA).delete(f"{ROLES}/watchers")
    mender.as_(ADA).put(f"{USERS}/{carl.id}", json={"roles": [OBSERVER]})
    gone = mender.as_(ADA).delete(f"{ROLES}/watchers")

    assert told(kept) == (422, "1 users have the role watchers: take it from them first")
    assert (gone.status_code, gone.content) == (204, b"")
    assert told(mender.as_(ADA).get(f"{ROLES}/watchers")) == (404, MISSING)
    assert acme.log() == ["ada role.create", "ada user.update", "ada role.delete"]


@pytest.mark.parametrize(
    "name",
    [
        "x",
        "a b",
        "ü",
        "日本",
        "a.b",
        "a+b",
        "100%",
        "a?b#c",
        "a&b=c",
        "'",
        '"',
        "\\",
        ";--",
        "~",
        "%2e",
        "🦄",
        "x" * 256,
    ],
)
def test_odd_names_are_names(mender, acme, name):
    ada = mender.as_(ADA)
    made = ada.post(ROLES, json={"name": name, "permissions": [view("doors")]})
    path = f"{USERADM}/{made.headers.get('location')}"

    assert (made.status_code, path) == (201, f"{ROLES}/{quote(name)}")
    assert ada.get(path).json()["name"] == name
    assert ada.put(path, json={"permissions": []}).status_code == 202
    carl = someone(acme, name)
    assert carl.get(f"{USERS}/me").json()["roles"] == [name]
    ada.put(f"{USERS}/{carl.id}", json={"roles": []})
    assert ada.delete(path).status_code == 204
    assert told(ada.get(path)) == (404, MISSING)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("", "name: the length must be between 1 and 256."),
        ("x" * 257, "name: the length must be between 1 and 256."),
        *(
            (name, "name: must be printable and without slashes")
            for name in ("a/b", "/", "a\nb", "\t", "a\u200bb", "\x7f")
        ),
        *(
            (name, "name: must not be . or .. and not begin or end with a space")
            for name in (".", "..", " ", " a", "a ")
        ),
        ("a\0b", "failed to decode role: "),
        (5, "failed to decode role: "),
        (None, "failed to decode role: "),
    ],
)
def test_a_name_that_is_none_is_refused(standing, name, text):
    status, error = told(standing.mender.as_(ADA).post(ROLES, json={"name": name}))

    assert status == 400
    assert error.startswith(text)


@pytest.mark.parametrize(
    ("given", "text"),
    [
        (permission("fly", "any", "any"), "unknown action 'fly': one of any, http, CREATE_DEPLOYMENT"),
        (permission("", "any", "any"), "unknown action ''"),
        (permission("ANY", "any", "any"), "unknown action 'ANY'"),
        (permission("any", "DEVICE_GROUP", "doors"), "the action any takes an object of type any"),
        (permission("http", "FETCH", "/x"), "object type 'FETCH' is no method"),
        (permission("http", "DEVICE_GROUP", "/x"), "object type 'DEVICE_GROUP' is no method"),
        (permission("VIEW_DEVICE", "GET", "/x"), "object type 'GET' must be one of any, DEVICE_GROUP, DEVICE_ID"),
        (permission("VIEW_DEVICE", "device_group", "x"), "object type 'device_group' must be one of"),
        (permission("CREATE_DEPLOYMENT", "", "x"), "object type '' must be one of"),
        *((http("GET", text), "is not an expression that matches paths") for text in ("(", "[", "*", "(?=a)", r"\1")),
        (http("GET", "(a{500}){500}"), "is not an expression that matches paths"),
        (http("GET", "x" * 1025), "longer than 1024 characters"),
        (http("GET", ""), "object value: the length must be between 1 and 1024."),
        (view(""), "object value: the length must be between 1 and 1024."),
        (view("x" * 1025), "object value: the length must be between 1 and 1024."),
        (view("x\0"), "failed to decode role: "),
        ({"action": "any"}, "failed to decode role: "),
        ({"action": "any", "object": {"type": "any"}}, "failed to decode role: "),
        ({"action": 5, "object": {"type": "any", "value": "any"}}, "failed to decode role: "),
        ("any", "failed to decode role: "),
        (None, "failed to decode role: "),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_no_permission_is_refused_when_made_and_when_changed(standing, given, text):
    ada = standing.mender.as_(ADA)
    ada.post(ROLES, json=WATCHERS)  # unless it is there

    replies = [
        ada.post(ROLES, json={"name": "bad", "permissions": [view("doors"), given]}),
        ada.put(f"{ROLES}/watchers", json={"permissions": [given]}),
    ]

    assert [told(reply)[0] for reply in replies] == [400, 400]
    assert all(text in reply.json()["error"] for reply in replies)
    assert told(ada.get(f"{ROLES}/bad")) == (404, MISSING)
    assert ada.get(f"{ROLES}/watchers").json() == WATCHERS


@pytest.mark.parametrize(
    "body", [b"", b"garbage", b"[]", b"5", b'{"name": "x", "permissions": {}}', b'{"permissions": null}', b'"\\ud800"']
)
def test_a_body_that_is_no_role_is_refused(standing, body):
    header = {"Content-Type": "application/json"}

    for method, path in (("POST", ROLES), ("PUT", f"{ROLES}/x")):
        status, error = told(standing.mender.as_(ADA).request(method, path, content=body, headers=header))

        assert status == 400
        assert error.startswith("failed to decode role: ")


def test_roles_are_bounded(standing):
    ada = standing.mender.as_(ADA)

    described = ada.post(ROLES, json={"name": "x", "description": "x" * 4097})
    detailed = ada.post(ROLES, json={"name": "x", "permissions": [view("doors")] * 201})

    assert told(described) == (400, "description: the length must be no more than 4096.")
    assert told(detailed) == (400, "permissions: at most 200 are allowed.")


def test_any_and_methods_are_understood_in_other_capitals_and_shown_in_one(mender, acme):
    given = [permission("http", "get", "/a"), permission("http", "ANY", "/a"), permission("VIEW_DEVICE", "ANY", "x")]

    role(acme, "x", permission("any", "Any", "*"), *given)

    assert mender.as_(ADA).get(f"{ROLES}/x").json()["permissions"] == [
        permission("any", "any", "any"),
        http("GET", "/a"),
        http("any", "/a"),
        permission("VIEW_DEVICE", "any", "any"),
    ]


@pytest.mark.parametrize("plan", ["os", "professional"])
def test_roles_are_part_of_the_enterprise_plan(server, mender, plan):
    settle(server, mender, plan, {ADA: ALL}, plan=plan)
    ada = mender.as_(ADA)

    replies = [
        ada.get(ROLES),
        ada.post(ROLES, json=WATCHERS),
        ada.get(f"{ROLES}/{ALL}"),
        ada.put(f"{ROLES}/x", json={"permissions": []}),
        ada.delete(f"{ROLES}/x"),
    ]

    words = f"Feature not available in your Plan: it takes enterprise or more, and yours is {plan}."
    assert [told(reply) for reply in replies] == [(403, words)] * 5


def test_the_built_in_roles_can_be_given_in_every_plan(server, mender):
    small = settle(server, mender, "small", {ADA: ALL}, plan="os")
    carl = someone(small, OBSERVER)

    assert mender.as_(ADA).put(f"{USERS}/{carl.id}", json={"roles": [CI]}).status_code == 204


def test_who_may_only_look_at_people_makes_no_role(mender, acme):
    role(acme, "watchers", view("doors"))
    ben, path = mender.as_(BEN), f"{ROLES}/watchers"

    replies = [
        ben.post(ROLES, json=WATCHERS | {"name": "x"}),
        ben.put(path, json=WATCHERS),
        ben.delete(path),
        someone(acme, CI).get(ROLES),
    ]

    assert [told(reply)[0] for reply in replies] == [403] * 4
    assert (ben.get(ROLES).status_code, ben.get(path).json()["permissions"]) == (200, [view("doors")])


def test_a_changed_role_is_in_force_with_the_next_request_for_everybody_who_has_it(mender, acme):
    carl, doris = with_role(acme, http("GET", "^/nothing$")), None
    name = carl.get(f"{USERS}/me").json()["roles"][0]
    doris = someone(acme, name, CI)
    asking = lambda: [person.get(ROLES).status_code for person in (carl, doris)]  # noqa: E731
    before = asking()

    mender.as_(ADA).put(f"{ROLES}/{name}", json={"permissions": [http("GET", f"^{ROLES}$")]})
    then = asking()
    mender.as_(ADA).put(f"{ROLES}/{name}", json={"permissions": []})

    assert (before, then, asking()) == ([403, 403], [200, 200], [403, 403])


def test_rules_for_requests_open_what_they_match_and_nothing_else(mender, acme):
    door = acme.device("door")
    path = f"{DEVAUTH}/devices/{door.id}"
    carl = with_role(acme, http("GET", f"^{DEVAUTH}/devices/[^/]+$"), http("PUT", f"^{INVENTORY}/devices/.*/group$"))

    assert carl.get(path).status_code == 200
    assert carl.put(f"{INVENTORY}/devices/{door.id}/group", json={"group": "doors"}).status_code == 204
    refused = [
        carl.get(f"{DEVAUTH}/devices"),
        carl.delete(path),
        carl.get(f"{path}/auth/{door.auth_set}/status"),
        carl.get(f"{INVENTORY}/devices/{door.id}/group"),
        carl.get(USERS),
    ]
    assert [told(reply)[0] for reply in refused] == [403] * 5


def test_the_last_one_who_may_manage_users_does_not_lose_it_through_their_role(mender, acme):
    """Ada's rights may come from a role of the tenant's own."""
    role(acme, "everything", permission("any", "any", "any"))
    mender.as_(ADA).put(f"{USERS}/me", json={"roles": ["everything"]})

    refused = mender.as_(ADA).put(f"{ROLES}/everything", json={"permissions": [deploy("doors")]})
    kept = mender.as_(ADA).get(USERS).status_code
    someone(acme, ALL)
    changed = mender.as_(ADA).put(f"{ROLES}/everything", json={"permissions": []})

    assert told(refused)[0] == 422
    assert (kept, changed.status_code) == (200, 202)
    assert told(mender.as_(ADA).get(USERS))[0] == 403
