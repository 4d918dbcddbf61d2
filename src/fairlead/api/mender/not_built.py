"""Which documented operations are not there yet? They answer 501, and `docs/status.md` lists them."""

from __future__ import annotations

from litestar import Router

from fairlead.api.mender.auth import for_devices, for_users
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.not_built import handlers_of

MANAGEMENT: tuple[tuple[str, str], ...] = (
    ("GET", "/v2/inventory/filters"),
    ("POST", "/v2/inventory/filters"),
    ("GET", "/v2/inventory/filters/{id:str}"),
    ("DELETE", "/v2/inventory/filters/{id:str}"),
    ("GET", "/v2/inventory/filters/{id:str}/search"),
    ("POST", "/v2/deployments/deployments"),
    ("GET", "/v1/deviceconnect/devices/{id:str}"),
    ("GET", "/v1/deviceconnect/devices/{id:str}/connect"),
)
DEVICES: tuple[tuple[str, str], ...] = (("GET", "/v1/deviceconnect/connect"),)


class NotBuiltYet(Refusal):
    kind = Kind.NOT_BUILT
    message = "This operation is part of the reference, and Fairlead does not have it yet: see docs/status.md."


def routers() -> list[Router]:
    return [
        Router("/api/management", guards=[for_users], route_handlers=handlers_of(MANAGEMENT, NotBuiltYet)),
        Router("/api/devices", guards=[for_devices], route_handlers=handlers_of(DEVICES, NotBuiltYet)),
    ]
