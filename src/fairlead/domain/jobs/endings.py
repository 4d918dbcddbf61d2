"""What happens when a job comes to its end, whichever way? Whoever submitted it is told, maybe by letter."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.base.scope import system_scope
from fairlead.domain import mail
from fairlead.domain.identity import portal
from fairlead.domain.jobs import job_store
from fairlead.domain.jobs.job_model import Job, Status
from fairlead.domain.jobs.notifications import NotificationType, notify
from fairlead.domain.jobs.tools import Tools


def end(tx: Tx, tools: Tools, job: Job, status: Status, message: str = "", **values: Any) -> bool:
    """End a job as it was found, once: whether it was this that ended it. Of tasks nobody is told."""
    if not job_store.change_status(tx, job.number, job.status, status, message, **values):
        return False
    if job.parent_job is None:
        _tell(tx, tools, job, status, message)
    return True


def _tell(tx: Tx, tools: Tools, job: Job, status: Status, message: str) -> None:
    text = f"{_called(job)} is {_worded(status)}." + (f" {message}" if message else "")
    notify(tx, job.user_number, NotificationType.JOB, text, job.id)
    took = clock.now() - job.created_at
    if status is Status.KILLED or took <= timedelta(seconds=tools.mail_after_seconds):
        return
    user = _find_user(tx, job.user_number)
    if user is not None and user.email and user.notices.job:
        address = f"{tools.own(tx.tenant_id).url}/jobs/{job.id}"
        letter = f"{text}\n\nIt was submitted at {job.created_at:%Y-%m-%d %H:%M} UTC.\n{address}\n"
        mail.post(tx, tools.seal, mail.Letter(user.email, f"{_called(job)} is {_worded(status)}", letter))


def _called(job: Job) -> str:
    name = job.service.partition("::")[0]
    return f"The job {job.name} ({name})" if job.name else f"The job {job.id} ({name})"


def _worded(status: Status) -> str:
    return {Status.ERROR: "in error", Status.UNKNOWN: "lost"}.get(status, status.value)


def _find_user(tx: Tx, number: int) -> portal.User | None:
    try:
        return portal.find_user(tx.within(system_scope(tx.tenant_id)), number)
    except portal.UserNotFound:
        return None
