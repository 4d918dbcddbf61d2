"""Where is kept what agents say of themselves and of their containers?"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Tx, insert_or_ignore, list_of_strings
from fairlead.domain.stacks.model import AgentReport, Container, ContainerReport
from fairlead.domain.stacks.tables import stack_agents, stack_containers

_agent = stack_agents.c
_container = stack_containers.c


@dataclass(frozen=True, slots=True)
class Agent:
    """What an agent said last."""

    agent_id: str
    instance_id: str
    status: str
    message: str
    updated_at: datetime


_agents_of_stack = (_agent.tenant_id == TENANT, _agent.stack_id == sa.bindparam("of_stack"))
_agents = sa.select(stack_agents).where(*_agents_of_stack).order_by(_agent.updated_at, _agent.agent_id)
_containers_of_stack = (_container.tenant_id == TENANT, _container.stack_id == sa.bindparam("of_stack"))
_containers_of_tenant = sa.select(stack_containers).where(_container.tenant_id == TENANT)
_newest_first = (_container.updated_at.desc(), _container.stack_id, _container.id)
_containers = _containers_of_tenant.order_by(*_newest_first)
_of_stack = _containers.where(_container.stack_id == sa.bindparam("of_stack"))
_of_instance = _containers.where(_container.instance_id == sa.bindparam("of_instance"))
_called = _containers.where(_container.id == sa.bindparam("of_id"))


def agents(tx: Tx, stack_id: str) -> list[Agent]:
    """The agents of a stack, those that have been silent for longest first."""
    return [
        Agent(row.agent_id, row.instance_id, row.status, row.message, row.updated_at)
        for row in tx.all(_agents, {"of_stack": stack_id})
    ]


def containers(tx: Tx) -> list[Container]:
    """All of the tenant; these and those below with the newest report first."""
    return [_as_container(row) for row in tx.all(_containers)]


def containers_of_stack(tx: Tx, stack_id: str) -> list[Container]:
    return [_as_container(row) for row in tx.all(_of_stack, {"of_stack": stack_id})]


def containers_of_instance(tx: Tx, instance_id: str) -> list[Container]:
    return [_as_container(row) for row in tx.all(_of_instance, {"of_instance": instance_id})]


def containers_called(tx: Tx, container_id: str) -> list[Container]:
    """Two stacks may have a container of the same name."""
    return [_as_container(row) for row in tx.all(_called, {"of_id": container_id})]


def write_agent(tx: Tx, report: AgentReport) -> bool:
    """Put it in the place of what the agent said before; True if it has not been heard of before.

    Where it does not say on which instance it is, what it said before counts.
    """
    this = (*_agents_of_stack, _agent.agent_id == sa.bindparam("of_id"))
    values = {"status": report.status, "message": report.message, "updated_at": clock.now()}
    if _changed(tx, sa.update(stack_agents).where(*this), report.stack_id, report.agent_id, report.instance_id, values):
        return False
    known = {"stack_id": report.stack_id, "agent_id": report.agent_id, "instance_id": report.instance_id}
    tx.run(insert_or_ignore(stack_agents, on_sqlite=tx.is_sqlite), known | values)
    return True


def write_container(tx: Tx, report: ContainerReport) -> bool:
    """As `write_agent`, for one container."""
    this = (*_containers_of_stack, _container.id == sa.bindparam("of_id"))
    now = clock.now()
    values = {"agent_id": report.agent_id, "status": report.status, "updated_at": now}
    values |= {"begun_at": now} if report.begins else {}
    changed = sa.update(stack_containers).where(*this)
    if _changed(tx, changed, report.stack_id, report.container_id, report.instance_id, values):
        return False
    known = {"stack_id": report.stack_id, "id": report.container_id, "instance_id": report.instance_id}
    tx.run(insert_or_ignore(stack_containers, on_sqlite=tx.is_sqlite), known | values)
    return True


def _changed(
    tx: Tx, statement: sa.Update, stack_id: str, known_as: str, instance_id: str, values: dict[str, Any]
) -> bool:
    told = values | ({"instance_id": instance_id} if instance_id else {})
    return bool(tx.run(statement.values(**told), {"of_stack": stack_id, "of_id": known_as}).rowcount)


def count_agents(tx: Tx, stack_id: str) -> int:
    counted = sa.select(sa.func.count()).select_from(stack_agents).where(*_agents_of_stack)
    return int(tx.scalar(counted, {"of_stack": stack_id}))


def count_containers(tx: Tx, stack_id: str) -> int:
    counted = sa.select(sa.func.count()).select_from(stack_containers).where(*_containers_of_stack)
    return int(tx.scalar(counted, {"of_stack": stack_id}))


def forget_instances(tx: Tx, stack_id: str, instance_ids: Collection[str]) -> None:
    """Forget what was said on instances that are gone."""
    for table in (stack_agents, stack_containers):
        said = sa.delete(table).where(
            table.c.tenant_id == TENANT,
            table.c.stack_id == sa.bindparam("of_stack"),
            table.c.instance_id.in_(list_of_strings(instance_ids)),
        )
        tx.run(said, {"of_stack": stack_id})


def _as_container(row: sa.Row[Any]) -> Container:
    return Container(**{name: getattr(row, name) for name in Container.__dataclass_fields__})
