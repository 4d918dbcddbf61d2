"""What is there to see of jobs: which there are, how they have fared, what they print, and what they leave behind?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairlead.base.clock import rfc3339
from fairlead.base.database import Tx
from fairlead.domain import catalog
from fairlead.domain.identity import portal
from fairlead.domain.jobs import job_store, project_store
from fairlead.domain.jobs.data import Content
from fairlead.domain.jobs.execution import WORK
from fairlead.domain.jobs.job_inputs import stderr_of, stdout_of
from fairlead.domain.jobs.job_model import Event, Job, JobFile, JobInput, NoSuchOutput, Status
from fairlead.domain.jobs.job_store import Filter
from fairlead.domain.jobs.left_files import open_left
from fairlead.domain.jobs.projects import find_project, list_projects
from fairlead.domain.jobs.tools import Tools

MOST_AT_ONCE = 500
LOG_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class JobSearch:
    """Which jobs: of one project, or of all in which the caller has a role; all that is said must hold.

    None is any status, and no statuses are those of no job.
    """

    project: int = portal.NOTHING
    statuses: tuple[Status, ...] | None = None
    service: str = ""
    text: str = ""
    own: bool = False
    skip: int = 0
    at_most: int = 100


@dataclass(frozen=True, slots=True)
class Log:
    """The end of what a job has printed so far. `is_whole` is false where a beginning was left out."""

    stdout: bytes
    stderr: bytes
    is_whole: bool


def find_job(tx: Tx, number: int, act: portal.Act = portal.Act.VIEW_JOB, *, hold: bool = False) -> Job:
    """The job, if the caller may do this with it. One in a project that they may not see is not there."""
    job = job_store.find(tx, number, hold=hold)
    project = project_store.find(tx, job.project) if job is not None else None
    if job is None or project is None:
        raise portal.NotThere(thing="job")
    portal.make_sure_may(tx.scope, act, project.ref)
    return job


def list_jobs(tx: Tx, wanted: JobSearch = JobSearch()) -> list[Job]:
    """The newest first. Tasks of workflows are found by `subjobs`."""
    at_most = max(0, min(wanted.at_most, MOST_AT_ONCE))
    return job_store.search(tx, _filter(tx, wanted), max(0, wanted.skip), at_most)


def count_jobs(tx: Tx, wanted: JobSearch = JobSearch()) -> int:
    """All that are wanted, on all pages."""
    return job_store.count(tx, _filter(tx, wanted))


def _filter(tx: Tx, wanted: JobSearch) -> Filter:
    projects: tuple[int, ...]
    if wanted.project:
        projects = (find_project(tx, wanted.project, portal.Act.VIEW_JOB).number,)
    else:
        projects = tuple(each.number for each in list_projects(tx))
    user = portal.number_of_caller(tx.scope) if wanted.own else None
    if user == portal.NOTHING:  # who is nobody has no jobs of their own
        projects = ()
    return Filter(projects, wanted.statuses, wanted.service[:400], wanted.text[:200], user)


def subjobs(tx: Tx, number: int) -> list[Job]:
    """The tasks of a workflow that have begun, in that order."""
    return job_store.tasks_of(tx, find_job(tx, number).number)


def inputs_of(tx: Tx, number: int) -> list[JobInput]:
    return job_store.inputs_of(tx, find_job(tx, number).number)


def events(tx: Tx, number: int, since: int = 0, at_most: int = MOST_AT_ONCE) -> list[Event]:
    """What has happened with the job after the event of that number, in order."""
    return job_store.events_since(tx, find_job(tx, number).number, since, at_most)


def outputs(tx: Tx, number: int) -> Mapping[str, list[JobFile]]:
    """The files of each output that the job has left behind."""
    found: dict[str, list[JobFile]] = {}
    for file in job_store.files_of(tx, find_job(tx, number).number):
        found.setdefault(file.parameter, []).append(file)
    return found


def find_output(tx: Tx, number: int, parameter: str, position: int = 0) -> Content:
    """Where the bytes of an output are."""
    file = job_store.find_file(tx, find_job(tx, number).number, parameter, position)
    if file is None:
        raise NoSuchOutput(name=parameter[:100])
    return Content(file.blob_key, file.size_bytes, file.sha256, file.name)


def read_log(tx: Tx, tools: Tools, number: int, at_most: int = LOG_BYTES) -> Log:
    """Of a job that runs on another server nothing is seen before its end."""
    job = find_job(tx, number)
    service = _description(tx, job)
    names = {"stdout": stdout_of(service), "stderr": stderr_of(service)}
    if job.status.is_terminal:
        read = {kind: _kept_end(tx, tools, job, name, at_most) for kind, name in names.items()}
    else:
        folder = tools.folder_of(tx.tenant_id, number) / WORK
        read = {kind: _end_of(folder / name, at_most) for kind, name in names.items()}
    return Log(read["stdout"][0], read["stderr"][0], all(whole for _, whole in read.values()))


def _description(tx: Tx, job: Job) -> catalog.Service:
    return catalog.read_json(job_store.service_document(tx, job.service_hash).encode())


def _kept_end(tx: Tx, tools: Tools, job: Job, name: str, at_most: int) -> tuple[bytes, bool]:
    file = next((each for each in job_store.files_of(tx, job.number) if each.name == name), None)
    if file is None:
        return b"", True
    start = max(0, file.size_bytes - at_most)
    return b"".join(tools.blobs.read(file.blob_key, start)), start == 0


def _end_of(path: Path, at_most: int) -> tuple[bytes, bool]:
    file = open_left(path)
    if file is None:
        return b"", True
    with file:
        start = max(0, file.seek(0, os.SEEK_END) - at_most)
        file.seek(start)
        return file.read(at_most), start == 0


def provenance(tx: Tx, number: int) -> dict[str, Any]:
    """All that somebody would have to know to do the same again, and to see that it was the same."""
    job = find_job(tx, number)
    told: dict[str, Any] = {
        "job": job.id,
        "name": job.name,
        "project": portal.written(job.project),
        "user": portal.written(job.user_number),
        "service": {"name": job.service, "version": job.service_version, "hash": job.service_hash},
        "description": catalog.as_document(_description(tx, job)),
        "inputs": dict(job.inputs),
        "files": [_shown_input(each) for each in job_store.inputs_of(tx, number)],
        "command_line": job.command_line,
        "run": dict(job.spec),
        "status": job.status.value,
        "message": job.message,
        "outcome": dict(job.outcome),
        "outputs": [_shown_file(each) for each in job_store.files_of(tx, number)],
        "tasks": {task.parent_task: task.id for task in job_store.tasks_of(tx, number)},
        "created": rfc3339(job.created_at),
    }
    moments = {"started": job.started_at, "ended": job.ended_at}
    return told | {name: rfc3339(moment) for name, moment in moments.items() if moment is not None}


def _shown_input(each: JobInput) -> dict[str, Any]:
    shown = {"parameter": each.parameter, "data": portal.written(each.data), "name": each.file_name}
    return shown | ({"size": each.size_bytes, "sha256": each.sha256} if each.sha256 else {})


def _shown_file(file: JobFile) -> dict[str, Any]:
    return {"parameter": file.parameter, "name": file.name, "size": file.size_bytes, "sha256": file.sha256}


def statistics(tx: Tx) -> dict[str, dict[str, int]]:
    """How many jobs of each service have which status: all of them for administrators, for others those they see."""
    is_for_all = portal.may(tx.scope, portal.Act.ADMINISTER)
    projects = None if is_for_all else [each.number for each in list_projects(tx)]
    found: dict[str, dict[str, int]] = {}
    for service, status, jobs in job_store.count_by_service(tx, projects):
        found.setdefault(service, {})[status.value] = jobs
    return found
