"""The first route whose rules all hold chooses the system; where none does, jobs run on this machine."""

from __future__ import annotations

import pytest

from fairlead.domain.jobs.execution import LOCAL, Asked, BadRoutes, Routes, read_routes

SYSTEMS = {"local", "slurm", "big"}


def routes(*each: dict) -> Routes:
    return read_routes(list(each), SYSTEMS)


def route(system: str, **rules) -> dict:
    return {"system": system, "rules": [{"name": name, "parameters": value} for name, value in rules.items()]}


def test_without_routes_everything_runs_here():
    assert Routes().choose(Asked("needle")) == LOCAL
    assert routes().choose(Asked("needle")) == LOCAL


def test_the_first_route_that_fits_is_taken():
    asked = routes(route("slurm", service=["blast*"]), route("big", service=["*"]))

    assert asked.choose(Asked("blastp")) == "slurm"
    assert asked.choose(Asked("needle")) == "big"


def test_all_rules_of_a_route_must_hold():
    asked = routes(route("slurm", service=["blast*"], user=["ada", "ben"]))

    assert asked.choose(Asked("blastp", user="ben")) == "slurm"
    assert asked.choose(Asked("blastp", user="zoe")) == LOCAL
    assert asked.choose(Asked("needle", user="ben")) == LOCAL


def test_a_route_without_rules_takes_everything():
    assert routes({"system": "slurm"}).choose(Asked("needle")) == "slurm"


@pytest.mark.parametrize(
    ("rule", "fits", "does_not"),
    [
        ({"topic": ["EDAM_topic:0080"]}, {"topics": ["EDAM_topic:3511", "EDAM_topic:0080"]}, {"topics": []}),
        ({"project": ["7"]}, {"project": "7"}, {"project": "77"}),
        ({"user": ["a*"]}, {"user": "ada"}, {"user": "ben"}),
        ({"size": {"at_least": 100}}, {"input_bytes": 100}, {"input_bytes": 99}),
        ({"size": {"at_most": 100}}, {"input_bytes": 100}, {"input_bytes": 101}),
        ({"size": {"at_least": 1, "at_most": 2}}, {"input_bytes": 2}, {"input_bytes": 3}),
        ({"cpus": {"at_least": 4}}, {"cpus": 8}, {"cpus": 1}),
    ],
)
def test_a_rule_holds_for_what_it_says(rule, fits, does_not):
    asked = routes(route("slurm", **rule))

    assert asked.choose(Asked("needle", **fits)) == "slurm"
    assert asked.choose(Asked("needle", **does_not)) == LOCAL


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ({}, "routes"),
        ([1], "routes[0]"),
        ([{"system": "moon"}], "routes[0].system"),
        ([{}], "routes[0].system"),
        ([{"system": {}}], "routes[0].system"),
        ([{"system": "local", "rules": [{"name": [], "parameters": ["x"]}]}], "routes[0].rules[0].name"),
        ([{"system": "local", "name": 1}], "routes[0].name"),
        ([{"system": "local", "more": 1}], "routes[0]"),
        ([{"system": "local", "rules": {}}], "routes[0].rules"),
        ([{"system": "local", "rules": [{"name": "colour", "parameters": ["x"]}]}], "routes[0].rules[0].name"),
        ([{"system": "local", "rules": [{"name": "user", "parameters": []}]}], "routes[0].rules[0].parameters"),
        ([{"system": "local", "rules": [{"name": "user", "parameters": [1]}]}], "routes[0].rules[0].parameters"),
        ([{"system": "local", "rules": [{"name": "size", "parameters": {}}]}], "routes[0].rules[0].parameters"),
        (
            [{"system": "local", "rules": [{"name": "size", "parameters": {"at_most": True}}]}],
            "routes[0].rules[0].parameters",
        ),
        ([{"system": "local"}] * 1001, "routes"),
    ],
)
def test_what_is_no_route_is_refused_with_its_place(document, place):
    with pytest.raises(BadRoutes) as refused:
        read_routes(document, SYSTEMS)

    assert refused.value.facts["place"] == place
