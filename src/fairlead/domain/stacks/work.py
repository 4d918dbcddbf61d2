"""How is what was begun with a stack carried out? The steps of its job: each may be done again after a power cut.

    wait for the job before -> plan -> carry out -> settle
    wait for the job before -> remove -> settle

A step looks first whether its operation is still the stack's: otherwise it does nothing. Drivers are called outside
of transactions, by one job at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fairlead.base import clock
from fairlead.base.database import Database, Tx
from fairlead.base.scope import Scope, system_scope
from fairlead.domain import audit
from fairlead.domain.stacks import layer_store, operations, planning, report_store, sealing, sightings, store
from fairlead.domain.stacks.operations import Operation, operation_of
from fairlead.domain.stacks.planning import Sight
from fairlead.domain.stacks.sealing import Written
from fairlead.domain.stacks.settling import Judgement, Outcome, Reports, judge
from fairlead.domain.stacks.store import Record
from fairlead.domain.stacks.tools import Tools
from fairlead.domain.stacks.vendors.driver import Observation, Progress
from fairlead.domain.workflows import Job, NotYet, Step, own_step

WAIT_SECONDS = 0.2
LOOK_SECONDS = 0.3


def steps(database: Database, tools: Tools) -> Callable[[Job], Sequence[Step]]:
    """What the jobs of stacks consist of, in a process that begins to work now."""
    opened_at = clock.now()

    def of(job: Job) -> Sequence[Step]:
        operation = operation_of(job)
        work = Work(database, tools, system_scope(job.tenant_id), operation, opened_at)
        if operation.removes:
            return [work.step("wait", work.wait), work.step("remove", work.remove), work.step("settle", work.settle)]
        return [
            work.step("wait", work.wait),
            work.step("plan", work.plan),
            work.step("carry out", work.carry_out),
            work.step("settle", work.settle),
        ]

    return of


@dataclass(frozen=True, slots=True)
class Work:
    """The work of one operation. Time during which nobody could work on it, before `opened_at`, does not count."""

    database: Database
    tools: Tools
    scope: Scope
    operation: Operation
    opened_at: datetime

    def step(self, name: str, deed: Callable[[], None]) -> Step:
        stack_id = self.operation.stack_id
        return own_step(name, lambda _: deed(), self._fail, "stacks.step_failed", stack=stack_id)

    def _fail(self, cause: str) -> None:
        with self.database.begin(self.scope) as tx:
            record = self._current(tx, hold=True)
            if record is not None:
                operations.fail(tx, self.tools.seal, record, cause)

    def _current(self, tx: Tx, *, hold: bool = False) -> Record | None:
        """The stack, if it is this operation that is being carried out, and that has not come to an end."""
        record = store.find(tx, self.operation.stack_id, hold=hold)
        if record is None or record.operation != self.operation.number or not record.job_id:
            return None
        return record

    def wait(self) -> None:
        """Also by a job that is void: whoever waits for it waits for those before it as well."""
        if not self.operation.after:
            return
        with self.database.read(self.scope) as tx:
            if not operations.is_over(tx, self.operation.after):
                raise NotYet("what was begun before", WAIT_SECONDS)

    def plan(self) -> None:
        sight = self._look()
        if sight is None or sight.record.planned_for == self.operation.number:
            return
        driver = self.tools.driver(sight.record.vendor)
        if sight.written.plan is not None:
            self._let_the_dead_leave(driver.observe(sight.order.brief, sight.written.plan))
            sight = self._look()
            if sight is None:
                return
        pairs = planning.new_key_pairs(sight)
        plan = driver.plan(planning.with_keys(sight.order, pairs), sight.written.plan)
        with self.database.begin(self.scope) as tx:
            record = self._current(tx, hold=True)
            if record is not None and record.planned_for != self.operation.number:
                planning.write(tx, self.tools, record, sight, plan, pairs)

    def _look(self) -> Sight | None:
        with self.database.read(self.scope) as tx:
            record = self._current(tx)
            return planning.look(tx, self.tools, record) if record else None

    def _let_the_dead_leave(self, observation: Observation) -> None:
        self._note(observation)
        with self.database.begin(self.scope) as tx:
            layer_store.let_leave(tx, self.operation.stack_id, sightings.dead(observation.instances))

    def _note(self, observation: Observation) -> None:
        sightings.note(self.database, self.scope, self.operation.stack_id, self.operation.number, observation)

    def carry_out(self) -> None:
        sight = self._look()
        if sight is None or sight.written.plan is None:
            return
        driver = self.tools.driver(sight.record.vendor)
        if sight.written.before is None:
            driver.create(sight.order, sight.written.plan)
        else:
            driver.change(sight.order, sight.written.plan, sight.written.before)

    def remove(self) -> None:
        record, written = self._written()
        if record is not None and written.plan is not None:
            self.tools.driver(record.vendor).delete(planning.brief_of(self.tools, record), written.plan)

    def _written(self) -> tuple[Record | None, Written]:
        with self.database.read(self.scope) as tx:
            record = self._current(tx)
        if record is None:
            return None, Written()
        return record, sealing.open_plan(self.tools.seal, record.id, record.plan)

    def settle(self) -> None:
        record, written = self._written()
        if record is None:
            return
        observation = Observation(Progress.DONE)
        if written.plan is not None:
            observation = self.tools.driver(record.vendor).observe(
                planning.brief_of(self.tools, record), written.plan, deleted=self.operation.removes
            )
            self._note(observation)
        judgement = self._judged(record, written, observation)
        if judgement.outcome is Outcome.COMPLETE:
            self._complete()
        elif judgement.outcome is Outcome.FAILED:
            self._fail(judgement.why)
        elif self._is_overdue(record):
            self._fail(f"{judgement.why} within {self.tools.settle_seconds:g} s")
        else:
            raise NotYet(judgement.why, LOOK_SECONDS)

    def _judged(self, record: Record, written: Written, observation: Observation) -> Judgement:
        if self.operation.removes:
            return _of_removal(observation)
        with self.database.read(self.scope) as tx:
            agents = report_store.agents(tx, record.id)
            reports = Reports(agents, report_store.containers_of_stack(tx, record.id))
            leaving = {each.seen.id for each in layer_store.instances(tx, record.id).values() if each.is_leaving}
        deploys = dict.fromkeys(written.deploys, written.planned_at or record.began_at)
        return judge(observation, reports, record.began_at, deploys, leaving)

    def _is_overdue(self, record: Record) -> bool:
        waited = clock.now() - max(record.began_at, self.opened_at)
        return waited > timedelta(seconds=self.tools.settle_seconds)

    def _complete(self) -> None:
        with self.database.begin(self.scope) as tx:
            record = self._current(tx, hold=True)
            if record is None:
                return
            if self.operation.removes:
                audit.record(tx, "stack.remove", target=record.id, name=record.nickname)
                store.remove(tx, record.id)
            else:
                operations.complete(tx, record)


def _of_removal(observation: Observation) -> Judgement:
    if observation.progress is Progress.DONE:
        return Judgement(Outcome.COMPLETE)
    if observation.progress is Progress.FAILED:
        return Judgement(Outcome.FAILED, observation.cause or "the vendor does not say why")
    return Judgement(Outcome.WAITING, "its instances did not go")
