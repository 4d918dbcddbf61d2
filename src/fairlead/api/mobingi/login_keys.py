"""The private keys with which people log in to instances.

Clients are told an address, and fetch the key from it without a token: so the address is a signed one that is good
for some minutes.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from litestar import Request, Response, Router, get

from fairlead.api.mobingi import wire
from fairlead.api.mobingi.auth import for_anyone_with_a_token, for_people
from fairlead.api.mobingi.context import Call, Context
from fairlead.base import clock
from fairlead.base.scope import system_scope
from fairlead.domain import stacks

GOOD_FOR = timedelta(minutes=5)
_PURPOSE = "pem"


@get("/alm/pem", sync_to_thread=True, summary="Find a Layer's Private Key")
def find_private_key(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """An address from which the key can be fetched for five minutes."""
    said = wire.query(request)
    stack_id, flag = wire.required(said, "stack_id"), wire.required(said, "flag")
    with call.begin() as tx:
        stacks.private_key(tx, call.tools, stack_id, flag)
    subject = json.dumps([call.scope.tenant_id, stack_id, flag])
    ticket = call.context.links.ticket(_PURPOSE, subject, expires_at=clock.now() + GOOD_FOR)
    return wire.answer({"status": "success", "data": call.url(f"/v3/alm/pem/{ticket}")})


@get("/alm/pem/{ticket:str}", sync_to_thread=True, summary="Fetch a Private Key")
def fetch_private_key(context: Context, ticket: str) -> Response[bytes]:
    """The key itself, in PEM, for whoever has the address."""
    tenant_id, stack_id, flag = json.loads(context.links.redeem(_PURPOSE, ticket, clock.now()))
    with context.database.begin(system_scope(tenant_id)) as tx:
        key = stacks.private_key(tx, context.stacks, stack_id, flag)
    return Response(key, media_type="application/x-pem-file")


open_routes = Router("/v3", tags=["Stacks"], route_handlers=[fetch_private_key])
routes = Router("/v3", guards=[for_anyone_with_a_token, for_people], tags=["Stacks"], route_handlers=[find_private_key])
