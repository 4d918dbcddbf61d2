"""All that can be called, in the order of the reference."""

from __future__ import annotations

from litestar import Router
from litestar.di import Provide

from fairlead.api.mobyle import (
    data,
    events,
    jobs,
    notifications,
    outputs,
    projects,
    servers,
    services,
    sessions,
    users,
    widgets,
    wire,
)
from fairlead.api.mobyle.context import provide_call

PORTAL = "/mobyle"
PORTAL_OF_ONE = "/mobyle/at/{tenant_id:str}"
"""Where the portal of an organization is, on a server of many."""


def routers() -> list[Router]:
    """What people, programs and other servers reach. `call` and `raw` are what handlers may ask for."""
    return [_at(PORTAL, in_schema=True), _at(PORTAL_OF_ONE, in_schema=False)]


def _at(path: str, *, in_schema: bool) -> Router:
    return Router(
        path,
        dependencies={"call": Provide(provide_call, sync_to_thread=False), "raw": Provide(wire.raw)},
        request_class=wire.PortalRequest,
        request_max_body_size=wire.LARGEST_BODY,
        include_in_schema=in_schema,
        route_handlers=[
            servers.routes,
            services.routes,
            users.routes,
            sessions.routes,
            projects.routes,
            jobs.routes,
            outputs.routes,
            events.routes,
            data.routes,
            notifications.routes,
            widgets.routes,
        ],
    )
