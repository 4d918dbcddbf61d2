"""Services, terms, servers and notifications over HTTP."""

from __future__ import annotations

import pytest

from house.mobyle import SHOUT

YAML = b"""
!mobyle/Program
_type: Program
name: yell
version: '2'
command: tr a-z A-Z
"""


@pytest.fixture
def boss(place):
    return place.add("boss", is_admin=True)


def test_a_service_is_registered_disabled_and_removed(place, boss):
    made = boss.make("/services", description=SHOUT, exported=True)
    service = made["service"]

    changed = boss.patch(f"/services/{service}", json={"disabled": True, "message": "until monday"}).json()
    details = place.as_("visitor").told(f"/services/{service}/details")

    assert (made["outcome"], changed["disabled"], changed["authorized"]) == ("added", True, False)
    assert (details["message"], details["versions"]) == ("until monday", ["1.0"])
    assert boss.delete(f"/services/{service}").status_code == 204
    assert place.as_("visitor").told("/services") == {}


def test_the_version_that_has_no_name_is_removed_alone(place, boss):
    for version in ("", "1.0", "2.0"):
        service = boss.make("/services", description=SHOUT | {"version": version})["service"]

    assert boss.delete(f"/services/{service}?version=").status_code == 204
    assert boss.told(f"/services/{service}/details")["versions"] == ["2.0", "1.0"]
    assert boss.delete(f"/services/{service}?version=").status_code == 404


def test_a_description_is_imported_and_given_out_in_both_formats(place, boss):
    imported = boss.post("/services/import?exported=true", content=YAML)
    full_name = place.service("yell")

    assert imported.status_code == 201, imported.text
    assert place.as_("visitor").told(f"/services/{full_name}/description")["name"] == "yell"
    as_yaml = place.as_("visitor").get(f"/services/{full_name}/description?format=yaml")
    assert as_yaml.headers["content-type"] == "application/yaml"
    assert "name: yell" in as_yaml.text
    assert boss.post("/services/import", content=as_yaml.content).json()["outcome"] == "unchanged"
    assert boss.get(f"/services/{full_name}/description?format=docx").status_code == 400


def test_a_bad_description_is_refused_with_all_that_is_wrong(boss):
    reply = boss.post("/services", json={"description": {"_type": "Program", "version": 1, "inputs": {"children": 3}}})

    assert reply.status_code == 422
    assert len(reply.json()["errors"]) >= 2


@pytest.mark.parametrize("condition", [{"#python": 5}, {"x": {"#in": 5}}])
def test_a_condition_that_is_none_is_refused_with_its_place(place, boss, condition):
    inputs = {"children": [{"name": "x", "precond": condition}]}
    description = {"_type": "Workflow", "name": "w", "tasks": [{"id": "a", "service": "b"}], "inputs": inputs}

    reply = boss.post("/services", json={"description": description})
    imported = boss.post("/services/import", content=b"name: x\ncommand: x\ninputs: [{name: p, precond: {1: x}}]")

    assert (reply.status_code, imported.status_code) == (422, 422)
    assert "inputs.children[0].precond" in reply.text


def test_xml_of_mobyle_1_is_imported_and_what_it_loses_is_told(place, boss):
    parameter = "<parameter><name>p</name><ctrl><code proglang='perl'>$p</code></ctrl></parameter>"
    said = "<head><name>old</name><command>true</command>{}</head><parameters>" + parameter + "</parameters>"
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="env.xml"/>'

    imported = boss.post("/services/import", content=f"<program>{said.format('')}</program>".encode("utf-16"))
    incomplete = boss.post("/services/import", content=f"<program>{said.format(include)}</program>".encode())
    viewer = boss.post("/services/import", content=b"<viewer><head><name>jalview</name></head></viewer>")

    assert imported.json()["warnings"] == ["p.ctrl is not in Python, and was left out: so no value is refused by it"]
    assert incomplete.status_code == 422
    assert "import the folder" in incomplete.text
    assert (viewer.status_code, "warnings" in viewer.json()) == (201, False)
    assert place.as_("visitor").told("/services")[place.service("jalview")]["type"] == "widget"


