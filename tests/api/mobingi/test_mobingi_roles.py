"""Roles and users under `/v3/role` and `/v3/user`: in the shapes of the reference, and for whom."""

from __future__ import annotations

import json
import re

import pytest

from house.accounts import document
from house.mobingi import Town
from house.world import Person

FORBIDDEN = {
    "RBAC": "Action not allowed",
    "code": "4000",
    "error": "access_denied",
    "message": "RBAC response is limited.",
}
SCOPE = document("Allow stack:describeStacks mo-1")
MOMENT = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+09:00"


def create(town: Town, scope: object = SCOPE, **more: object) -> str:
    reply = town.master.post("/v3/role", json={"name": "sample name", "scope": scope, **more})
    assert reply.status_code == 200, reply.text
    assert set(reply.json()) == {"status", "role_id"}
    return reply.json()["role_id"]


def attach(town: Town, role_id: str, username: str = "kim") -> str:
    reply = town.master.post("/v3/user/role", data={"username": username, "role_id": role_id})
    assert reply.status_code == 200, reply.text
    assert (set(reply.json()), reply.json()["status"]) == ({"status", "user_role_id"}, "success")
    return reply.json()["user_role_id"]


def roles_of(town: Town, username: str = "kim") -> list[str]:
    reply = town.master.get(f"/v3/user/{username}/role")
    assert reply.status_code == 200, reply.text
    return [each["role_id"] for each in reply.json()]


def listed(town: Town) -> list[dict]:
    reply = town.master.get("/v3/role")
    assert reply.status_code == 200, reply.text
    return reply.json()


def account_id(town: Town) -> str:
    return town.account.client_id.split("-")[1]


def test_a_role_is_made_listed_changed_and_removed_in_the_shapes_of_the_reference(town):
    assert listed(town) == []

    role_id = create(town)

    assert re.fullmatch(f"morole-{account_id(town)}-[0-9A-Za-z]{{9}}", role_id)
    [role] = listed(town)
    assert re.fullmatch(MOMENT, role.pop("create_time"))
    assert re.fullmatch(MOMENT, role.pop("update_time"))
    assert role == {"role_id": role_id, "user_id": account_id(town), "name": "sample name", "scope": SCOPE}

    changed = town.master.put(f"/v3/role/{role_id}", data={"name": "another", "scope": document("Deny * *")})
    assert (changed.status_code, changed.json()) == (200, {"status": "success", "role_id": role_id})
    assert [(each["name"], each["scope"]) for each in listed(town)] == [("another", document("Deny * *"))]

    removed = town.master.delete(f"/v3/role/{role_id}")
    assert (removed.status_code, removed.json()) == (200, {"status": "success", "role_id": role_id})
    assert listed(town) == []


@pytest.mark.parametrize("form", ["json", "data", "files"])
def test_a_scope_is_given_back_as_it_was_given_whichever_way_the_body_is_written(town, form):
    given = '{ "version":"2017-05-05",\n "statement":{"effect":"allow","action":"view:alm.stack","resource":"mo-é"} }'
    said = {"name": "sample name", "scope": given}
    body = {name: (None, value) for name, value in said.items()} if form == "files" else said

    reply = town.master.post("/v3/role", **{form: body})

    assert reply.status_code == 200, reply.text
    assert [each["scope"] for each in listed(town)] == [given]


def test_a_scope_may_also_be_an_object_in_a_json_body(town):
    create(town, json.loads(SCOPE))

    [role] = listed(town)
    assert isinstance(role["scope"], str)
    assert json.loads(role["scope"]) == json.loads(SCOPE)


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({}, 400, "name not specified"),
        ({"name": "a role"}, 400, "scope not specified"),
        ({"name": "a role", "scope": ""}, 400, "scope not specified"),
        ({"scope": SCOPE}, 400, "name not specified"),
        ({"name": "a role", "scope": "{"}, 400, "no JSON"),
        ({"name": "a role", "scope": ["Allow"]}, 400, "scope"),
        ({"name": {"a": 1}, "scope": SCOPE}, 400, "name"),
        ({"name": "a role", "scope": document("Perhaps * *")}, 400, "/Statement/0/Effect: must be Allow or Deny"),
        ({"name": "r" * 257, "scope": SCOPE}, 400, "name"),
    ],
)
def test_what_is_no_role_is_refused_and_says_why(town, body, status, said):
    role_id = create(town)

    for reply in (town.master.post("/v3/role", json=body), town.master.put(f"/v3/role/{role_id}", json=body)):
        assert (reply.status_code, reply.json()["code"]) == (status, "1000"), reply.text
        assert said in reply.json()["message"]
    assert [each["name"] for each in listed(town)] == ["sample name"]


