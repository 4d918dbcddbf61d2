"""How does somebody have a service run? What is wrong is said at once; what is right is a job, and runs by itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from fairlead.base.database import Tx
from fairlead.domain import audit, catalog, workflows
from fairlead.domain.identity import portal
from fairlead.domain.jobs import job_store
from fairlead.domain.jobs.flow_plans import make_sure_program_runs, plan_of
from fairlead.domain.jobs.job_inputs import keep_files, read_inputs
from fairlead.domain.jobs.job_model import (
    LONGEST_KEY,
    BadKey,
    Job,
    JobInput,
    JobKind,
    KeyUsedForAnother,
    NotAJob,
    ServiceNotHere,
    Status,
    Submission,
    TooManyJobs,
    TooManySimilarJobs,
    make_sure_name_is_good,
)
from fairlead.domain.jobs.projects import find_project
from fairlead.domain.jobs.tools import Tools

SCIENCE_JOB = "science job"
SCIENCE_WORKFLOW = "science workflow"


def submit(tx: Tx, tools: Tools, asked: Submission) -> Job:
    """Have a service run for the caller. Refuses with `BadValues` what its parameters do not take."""
    project = find_project(tx, asked.project, portal.Act.RUN_JOB, hold=True)
    make_sure_name_is_good(asked.name)
    _make_sure_key_is_good(asked.key)
    user = portal.number_of_caller(tx.scope)
    tx.one_at_a_time("portal jobs")
    before = job_store.find_asked(tx, user, asked.key) if asked.key else None
    if before is not None:
        if before.asked_hash != _hash_of(asked):
            raise KeyUsedForAnother
        return before
    own = tools.own(tx.tenant_id)
    listed = catalog.find_callable(tx, own, asked.service)
    if listed.server != own.name:
        raise ServiceNotHere(name=listed.full_name)
    service = catalog.find_description(tx, own, listed.full_name)
    plan = _make_sure_it_runs(tx, tools, listed, service)
    given = read_inputs(tx, tools, service, asked.inputs)
    likeness = given.likeness(listed.content_hash)
    _make_sure_there_may_be_more(tx, tools, user, likeness)
    values, files = keep_files(tx, tools, project.number, given)
    job = add_job(
        tx,
        tools,
        service,
        values,
        files,
        project=project.number,
        user_number=user,
        name=asked.name,
        service=listed.full_name,
        service_hash=listed.content_hash,
        plan=plan,
        likeness=likeness,
        asked_key=asked.key or None,
        asked_hash=_hash_of(asked),
    )
    audit.record(tx, "job.submit", job.id, name=job.name, service=job.service, project=project.id)
    return job


def _make_sure_key_is_good(key: str) -> None:
    if len(key) > LONGEST_KEY or not key.isprintable():
        raise BadKey


def _hash_of(asked: Submission) -> str:
    said = [asked.project, asked.service, asked.name, dict(asked.inputs)]
    return hashlib.sha256(msgspec.json.encode(said, order="sorted")).hexdigest()


def _make_sure_it_runs(tx: Tx, tools: Tools, listed: catalog.Listed, service: catalog.Service) -> Mapping[str, Any]:
    """What the tasks of a workflow are; nothing for a program."""
    match service:
        case catalog.Workflow():
            return plan_of(tx, tools, listed, service)
        case catalog.Widget():
            raise NotAJob(reason=f"{listed.full_name} is a widget, which shows data and runs nothing.")
        case _:
            make_sure_program_runs(service)
            return {}


def _make_sure_there_may_be_more(tx: Tx, tools: Tools, user: int, likeness: str) -> None:
    most = tools.quotas.jobs_per_user
    if most and user and job_store.count_active(tx, user=user) >= most:
        raise TooManyJobs(most=most)
    similar = job_store.similar(tx, user, likeness)
    if tools.quotas.similar_jobs and len(similar) >= tools.quotas.similar_jobs:
        raise TooManySimilarJobs(job=portal.written(similar[0]))


def add_job(
    tx: Tx,
    tools: Tools,
    description: catalog.Service,
    values: Mapping[str, Any],
    files: list[JobInput],
    **said: Any,
) -> Job:
    """A job with what it needs to be run whatever becomes of the service, and the workflow that runs it."""
    is_workflow = isinstance(description, catalog.Workflow)
    row: dict[str, Any] = {"plan": {}, "parent_job": None, "parent_task": None, "asked_key": None, "asked_hash": ""}
    document = msgspec.json.encode(catalog.as_document(description), order="sorted").decode()
    job_store.keep_service(tx, said["service_hash"], document)
    job = job_store.add(
        tx,
        **row | said,
        number=portal.next_number(tx, "job"),
        kind=(JobKind.WORKFLOW if is_workflow else JobKind.PROGRAM).value,
        service_version=description.version or "",
        inputs=values,
    )
    job_store.add_inputs(tx, job.number, files)
    job_store.change_status(tx, job.number, Status.INIT, Status.TO_BE_BUILT)
    start_work(tx, tools, job)
    return job_store.there(job_store.find(tx, job.number))


def start_work(tx: Tx, tools: Tools, job: Job) -> None:
    """Begin, or begin again after a pause."""
    name = SCIENCE_WORKFLOW if job.kind is JobKind.WORKFLOW else SCIENCE_JOB
    inputs = {"number": str(job.number)}
    workflows.start_own(tx, tools.seal, name, inputs, tenant_id=tx.tenant_id, key=work_key(job.number, job.runs))


def work_key(number: int, runs: int) -> str:
    """What the durable work on a job is found by: another one each time that it is begun again."""
    return f"{portal.written(number)} {runs}"
