"""All that can be called, in the order of the reference."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get
from litestar.handlers import asgi

from fairlead.api.mender import (
    accounts,
    artifacts,
    auditlogs,
    deployments,
    devauth,
    devices_side,
    filters,
    generating,
    internal,
    inventory,
    letters,
    not_built,
    tenantadm,
    useradm,
)
from fairlead.api.mender.context import Context
from fairlead.base import clock
from fairlead.base.http.download import serve_download
from fairlead.base.http.links import PREFIX as DOWNLOADS


@asgi(DOWNLOADS, is_mount=True, copy_scope=True)
async def download(scope: Any, receive: Any, send: Any) -> None:
    """A payload, to whoever holds a signed link to it."""
    context: Context = scope["litestar_app"].state.mender
    await serve_download(scope, receive, send, context.blobs, context.links, clock.now())


@get(["/api/devices/v1/alive", "/alive"], status_code=204, tags=["Health"], summary="Is the server there?")
async def alive() -> None:
    """For load balancers; says nothing but yes."""


@get("/", include_in_schema=False)
async def welcome(request: Request[Any, Any, Any]) -> Response[str]:
    """For someone who opens the address in a browser."""
    return Response(
        "Fairlead is running. The APIs are described at /openapi, the documentation is in the docs folder.\n",
        media_type="text/plain",
    )


def public_routers() -> list[Any]:
    """What devices, people and tools reach."""
    return [
        welcome,
        letters.show_page,
        alive,
        devices_side.open_routes,
        devices_side.routes,
        devices_side.routes_v2,
        devauth.routes,
        inventory.routes,
        filters.routes,
        deployments.routes,
        artifacts.routes,
        generating.routes,
        useradm.open_routes,
        useradm.routes,
        accounts.open_routes,
        accounts.routes,
        tenantadm.open_routes,
        tenantadm.open_routes_v2,
        tenantadm.routes,
        tenantadm.routes_v2,
        auditlogs.routes,
        download,
        *not_built.routers(),
    ]


def internal_routers() -> list[Any]:
    """What only the internal listener serves."""
    return [*internal.routers(), download]
