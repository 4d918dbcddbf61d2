"""Which instances need another in their place? Those that have died, and those that will be taken away.

A replacement is an operation like others, with the version that is in force; the stack's status stays as it is.
"""

from __future__ import annotations

from datetime import timedelta

import structlog

from fairlead.base import clock
from fairlead.base.database import Database, Tx
from fairlead.base.errors import Refusal
from fairlead.base.scope import Scope, system_scope
from fairlead.domain import identity
from fairlead.domain.identity import Act
from fairlead.domain.stacks import layer_store, operations, planning, sealing, sightings, store
from fairlead.domain.stacks.model import InstanceNotFound
from fairlead.domain.stacks.sight import find_for
from fairlead.domain.stacks.store import Record
from fairlead.domain.stacks.tools import Tools

AGAIN = timedelta(seconds=60)
"""So long after instances could not be replaced it is tried again."""
GIVEN_UP = "the work on it was given up: the server's log and its workflow jobs say more"

log = structlog.get_logger()


def spot_shutdown(tx: Tx, tools: Tools, stack_id: str, instance_id: str) -> None:
    """The vendor will take the instance away: have another there first. Told twice is told once."""
    record = find_for(tx, Act.REPORT_SPOT_SHUTDOWN, stack_id, hold=True)
    if not have_replaced(tx, tools, record, instance_id):
        raise InstanceNotFound(stack_id=stack_id, instance_id=instance_id)


def have_replaced(tx: Tx, tools: Tools, record: Record, instance_id: str) -> bool:
    """As `spot_shutdown`, of a stack that is held; False if there is no such instance, or no right to tell of it."""
    kept = layer_store.instances(tx, record.id).get(instance_id)
    if kept is None or not identity.may(tx.scope, Act.REPORT_SPOT_SHUTDOWN, record.resource):
        return False
    if not kept.is_leaving:
        layer_store.let_leave(tx, record.id, [instance_id])
        _replace(tx, tools, record)
    return True


def watch(database: Database, tools: Tools) -> None:
    """Have dead instances replaced, and say so of stacks whose job was given up. Harmless when done twice at once.

    What cannot be looked at now is looked at the next time: a driver that does not answer says nothing of instances.
    """
    with database.across_tenants("which stacks are there?", writing=False) as tx:
        found = store.search_everyones(tx)
    for tenant_id, record in found:
        try:
            _look_after(database, tools, system_scope(tenant_id), record)
        except Refusal as problem:
            log.info("stacks.not_watched", stack=record.id, reason=str(problem))
        except Exception as problem:  # of this stack: the others are looked after all the same
            log.warning("stacks.not_watched", stack=record.id, problem=repr(problem))


def _look_after(database: Database, tools: Tools, scope: Scope, record: Record) -> None:
    if record.job_id:
        _mend(database, tools, scope, record)
    elif record.status.is_kept_up and record.plan:
        written = sealing.open_plan(tools.seal, record.id, record.plan)
        observation = tools.driver(record.vendor).observe(planning.brief_of(tools, record), written.plan or {})
        sightings.note(database, scope, record.id, record.operation, observation)
        _replace_the_dead(database, tools, scope, record, sightings.dead(observation.instances))


def _mend(database: Database, tools: Tools, scope: Scope, record: Record) -> None:
    """A job that was given up cannot say so of its stack. The row is held, so that it has not just been written."""
    with database.read(scope) as tx:
        if not operations.is_over(tx, record.job_id):
            return
    with database.begin(scope) as tx:
        now = store.find(tx, record.id, hold=True)
        if now is not None and now.job_id == record.job_id:
            operations.fail(tx, tools.seal, now, GIVEN_UP)


def _replace_the_dead(database: Database, tools: Tools, scope: Scope, record: Record, dead: set[str]) -> None:
    with database.read(scope) as tx:
        if not dead - _retired(tools, record) and not _waiting(tx, tools, record):
            return
    with database.begin(scope) as tx:
        now = store.find(tx, record.id, hold=True)
        if now is not None and now.operation == record.operation and not _has_just_failed(now):
            layer_store.let_leave(tx, record.id, dead)
            _replace(tx, tools, now)


def _replace(tx: Tx, tools: Tools, record: Record) -> None:
    """Unless something else is under way: whatever that is, it is watched what is left to be done afterwards."""
    waiting = _waiting(tx, tools, record)
    if waiting and record.status.is_kept_up and not record.job_id:
        operations.replace_instances(tx, tools.seal, record, waiting)


def _waiting(tx: Tx, tools: Tools, record: Record) -> list[str]:
    """The instances that have to leave, and that no plan has let go."""
    kept = layer_store.instances(tx, record.id)
    return sorted({each.seen.id for each in kept.values() if each.is_leaving} - _retired(tools, record))


def _retired(tools: Tools, record: Record) -> set[str]:
    """A plan that could not be carried out has let go nothing."""
    if record.planned_for != record.operation:
        return set()
    return set(sealing.open_plan(tools.seal, record.id, record.plan).retired)


def _has_just_failed(record: Record) -> bool:
    return record.planned_for == 0 and clock.now() < record.began_at + AGAIN
