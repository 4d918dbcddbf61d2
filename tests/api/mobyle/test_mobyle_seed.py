"""The eight published routes, in the shapes in which they were published: these keys, in this order, and no others."""

from __future__ import annotations

import pytest

from fairlead.api.mobyle import wire
from house.mobyle import SHOUT, people_of_a_project

FLOW = {"_type": "Workflow", "name": "flow", "tasks": [{"id": "one", "service": "shout"}]}


@pytest.fixture
def study(place):
    """A portal with an owner's project, and with a service of the server and one of the project."""
    people_of_a_project(place)
    place.register(SHOUT, exported=True)
    place.as_("owner").make("/services", description=FLOW, project=place.project)
    return place


@pytest.mark.parametrize("slash", ["", "/"])
def test_servers(study, slash):
    own = {"url": study.own.url, "services": ["shout"], "active": True}
    told = study.as_("visitor").get(f"/servers{slash}")

    assert told.text == f'{{"local":{{"url":"{study.own.url}","services":["shout"],"active":true}},' + (
        '"pasteur":{"url":"https://192.0.2.1/m","services":[],"active":false}}'
    )
    assert study.as_("visitor").told(f"/servers/local{slash}") == own
    assert study.as_("peer").told(f"/servers{slash}") == {"local": own}


@pytest.mark.parametrize("slash", ["", "/"])
def test_services(study, slash):
    own = '{"name":"shout","server":"local","type":"program","exported":true,"disabled":false,"authorized":true}'
    of_project = (
        f'{{"name":"flow","server":"local","project":"{study.project}","type":"workflow","exported":false,'
        '"disabled":false,"authorized":true}'
    )
    member = study.as_("contributor")

    assert member.get(f"/services{slash}").text == (
        f'{{"flow::{study.project}::local":{of_project},"shout::public::local":{own}}}'
    )
    assert member.get(f"/services/shout::public::local{slash}").text == own
    assert member.get(f"/services/shout::local{slash}").text == own
    assert member.get(f"/services/flow::{study.project}::local{slash}").text == of_project
    assert member.get(f"/services/flow::study::local{slash}").text == of_project
    assert list(study.as_("stranger").told(f"/services{slash}")) == ["shout::public::local"]


@pytest.mark.parametrize("slash", ["", "/"])
def test_users(study, slash):
    boss = study.as_("administrator")
    boss.patch(f"/users/{study.as_('stranger').id}", json={"groups": ["group1", "group2"]})
    boss.patch(f"/users/{study.as_('stranger').id}", json={"is_admin": True})
    told = boss.get(f"/users{slash}").json()
    stranger, anonymous, suspended = (study.as_(who).id for who in ("stranger", "anonymous", "suspended"))

    project = told[stranger]["projects"][0]
    assert boss.get(f"/users/{stranger}{slash}").text == (
        '{{"email":"{}","type":"authenticated","authentication_type":"local","status":"active","is_admin":true,'
        '"groups":["group1","group2"],"projects":["{}"]}}'.format(study.email("stranger"), project)
    )
    assert list(told[anonymous].items())[:4] == [
        ("type", "anonymous"),
        ("status", "active"),
        ("is_admin", False),
        ("groups", []),
    ]
    assert told[suspended]["status_message"] == "you are suspended"
    assert list(told) == sorted(told)
    assert study.as_("watcher").told(f"/users/{study.as_('watcher').id}{slash}")["email"] == study.email("watcher")


@pytest.mark.parametrize("slash", ["", "/"])
def test_projects(study, slash):
    owner = study.as_("owner")
    data = owner.make("/data", project=study.project, name="typed", content="acgt")["id"]
    owner.put(f"/projects/{study.project}/favorites", json={"favorites": ["server1/p"]})
    ids = [study.as_(who).id for who in ("owner", "manager", "contributor", "watcher")]

    assert owner.get(f"/projects/{study.project}{slash}").text == (
        '{{"owner":"{}","managers":["{}"],"contributors":["{}"],"watchers":["{}"],"services":["flow"],"jobs":[],'
        '"data":["{}"],"favorites":["server1/p"]}}'.format(*ids, data)
    )
    everything = study.as_("administrator").told(f"/projects{slash}")
    assert "favorites" not in everything[study.project]
    assert everything[study.project]["owner"] == ids[0]
    assert list(everything) == sorted(everything)


def test_a_peer_that_has_heard_it_before_is_told_that_nothing_is_new(study):
    peer = study.as_("peer")
    first = peer.get("/services/")

    again = peer.get("/services/", headers={"If-None-Match": first.headers["etag"]})

    assert list(first.json()) == ["shout::public::local"]
    assert (again.status_code, again.content) == (304, b"")


def test_two_slashes_lead_to_the_same(study):
    assert study.as_("visitor").client.get(f"{study.path}//services///").status_code == 200


def test_users_and_projects_are_listed_to_the_last_unless_a_part_is_wanted(study, monkeypatch):
    boss = study.as_("administrator")
    everybody, everything = (list(boss.told(path)) for path in ("/users/", "/projects/"))

    monkeypatch.setattr(wire, "LARGEST_PAGE", 3)

    assert len(everybody) > 6
    assert list(boss.told("/users/")) == everybody
    assert list(boss.told("/projects/")) == everything
    assert list(boss.told("/users/?skip=2")) == everybody[2:]
    assert list(boss.told("/users/?skip=2&limit=2")) == everybody[2:4]
    assert list(boss.told("/projects/?limit=100")) == everything[:3]
