"""Which vendors can templates name?"""

from __future__ import annotations

from litestar import Response, Router, get

from fairlead.api.mobingi import wire
from fairlead.api.mobingi.auth import for_anyone_with_a_token, for_people
from fairlead.api.mobingi.context import Call
from fairlead.domain import identity, stacks


@get("/vendors", sync_to_thread=True, summary="List Vendors")
def list_vendors(call: Call) -> Response[bytes]:
    """Those that the caller may see."""
    names = stacks.vendor_names()
    seen = identity.allowed_among(call.scope, identity.Act.LIST_VENDORS, names, identity.Resource.of_vendor)
    return wire.answer([{"vendor": name} for name in seen])


routes = Router("/v3", guards=[for_anyone_with_a_token, for_people], tags=["Vendors"], route_handlers=[list_vendors])
