"""What can be done with a job that was submitted? Kill, pause, resume, rename, remove it, or run the same again.

What an execution system has to do is written down as a wish, which those who watch jobs carry out within a second.
"""

from __future__ import annotations

from fairlead.base.database import Tx
from fairlead.domain import audit
from fairlead.domain.identity import portal
from fairlead.domain.jobs import data_store, job_store
from fairlead.domain.jobs.endings import call_off
from fairlead.domain.jobs.execution.runner import tidying
from fairlead.domain.jobs.job_model import (
    Job,
    JobIsATask,
    JobIsNeeded,
    JobIsNotOver,
    JobIsOver,
    JobKind,
    Status,
    Submission,
    TaskIsNotOver,
    Wish,
    make_sure_name_is_good,
)
from fairlead.domain.jobs.looking import find_job
from fairlead.domain.jobs.submitting import start_work
from fairlead.domain.jobs.tools import Tools
from fairlead.domain.jobs.work import KILLED


def kill(tx: Tx, tools: Tools, number: int) -> Job:
    """End a job with all that it has started. Killing it twice is harmless."""
    job = _find_active(tx, number)
    for each in _family(tx, job):
        call_off(tx, tools, each, KILLED)
    audit.record(tx, "job.kill", job.id, name=job.name, service=job.service)
    return job_store.there(job_store.find(tx, number))


def _family(tx: Tx, job: Job) -> list[Job]:
    """The job, and those of its tasks that have not ended."""
    return [job, *job_store.active_tasks_of(tx, job.number)]


def pause(tx: Tx, number: int) -> Job:
    """Hold a job where it is. Its limits on time stand still."""
    job = _find_active(tx, number)
    for each in _family(tx, job):
        if each.wish is not Wish.KILL and each.status not in (Status.UPDATING, Status.PAUSE):
            job_store.change(tx, each.number, wish=Wish.PAUSE.value)
    audit.record(tx, "job.pause", job.id, name=job.name, service=job.service)
    return job_store.there(job_store.find(tx, number))


def resume(tx: Tx, tools: Tools, number: int) -> Job:
    """Let a job go on that was paused. Others are left as they are."""
    job = _find_active(tx, number)
    for each in _family(tx, job):
        _resume(tx, tools, each)
    audit.record(tx, "job.resume", job.id, name=job.name, service=job.service)
    return job_store.there(job_store.find(tx, number))


def _resume(tx: Tx, tools: Tools, job: Job) -> None:
    if job.status is Status.PAUSE:
        job_store.change_status(tx, job.number, Status.PAUSE, Status.TO_BE_SUBMITTED, wish="", runs=job.runs + 1)
        start_work(tx, tools, job_store.there(job_store.find(tx, job.number)))
    elif job.wish is Wish.PAUSE or (job.status is Status.HOLD and job.wish is Wish.NOTHING):
        is_held = job.status is Status.HOLD or (job.status.is_queryable and job.kind is JobKind.PROGRAM)
        job_store.change(tx, job.number, wish=(Wish.RESUME if is_held else Wish.NOTHING).value)


def rename_job(tx: Tx, number: int, name: str) -> Job:
    job = find_job(tx, number, portal.Act.EDIT_JOB, hold=True)
    make_sure_name_is_good(name)
    if name != job.name:
        job_store.change(tx, number, name=name)
        audit.record(tx, "job.rename", job.id, name=name)
    return job_store.there(job_store.find(tx, number))


def remove_job(tx: Tx, tools: Tools, number: int) -> None:
    """Remove a job that has ended, with its tasks and all that they have left behind. What became data stays."""
    job = find_job(tx, number, portal.Act.DELETE_JOB, hold=True)
    if job.parent_job is not None:
        raise JobIsATask(parent=portal.written(job.parent_job))
    if not job.status.is_terminal:
        raise JobIsNotOver(status=job.status.value)
    forget_job(tx, tools, job)
    audit.record(tx, "job.delete", job.id, name=job.name, service=job.service)


def forget_job(tx: Tx, tools: Tools, job: Job) -> None:
    """For whoever has found out that it may go."""
    tasks = job_store.tasks_of(tx, job.number)
    for task in tasks:
        if not task.status.is_terminal:
            raise TaskIsNotOver(task=task.parent_task, status=task.status.value)
    numbers = [job.number, *(task.number for task in tasks)]
    if any(data_store.awaited_from(tx, each) for each in numbers):
        raise JobIsNeeded
    keys = job_store.keys_of(tx, numbers)
    folders = [tools.folder_of(tx.tenant_id, each) for each in numbers]
    job_store.remove(tx, job.number)

    def clean_up() -> None:
        for key in keys:
            tools.blobs.remove(key)
        for folder in folders:
            tidying.remove(str(folder))

    tx.afterwards(clean_up)


def replay(tx: Tx, number: int) -> Submission:
    """What would have to be submitted to do the same again: for a form that is filled with it."""
    job = find_job(tx, number)
    return Submission(job.project, job.service, job.inputs, job.name)


def _find_active(tx: Tx, number: int) -> Job:
    job = find_job(tx, number, portal.Act.RUN_JOB, hold=True)
    if job.status.is_terminal:
        raise JobIsOver(status=job.status.value)
    return job