def test_a_role_is_attached_reattached_and_detached_and_is_in_force_at_once(town):
    kim = town.member("kim")
    first, second = create(town), create(town, document("Allow view:alm.stack mo-2"))

    attachment = attach(town, first)
    assert re.fullmatch(f"mour-{account_id(town)}-[0-9A-Za-z]{{9}}", attachment)
    [own] = kim.get("/v3/user/role").json()
    assert re.fullmatch(MOMENT, own.pop("create_time"))
    assert re.fullmatch(MOMENT, own.pop("update_time"))
    assert json.loads(own.pop("user")) == {"user_id": account_id(town), "username": "kim"}
    assert own == {"user_role_id": attachment, "role_id": first, "scope": SCOPE}

    again = town.master.put(f"/v3/user/role/{second}", data={"username": "kim"})
    assert (again.status_code, again.json()) == (200, {"status": "success", "role_id": second})
    assert roles_of(town) == [second]
    assert [each["role_id"] for each in kim.get("/v3/user/role").json()] == [second]

    gone = town.master.request("DELETE", f"/v3/user/role/{second}", json={"username": "kim"})
    assert (gone.status_code, gone.json()) == (200, {"status": "success", "role_id": second})
    assert roles_of(town) == kim.get("/v3/user/role").json() == []


@pytest.mark.parametrize("where", ["json", "data", "params"])
def test_a_role_is_detached_with_the_name_in_the_body_or_the_query(town, where):
    town.account.add("kim")
    role_id = create(town)
    attach(town, role_id)

    nameless = town.master.delete(f"/v3/user/role/{role_id}")
    assert (nameless.status_code, nameless.json()["message"]) == (400, "username not specified")
    assert roles_of(town) == [role_id]

    assert town.master.request("DELETE", f"/v3/user/role/{role_id}", **{where: {"username": "kim"}}).status_code == 200
    assert roles_of(town) == []


def test_the_roles_of_a_user_are_listed_as_roles_are(town):
    town.account.add("kim")
    role_id = create(town)
    attach(town, role_id)

    assert town.master.get("/v3/user/kim/role").json() == listed(town)


def test_a_role_that_is_removed_is_nobodys_any_more(town):
    kim = town.member("kim")
    role_id = create(town)
    attach(town, role_id)

    assert town.master.delete(f"/v3/role/{role_id}").status_code == 200

    assert kim.get("/v3/user/role").json() == []


def test_what_is_not_there_is_not_found(town):
    town.account.add("kim")
    role_id, nothing = create(town), "morole-5447820c870e1-ZgNTSRM8K"
    body = {"name": "a role", "scope": SCOPE}
    replies = [
        town.master.put(f"/v3/role/{nothing}", json=body),
        town.master.delete(f"/v3/role/{nothing}"),
        town.master.get("/v3/user/nobody/role"),
        town.master.post("/v3/user/role", json={"username": "nobody", "role_id": role_id}),
        town.master.post("/v3/user/role", json={"username": "kim", "role_id": nothing}),
        town.master.put(f"/v3/user/role/{nothing}", json={"username": "kim"}),
        town.master.request("DELETE", f"/v3/user/role/{role_id}", json={"username": "kim"}),
        town.master.get("/v3/user?username=nobody"),
    ]

    assert [reply.status_code for reply in replies] == [404] * len(replies)
    assert all(set(reply.json()) == {"code", "error", "message", "description"} for reply in replies)


