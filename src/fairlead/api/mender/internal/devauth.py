"""Device authentication for gateways and other services: `/api/internal/v1/devauth`."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, delete, get, post, put

from fairlead.api.mender.auth import bearer_token, verify
from fairlead.api.mender.context import Context
from fairlead.api.mender.devauth import Count, Limit, WireDevice, WireStatus, page_of_devices, status_called
from fairlead.api.mender.errors import BadParameter, refuse_with
from fairlead.api.mender.internal.tenancy import CALLER, call_within, named_tenant, scope_of_tenant
from fairlead.api.mender.wire import empty, parameter, parameters
from fairlead.base.scope import ActorKind
from fairlead.domain import devices, identity

TAGS = ["Device authentication (internal)"]
_ONLY_LIMIT = "max_devices"


@post(
    "/tokens/verify",
    sync_to_thread=True,
    status_code=200,
    exception_handlers={identity.TokenExpired: refuse_with(403)},
    summary="Verify JWT",
)
def verify_token(request: Request[Any, Any, Any], context: Context) -> Response[bytes]:
    """Is this the token of a device that is in? Asked by gateways; one that has expired is told from a bad one."""
    token = bearer_token(request.scope)
    if token is None:
        raise BadParameter(reason="missing or malformed Authorization header")
    bearer = context.memory.find(token) or verify(context, token)
    if bearer.scope.actor.kind is not ActorKind.DEVICE:
        raise identity.BadToken
    return empty(200)


@delete("/tokens", sync_to_thread=True, summary="Revoke Device Tokens")
def revoke_tokens(request: Request[Any, Any, Any], context: Context) -> None:
    """Make the tokens of one device worthless, or those of all devices of the tenant."""
    scope, device_id = scope_of_tenant(context, named_tenant(request)), parameter(request, "device_id")
    with context.database.begin(scope) as tx:
        devices.revoke_tokens(tx, device_id or None)


_LIMIT = "/tenant/{tenant_id:str}/limits/{name:str}"


def _make_sure_limit_is_known(name: str) -> None:
    if name != _ONLY_LIMIT:
        raise BadParameter(reason=f"unsupported limit {name[:60]}")


@get(_LIMIT, sync_to_thread=True, summary="Get Device Limit")
def show_limit(context: Context, tenant_id: str, name: str) -> Limit:
    """How many devices the tenant may accept; 0 means any number. There is no other limit."""
    _make_sure_limit_is_known(name)
    with context.database.read(scope_of_tenant(context, tenant_id)) as tx:
        return Limit(devices.device_limit(tx))


class NewLimit(msgspec.Struct):
    limit: Annotated[int, msgspec.Meta(ge=0, le=identity.LARGEST_LIMIT)]


@put(_LIMIT, sync_to_thread=True, status_code=204, summary="Update Device Limit")
def change_limit(context: Context, tenant_id: str, name: str, data: NewLimit) -> None:
    """Set the limit. Devices that are in stay in."""
    _make_sure_limit_is_known(name)
    _set_limit(context, tenant_id, data.limit)


@delete(_LIMIT, sync_to_thread=True, summary="Clear Device Limit")
def lift_limit(context: Context, tenant_id: str, name: str) -> None:
    _make_sure_limit_is_known(name)
    _set_limit(context, tenant_id, 0)


def _set_limit(context: Context, tenant_id: str, limit: int) -> None:
    with context.database.across_tenants("the device limit of a tenant") as tx:
        identity.change_device_limit(tx, tenant_id, limit, CALLER)


@get("/tenants/{tid:str}/devices/{did:str}/status", sync_to_thread=True, summary="Device Status")
def show_status(context: Context, tid: str, did: str) -> WireStatus:
    """The status that the device has because of its auth sets."""
    with context.database.read(scope_of_tenant(context, tid)) as tx:
        return WireStatus(devices.find(tx, did).status.value)


@get("/tenants/{tid:str}/devices", sync_to_thread=True, summary="List Devices")
def list_devices(request: Request[Any, Any, Any], context: Context, tid: str) -> list[WireDevice]:
    """The tenant's devices by age, all of them or those of one status."""
    statuses = [each for each in parameters(request, "status") if each]
    return page_of_devices(request, call_within(request, context, tid), statuses, parameters(request, "id") or None)


@get("/tenants/{tid:str}/devices/count", sync_to_thread=True, summary="Count Devices")
def count_devices(request: Request[Any, Any, Any], context: Context, tid: str) -> Count:
    status = parameter(request, "status")
    with context.database.read(scope_of_tenant(context, tid)) as tx:
        return Count(devices.count(tx, [status_called(status)] if status else []))


routes = Router(
    "/api/internal/v1/devauth",
    tags=TAGS,
    route_handlers=[
        verify_token,
        revoke_tokens,
        show_limit,
        change_limit,
        lift_limit,
        show_status,
        list_devices,
        count_devices,
    ],
)
