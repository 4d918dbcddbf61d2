"""How does a job come to its end, whichever way? Whoever submitted it is told, maybe by letter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.base.scope import system_scope
from fairlead.domain import mail
from fairlead.domain.identity import portal
from fairlead.domain.jobs import job_store
from fairlead.domain.jobs.job_model import UNSUBMITTED, Job, JobKind, Status, Wish
from fairlead.domain.jobs.notifications import NotificationType, notify
from fairlead.domain.jobs.tools import Tools

ENDED_WITH_THE_OTHERS = "The workflow that it belongs to has ended."


def end(tx: Tx, tools: Tools, job: Job, status: Status, message: str = "", **values: Any) -> bool:
    """End a job as it was found, once: whether it was this that ended it. Of tasks nobody is told."""
    if not job_store.change_status(tx, job.number, job.status, status, message, **values):
        return False
    if job.parent_job is None:
        _tell(tx, tools, job, status, message)
    return True


def call_off(tx: Tx, tools: Tools, job: Job, message: str) -> None:
    """End a job at once if nobody is at it; else whoever is ends it, or it ends by itself just now."""
    if job.kind is JobKind.PROGRAM and job.status in UNSUBMITTED:
        end(tx, tools, job, Status.KILLED, message)
    elif job.status is not Status.UPDATING and job.wish is not Wish.KILL:
        job_store.change(tx, job.number, wish=Wish.KILL.value)


def end_with_tasks(tx: Tx, tools: Tools, job: Job, status: Status, message: str) -> None:
    """End a job at which nobody will look again. Its tasks end within a moment."""
    end(tx, tools, job, status, message)
    for task in job_store.active_tasks_of(tx, job.number):
        call_off(tx, tools, task, ENDED_WITH_THE_OTHERS)


def _tell(tx: Tx, tools: Tools, job: Job, status: Status, message: str) -> None:
    text = f"{called(job)} is {_worded(status)}." + (f" {message}" if message else "")
    notify(tx, job.user_number, NotificationType.JOB, text, job.id)
    took = clock.now() - job.created_at
    if status is Status.KILLED or took <= timedelta(seconds=tools.mail_after_seconds):
        return
    user = _find_user(tx, job.user_number)
    if user is not None and user.email and user.notices.job:
        address = f"{tools.own(tx.tenant_id).url}/jobs/{job.id}"
        letter = f"{text}\n\nIt was submitted at {job.created_at:%Y-%m-%d %H:%M} UTC.\n{address}\n"
        mail.post(tx, tools.seal, mail.Letter(user.email, f"{called(job)} is {_worded(status)}", letter))


def called(job: Job) -> str:
    name = job.service.partition("::")[0]
    return f"The job {job.name} ({name})" if job.name else f"The job {job.id} ({name})"


def _worded(status: Status) -> str:
    return {Status.ERROR: "in error", Status.UNKNOWN: "lost"}.get(status, status.value)


def _find_user(tx: Tx, number: int) -> portal.User | None:
    try:
        return portal.find_user(tx.within(system_scope(tx.tenant_id)), number)
    except portal.UserNotFound:
        return None
