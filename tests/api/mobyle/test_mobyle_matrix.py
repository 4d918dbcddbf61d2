"""Everybody who may come, at every route: who is let in, who is refused, and for whom it is not there."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from fairlead.api.mobyle import routes
from house.mobyle import ROLES, SHOUT, Place, Visitor, ended, people_of_a_project, settle_in
from house.mobyle_matrix import CALLERS, ROWS, Row

_numbers = itertools.count(1)
FLOW = {"_type": "Workflow", "name": "flow", "tasks": [{"id": "one", "service": "shout"}]}


@dataclass
class Stage:
    """A portal with a project, and in it data and a job that is over; and somebody from another portal."""

    place: Place
    foreigner: Visitor
    foreigner_at_home: Visitor
    facts: dict[str, str]
    jobs: list[str]

    def filled(self, text: str) -> str:
        for name, value in self.facts.items():
            text = text.replace(f"{{{name}}}", value)
        for name, make in self.makers.items():
            if f"{{{name}}}" in text:
                text = text.replace(f"{{{name}}}", make())
        return text.replace("{n}", str(next(_numbers)))

    @property
    def makers(self) -> dict[str, Callable[[], str]]:
        return {
            "fresh_project": self.project,
            "fresh_data": lambda: self.data(self.facts["project"]),
            "fresh_user": lambda: self.place.add(f"new{next(_numbers)}").id,
            "fresh_service": self.service,
            "fresh_job": self.job_that_is_left,
        }

    def job_that_is_left(self) -> str:
        """One of those that are over and that nobody has removed yet."""
        owner = self.place.as_("owner")
        return next(each for each in self.jobs if owner.get(f"/jobs/{each}").status_code == 200)

    def project(self) -> str:
        owner = self.place.as_("owner")
        made = owner.make("/projects", name="another study")["id"]
        for role in ROLES:
            owner.put(f"/projects/{made}/{role}s/{self.place.as_(role).id}")
        return str(made)

    def data(self, project: str) -> str:
        return str(self.place.as_("owner").make("/data", project=project, name="typed", content="acgt")["id"])

    def service(self) -> str:
        described = FLOW | {"name": f"flow{next(_numbers)}"}
        made = self.place.as_("owner").make("/services", description=described, project=self.facts["project"])
        return str(made["service"])

    def status(self, caller: str, row: Row) -> int:
        """What the caller is answered."""
        visitor = self.foreigner if caller == "foreigner" else self.place.as_(caller)
        body = json.loads(self.filled(json.dumps(row.body)))
        arguments = {} if body is None else {"json": body}
        return visitor.request(row.method, self.filled(row.path), **arguments).status_code


@pytest.fixture(scope="module")
def stage(library, reader) -> Stage:
    place = people_of_a_project(settle_in(library, reader))
    place.register(SHOUT, exported=True)
    elsewhere = settle_in(library, reader)
    foreigner = elsewhere.add("zoe", is_admin=True)
    owner = place.as_("owner")
    texts = [{"content": "acgt" * length, "filename": "one.fasta"} for length in range(1, 6)]
    wanted = {"project": place.project, "service": place.service()}
    submitted = [owner.make("/jobs", **wanted, inputs={"text": text})["id"] for text in texts]
    for each in submitted:
        assert ended(owner, each)["status"] == "finished"
    facts = {
        "own": place.own.name,
        "service": place.service(),
        "project": place.project,
        "job": submitted[0],
        "watcher": place.as_("watcher").id,
        "stranger": place.as_("stranger").id,
    }
    there = Visitor(reader, place.path, foreigner.token, foreigner.id)
    made = Stage(place, there, foreigner, facts, submitted[1:])
    made.facts["data"] = made.data(place.project)
    return made


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_everybody_is_answered_as_the_table_says(stage, row):
    answered = {caller: stage.status(caller, row) for caller in CALLERS}

    assert answered == dict(zip(CALLERS, map(int, row.statuses.split()), strict=True))


IDS = ("project", "job", "data", "watcher", "stranger", "service")
OF_ONE_THING = [row for row in ROWS if any(f"{{{name}}}" in f"{row.path} {row.body}" for name in IDS)]


@pytest.mark.parametrize("row", OF_ONE_THING, ids=lambda row: row.name)
def test_what_is_another_organizations_is_answered_as_what_is_not_there(stage, row):
    zoe = stage.foreigner_at_home
    missing = dict.fromkeys(IDS, "00000099999") | {"service": "none::public::local"}

    def answer(facts: dict[str, str]) -> tuple[int, str]:
        text = json.dumps([row.path, row.body])
        for name, value in facts.items():
            text = text.replace(f"{{{name}}}", value)
        path, body = json.loads(stage.filled(text))
        reply = zoe.request(row.method, path, **({} if body is None else {"json": body}))
        told = reply.text
        for name, value in facts.items():
            told = told.replace(value, name)
        return reply.status_code, told

    foreign, none = answer({name: stage.facts[name] for name in IDS}), answer(missing)

    assert foreign == none
    assert foreign[0] >= 400


def test_whoever_leaves_is_nobody_any_more(place):
    ada = place.add("ada")

    assert [ada.delete("/session").status_code for _ in range(2)] == [204, 204]
    assert ada.get("/users/me").status_code == 401


def test_the_table_has_every_route_in_it():
    offered = set()
    for group in next(iter(routes.routers())).routes:
        path = group.path.removeprefix(routes.PORTAL)
        offered |= {(method, path.replace(":str}", "}")) for method in group.methods - {"OPTIONS"}}

    assert sorted(offered - {asked_for(row, offered) for row in ROWS}) == [("DELETE", "/session")]


def asked_for(row: Row, offered: set[tuple[str, str]]) -> tuple[str, str]:
    """The route that a row is about: of those that fit, the one with the fewest parameters."""

    def fits(route: tuple[str, str]) -> bool:
        wanted, there = row.path.partition("?")[0].split("/"), route[1].split("/")
        pairs = zip(wanted, there, strict=False)
        same = all(part == other or other.startswith("{") for part, other in pairs)
        return route[0] == row.method and len(wanted) == len(there) and same

    return min(filter(fits, offered), key=lambda route: route[1].count("{"))
