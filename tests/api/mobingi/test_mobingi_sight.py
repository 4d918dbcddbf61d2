"""Whoever may see one stack learns nothing of another on any route, and changes nothing of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from operations_v3 import OPERATIONS, Operation, call

from fairlead.api.mobingi import not_built, routes
from house.accounts import document
from house.mobingi import CONTAINER, VERSION_1, Town, settle_in, with_container

OWN_ROLE = "/v3/user/role"
"""Says which stack is denied: whoever asks has been told that."""
BESIDES = (
    Operation("GET", "/v3/user", 200, None),
    Operation("GET", OWN_ROLE, 200, None),
    Operation("GET", "/v3/role/templates", 200, None),
    Operation("GET", "/v3/alm/pem/{stack}", 403, None),
    Operation("GET", "/v3/docker/token?service={stack}&scope=repository:{stack}:pull", 401, None),
    Operation("DELETE", "/v3/credentials/aws", 404, None, body={"credential_id": "{stack}"}),
    Operation("GET", "/v2/credentials/aws", 200, None, lists=True),
    Operation("POST", "/v2/credentials/aws", 200, None, form={"id": "AKIAX", "secret": "x"}),
    Operation("GET", "/v2/alm/serverconfig?stack_id={stack}", 403, None),
    Operation("PUT", "/v2/alm/serverconfig?stack_id={own}", 403, None, body={"stack_id": "{stack}", "filepath": "x"}),
    Operation("POST", "/v3/access_token", 400, None, form={"grant_type": "client_credentials", "client_id": "{stack}"}),
    Operation("GET", "/v3/alm/container?instance_id={container}", 200, None, lists=True),
    Operation("GET", "/v3/alm/container?stack_id={own}&instance_id={container}", 200, None, lists=True),
    Operation("POST", "/v3/alm/template/compare", 403, None, body={"id": [{"{own}": {}}, {"{stack}": {}}]}),
    Operation("POST", "/v3/alm/template/compare", 403, None, body={"id": [{"{stack}": {}}], "body": ["{}"]}),
    *(Operation(method, path.replace("stack_id:str", "stack"), 501, None) for method, path in not_built.OPERATIONS),
)
EVERYTHING = (*OPERATIONS, *BESIDES)
NAMING = [each for each in EVERYTHING if each.names_a_stack]
LISTED = "all, and the others listed only"
ROLES = {
    "all of one": ["Allow * {own}"],
    "seeing one": ["Allow view:alm.stack,view:alm.template {own}"],
    "all but the others": ["Allow * *,{own}", "Deny * {stack}"],
    "all, and not looking into the others": [
        "Allow * *,{own}",
        "Deny stack:describeStack,stack:describeStacks {stack}",
    ],
    LISTED: ["Allow * *,{own}", "Deny stack:describeStack {stack}"],
    "two, of which one is denied": ["Allow * {own},{stack}", "Deny view:alm.stack mrn:alm:stack:{stack}"],
}


@dataclass(frozen=True)
class Two:
    """Two stacks of the master: everybody's `own` and the one that is hidden, which `ids` name in all ways.

    `marks` are what is secret of it.
    """

    town: Town
    ids: dict[str, str]
    marks: list[str]

    def hidden(self) -> list[Any]:
        """All that there is to know of it."""
        stack_id, master = self.ids["stack"], self.town.master
        paths = (
            f"/v3/alm/stack/{stack_id}",
            f"/v3/alm/template?stack_id={stack_id}",
            f"/v3/alm/container?stack_id={stack_id}",
            f"/v3/alm/container/{self.ids['container']}",
            f"/v3/alm/serverconfig?stack_id={stack_id}",
            f"/v3/alm/agent/config?stack_id={stack_id}&flag=Web01",
        )
        return [master.get(path).json() for path in paths]


@pytest.fixture(scope="module")
def two(harbor, anyone) -> Two:
    town = settle_in(harbor, anyone)
    own, hidden = town.stack(), town.stack(with_container())
    town.report(hidden)
    told = town.describe(hidden)
    (instance_id,) = town.instances(hidden)
    ids = dict.fromkeys(("stack", "served", "changed"), hidden) | {"own": own, "container": instance_id}
    ids |= dict.fromkeys(("version", "changed version"), told["version_id"])
    ids |= {"agent": "agent-" + instance_id, "account": told["user_id"], "member": "nobody", "role": "morole-x"}
    secrets = [*CONTAINER["environmentVariables"].values(), CONTAINER["gitRepo"], CONTAINER["gitPrivateKey"][:20]]
    return Two(town, ids | {"nickname": told["nickname"]}, [told["auth_token"], *secrets])


@pytest.mark.parametrize("role", ROLES)
def test_who_may_see_one_stack_learns_nothing_of_another_on_any_route_and_changes_nothing_of_it(two, role):
    said = [sentence.format(**two.ids) for sentence in ROLES[role]]
    kim = two.town.member(f"kim-{list(ROLES).index(role)}", document(*said))
    told_of = {OWN_ROLE, "/v3/alm/stack"} if role == LISTED else {OWN_ROLE}
    before = two.hidden()

    replies = [(each, call(kim, each, two.ids)) for each in EVERYTHING]

    assert two.hidden() == before
    told = [(str(each), mark) for each, reply in replies for mark in two.marks if mark in reply.text]
    told += [
        (str(each), name)
        for each, reply in replies
        for name in ("stack", "container", "version", "nickname")
        if each.path not in told_of and not each.names_a_stack and two.ids[name] in reply.text
    ]
    assert told == []
    named = {str(each): reply for each, reply in replies if each in NAMING and each not in BESIDES}
    answered = {name: reply.json() for name, reply in named.items() if reply.status_code not in {403, 404}}
    assert [name for name, answer in answered.items() if answer != []] == []
    assert kim.get(f"/v3/alm/stack/{two.ids['own']}").json()["configuration"] == VERSION_1
    assert kim.get(f"/v3/alm/template/{two.ids['own']}").json() == VERSION_1


def test_a_member_without_a_role_is_told_that_the_stacks_of_others_are_there_and_no_more(two):
    alice = two.town.member("alice")
    before = two.hidden()

    replies = [(each, call(alice, each, two.ids)) for each in NAMING]
    listed = {each["stack_id"]: each for each in alice.get("/v3/alm/stack").json()}[two.ids["stack"]]

    assert two.hidden() == before
    assert [(str(each), mark) for each, reply in replies for mark in two.marks if mark in reply.text] == []
    open_to_all = [each for each, reply in replies if reply.is_success and reply.json() != []]
    assert {str(each).partition("?")[0] for each in open_to_all} == {
        "POST /v3/alm/template/compare",
        "GET /v3/alm/template",
        "GET /v3/alm/template/{stack}",
    }
    assert (listed["auth_token"], "stack_status_reason" in listed) == ("", False)
    assert "container" not in listed["configuration"]["configurations"][0]


def test_the_walk_goes_by_every_route():
    offered = {
        (method, route.path.replace(":str}", "}"))
        for route in routes.routers()[0].routes
        for method in route.methods - {"OPTIONS"}
    }

    assert sorted(offered - {asked_for(each, offered) for each in EVERYTHING}) == []


def asked_for(operation: Operation, offered: set[tuple[str, str]]) -> tuple[str, str]:
    """The route that an operation is about: of those that fit, the one with the fewest parameters."""

    def fits(route: tuple[str, str]) -> bool:
        wanted, there = operation.path.partition("?")[0].split("/"), route[1].split("/")
        same = all(part == other or other.startswith("{") for part, other in zip(wanted, there, strict=False))
        return route[0] == operation.method and len(wanted) == len(there) and same

    return min(filter(fits, offered), key=lambda route: route[1].count("{"))


@pytest.mark.parametrize("operation", not_built.OPERATIONS, ids=" ".join)
def test_what_is_not_built_says_so_in_the_shape_of_the_api(two, operation):
    method, path = operation

    reply = two.town.master.request(method, path.replace("{stack_id:str}", two.ids["own"]))

    assert (reply.status_code, reply.json()["code"], reply.json()["error"]) == (501, "8001", "not_built")
    assert "docs/status.md" in reply.json()["message"]
    assert two.town.client.request(method, path).status_code == 401
