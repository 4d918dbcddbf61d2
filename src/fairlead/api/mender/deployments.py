"""Deployments for people: `/api/management/v1/deployments/deployments`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, post, put

from fairlead.api.mender.artifacts import PREFIX, TAGS
from fairlead.api.mender.auth import for_users
from fairlead.api.mender.context import Call
from fairlead.api.mender.errors import BadBody, BadParameter
from fairlead.api.mender.wire import add_header, add_links, add_total, empty, epoch_parameter, page_of, parameter
from fairlead.base import clock
from fairlead.base.errors import Refusal
from fairlead.domain import deployments
from fairlead.domain.deployments import DeviceStatus, NewDeployment, NewPhase, Status

MOST_DEVICES_BYTES = 64 * 1024 * 1024
"""A list of a million device ids in one request."""


class UnexpectedStatus(Refusal):
    message = "Unexpected deployment status"


class WirePhase(msgspec.Struct, omit_defaults=True):
    id: str
    device_count: int
    batch_size: int | None = None
    start_ts: datetime | None = None


class WireDeployment(msgspec.Struct):
    """`device_count` counts the devices that have asked so far, `max_devices` those it is meant for."""

    id: str
    name: str
    artifact_name: str
    created: datetime
    status: str
    device_count: int
    artifacts: list[str]
    retries: int
    max_devices: int
    finished: datetime | msgspec.UnsetType = msgspec.UNSET
    phases: list[WirePhase] | msgspec.UnsetType = msgspec.UNSET


def wire_deployment(deployment: deployments.Deployment) -> WireDeployment:
    phases = [WirePhase(p.id, p.device_count, p.batch_size, p.start_at) for p in deployment.phases]
    return WireDeployment(
        id=deployment.id,
        name=deployment.name,
        artifact_name=deployment.artifact_name,
        created=deployment.created_at,
        status=deployment.status_at(clock.now()).value,
        device_count=deployment.device_count,
        artifacts=list(deployment.artifact_ids),
        retries=deployment.retries,
        max_devices=deployment.max_devices,
        finished=deployment.finished_at or msgspec.UNSET,
        phases=phases or msgspec.UNSET,
    )


@get("/deployments", sync_to_thread=True, summary="List Deployments")
def list_deployments(request: Request[Any, Any, Any], call: Call) -> list[WireDeployment]:
    """Deployments, newest first, filtered by status, words and age."""
    return deployments_found(request, call)


def deployments_found(request: Request[Any, Any, Any], call: Call) -> list[WireDeployment]:
    """A page of the deployments of the tenant of whoever calls, with their number."""
    page = page_of(request)
    created = (epoch_parameter(request, "created_after"), epoch_parameter(request, "created_before"))
    status, words = _status(request), parameter(request, "search") or ""
    with call.read() as tx:
        found, total = deployments.search(tx, status, words, created, page.skip, page.size)
    add_links(request, page, has_next=page.skip + len(found) < total)
    add_total(request, total)
    return [wire_deployment(each) for each in found]


def _status(request: Request[Any, Any, Any]) -> Status | None:
    text = parameter(request, "status")
    if not text:
        return None
    try:
        return Status(text)
    except ValueError:
        raise BadParameter(reason=f"unknown status {text[:60]}") from None


class WireNewPhase(msgspec.Struct):
    batch_size: int | None = None
    start_ts: datetime | None = None


class WireNewDeployment(msgspec.Struct):
    name: str = ""
    artifact_name: str = ""
    devices: list[str] | None = None
    all_devices: bool = False
    phases: list[WireNewPhase] | None = None
    retries: int = 0


def _create(
    request: Request[Any, Any, Any], call: Call, wire: WireNewDeployment, group: str | None = None
) -> Response[bytes]:
    new = NewDeployment(
        name=wire.name,
        artifact_name=wire.artifact_name,
        devices=wire.devices,
        all_devices=wire.all_devices,
        group=group,
        phases=[NewPhase(each.batch_size, _zoned(each.start_ts)) for each in wire.phases or ()],
        retries=wire.retries,
    )
    with call.begin() as tx:
        deployment = deployments.create(tx, new)
    add_header(request, "location", f"./management/v1/deployments/deployments/{deployment.id}")
    return empty(201)


def _zoned(moment: datetime | None) -> datetime | None:
    if moment is None:
        return None
    if moment.tzinfo is None:
        raise BadBody(what=_DECODING, reason="start_ts needs a time zone (RFC 3339)")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise BadBody(what=_DECODING, reason="start_ts is out of range") from None


_DECODING = "Validating request body"


@post(
    "/deployments",
    sync_to_thread=True,
    request_max_body_size=MOST_DEVICES_BYTES,
    opt={"decoding": _DECODING},
    summary="Create Deployment",
)
def create_deployment(request: Request[Any, Any, Any], call: Call, data: WireNewDeployment) -> Response[bytes]:
    """Roll a release out to the devices listed, or to all that are accepted."""
    return _create(request, call, data)


@post(
    "/deployments/group/{name:str}",
    sync_to_thread=True,
    opt={"decoding": _DECODING},
    summary="Create Deployment for a Group of Devices",
)
def create_for_group(
    request: Request[Any, Any, Any], call: Call, name: str, data: WireNewDeployment
) -> Response[bytes]:
    """Roll a release out to the accepted devices of a group."""
    return _create(request, call, data, group=name)


@get("/deployments/{deployment_id:str}", sync_to_thread=True, summary="Show Deployment")
def show_deployment(call: Call, deployment_id: str) -> WireDeployment:
    with call.read() as tx:
        return wire_deployment(deployments.find(tx, deployment_id))


class NewStatus(msgspec.Struct):
    status: str


@put("/deployments/{deployment_id:str}/status", sync_to_thread=True, status_code=204, summary="Abort Deployment")
def abort_deployment(call: Call, deployment_id: str, data: NewStatus) -> None:
    """Stop the rollout; `aborted` is the only status that can be set."""
    if data.status != Status.ABORTED:
        raise UnexpectedStatus
    with call.begin() as tx:
        deployments.abort(tx, deployment_id)


@get("/deployments/{deployment_id:str}/statistics", sync_to_thread=True, summary="Deployment Status Statistics")
def show_statistics(call: Call, deployment_id: str) -> dict[str, int]:
    """How many devices have which status; every status is named."""
    with call.read() as tx:
        found = deployments.find(tx, deployment_id)
    return {status.value: found.statistics.get(status, 0) for status in deployments.COUNTED}


class WireDeviceDeployment(msgspec.Struct, omit_defaults=True):
    id: str
    status: str
    log: bool
    created: datetime | None = None
    finished: datetime | None = None
    device_type: str | None = None
    state: str = ""
    substate: str = ""


@get("/deployments/{deployment_id:str}/devices", sync_to_thread=True, summary="List Devices in Deployment")
def list_devices(call: Call, deployment_id: str) -> list[WireDeviceDeployment]:
    """The devices that have asked for the deployment, and how far each is."""
    with call.read() as tx:
        found = deployments.devices_of(tx, deployment_id)
    return [_wire_device(each) for each in found]


def _wire_device(row: deployments.DeviceDeployment) -> WireDeviceDeployment:
    at_it = row.status not in {DeviceStatus.PENDING, DeviceStatus.NOARTIFACT, DeviceStatus.DECOMMISSIONED}
    return WireDeviceDeployment(
        id=row.device_id,
        status=row.status.value,
        log=row.has_log,
        created=row.created_at,
        finished=row.finished_at,
        device_type=row.device_type,
        state=row.status.value if at_it else "",
        substate=row.substate,
    )


@get("/deployments/{deployment_id:str}/device_list", sync_to_thread=True, summary="List Device IDs in Deployment")
def list_device_ids(call: Call, deployment_id: str) -> list[str]:
    """Every device that is part of the deployment, whether it has asked or not."""
    with call.read() as tx:
        return deployments.ids_of_devices(tx, deployment_id)


@get(
    "/deployments/{deployment_id:str}/devices/{device_id:str}/log",
    sync_to_thread=True,
    media_type="text/plain",
    summary="Get Deployment Log for Device",
)
def show_log(call: Call, deployment_id: str, device_id: str) -> str:
    """What the device wrote, a line each."""
    with call.read() as tx:
        lines = deployments.log_of_device(tx, deployment_id, device_id)
    return "".join(f"{_as_go_writes(line.timestamp)} {line.level}: {line.message}\n" for line in lines)


def _as_go_writes(timestamp: str) -> str:
    """`2021-01-20T10:00:00.5Z` as `2021-01-20 10:00:00.5 +0000 UTC`, which is what tools look for (mender.md §2.3)."""
    text = timestamp.upper()
    zone = "+00:00" if text.endswith("Z") else text[-6:]
    clock_time = text.removesuffix("Z") if text.endswith("Z") else text[:-6]
    if "." in clock_time:
        clock_time = clock_time.rstrip("0").rstrip(".")
    name = "UTC" if zone in {"+00:00", "-00:00"} else zone.replace(":", "")
    return f"{clock_time.replace('T', ' ')} {zone.replace(':', '')} {name}"


@delete("/deployments/devices/{device_id:str}", sync_to_thread=True, summary="Remove Device from Deployments")
def remove_device(call: Call, device_id: str) -> None:
    """Take the device out of all deployments that it has not finished."""
    with call.begin() as tx:
        deployments.remove_device(tx, device_id)


routes = Router(
    PREFIX,
    guards=[for_users],
    tags=TAGS,
    route_handlers=[
        list_deployments,
        create_deployment,
        create_for_group,
        show_deployment,
        abort_deployment,
        show_statistics,
        list_devices,
        list_device_ids,
        show_log,
        remove_device,
    ],
)
