"""When is what was begun with a stack over? Judged from what is seen and what agents have said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from fairlead.domain.stacks.model import Container
from fairlead.domain.stacks.report_store import Agent
from fairlead.domain.stacks.settling import Outcome, Reports, judge
from fairlead.domain.stacks.vendors.driver import Instance, Observation, Progress

BEGAN = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEFORE, AFTER, LATER = (BEGAN + timedelta(seconds=seconds) for seconds in (-1, 1, 2))
ONE = Instance("i-1", "Web01", state="running")


def agent(status: str, at: datetime, instance_id: str = "i-1", message: str = "") -> Agent:
    return Agent("agent", instance_id, status, message, at)


def container(
    status: str, at: datetime, container_id: str = "i-1", instance_id: str = "i-1", begun: datetime | None = None
) -> Container:
    return Container(container_id, "mo-1", "agent", instance_id, status, at, begun)


def judged(*said: Agent | Container, deploys=("Web01",), leaving=(), seen=(ONE,), progress=Progress.DONE, cause=""):
    reports = Reports(
        [each for each in said if isinstance(each, Agent)], [each for each in said if isinstance(each, Container)]
    )
    return judge(Observation(progress, tuple(seen), cause), reports, BEGAN, dict.fromkeys(deploys, BEGAN), leaving)


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ([], Outcome.WAITING),
        ([container("complete", AFTER)], Outcome.COMPLETE),
        ([container("running", AFTER)], Outcome.COMPLETE),
        ([container("complete", AFTER, "c-1", "i-1")], Outcome.COMPLETE),
        ([container("complete", AFTER, "i-1", "")], Outcome.COMPLETE),
        ([container("complete", AFTER, "i-2", "i-2")], Outcome.WAITING),
        ([container("installing", AFTER)], Outcome.WAITING),
        ([container("complete", BEFORE)], Outcome.WAITING),
        ([agent("uptodate", AFTER)], Outcome.COMPLETE),
        ([agent("uptodate", BEFORE)], Outcome.WAITING),
        ([agent("starting", AFTER)], Outcome.WAITING),
        ([agent("stopped", AFTER)], Outcome.WAITING),
        ([container("unknown", AFTER), agent("uptodate", LATER)], Outcome.COMPLETE),
        ([container("unknown", AFTER), agent("uptodate", LATER, "")], Outcome.COMPLETE),
        ([agent("error", AFTER)], Outcome.FAILED),
        ([agent("error", AFTER, "")], Outcome.FAILED),
        ([agent("error", BEFORE)], Outcome.WAITING),
        ([agent("error", AFTER, "i-gone")], Outcome.WAITING),
        ([agent("error", AFTER), container("complete", AFTER)], Outcome.FAILED),
    ],
)
def test_an_agent_has_to_say_that_all_is_well(said, outcome):
    assert judged(*said).outcome is outcome


def test_what_is_said_late_of_what_was_there_before_does_not_count():
    """Its agent had just finished the version before when the update began, and said so a moment later."""
    assert judged(container("complete", BEFORE), agent("uptodate", AFTER)).outcome is Outcome.WAITING
    assert judged(container("updating", LATER), agent("uptodate", AFTER)).outcome is Outcome.WAITING


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ([container("installing", AFTER, begun=BEFORE), agent("error", LATER)], Outcome.WAITING),
        ([container("unknown", AFTER, begun=BEFORE), agent("uptodate", LATER)], Outcome.WAITING),
        ([container("complete", AFTER, begun=BEFORE)], Outcome.WAITING),
        ([container("updating", LATER, begun=LATER), agent("error", AFTER)], Outcome.WAITING),
        ([container("installing", LATER, begun=AFTER), agent("error", LATER)], Outcome.FAILED),
        ([container("complete", LATER, begun=AFTER)], Outcome.COMPLETE),
    ],
)
def test_until_an_agent_says_that_it_turns_to_the_new_version_it_speaks_of_the_one_before(said, outcome):
    assert judged(*said).outcome is outcome


def test_an_error_of_a_layer_that_deploys_nothing_counts_whichever_version_it_is_about():
    said = [container("installing", AFTER, begun=BEFORE), agent("error", LATER)]

    assert judged(*said, deploys=()).outcome is Outcome.FAILED


def test_where_nothing_is_to_be_deployed_an_older_report_is_good():
    assert judged(container("complete", BEFORE), deploys=()).outcome is Outcome.COMPLETE
    assert judged(agent("uptodate", BEFORE), deploys=()).outcome is Outcome.COMPLETE
    assert judged(deploys=()).outcome is Outcome.WAITING


def test_nobody_waits_for_the_agents_of_instances_that_have_none_or_go():
    assert judged(seen=[Instance("i-1", "Web01", has_agent=False)]).outcome is Outcome.COMPLETE
    assert judged(leaving={"i-1"}).outcome is Outcome.COMPLETE
    assert judged(seen=[Instance("i-1", "Web01", state="terminated")]).outcome is Outcome.COMPLETE
    assert judged(agent("error", AFTER), leaving={"i-1"}).outcome is Outcome.COMPLETE
    assert judged(seen=[]).outcome is Outcome.COMPLETE


def test_the_vendor_has_the_first_word():
    failed = judged(container("complete", AFTER), progress=Progress.FAILED, cause="no room left")

    assert (failed.outcome, failed.why) == (Outcome.FAILED, "no room left")
    assert judged(progress=Progress.FAILED).why == "the vendor does not say why"
    assert judged(container("complete", AFTER), progress=Progress.UNDER_WAY).outcome is Outcome.WAITING


def test_it_is_told_who_is_waited_for_and_who_has_failed():
    many = [Instance(f"i-{number}", "Web01") for number in range(7)]

    assert judged(seen=many).why == (
        "the agents of i-0 (Web01), i-1 (Web01), i-2 (Web01), i-3 (Web01), i-4 (Web01) and 2 more did not report"
    )
    assert judged(agent("error", AFTER, message="no image")).why == "layer Web01, instance i-1: no image"
    assert judged(agent("error", AFTER, "", "no image")).why == "agent agent: no image"
    assert "does not say which" in judged(agent("error", AFTER)).why
