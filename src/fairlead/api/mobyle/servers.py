"""This server and those that it knows: `/servers/`."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post

from fairlead.api.mobyle import wire
from fairlead.api.mobyle.auth import who_asks
from fairlead.api.mobyle.context import Call
from fairlead.domain import catalog


class NewServer(msgspec.Struct, forbid_unknown_fields=True):
    """`token` is the one with which we call it; `own_name` what it calls itself, if that is not its name here."""

    name: str
    url: str
    token: str = ""
    own_name: str = ""
    allow_plain_http: bool = False


class ServerChange(msgspec.Struct, forbid_unknown_fields=True):
    url: str | None = None
    token: str | None = None
    own_name: str | None = None
    allow_plain_http: bool = False
    renew_token: bool = False


@get("/servers", sync_to_thread=True, summary="List Servers")
def list_servers(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """This server and the others, each with the services that it has for everybody."""
    with call.read() as tx:
        found = catalog.list_servers(tx, call.own)
    return wire.answer_or_known(request, {server.name: _told(server) for server in found})


@get("/servers/{name:str}", sync_to_thread=True, summary="Show a Server")
def show_server(call: Call, request: Request[Any, Any, Any], name: str) -> Response[bytes]:
    with call.read() as tx:
        return wire.answer_or_known(request, _told(catalog.find_server(tx, call.own, name)))


def _told(server: catalog.Server) -> dict[str, Any]:
    return {"url": server.url, "services": list(server.services), "active": server.active}


@get("/servers/{name:str}/details", sync_to_thread=True, summary="Show What Is Known of a Server")
def show_details(call: Call, name: str) -> Response[bytes]:
    """For administrators."""
    with call.read() as tx:
        return wire.answer(_detailed(catalog.find_peer(tx, name)))


def _detailed(peer: catalog.Peer) -> dict[str, Any]:
    return wire.said(
        name=peer.name,
        url=peer.url,
        active=peer.active,
        own_name=peer.own_name or peer.found_name or None,
        problem=peer.problem or None,
        seen=wire.moment(peer.seen_at),
        registered=wire.moment(peer.registered_at),
    )


@post("/servers", status_code=201, sync_to_thread=True, summary="Register a Server")
def register_server(call: Call, data: NewServer) -> Response[bytes]:
    """For administrators. The token with which the server is to call us is told this once."""
    with call.begin() as tx:
        peer, token = catalog.register_peer(
            tx,
            call.tools.seal,
            call.own,
            data.name,
            data.url,
            data.token,
            data.own_name,
            allow_plain_http=data.allow_plain_http,
        )
    return wire.answer(_detailed(peer) | {"token": token}, 201)


@patch("/servers/{name:str}", sync_to_thread=True, summary="Change a Server")
def change_server(call: Call, name: str, data: ServerChange) -> Response[bytes]:
    """For administrators. A token that was renewed is told this once."""
    change = catalog.PeerChange(data.url, data.token, data.own_name, data.allow_plain_http, data.renew_token)
    with call.begin() as tx:
        peer, token = catalog.change_peer(tx, call.tools.seal, call.own, name, change)
    return wire.answer(_detailed(peer) | ({"token": token} if token else {}))


@delete("/servers/{name:str}", status_code=204, sync_to_thread=True, summary="Forget a Server")
def remove_server(call: Call, name: str) -> None:
    """For administrators."""
    with call.begin() as tx:
        catalog.remove_peer(tx, name)


@post("/servers/{name:str}/refresh", status_code=200, sync_to_thread=True, summary="Ask a Server Now")
def refresh_server(call: Call, name: str) -> Response[bytes]:
    """For administrators: what it offers, and whether it is there."""
    return wire.answer(_detailed(call.context.federation.refresh(call.scope, name)))


routes = Router(
    "/",
    guards=[who_asks],
    tags=["Portal: servers"],
    route_handlers=[
        list_servers,
        register_server,
        show_server,
        change_server,
        remove_server,
        show_details,
        refresh_server,
    ],
)
