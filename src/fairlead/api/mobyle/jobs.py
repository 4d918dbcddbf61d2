"""Running services: `/jobs/`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.response import Stream

from fairlead.api.mobyle import wire
from fairlead.api.mobyle.auth import who_asks
from fairlead.api.mobyle.context import Call
from fairlead.api.mobyle.data import key_of
from fairlead.api.mobyle.errors import HEADERS, NO_STORE
from fairlead.api.mobyle.jobs_told import told, told_whole
from fairlead.base.blobs.naming import attachment
from fairlead.base.database import Tx
from fairlead.domain import jobs
from fairlead.domain.identity import portal

LARGEST_LOG = 1024 * 1024


class NewJob(msgspec.Struct, forbid_unknown_fields=True):
    """Inputs are values, `{"data": id}`, `{"url": …}`, or `{"content": …, "filename": …}`."""

    project: str
    service: str
    inputs: dict[str, Any] = {}
    name: str = ""


class JobChange(msgspec.Struct, forbid_unknown_fields=True):
    name: str


@get("/jobs", sync_to_thread=True, summary="List Jobs")
def list_jobs(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """The newest first: of `project`, or of all in which the caller has a role.

    `status`, `group`, `service`, `q` (in the name) and `mine` say which; `skip` and `limit` which part of them.
    """
    asked = wire.query(request)
    with call.read() as tx:
        wanted = _search(tx, asked)
        found = jobs.list_jobs(tx, wanted)
        total = jobs.count_jobs(tx, wanted)
    return wire.answer({job.id: told(job) for job in found}, headers={"X-Total-Count": str(total)})


def _search(tx: Tx, asked: Any) -> jobs.JobSearch:
    project = jobs.find_project_called(tx, asked["project"], portal.Act.VIEW_JOB).number if asked.get("project") else 0
    status, group = wire.chosen(asked, "status", jobs.Status), wire.chosen(asked, "group", jobs.Group)
    statuses = tuple(each for each in jobs.Status if status in (None, each) and group in (None, each.group))
    return jobs.JobSearch(
        project,
        statuses if status or group else None,
        asked.get("service", ""),
        asked.get("q", ""),
        own=wire.is_yes(asked, "mine"),
        **wire.part_of_list(asked),
    )


@post("/jobs", status_code=201, sync_to_thread=True, summary="Run a Service")
def submit(call: Call, request: Request[Any, Any, Any], data: NewJob) -> Response[bytes]:
    """The job. What is wrong with a value is told under its parameter's name: 422.

    With an `Idempotency-Key`, the same sent again is the same job.
    """
    key = key_of(request)
    with call.begin() as tx:
        project = jobs.find_project_called(tx, data.project, portal.Act.RUN_JOB)
        wanted = jobs.Submission(project.number, data.service, data.inputs, data.name, key)
        job = jobs.submit(tx, call.tools, wanted)
    return wire.answer({"id": job.id, **told(job)}, 201, {"Location": f"{call.place}/jobs/{job.id}"})


@get("/jobs/{job_id:str}", sync_to_thread=True, summary="Show a Job")
def show_job(call: Call, job_id: str) -> Response[bytes]:
    with call.read() as tx:
        return wire.answer(told_whole(tx, jobs.find_job(tx, portal.number_of(job_id))))


@patch("/jobs/{job_id:str}", sync_to_thread=True, summary="Rename a Job")
def rename_job(call: Call, job_id: str, data: JobChange) -> Response[bytes]:
    return _after(call, lambda tx: jobs.rename_job(tx, portal.number_of(job_id), data.name))


@delete("/jobs/{job_id:str}", status_code=204, sync_to_thread=True, summary="Delete a Job")
def remove_job(call: Call, job_id: str) -> None:
    """One that has ended, with what it has left behind."""
    with call.begin() as tx:
        jobs.remove_job(tx, call.tools, portal.number_of(job_id))


@post("/jobs/{job_id:str}/kill", status_code=200, sync_to_thread=True, summary="Kill a Job")
def kill(call: Call, job_id: str) -> Response[bytes]:
    """It ends within a moment: its status says so."""
    return _after(call, lambda tx: jobs.kill(tx, call.tools, portal.number_of(job_id)))


@post("/jobs/{job_id:str}/pause", status_code=200, sync_to_thread=True, summary="Pause a Job")
def pause(call: Call, job_id: str) -> Response[bytes]:
    return _after(call, lambda tx: jobs.pause(tx, portal.number_of(job_id)))


@post("/jobs/{job_id:str}/resume", status_code=200, sync_to_thread=True, summary="Resume a Job")
def resume(call: Call, job_id: str) -> Response[bytes]:
    return _after(call, lambda tx: jobs.resume(tx, call.tools, portal.number_of(job_id)))


def _after(call: Call, deed: Callable[[Tx], jobs.Job]) -> Response[bytes]:
    with call.begin() as tx:
        return wire.answer(told_whole(tx, deed(tx)))


@post("/jobs/{job_id:str}/replay", status_code=200, sync_to_thread=True, summary="Prepare the Same Again")
def replay(call: Call, job_id: str) -> Response[bytes]:
    """What would have to be sent to `POST /jobs/` to do the same again, for a form."""
    with call.read() as tx:
        again = jobs.replay(tx, portal.number_of(job_id))
    return wire.answer(
        wire.said(
            project=portal.written(again.project),
            service=again.service,
            name=again.name or None,
            inputs=dict(again.inputs),
        )
    )


@get("/jobs/{job_id:str}/subjobs", sync_to_thread=True, summary="List the Tasks of a Workflow")
def list_subjobs(call: Call, job_id: str) -> Response[bytes]:
    with call.read() as tx:
        return wire.answer({job.id: told(job) for job in jobs.subjobs(tx, portal.number_of(job_id))})


@get("/jobs/{job_id:str}/log", sync_to_thread=True, summary="Show What a Job Prints")
def show_log(call: Call, request: Request[Any, Any, Any], job_id: str) -> Response[bytes]:
    """The last `bytes` of both its outputs; `whole` is false where something was left out before them."""
    at_most = min(wire.whole_number(wire.query(request), "bytes", 64 * 1024), LARGEST_LOG)
    with call.read() as tx:
        log = jobs.read_log(tx, call.tools, portal.number_of(job_id), at_most)
    texts = {"stdout": log.stdout.decode(errors="replace"), "stderr": log.stderr.decode(errors="replace")}
    return wire.answer(texts | {"whole": log.is_whole})


@get("/jobs/{job_id:str}/provenance", sync_to_thread=True, summary="Show Where a Job's Results Come from")
def show_provenance(call: Call, job_id: str) -> Response[bytes]:
    """The exact command, versions, digests of what went in and came out, and who had it run when."""
    with call.read() as tx:
        return wire.answer(jobs.provenance(tx, portal.number_of(job_id)))


@get("/jobs/{job_id:str}/archive.zip", sync_to_thread=True, summary="Download All Outputs of a Job")
def show_archive(call: Call, job_id: str) -> Stream:
    """A zip that is made while it is sent."""
    with call.read() as tx:
        archive = jobs.archive(tx, call.tools, portal.number_of(job_id))
    headers = {**HEADERS, **NO_STORE, "Content-Disposition": attachment(archive.name)}
    return Stream(archive.chunks(), headers=headers, media_type="application/zip")


@get("/statistics", sync_to_thread=True, summary="Count Jobs")
def show_statistics(call: Call) -> Response[bytes]:
    """How many jobs of each service have which status, among those that the caller may see."""
    with call.read() as tx:
        return wire.answer({"jobs": jobs.statistics(tx)})


routes = Router(
    "/",
    guards=[who_asks],
    tags=["Portal: jobs"],
    route_handlers=[
        list_jobs,
        submit,
        show_job,
        rename_job,
        remove_job,
        kill,
        pause,
        resume,
        replay,
        list_subjobs,
        show_log,
        show_provenance,
        show_archive,
        show_statistics,
    ],
)
