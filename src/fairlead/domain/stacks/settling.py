"""Has what was begun come to an end? Judged by what the driver sees, and by what agents have said."""

from __future__ import annotations

import enum
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fairlead.domain.stacks.model import Container
from fairlead.domain.stacks.report_store import Agent
from fairlead.domain.stacks.vendors.driver import Instance, Observation, Progress

_RUNS = ("complete", "running")
_UP_TO_DATE = "uptodate"
_ERROR = "error"
_GOING = ("shutting-down", "stopping", "stopped", "terminated")
MOST_NAMED = 5


class Outcome(enum.Enum):
    WAITING = "waiting"
    COMPLETE = "complete"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Judgement:
    """`why` says what went wrong, or what is being waited for."""

    outcome: Outcome
    why: str = ""


@dataclass(frozen=True, slots=True)
class Reports:
    """What agents said last, of themselves and of their containers."""

    agents: Sequence[Agent]
    containers: Sequence[Container]

    def instance_of(self, agent: Agent) -> str:
        """Where the agent is: it does not always say, and then its container does."""
        if agent.instance_id:
            return agent.instance_id
        return next((each.instance_id for each in self.containers if each.agent_id == agent.agent_id), "")

    def has_deployed(self, instance: Instance, since: datetime | None) -> bool:
        """Has its agent said after this moment that all is well?

        An agent says that it is up to date after it has said so of its container. One that has said something of its
        container only before means what it had before.
        """
        if since is not None and not self.had_been_told(instance, since):
            return False
        containers = self._on(instance)
        if any(each.status in _RUNS and _is_after(each.updated_at, since) for each in containers):
            return True
        return any(
            agent.status == _UP_TO_DATE
            and _is_after(agent.updated_at, since)
            and self.instance_of(agent) == instance.id
            and all(_is_after(each.updated_at, since) and each.updated_at <= agent.updated_at for each in containers)
            for agent in self.agents
        )

    def had_been_told(self, instance: Instance, since: datetime, said_at: datetime | None = None) -> bool:
        """Had its agent been told of a version after `since` when it said something (then, or last)?

        An agent says when it turns to a version. Until it does so again whatever it says is about that one, however
        late: alm-agent asks for news once a minute, and waits for three until a container is up.
        """
        begun = max((each.begun_at for each in self._on(instance) if each.begun_at is not None), default=None)
        return begun is None or (since <= begun and (said_at is None or begun <= said_at))

    def _on(self, instance: Instance) -> list[Container]:
        return [each for each in self.containers if instance.id in (each.instance_id, each.id)]

    def errors(self, since: datetime) -> Iterator[tuple[str, Agent]]:
        """The agents that have said since then that something went wrong, and where they are."""
        for agent in self.agents:
            if agent.status == _ERROR and agent.updated_at >= since:
                yield self.instance_of(agent), agent


def _is_after(moment: datetime, since: datetime | None) -> bool:
    return since is None or moment >= since


def judge(
    observation: Observation,
    reports: Reports,
    began_at: datetime,
    deploys: Mapping[str, datetime],
    leaving: Collection[str],
) -> Judgement:
    """How an operation that began then stands.

    Agents of the layers in `deploys` have to report anew; they can have been told of it since the moment that is given
    for their layer, and what they say of anything before is no matter of this operation.
    """
    if observation.progress is Progress.FAILED:
        return Judgement(Outcome.FAILED, observation.cause or "the vendor does not say why")
    staying = {each.id: each for each in observation.instances if each.id not in leaving and each.state not in _GOING}
    for instance_id, agent in reports.errors(began_at):
        instance = staying.get(instance_id)
        if _counts(reports, instance, agent, deploys) if instance else not instance_id:
            return Judgement(Outcome.FAILED, _told(instance, agent))
    if observation.progress is Progress.UNDER_WAY:
        return Judgement(Outcome.WAITING, "its instances are not ready")
    silent = [
        each for each in staying.values() if each.has_agent and not reports.has_deployed(each, deploys.get(each.flag))
    ]
    if silent:
        return Judgement(Outcome.WAITING, f"the agents of {_listed(silent)} did not report")
    return Judgement(Outcome.COMPLETE)


def _counts(reports: Reports, instance: Instance, agent: Agent, deploys: Mapping[str, datetime]) -> bool:
    told_since = deploys.get(instance.flag)
    if told_since is None:
        return True
    return agent.updated_at >= told_since and reports.had_been_told(instance, told_since, agent.updated_at)


def _told(instance: Instance | None, agent: Agent) -> str:
    where = f"layer {instance.flag}, instance {instance.id}" if instance else f"agent {agent.agent_id}"
    return f"{where}: {agent.message or 'its agent met an error and does not say which'}"


def _listed(instances: Sequence[Instance]) -> str:
    names = ", ".join(f"{each.id} ({each.flag})" for each in instances[:MOST_NAMED])
    rest = len(instances) - MOST_NAMED
    return f"{names} and {rest} more" if rest > 0 else names
