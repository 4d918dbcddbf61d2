"""Device authentication for people: `/api/management/v2/devauth`."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, post, put

from fairlead.api.mender.auth import for_users
from fairlead.api.mender.context import Call
from fairlead.api.mender.errors import BadBody, BadParameter
from fairlead.api.mender.wire import add_header, add_links, empty, page_of, parameter, parameters
from fairlead.domain import devices
from fairlead.domain.devices import Status

TAGS = ["Device authentication (management)"]
_STATUSES = ", ".join(status.value for status in (Status.PENDING, Status.ACCEPTED, Status.REJECTED))


class WireAuthSet(msgspec.Struct):
    id: str
    pubkey: str
    identity_data: dict[str, Any]
    status: str
    ts: datetime


class WireDevice(msgspec.Struct, omit_defaults=True):
    """A device with its auth sets. `check_in_time` is what later versions of Mender call the last sign of life."""

    id: str
    identity_data: dict[str, Any]
    status: str
    created_ts: datetime
    updated_ts: datetime
    auth_sets: list[WireAuthSet]
    decommissioning: bool
    check_in_time: datetime | None = None


def wire_device(device: devices.Device) -> WireDevice:
    return WireDevice(
        id=device.id,
        identity_data=device.identity,
        status=device.status.value,
        created_ts=device.created_at,
        updated_ts=device.updated_at,
        auth_sets=[
            WireAuthSet(each.id, each.public_key, each.identity, each.status.value, each.created_at)
            for each in device.auth_sets
        ],
        decommissioning=False,
        check_in_time=device.last_seen_at,
    )


def status_called(text: str) -> Status:
    try:
        return Status(text)
    except ValueError:
        raise BadParameter(reason=f"status must be one of: {_STATUSES}, preauthorized, noauth") from None


def page_of_devices(
    request: Request[Any, Any, Any], call: Call, statuses: list[str], ids: list[str] | None
) -> list[WireDevice]:
    """A page of the devices of whoever calls, with the links to its neighbours."""
    page = page_of(request)
    with call.read() as tx:
        found = devices.search(tx, [status_called(each) for each in statuses], ids, page.skip, page.size + 1)
    add_links(request, page, has_next=len(found) > page.size)
    return [wire_device(device) for device in found[: page.size]]


@get("/devices", sync_to_thread=True, summary="List Devices")
def list_devices(request: Request[Any, Any, Any], call: Call) -> list[WireDevice]:
    """Devices by age, of one of the statuses and one of the ids if any are given."""
    statuses = [each for each in parameters(request, "status") if each]
    return page_of_devices(request, call, statuses, parameters(request, "id") or None)


class DeviceFilter(msgspec.Struct):
    """Each may be one string or a list of them."""

    status: str | list[str] | None = None
    id: str | list[str] | None = None


def _listed(value: str | list[str] | None) -> list[str] | None:
    return [value] if isinstance(value, str) else value


@post("/devices/search", sync_to_thread=True, status_code=200, summary="Search Devices")
def search_devices(request: Request[Any, Any, Any], call: Call, data: DeviceFilter) -> list[WireDevice]:
    """The same as a list, with the filter in the body."""
    return page_of_devices(request, call, _listed(data.status) or [], _listed(data.id) or None)


class Preauthorization(msgspec.Struct):
    identity_data: dict[str, Any] = {}
    pubkey: str = ""


_PREAUTHORIZATION = "failed to decode preauth request"


@post(
    "/devices",
    sync_to_thread=True,
    opt={"decoding": _PREAUTHORIZATION},
    summary="Preauthorize",
)
def preauthorize(
    request: Request[Any, Any, Any], call: Call, data: Preauthorization
) -> Response[WireDevice] | Response[bytes]:
    """Vouch for a device before it asks. One that is known already is answered with 409 and what is known."""
    try:
        with call.begin() as tx:
            device = devices.preauthorize(tx, data.identity_data, data.pubkey)
    except devices.DeviceExists as exists:
        return Response(wire_device(exists.facts["device"]), status_code=409)
    except (devices.BadIdentity, devices.BadPublicKey) as bad:
        raise BadBody(what=_PREAUTHORIZATION, reason=bad) from None
    add_header(request, "location", f"devices/{device.id}")
    return empty(201)


class Count(msgspec.Struct):
    count: int


@get("/devices/count", sync_to_thread=True, summary="Count Devices")
def count_devices(request: Request[Any, Any, Any], call: Call) -> Count:
    """How many devices there are, of one status or of any."""
    status = parameter(request, "status")
    with call.read() as tx:
        return Count(devices.count(tx, [status_called(status)] if status else []))


@get("/devices/{device_id:str}", sync_to_thread=True, summary="Get Device")
def show_device(call: Call, device_id: str) -> WireDevice:
    with call.read() as tx:
        return wire_device(devices.find(tx, device_id))


@delete("/devices/{device_id:str}", sync_to_thread=True, summary="Decommission device")
def decommission(call: Call, device_id: str) -> None:
    """Remove the device with all that is known of it."""
    with call.begin() as tx:
        devices.decommission(tx, device_id)


@delete("/devices/{device_id:str}/auth/{auth_set_id:str}", sync_to_thread=True, summary="Reject authentication")
def remove_auth_set(call: Call, device_id: str, auth_set_id: str) -> None:
    """Forget one key of the device."""
    with call.begin() as tx:
        devices.remove_set(tx, device_id, auth_set_id)


class WireStatus(msgspec.Struct):
    status: str = ""


@put(
    "/devices/{device_id:str}/auth/{auth_set_id:str}/status",
    sync_to_thread=True,
    status_code=204,
    opt={"decoding": "failed to decode status data"},
    summary="Set Authentication Status",
)
def change_status(call: Call, device_id: str, auth_set_id: str, data: WireStatus) -> None:
    """Accept, reject, or set back to pending."""
    with call.begin() as tx:
        devices.change_status(tx, device_id, auth_set_id, data.status)


@get(
    "/devices/{device_id:str}/auth/{auth_set_id:str}/status",
    sync_to_thread=True,
    summary="Get Authentication Status",
)
def show_status(call: Call, device_id: str, auth_set_id: str) -> WireStatus:
    with call.read() as tx:
        return WireStatus(devices.find_set(tx, device_id, auth_set_id).status.value)


@delete("/tokens/{token_id:str}", sync_to_thread=True, summary="Revoke API Token")
def revoke_token(call: Call, token_id: str) -> None:
    """Make the token with this `jti` worthless."""
    with call.begin() as tx:
        devices.revoke_token(tx, token_id)


class Limit(msgspec.Struct):
    limit: int


@get(["/limits/max_devices", "/limits/{name:str}"], sync_to_thread=True, summary="Get Device Limit")
def show_device_limit(call: Call, name: str = "max_devices") -> Limit:
    """How many devices may be accepted; 0 means any number. There is no other limit."""
    if name != "max_devices":
        raise BadParameter(reason=f"unsupported limit {name}")
    with call.read() as tx:
        return Limit(devices.device_limit(tx))


routes = Router(
    "/api/management/v2/devauth",
    guards=[for_users],
    tags=TAGS,
    route_handlers=[
        list_devices,
        preauthorize,
        search_devices,
        count_devices,
        show_device,
        decommission,
        remove_auth_set,
        change_status,
        show_status,
        revoke_token,
        show_device_limit,
    ],
)
