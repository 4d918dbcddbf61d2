"""What do agents tell of themselves and of their containers, and who is told of it?"""

from __future__ import annotations

from fairlead.base.database import Tx
from fairlead.domain import identity
from fairlead.domain.identity import Act
from fairlead.domain.stacks import layer_store, replacing, report_store, store
from fairlead.domain.stacks.model import (
    AgentReport,
    BadReport,
    Container,
    ContainerNotFound,
    ContainerReport,
    TooManyReports,
)
from fairlead.domain.stacks.settling import Reports
from fairlead.domain.stacks.sight import find_for
from fairlead.domain.stacks.tools import Tools

LONGEST_TEXT = 255
LONGEST_MESSAGE = 4000
MOST_PER_STACK = 5000


def report_agent(tx: Tx, tools: Tools, report: AgentReport) -> None:
    """Note what the agent says, in the place of what it said before, and heed it if its instance is taken away."""
    record = find_for(tx, Act.REPORT_AGENT_STATUS, report.stack_id, hold=True)
    _make_sure_is_good(report, "agent_id", "status")
    message = report.message.replace("\0", "").encode(errors="replace").decode()[:LONGEST_MESSAGE]
    kept = AgentReport(report.stack_id, report.agent_id, report.status, report.instance_id, message)
    if report_store.write_agent(tx, kept) and report_store.count_agents(tx, report.stack_id) > MOST_PER_STACK:
        raise TooManyReports(most=MOST_PER_STACK)
    if report.announces_end:
        replacing.have_replaced(tx, tools, record, report.instance_id or _place_of(tx, report))


def _place_of(tx: Tx, report: AgentReport) -> str:
    """The instance of an agent that does not say now where it is."""
    said = Reports(report_store.agents(tx, report.stack_id), report_store.containers_of_stack(tx, report.stack_id))
    return next(said.instance_of(agent) for agent in said.agents if agent.agent_id == report.agent_id)


def report_container(tx: Tx, report: ContainerReport) -> Container:
    """Note what the agent says of the container, in the place of what it said before."""
    find_for(tx, Act.REPORT_INSTANCE_STATUS, report.stack_id, hold=True)
    _make_sure_is_good(report, "agent_id", "container_id", "status")
    _make_sure_is_not_elsewhere(tx, report)
    if report_store.write_container(tx, report) and _has_too_many_containers(tx, report.stack_id):
        raise TooManyReports(most=MOST_PER_STACK)
    found = report_store.containers_called(tx, report.container_id)
    return next(each for each in found if each.stack_id == report.stack_id)


def _has_too_many_containers(tx: Tx, stack_id: str) -> bool:
    return report_store.count_containers(tx, stack_id) > MOST_PER_STACK


def _make_sure_is_good(report: AgentReport | ContainerReport, *required: str) -> None:
    for name in (*required, "instance_id"):
        text = getattr(report, name)
        if name in required and not text:
            raise BadReport(name=name, problem="is missing")
        if len(text) > LONGEST_TEXT or not text.isprintable():
            raise BadReport(name=name, problem=f"must be printable and have at most {LONGEST_TEXT} characters")


def _make_sure_is_not_elsewhere(tx: Tx, report: ContainerReport) -> None:
    """Containers are found by their id in all stacks, and mostly it is their instance's: it must be the stack's own."""
    for name in ("container_id", "instance_id"):
        if layer_store.is_of_another_stack(tx, report.stack_id, getattr(report, name)):
            raise BadReport(name=name, problem="is an instance of another stack")


def list_containers(tx: Tx, stack_id: str = "", instance_id: str = "") -> list[Container]:
    """The containers on an instance, or of a stack, or all that there are: those in sight, newest report first."""
    if instance_id:
        return _in_sight(tx, report_store.containers_of_instance(tx, instance_id) if _is_good(instance_id) else [])
    if stack_id:
        return report_store.containers_of_stack(tx, find_for(tx, Act.VIEW_STACK, stack_id).id)
    return _in_sight(tx, report_store.containers(tx))


def find_container(tx: Tx, container_id: str) -> Container:
    """The one that told of itself last, should several stacks have one of this name."""
    found = report_store.containers_called(tx, container_id) if _is_good(container_id) else []
    if not found:
        raise ContainerNotFound(container_id=container_id)
    in_sight = _in_sight(tx, found)
    if not in_sight:
        raise identity.RoleForbids(act=str(Act.VIEW_STACK))
    return in_sight[0]


def _is_good(text: str) -> bool:
    return len(text) <= LONGEST_TEXT and text.isprintable()


def _in_sight(tx: Tx, containers: list[Container]) -> list[Container]:
    resources = {record.id: record.resource for record in store.search(tx)}
    there = [each for each in containers if each.stack_id in resources]
    return identity.allowed_among(tx.scope, Act.VIEW_STACK, there, lambda each: resources[each.stack_id])
