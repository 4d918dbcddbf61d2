"""Where workflows and their jobs are kept, and who works on which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import Moment, Tx, insert_or_ignore, list_of_strings
from fairlead.base.seal import Seal
from fairlead.domain.workflows.model import OPEN, Job, Result, Status
from fairlead.domain.workflows.tables import workflow_definitions, workflow_jobs, workflow_steps

_job = workflow_jobs.c
# Spelled out and not bound: SQLite uses an index of some rows only where it can read that it wants no others.
_is_open = _job.status.in_([sa.literal_column(f"'{status.value}'") for status in OPEN])
_is_taken = _job.worker != sa.literal_column("''")
_now = sa.bindparam("now", type_=Moment)
_is_free = sa.and_(_is_open, _job.not_before <= _now, sa.or_(_job.leased_until.is_(None), _job.leased_until < _now))
_is_due = sa.and_(_is_free, _job.workflow.not_in(sa.bindparam("but_not", expanding=True)))
_first_tenant = sa.select(sa.func.min(_job.for_tenant).label("id")).where(_is_open).cte("tenants", recursive=True)
_next_tenant = sa.select(sa.func.min(_job.for_tenant)).where(_is_open, _job.for_tenant > _first_tenant.c.id)
_tenants = _first_tenant.union_all(
    sa.select(_next_tenant.scalar_subquery()).where(_first_tenant.c.id.is_not(None)),
)
_since = (
    sa.select(_job.not_before)
    .where(_job.for_tenant == _tenants.c.id, _is_due)
    .order_by(_job.not_before)
    .limit(1)
    .scalar_subquery()
)
_waiting = sa.select(_tenants.c.id, _since.label("since")).where(_tenants.c.id.is_not(None))
_oldest = (
    sa.select(_job.id, _job.workflow, _job.not_before, _job.leased_until)
    .where(_job.for_tenant == sa.bindparam("tenant"), _is_due, _job.id.not_in(sa.bindparam("held", expanding=True)))
    .order_by(_job.not_before, _job.id)
    .limit(sa.bindparam("at_most"))
)
_running = sa.select(_job.workflow, _job.for_tenant).where(_is_open, _is_taken, _job.leased_until >= _now)
_lease = (
    sa.update(workflow_jobs)
    .where(_job.id.in_(sa.bindparam("ids", expanding=True)), _is_free)
    .values(
        worker=sa.bindparam("by_worker"),
        leased_until=sa.bindparam("until", type_=Moment),
        status=Status.PROCESSING.value,
        takeovers=_job.takeovers + sa.case((_job.leased_until.is_(None), 0), else_=1),
        updated_at=_now,
    )
    .returning(_job.id)
)
_one_held = sa.select(_job.id).where(_job.id == sa.bindparam("id")).with_for_update()
_one = sa.select(workflow_jobs).where(_job.id == sa.bindparam("id"))
_results = (
    sa.select(workflow_steps.c.number, workflow_steps.c.result)
    .where(workflow_steps.c.job_id == sa.bindparam("id"))
    .order_by(workflow_steps.c.number)
)
_held = (_job.id == sa.bindparam("job_id"), _job.worker == sa.bindparam("by_worker"), _is_open)
_extend = (
    sa.update(workflow_jobs)
    .where(
        _job.worker == sa.bindparam("by_worker"), _is_taken, _is_open, _job.id.in_(sa.bindparam("ids", expanding=True))
    )
    .values(leased_until=sa.bindparam("until", type_=Moment))
    .returning(_job.id)
)

_still_held = sa.select(_job.id).where(*_held).with_for_update()
_next = {"step": _job.step + 1, "attempts": 0, "takeovers": 0, "problem": "", "updated_at": _now}
_advance = sa.update(workflow_jobs).where(*_held, _job.step == sa.bindparam("at_step")).values(**_next)
_finish = _advance.values(status=Status.DONE.value, worker="", leased_until=None)
_add_result = sa.insert(workflow_steps)
_forget_result = sa.delete(workflow_steps).where(
    workflow_steps.c.job_id == sa.bindparam("of_job"), workflow_steps.c.number == sa.bindparam("of_number")
)


def find_definition(tx: Tx, name: str) -> sa.Row[Any] | None:
    return tx.one(sa.select(workflow_definitions).where(workflow_definitions.c.name == name))


def versions(tx: Tx) -> dict[str, int]:
    """The version of each workflow."""
    found = tx.all(sa.select(workflow_definitions.c.name, workflow_definitions.c.version))
    return {row.name: row.version for row in found}


def definitions(tx: Tx) -> list[str]:
    """The documents of all workflows, by name."""
    found = sa.select(workflow_definitions.c.document).order_by(workflow_definitions.c.name)
    return list(tx.run(found).scalars())


def keep_definition(tx: Tx, name: str, version: int, document: str) -> bool:
    """Put the definition in the place of an older one; False if what is there is as new or newer."""
    tx.one_at_a_time("workflow definitions")
    known = find_definition(tx, name)
    values = {"version": version, "document": document, "updated_at": clock.now()}
    if known is None:
        tx.run(sa.insert(workflow_definitions), {"name": name, **values})
        return True
    if known.version >= version:
        return False
    tx.run(sa.update(workflow_definitions).where(workflow_definitions.c.name == name).values(**values))
    return True


def add_job(tx: Tx, seal: Seal, job: Job) -> bool:
    """Keep the job until it is done; False if there is one with this id already."""
    row = {
        "id": job.id,
        "workflow": job.workflow,
        "for_tenant": job.tenant_id,
        "document": job.document,
        "inputs": _sealed(seal, job.id, dict(job.inputs)),
        "status": job.status.value,
        "not_before": job.created_at,
        "created_at": job.created_at,
        "updated_at": job.created_at,
    }
    return bool(tx.run(insert_or_ignore(workflow_jobs, on_sqlite=tx.is_sqlite), row).rowcount)


def find_job(tx: Tx, seal: Seal, job_id: str) -> Job | None:
    row = tx.one(_one, {"id": job_id})
    if row is None:
        return None
    results = [_as_result(seal, job_id, each.result) for each in tx.all(_results, {"id": job_id})]
    return _as_job(row, _opened(seal, job_id, row.inputs), results)


def hold(tx: Tx, job_id: str) -> None:
    """Have nobody change the job until the end of the transaction: what is read of it from now on stays so."""
    tx.one(_one_held, {"id": job_id})


def open_among(tx: Tx, job_ids: Iterable[str]) -> set[str]:
    """Those of these jobs that somebody works on, or will."""
    return {row.id for row in tx.all(sa.select(_job.id).where(_job.id.in_(list_of_strings(job_ids)), _is_open))}


def list_jobs(tx: Tx, status: Status | None, workflow: str, at_most: int) -> list[Job]:
    """The newest jobs, without what they were given and what came of their steps."""
    found = sa.select(workflow_jobs).order_by(_job.created_at.desc(), _job.id).limit(at_most)
    if status is not None:
        found = found.where(_job.status == status.value)
    if workflow:
        found = found.where(_job.workflow == workflow)
    return [_as_job(row, {}, ()) for row in tx.all(found)]


def waiting(tx: Tx, but_not: Sequence[str] = ()) -> dict[str, datetime]:
    """Which tenants have a job that is due, and since when? Jobs of some workflows do not count.

    It costs as much as there are tenants, however many jobs they have: the index leads from each to the next.
    """
    rows = tx.all(_waiting, {"now": clock.now(), "but_not": but_not})
    return {row.id: row.since for row in rows if row.since is not None}


def oldest(tx: Tx, tenant_id: str, but_not: Sequence[str], held: Sequence[str], at_most: int) -> Sequence[sa.Row[Any]]:
    """The jobs of a tenant that have been due for longest, without those that are held."""
    values = {"now": clock.now(), "tenant": tenant_id, "but_not": but_not, "held": held, "at_most": at_most}
    return tx.all(_oldest, values)


def running(tx: Tx) -> tuple[Counter[str], Counter[str]]:
    """How many jobs are being worked on, by workflow and by tenant."""
    rows = tx.all(_running, {"now": clock.now()})
    return Counter(row.workflow for row in rows), Counter(row.for_tenant for row in rows)


def lease(tx: Tx, job_ids: Sequence[str], worker: str, until: datetime) -> set[str]:
    """Note who works on these jobs: those that are still to be had. Nobody else takes them before that time.

    Where others write at the same moment, one may have been cancelled since we looked, or its lease pushed forward.
    """
    values = {"ids": list(job_ids), "by_worker": worker, "until": until, "now": clock.now()}
    return set(tx.run(_lease, values).scalars())


def extend(tx: Tx, worker: str, job_ids: Sequence[str], until: datetime) -> set[str]:
    """Keep others from these jobs for longer, as far as they are still this worker's: those that are."""
    return set(tx.run(_extend, {"by_worker": worker, "ids": list(job_ids), "until": until}).scalars())


