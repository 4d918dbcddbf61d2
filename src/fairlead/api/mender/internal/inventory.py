"""Device inventory for other services: `/api/internal/{v1,v2}/inventory`."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response, Router, patch, post

from fairlead.api.mender.auth import bearer_token, verify
from fairlead.api.mender.context import Context
from fairlead.api.mender.devices_side import WireAttribute, checked
from fairlead.api.mender.filters import SearchBody, inventories_found
from fairlead.api.mender.internal.tenancy import call_within, named_tenant, scope_of_tenant
from fairlead.api.mender.inventory import WireInventory
from fairlead.api.mender.wire import add_header, empty
from fairlead.base.scope import Scope
from fairlead.domain import devices, identity

TAGS = ["Device inventory (internal)"]
NEWEST_REVISION = 2**53


class NewDevice(msgspec.Struct):
    id: str = ""
    attributes: list[WireAttribute] = []
    updated_ts: str | None = None


@post("/devices", sync_to_thread=True, summary="Initialize Device")
def add_device(request: Request[Any, Any, Any], context: Context, data: NewDevice) -> Response[bytes]:
    """Begin the inventory of a device, or lay these attributes over what is known of it."""
    with context.database.begin(_scope_meant(request, context)) as tx:
        devices.assign_attributes(tx, data.id, checked(data.attributes))
    add_header(request, "location", f"devices/{quote(data.id, safe='')}")
    return empty(201)


def _scope_meant(request: Request[Any, Any, Any], context: Context) -> Scope:
    """The path names no tenant: a token does, or the query, and where there is only one it need not be named."""
    token = bearer_token(request.scope)
    if token is not None:
        bearer = context.memory.find(token) or verify(context, token)
        return scope_of_tenant(context, bearer.scope.tenant_id)
    is_alone = not context.tokens.multitenant and "tenant_id" not in request.query_params
    return scope_of_tenant(context, identity.DEFAULT_TENANT_ID if is_alone else named_tenant(request))


class WireRevised(msgspec.Struct):
    id: str
    revision: Annotated[int, msgspec.Meta(ge=0, le=NEWEST_REVISION)]


class StatusChange(msgspec.Struct):
    matched_count: int
    updated_count: int


@post("/tenants/{tenant_id:str}/devices/{status:str}", sync_to_thread=True, status_code=200, summary="Update Status")
def tell_status(context: Context, tenant_id: str, status: str, data: list[WireRevised]) -> StatusChange:
    """Hear what another service says that the status of devices is."""
    told = [devices.Revised(each.id, each.revision) for each in data]
    with context.database.begin(scope_of_tenant(context, tenant_id)) as tx:
        change = devices.tell_status(tx, status, told)
    return StatusChange(change.matched, change.updated)


@patch(
    "/tenants/{tenant_id:str}/device/{device_id:str}/attribute/scope/{name:str}",
    sync_to_thread=True,
    summary="Update Inventory for a Device",
)
def assign_attributes(
    context: Context, tenant_id: str, device_id: str, name: str, data: list[WireAttribute]
) -> Response[bytes]:
    """Lay attributes of one scope over what is known of the device; those of other scopes stay as they are."""
    attributes = [msgspec.structs.replace(each, scope=name) for each in checked(data)]
    with context.database.begin(scope_of_tenant(context, tenant_id)) as tx:
        devices.assign_attributes(tx, device_id, attributes)
    return empty(200)


@post(
    "/tenants/{tenant_id:str}/filters/search",
    sync_to_thread=True,
    status_code=200,
    opt={"decoding": "failed to decode search parameters"},
    summary="Search Device Inventories",
)
def search(request: Request[Any, Any, Any], context: Context, tenant_id: str, data: SearchBody) -> list[WireInventory]:
    """The tenant's devices that fulfil all filters, whatever its plan."""
    return inventories_found(request, call_within(request, context, tenant_id), data)


routes = Router("/api/internal/v1/inventory", tags=TAGS, route_handlers=[add_device, tell_status, assign_attributes])
routes_v2 = Router("/api/internal/v2/inventory", tags=TAGS, route_handlers=[search])
