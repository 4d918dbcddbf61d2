"""What becomes of a job whose work was given up? The durable work on it cannot say so itself, so somebody looks."""

from __future__ import annotations

from collections import defaultdict

from fairlead.base.database import Database, Tx
from fairlead.base.scope import system_scope
from fairlead.domain import workflows
from fairlead.domain.jobs import job_store
from fairlead.domain.jobs.endings import end_with_tasks
from fairlead.domain.jobs.job_model import JobKind, Status
from fairlead.domain.jobs.job_store import UnderWay
from fairlead.domain.jobs.submitting import SCIENCE_JOB, SCIENCE_WORKFLOW, work_key
from fairlead.domain.jobs.tools import Tools
from fairlead.domain.jobs.watching import SCIENCE_JOB_END

GIVEN_UP = "The work on it was given up: the administrators of this server find the reason in its workflows."
_BEFORE_IT_RUNS = (Status.TO_BE_BUILT, Status.BUILDING, Status.TO_BE_SUBMITTED, Status.SUBMITTING)


def end_given_up(database: Database, tools: Tools) -> int:
    """End in error the jobs that wait for work which nobody does any longer; how many there were."""
    with database.across_tenants("which jobs wait for work that nobody does?", writing=False) as tx:
        works = {work: each for each in job_store.under_way(tx) if (work := _work_on(each))}
        at_work = workflows.open_among(tx, works)
    by_tenant: dict[str, list[int]] = defaultdict(list)
    for work, each in works.items():
        if work not in at_work:
            by_tenant[each.tenant_id].append(each.number)
    ended = 0
    for tenant_id, numbers in by_tenant.items():
        with database.begin(system_scope(tenant_id)) as tx:
            ended += sum(_end(tx, tools, number) for number in numbers)
    return ended


def _end(tx: Tx, tools: Tools, number: int) -> bool:
    """Looked at again: what its work has done since, it did before it was over."""
    job = job_store.find(tx, number, hold=True)
    work = _work_on(UnderWay(tx.tenant_id, number, job.kind, job.status, job.runs)) if job else ""
    if job is None or not work or workflows.open_among(tx, [work]):
        return False
    end_with_tasks(tx, tools, job, Status.ERROR, GIVEN_UP)
    return True


def _work_on(job: UnderWay) -> str:
    """The id of the durable work that a job waits for, "" if it waits for none."""
    if job.status.is_terminal:
        return ""
    if job.kind is JobKind.WORKFLOW:
        return workflows.job_id_of(job.tenant_id, SCIENCE_WORKFLOW, work_key(job.number, job.runs))
    if job.status in _BEFORE_IT_RUNS:
        return workflows.job_id_of(job.tenant_id, SCIENCE_JOB, work_key(job.number, job.runs))
    if job.status is Status.UPDATING:
        return workflows.job_id_of(job.tenant_id, SCIENCE_JOB_END, str(job.number))
    return ""
