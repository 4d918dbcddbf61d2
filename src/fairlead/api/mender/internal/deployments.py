"""Deployments for other services: `/api/internal/v1/deployments`."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post, put

from fairlead.api.mender.artifacts import StorageLimit, receive_artifact
from fairlead.api.mender.context import Context
from fairlead.api.mender.deployments import WireDeployment, deployments_found
from fairlead.api.mender.internal.tenancy import CALLER, call_within, scope_of_tenant
from fairlead.api.mender.wire import add_header, empty
from fairlead.domain import artifacts, identity

TAGS = ["Deployments (internal)"]


@get("/tenants/{tenant_id:str}/limits/storage", sync_to_thread=True, summary="Get Storage Usage")
def show_storage(context: Context, tenant_id: str) -> StorageLimit:
    """How many bytes the tenant may store (0: any number), and how many it does."""
    with context.database.read(scope_of_tenant(context, tenant_id)) as tx:
        return StorageLimit(*artifacts.storage(tx))


class NewStorageLimit(msgspec.Struct):
    limit: Annotated[int, msgspec.Meta(ge=0, le=identity.LARGEST_LIMIT)]


@put("/tenants/{tenant_id:str}/limits/storage", sync_to_thread=True, status_code=204, summary="Set Storage Limit")
def change_storage(context: Context, tenant_id: str, data: NewStorageLimit) -> None:
    """Set the limit. What is stored stays, even beyond it."""
    with context.database.across_tenants("the storage limit of a tenant") as tx:
        identity.change_storage_limit(tx, tenant_id, data.limit, CALLER)


@get("/tenants/{tenant_id:str}/deployments", sync_to_thread=True, summary="Get Deployments")
def list_deployments(request: Request[Any, Any, Any], context: Context, tenant_id: str) -> list[WireDeployment]:
    """The tenant's deployments, with the filters that its users have."""
    return deployments_found(request, call_within(request, context, tenant_id))


@post("/tenants/{tenant_id:str}/artifacts", request_max_body_size=None, summary="Upload artifact")
async def upload_artifact(request: Request[Any, Any, Any], context: Context, tenant_id: str) -> Response[bytes]:
    """Take in an artifact for a tenant, under the id that `artifact_id` names or a new one."""
    call = await request.app.state.in_thread(call_within, request, context, tenant_id)
    artifact = await receive_artifact(request, call, names_id=True)
    add_header(request, "location", f"./internal/v1/deployments/tenants/{tenant_id}/artifacts/{artifact.id}")
    return empty(201)


routes = Router(
    "/api/internal/v1/deployments",
    tags=TAGS,
    route_handlers=[show_storage, change_storage, list_deployments, upload_artifact],
)
