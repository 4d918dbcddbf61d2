"""Mender's workflows service: `/api/v1/workflow` and `/api/v1/metadata/workflows`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post

from fairlead.api.mender.context import Context
from fairlead.api.mender.errors import BadBody
from fairlead.api.mender.internal.tenancy import key_of
from fairlead.api.mender.wire import add_header, check_content_type, decode, empty
from fairlead.domain import workflows
from fairlead.domain.workflows import Definition, Job, Result, Status

TAGS = ["Workflows (internal)"]
LARGEST_BODY = 2 * 1024 * 1024
DEEPEST = 32
_INPUTS = "failed to decode input parameters"
_DEFINITION = "failed to decode workflow"


class InputParameter(msgspec.Struct):
    name: str
    value: Any = ""


class Started(msgspec.Struct):
    id: str
    name: str


Parameters = dict[str, Any] | list[InputParameter]


@post(
    "/workflow/{name:str}",
    request_max_body_size=LARGEST_BODY,
    status_code=201,
    media_type="application/json",
    summary="Start Workflow",
)
async def start_workflow(request: Request[Any, Any, Any], context: Context, name: str) -> Started:
    """Have the workflow run. The parameters are a JSON object, or a list of names and values as in the reference.

    With an `Idempotency-Key`, as tasks of workflows send one, the same asked for again is the same job.
    """
    check_content_type(request.scope)
    inputs = _inputs(decode(await request.body() or b"{}", Parameters, _INPUTS))
    job_id = await request.app.state.in_thread(_start, context, name, inputs, key_of(request))
    return Started(job_id, name)


def _start(context: Context, name: str, inputs: Mapping[str, str], key: str) -> str:
    tenant_id = inputs.get("tenant_id", "")
    with context.database.across_tenants("a workflow is started by another service") as tx:
        return workflows.start(tx, context.seal, name, inputs, tenant_id=tenant_id, key=key)


def _inputs(said: Parameters) -> dict[str, str]:
    """Every value as a text, lists of plain values joined by commas (mender.md §2.9)."""
    if isinstance(said, list):
        said = {each.name: each.value for each in said}
    if workflows.is_deeper_than(DEEPEST, list(said.values())):
        raise BadBody(what=_INPUTS, reason="nested too deeply")
    return {name: _text(value) for name, value in said.items()}


def _text(value: Any) -> str:
    """Joined by commas, a list of objects could not be read by anyone: it stays the JSON that it is."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list) and not any(isinstance(each, dict | list) for each in value):
        return ",".join(_text(each) for each in value)
    return msgspec.json.encode(value).decode()


class WireResult(msgspec.Struct, rename="camel"):
    """What came of one task: in the spelling of the service, and in that of the reference (`request`, `response`).

    The reference has status and body in `request`, and the address in `response`: so have we, there.
    """

    name: str
    type: str
    success: bool
    skipped: bool
    cli: dict[str, Any] | None
    http_request: dict[str, Any] | None
    http_response: dict[str, Any] | None
    smtp: dict[str, Any] | None
    nats: dict[str, Any] | None
    request: dict[str, Any] | None
    response: dict[str, Any] | None


class WireJob(msgspec.Struct):
    id: str
    workflowName: str
    inputParameters: list[InputParameter]
    status: str
    results: list[WireResult]
    insert_time: str
    error: str


def _wire_result(result: Result) -> WireResult:
    data = result.data
    asked, answered = data.get("request"), data.get("response")
    return WireResult(
        name=result.step,
        type=result.type,
        success=result.success,
        skipped=result.skipped,
        cli=data.get("cli"),
        http_request=asked,
        http_response=answered,
        smtp=data.get("smtp"),
        nats=data.get("nats"),
        request=answered,
        response=asked,
    )


def _wire_job(job: Job) -> WireJob:
    status = Status.FAILED if job.status is Status.CANCELLED else job.status
    return WireJob(
        id=job.id,
        workflowName=job.workflow,
        inputParameters=[InputParameter(name, value) for name, value in job.inputs.items()],
        status=status.value,
        results=[_wire_result(each) for each in job.results],
        insert_time=job.created_at.isoformat().replace("+00:00", "Z"),
        error=job.problem,
    )


@get("/workflow/{name:str}/{job_id:str}", sync_to_thread=True, summary="Workflow Status")
def show_job(context: Context, name: str, job_id: str) -> WireJob:
    """How far the job is, and what came of its tasks so far."""
    with context.database.across_tenants("how far is the job?", writing=False) as tx:
        return _wire_job(workflows.find_job(tx, context.seal, name, job_id))


@get("/metadata/workflows", sync_to_thread=True, summary="List Workflows")
def list_workflows(context: Context) -> list[Definition]:
    """Every workflow that can be started."""
    with context.database.across_tenants("which workflows are there?", writing=False) as tx:
        return workflows.definitions(tx)


@post("/metadata/workflows", status_code=201, request_max_body_size=LARGEST_BODY, summary="Register Workflow")
async def register_workflow(request: Request[Any, Any, Any], context: Context) -> Response[bytes]:
    """A new workflow, or a higher version of one that is there."""
    check_content_type(request.scope)
    body = await request.body()
    if not body.strip():
        raise BadBody(what=_DEFINITION, reason="JSON payload is empty")
    decode(body, Any, _DEFINITION)
    name = await request.app.state.in_thread(_register, context, body)
    add_header(request, "location", f"/api/v1/metadata/workflows/{name}")
    return empty(201)


def _register(context: Context, body: bytes) -> str:
    definition = workflows.read(body)
    workflows.make_sure_addresses_are_allowed(definition, context.outgoing)
    workflows.make_sure_programs_are_allowed(definition, context.programs)
    with context.database.across_tenants("a workflow is registered") as tx:
        workflows.register(tx, definition)
    return definition.name


routes = Router(
    "/api/v1",
    tags=TAGS,
    route_handlers=[start_workflow, show_job, list_workflows, register_workflow],
)
