"""What is said of a job."""

from __future__ import annotations

from typing import Any

from fairlead.api.mobyle import wire
from fairlead.base.database import Tx
from fairlead.domain import jobs
from fairlead.domain.identity import portal


def told(job: jobs.Job) -> dict[str, Any]:
    """Without what it has left behind: of a list of jobs, that is asked for one by one."""
    return wire.said(
        name=job.name or None,
        service=job.service,
        service_version=job.service_version or None,
        project=portal.written(job.project),
        user=wire.id_of(job.user_number),
        type=job.kind.value,
        status=job.status.value,
        group=job.status.group.value,
        message=job.message or None,
        wish=job.wish.value or None,
        created=wire.moment(job.created_at),
        started=wire.moment(job.started_at),
        ended=wire.moment(job.ended_at),
        exit_code=job.exit_code,
        command_line=job.command_line or None,
        parent=wire.id_of(job.parent_job),
        task=job.parent_task,
        inputs=dict(job.inputs),
    )


def told_whole(tx: Tx, job: jobs.Job) -> dict[str, Any]:
    return told(job) | {"outputs": files_of(tx, job)}


def files_of(tx: Tx, job: jobs.Job) -> dict[str, list[dict[str, Any]]]:
    """The files of each output, in the order in which they can be asked for."""
    return {
        parameter: [{"name": file.name, "size": file.size_bytes, "sha256": file.sha256} for file in files]
        for parameter, files in jobs.outputs(tx, job.number).items()
    }


def event_told(event: jobs.Event) -> dict[str, Any]:
    return wire.said(status=event.status.value, message=event.message or None, at=wire.moment(event.at))