def advance(tx: Tx, job_id: str, worker: str, step: int) -> bool:
    """Go on from this step to the next, if the job is still there and still this worker's."""
    values = {"job_id": job_id, "by_worker": worker, "at_step": step, "now": clock.now()}
    return bool(tx.run(_advance, values).rowcount)


def finish(tx: Tx, job_id: str, worker: str, step: int) -> bool:
    """The job is done with this step, if it is still there and still this worker's."""
    values = {"job_id": job_id, "by_worker": worker, "at_step": step, "now": clock.now()}
    return bool(tx.run(_finish, values).rowcount)


def still_held(tx: Tx, job_id: str, worker: str) -> bool:
    """Is the job still this worker's? Held until the end of the transaction."""
    return tx.one(_still_held, {"job_id": job_id, "by_worker": worker}) is not None


def keep_result(tx: Tx, seal: Seal, job_id: str, number: int, result: Result, *, again: bool) -> None:
    """Write down what came of a step; `again`: in place of what came of an attempt before."""
    if again:
        tx.run(_forget_result, {"of_job": job_id, "of_number": number})
    sealed = _sealed(seal, job_id, result)
    tx.run(_add_result, {"job_id": job_id, "number": number, "result": sealed, "at": clock.now()})


def change_job(tx: Tx, job_id: str, **values: Any) -> None:
    tx.run(sa.update(workflow_jobs).where(_job.id == job_id).values(**values, updated_at=clock.now()))


