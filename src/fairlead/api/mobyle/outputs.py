"""What jobs leave behind: `/jobs/{id}/outputs/`."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post, route

from fairlead.api.mobyle import data as data_routes
from fairlead.api.mobyle import wire
from fairlead.api.mobyle.auth import who_asks
from fairlead.api.mobyle.context import Call
from fairlead.api.mobyle.jobs_told import files_of
from fairlead.api.mobyle.payloads import Payload, payload_of
from fairlead.domain import jobs
from fairlead.domain.identity import portal

_OUTPUT = "/jobs/{job_id:str}/outputs/{output:str}"


class Saving(msgspec.Struct, forbid_unknown_fields=True):
    """As what an output becomes data; of the job's project, under its own name, unless it is said otherwise."""

    project: str = ""
    name: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    data_terms: tuple[str, ...] = ()
    format_terms: tuple[str, ...] = ()
    public: bool = False
    persistent: bool = False


@get("/jobs/{job_id:str}/outputs", sync_to_thread=True, summary="List the Outputs of a Job")
def list_outputs(call: Call, job_id: str) -> Response[bytes]:
    """The files of each output."""
    with call.read() as tx:
        return wire.answer(files_of(tx, jobs.find_job(tx, portal.number_of(job_id))))


@route(
    [_OUTPUT, _OUTPUT + "/{position:str}"],
    http_method=["GET", "HEAD"],
    summary="Read an Output of a Job",
)
async def read_output(
    call: Call, request: Request[Any, Any, Any], job_id: str, output: str, position: str = "0"
) -> Payload:
    """The bytes, or a range of them; of several files the one at this position, counted from 0."""
    found: Payload = await request.app.state.in_thread(
        _output, call, portal.number_of(job_id), output, _position(position)
    )
    return found


def _output(call: Call, number: int, output: str, position: int) -> Payload:
    with call.read() as tx:
        job = jobs.find_job(tx, number)
        content = jobs.find_output(tx, number, output, position)
    return payload_of(call.tools.blobs, content, job.ended_at or job.created_at)


def _position(text: str) -> int:
    return wire.whole_number({"position": text}, "position")


@post(
    [_OUTPUT + "/save", _OUTPUT + "/{position:str}/save"],
    status_code=201,
    summary="Keep an Output as Data",
)
async def save_output(
    call: Call, request: Request[Any, Any, Any], data: Saving, job_id: str, output: str, position: str = "0"
) -> Response[bytes]:
    """Data that is a copy of the output, and outlives the job."""
    wanted = (portal.number_of(job_id), output, _position(position))
    kept: jobs.Data = await request.app.state.in_thread(_keep, call, data, *wanted)
    told = {"id": kept.id, **data_routes.told(kept)}
    return wire.answer(told, 201, {"Location": f"{call.place}/data/{kept.id}"})


def _keep(call: Call, data: Saving, number: int, output: str, position: int) -> jobs.Data:
    with call.begin() as tx:
        job = jobs.find_job(tx, number)
        found = jobs.find_output(tx, number, output, position)
        project = jobs.find_project_called(tx, data.project).number if data.project else job.project
        draft = jobs.Draft(
            data.name or found.name,
            data.description,
            data.tags,
            data.data_terms,
            data.format_terms,
            data.public,
            data.persistent,
        )
        return jobs.add_from_output(tx, call.tools, project, draft, job, output, position)


routes = Router(
    "/",
    guards=[who_asks],
    tags=["Portal: jobs"],
    route_handlers=[list_outputs, read_output, save_output],
)
