"""Which operations do clients know that are not there yet? They answer 501, and `docs/status.md` lists them."""

from __future__ import annotations

from litestar import Router

from fairlead.api.mobingi.auth import for_anyone_with_a_token
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.not_built import handlers_of

OPERATIONS: tuple[tuple[str, str], ...] = (
    ("GET", "/v3/alm/registry"),
    ("GET", "/v3/alm/registry/imagetags"),
    ("PUT", "/v3/alm/registry/description"),
    ("PUT", "/v3/alm/registry/visibility"),
    ("DELETE", "/v3/alm/registry/image"),
    ("GET", "/v3/misc/docker/search"),
    ("POST", "/v2/alm/stack/{stack_id:str}/code"),
    ("POST", "/v2/alm/stack/{stack_id:str}/restart_instance"),
    ("GET", "/v2/alm/stack/{stack_id:str}/lifecyclehook"),
    ("PUT", "/v2/alm/stack/{stack_id:str}/lifecyclehook"),
)


class NotBuiltYet(Refusal):
    kind = Kind.NOT_BUILT
    message = "Mobingi's clients know this operation, and Fairlead does not have it yet: see docs/status.md."


routes = Router("/", guards=[for_anyone_with_a_token], route_handlers=handlers_of(OPERATIONS, NotBuiltYet))