def let_go(tx: Tx, job_id: str, status: Status, *, not_before: datetime | None = None, **values: Any) -> None:
    """Nobody works on the job any more."""
    if not_before is not None:
        values["not_before"] = not_before
    change_job(tx, job_id, status=status.value, worker="", leased_until=None, **values)


def let_all_go(tx: Tx, worker: str) -> int:
    """Give back what a worker that stops has not finished."""
    given_back = sa.update(workflow_jobs).where(_job.worker == worker, _is_taken, _is_open)
    return tx.run(given_back.values(worker="", leased_until=None)).rowcount


def remove_old(tx: Tx, before: datetime, at_most: int) -> int:
    """Forget so many jobs that were over before this time, the oldest first; how many those were.

    Only those are looked at that were started before it, which an index knows.
    """
    old = (_job.created_at < before, _job.updated_at < before, sa.not_(_is_open))
    some = sa.select(_job.id).where(*old).order_by(_job.created_at, _job.id).limit(at_most)
    return tx.run(sa.delete(workflow_jobs).where(_job.id.in_(some))).rowcount


def after(delay: timedelta) -> datetime:
    return clock.now() + delay


def _sealed(seal: Seal, job_id: str, value: Any) -> str:
    return seal.close(msgspec.json.encode(value), f"job {job_id}")


def _opened(seal: Seal, job_id: str, sealed: str) -> Any:
    return msgspec.json.decode(seal.open(sealed, f"job {job_id}"))


def _as_result(seal: Seal, job_id: str, sealed: str) -> Result:
    return msgspec.json.decode(seal.open(sealed, f"job {job_id}"), type=Result)


def _as_job(row: sa.Row[Any], inputs: Mapping[str, str], results: Sequence[Result]) -> Job:
    return Job(
        id=row.id,
        workflow=row.workflow,
        tenant_id=row.for_tenant,
        inputs=inputs,
        document=row.document,
        status=Status(row.status),
        step=row.step,
        attempts=row.attempts,
        takeovers=row.takeovers,
        problem=row.problem,
        created_at=row.created_at,
        updated_at=row.updated_at,
        results=results,
    )