def test_the_master_cannot_be_given_a_role(town):
    reply = town.master.post("/v3/user/role", json={"username": town.account.email, "role_id": create(town)})

    assert (reply.status_code, reply.json()["code"], reply.json()["error"]) == (422, "1003", "unprocessable")
    assert "may do everything" in reply.json()["message"]


OPERATIONS = [
    ("GET", "/v3/role", None),
    ("POST", "/v3/role", {"name": "mine", "scope": document("Allow * *")}),
    ("PUT", "/v3/role/{role}", {"name": "mine", "scope": document("Allow * *")}),
    ("DELETE", "/v3/role/{role}", None),
    ("GET", "/v3/user/lee/role", None),
    ("GET", "/v3/user/kim/role", None),
    ("POST", "/v3/user/role", {"username": "kim", "role_id": "{role}"}),
    ("PUT", "/v3/user/role/{role}", {"username": "kim"}),
    ("DELETE", "/v3/user/role/{role}", {"username": "lee"}),
    ("GET", "/v3/user?username=lee", None),
]


def send(person: Person, method: str, path: str, body: dict | None, role_id: str):
    body = body and {name: value.replace("{role}", role_id) for name, value in body.items()}
    return person.request(method, path.replace("{role}", role_id), **({"json": body} if body else {}))


@pytest.mark.parametrize("role", ["", document("Allow * *"), document("Allow role:*,user:*,userrole:* *")])
def test_nobody_but_the_master_manages_roles_whatever_a_role_says(town, role):
    kim = town.member("kim", role)
    town.account.add("lee")
    role_id = create(town)
    attach(town, role_id, "lee")
    before = listed(town), roles_of(town, "kim"), roles_of(town, "lee")

    for person in (kim, town.program()):
        for method, path, body in OPERATIONS:
            reply = send(person, method, path, body, role_id)
            told = reply.json()
            assert reply.status_code == 403, (method, path)
            assert {name: told[name] for name in FORBIDDEN} == FORBIDDEN

    assert (listed(town), roles_of(town, "kim"), roles_of(town, "lee")) == before


def test_another_account_sees_and_changes_nothing(town, elsewhere):
    town.account.add("kim")
    town.account.add("lee")
    role_id = create(town)
    attach(town, role_id, "lee")
    before = listed(town), roles_of(town, "kim"), roles_of(town, "lee")

    for method, path, body in OPERATIONS[1:]:
        reply = send(elsewhere.master, method, path, body, role_id)
        assert reply.status_code == (200 if path == "/v3/role" else 404), (method, path, reply.text)

    assert role_id not in elsewhere.master.get("/v3/role").text
    assert (listed(town), roles_of(town, "kim"), roles_of(town, "lee")) == before


def test_role_templates_are_scopes_to_begin_with(town):
    expected = {
        "id": "admin",
        "name": "Management Role",
        "scope": {"version": "2017-05-05", "Statement": [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]},
    }

    for person in (town.master, town.member("kim")):
        reply = person.get("/v3/role/templates")
        assert (reply.status_code, reply.json()[0]) == (200, expected)
    for template in town.master.get("/v3/role/templates").json():
        assert create(town, template["scope"])


def test_people_are_told_who_they_are_and_which_account_they_belong_to(town):
    kim, account = town.member("kim"), account_id(town)
    email = town.account.email

    def told(person: Person, query: str) -> dict:
        reply = person.get(f"/v3/user{query}")
        assert reply.status_code == 200, reply.text
        return reply.json()

    as_kim = {"user_id": account, "username": "kim", "email": "", "api_token": ""}
    assert told(kim, "") == told(kim, "?username=kim") == told(town.master, "?username=kim") == as_kim
    as_master = {"user_id": account, "username": email, "email": email, "api_token": ""}
    assert told(town.master, "") == told(town.master, f"?username={email}") == as_master
    assert kim.get(f"/v3/user?username={email}").status_code == 403
    assert town.program().get("/v3/user").status_code == 403


def test_a_program_has_no_roles_to_ask_for(town):
    assert town.program().get("/v3/user/role").status_code == 403
    assert town.master.get("/v3/user/role").json() == []
