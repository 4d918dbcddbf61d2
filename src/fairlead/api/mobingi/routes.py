"""All that can be called, in the order of the reference."""

from __future__ import annotations

from litestar import Router
from litestar.di import Provide

from fairlead.api.mobingi import (
    access,
    agents,
    containers,
    credentials,
    login_keys,
    not_built,
    registry,
    roles,
    server_config,
    stack,
    templates,
    vendors,
    wire,
)
from fairlead.api.mobingi.context import provide_call, provide_context


def routers() -> list[Router]:
    """What people, programs and agents reach. `call`, `context`, `fields` and `text` are what handlers may ask for."""
    return [
        Router(
            "/",
            dependencies={
                "call": Provide(provide_call, sync_to_thread=False),
                "context": Provide(provide_context),
                "fields": Provide(wire.fields),
                "text": Provide(wire.text),
            },
            request_max_body_size=wire.LARGEST_BODY,
            route_handlers=[
                access.routes,
                templates.routes,
                stack.routes,
                containers.routes,
                roles.routes,
                agents.routes,
                login_keys.open_routes,
                login_keys.routes,
                credentials.routes,
                credentials.routes_v2,
                server_config.routes,
                server_config.routes_v2,
                vendors.routes,
                registry.routes,
                not_built.routes,
            ],
        )
    ]
