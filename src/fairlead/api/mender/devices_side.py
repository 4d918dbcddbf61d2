"""What devices call: authentication, inventory, deployments (the reference's "Device APIs")."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, Router, get, patch, post, put

from fairlead.api.mender.auth import for_devices
from fairlead.api.mender.context import Call, Context
from fairlead.api.mender.errors import BadBody
from fairlead.api.mender.front_door import WireAuthRequest
from fairlead.api.mender.wire import empty, parameter
from fairlead.base.errors import Refusal
from fairlead.domain import artifacts, deployments, devices

LARGEST_LOG_BYTES = 10 * 1024 * 1024
_RFC3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")


class SignatureMissing(Refusal):
    message = "missing request signature header"


@post(
    "/authentication/auth_requests",
    status_code=200,
    media_type="application/jwt",
    opt={"decoding": "failed to decode auth request"},
    tags=["Device authentication"],
    summary="Authenticate Device",
)
async def ask_for_admission(
    request: Request[Any, Any, Any], context: Context, data: WireAuthRequest
) -> Response[bytes]:
    """Let the device in, or note that it asks."""
    if not data.id_data:
        raise devices.BadAuthRequest(reason="id_data must be provided")
    if not data.pubkey:
        raise devices.BadAuthRequest(reason="pubkey must be provided")
    signature = request.headers.get("x-men-signature")
    if not signature:
        raise SignatureMissing
    body = await request.body()
    token = await context.admissions.submit(
        devices.AuthRequest(body, signature, data.id_data, data.pubkey, data.tenant_token or "")
    )
    return Response(token.encode(), media_type="application/jwt")


class WireAttribute(msgspec.Struct):
    """An attribute before its value was looked at: so that a bad one gets the words of the reference."""

    name: str
    value: Any
    scope: str = "inventory"
    description: str | None = None


def checked(wire: list[WireAttribute]) -> list[devices.Attribute]:
    """The attributes, their values looked at."""
    return [devices.Attribute(each.name, _value(each), each.scope, each.description or None) for each in wire]


def _value(attribute: WireAttribute) -> Any:
    value = attribute.value
    elements = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str | int | float) and not isinstance(each, bool) for each in elements):
        raise devices.BadAttribute(reason="value: supported types are string, float64, and arrays thereof.")
    return value


async def _report(call: Call, context: Context, data: list[WireAttribute], *, replace: bool) -> Response[bytes]:
    report = devices.report_of(call.scope.tenant_id, call.device_id, checked(data), replace=replace)
    await context.reports.submit(report)
    return empty(200)


@patch("/inventory/device/attributes", tags=["Device inventory"], summary="Assign Attributes")
async def assign_attributes(call: Call, context: Context, data: list[WireAttribute]) -> Response[bytes]:
    """Lay the attributes over what the device has reported before."""
    return await _report(call, context, data, replace=False)


@put("/inventory/device/attributes", tags=["Device inventory"], summary="Replace Attributes")
async def replace_attributes(call: Call, context: Context, data: list[WireAttribute]) -> Response[bytes]:
    """Put the attributes in place of what the device has reported before."""
    return await _report(call, context, data, replace=True)


class Source(msgspec.Struct):
    uri: str
    expire: datetime


class WireArtifact(msgspec.Struct):
    id: str
    artifact_name: str
    source: Source
    device_types_compatible: list[str]


class DeploymentInstructions(msgspec.Struct):
    """What to install, and where its payload is (mender.md §2.3, step 5)."""

    id: str
    artifact: WireArtifact


class NextV2(msgspec.Struct):
    """The question of mender-client 3: the same in an envelope. We have no update control maps to send."""

    device_provides: dict[str, str]
    update_control_map: bool = False


def _next(call: Call, provides: dict[str, str]) -> Response[DeploymentInstructions | None]:
    deployments.make_sure_provides_are_good(provides)
    agenda, stamp = call.context.agenda, call.context.agenda.stamp()
    with call.read() as tx:
        has_work = deployments.has_work(tx, call.device_id)
    if not has_work:
        agenda.settle(call.device_id, stamp)
        return Response(None, status_code=204)
    with call.begin() as tx:
        found = deployments.next_for_device(tx, call.device_id, provides)
    if found is None:
        return Response(None, status_code=204)
    uri, expire = call.link(
        found.blob_key, found.file_name, found.modified_at, found.size_bytes, artifacts.DEVICE_LINK_SECONDS
    )
    artifact = WireArtifact(found.artifact_id, found.artifact_name, Source(uri, expire), list(found.device_types))
    return Response(DeploymentInstructions(found.deployment_id, artifact), status_code=200)


@get(
    "/deployments/device/deployments/next",
    sync_to_thread=True,
    tags=["Deployments (device)"],
    summary="Check Update",
)
def check_update(request: Request[Any, Any, Any], call: Call) -> Response[DeploymentInstructions | None]:
    """The next deployment for a device that says what it is in the query."""
    names = ("artifact_name", "device_type")
    return _next(call, {name: value for name in names if (value := parameter(request, name))})


@post(
    "/deployments/device/deployments/next",
    sync_to_thread=True,
    status_code=200,
    tags=["Deployments (device)"],
    summary="Check Update Depends",
)
def check_update_depends(call: Call, data: dict[str, str]) -> Response[DeploymentInstructions | None]:
    """The next deployment for a device that says all that it provides."""
    return _next(call, data)


@post(
    "/deployments/device/deployments/next",
    sync_to_thread=True,
    status_code=200,
    tags=["Deployments (device)"],
    summary="Check Update Depends, as mender-client 3 asks it",
)
def check_update_v2(call: Call, data: NextV2) -> Response[DeploymentInstructions | None]:
    """The next deployment; version 2 of the path, which newer clients try first."""
    return _next(call, data.device_provides)


class StatusReport(msgspec.Struct):
    status: str
    substate: str = ""


@put(
    "/deployments/device/deployments/{deployment_id:str}/status",
    sync_to_thread=True,
    status_code=204,
    tags=["Deployments (device)"],
    summary="Update Deployment Status",
)
def update_status(call: Call, deployment_id: str, data: StatusReport) -> None:
    """How far the device is with a deployment."""
    status = deployments.status_from_device(data.status)
    with call.begin() as tx:
        deployments.report_status(tx, deployment_id, call.device_id, status, data.substate)


class LogReport(msgspec.Struct):
    messages: list[deployments.LogLine]


@put(
    "/deployments/device/deployments/{deployment_id:str}/log",
    sync_to_thread=True,
    status_code=204,
    request_max_body_size=LARGEST_LOG_BYTES,
    tags=["Deployments (device)"],
    summary="Report Deployment Log",
)
def report_log(call: Call, deployment_id: str, data: LogReport) -> None:
    """What the device wrote while it installed."""
    for line in data.messages:
        if not _is_moment(line.timestamp):
            raise BadBody(what="failed to decode request body", reason=f"bad timestamp {line.timestamp[:60]!r}")
        if not line.level or not line.message:
            raise BadBody(what="invalid log", reason="level and message must be provided")
    with call.begin() as tx:
        deployments.report_log(tx, deployment_id, call.device_id, data.messages)


def _is_moment(text: str) -> bool:
    """Is this RFC 3339? (Finer than Python's own clock: devices write nanoseconds.)"""
    if not _RFC3339.fullmatch(text):
        return False
    try:
        datetime.fromisoformat(text[:19].upper())
    except ValueError:
        return False
    return True


open_routes = Router("/api/devices/v1", route_handlers=[ask_for_admission])
routes = Router(
    "/api/devices/v1",
    guards=[for_devices],
    route_handlers=[
        assign_attributes,
        replace_attributes,
        check_update,
        check_update_depends,
        update_status,
        report_log,
    ],
)
routes_v2 = Router("/api/devices/v2", guards=[for_devices], route_handlers=[check_update_v2])