def test_services_are_sorted_by_topic_and_filtered(place):
    place.register(SHOUT)
    visitor = place.as_("visitor")

    def names(branch: dict) -> list[str]:
        own = [each["name"] for each in branch["services"]]
        return own + [name for each in branch["sublevels"] for name in names(each)]

    assert names(visitor.told("/services/by_topic/")) == ["shout"]
    assert names(visitor.told("/services/by_operation/")) == ["shout"]
    assert list(visitor.told("/services/?topic=EDAM_topic:0003")) == [place.service()]
    assert visitor.told("/services/?topic=EDAM_topic:0154") == {}
    assert visitor.told("/services/?q=capitals")
    assert visitor.told("/services/?type=widget") == {}
    assert visitor.told("/terms/EDAM_topic:0080")["name"] == "Sequence analysis"


def test_what_is_closed_is_disabled_for_everybody(place, boss):
    place.register(SHOUT)

    boss.put("/services/closed", json={"patterns": ["local.sh*"], "message": "closed"})

    assert place.as_("visitor").told("/services")[place.service()]["disabled"] is True
    assert boss.told("/services/closed")["patterns"] == ["local.sh*"]


def test_only_whom_a_service_is_for_may_call_it(place, boss):
    place.register(SHOUT)
    ada, ben = place.add("ada"), place.add("ben")
    boss.patch(f"/users/{ada.id}", json={"groups": ["biology"]})

    boss.patch(f"/services/{place.service()}", json={"access": {"groups": ["biology"]}})

    assert ada.told(f"/services/{place.service()}")["authorized"] is True
    assert ben.told(f"/services/{place.service()}")["authorized"] is False
    project = ben.told("/users/me")["default_project"]
    text = {"text": {"content": "a", "filename": "a"}}
    reply = ben.post("/jobs", json={"project": project, "service": place.service(), "inputs": text})
    assert reply.status_code == 403


def test_a_server_is_registered_and_its_token_told_once(place, boss):
    made = boss.make("/servers", name="pasteur", url="https://192.0.2.1/m")

    assert made["token"].startswith("peer-")
    assert "token" not in boss.told("/servers/pasteur/details")
    renewed = boss.patch("/servers/pasteur", json={"renew_token": True}).json()
    assert renewed["token"] != made["token"]
    assert boss.post("/servers", json={"name": "pasteur", "url": "https://192.0.2.1/m"}).status_code == 409
    assert boss.delete("/servers/pasteur").status_code == 204
    assert list(place.as_("visitor").told("/servers")) == ["local"]


def test_a_member_is_told_and_marks_it_as_read(place, boss):
    owner, member = place.add("owner"), place.add("member")
    project = owner.make("/projects", name="study")["id"]
    owner.put(f"/projects/{project}/managers/{member.id}")
    boss.post("/notifications", json={"message": "closed on monday"})

    told = member.told("/notifications/")

    assert [each["type"] for each in told] == [0, 1]
    assert told[1]["about"] == project
    assert member.put("/notifications", json={"list": [told[0]["id"]], "read": True}).json() == {"count": 1}
    assert len(member.told("/notifications/?unread=true")) == 1
    assert member.delete(f"/notifications/{told[0]['id']}").status_code == 204
    assert member.post("/notifications/delete", json={"list": [told[1]["id"]]}).json() == {"count": 1}


def test_a_project_changes_hands_and_its_groups_are_told(place, boss):
    owner, heir = place.add("owner"), place.add("heir")
    project = owner.make("/projects", name="study")["id"]
    owner.put(f"/projects/{project}/watchers/group:biology")

    reply = owner.patch(f"/projects/{project}", json={"owner": heir.id, "notebook": "monday"})

    assert reply.status_code == 200, reply.text
    assert (reply.json()["owner"], reply.json()["role"]) == (heir.id, "owner")
    assert reply.json()["groups"] == {"biology": "watcher"}
    assert owner.told(f"/projects/{project}")["managers"] == [owner.id]
    assert heir.delete(f"/projects/{project}/watchers/{owner.id}").status_code == 404
    assert heir.delete(f"/projects/{project}/odd/{owner.id}").status_code == 404
    assert heir.delete(f"/projects/{project}/managers/{owner.id}").status_code == 204
    assert owner.get(f"/projects/{project}").status_code == 404
