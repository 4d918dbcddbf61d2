"""Which servers are there, and which services does each have for everybody?"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from fairlead.base.database import Tx
from fairlead.domain.catalog import peer_store
from fairlead.domain.catalog.callers import viewer_of
from fairlead.domain.catalog.listing import search
from fairlead.domain.catalog.model import OwnServer
from fairlead.domain.catalog.peers import PeerNotFound
from fairlead.domain.identity import portal


@dataclass(frozen=True, slots=True)
class Server:
    """A server and the names of its services, those of projects left out."""

    name: str
    url: str
    services: tuple[str, ...]
    active: bool


def list_servers(tx: Tx, own: OwnServer) -> list[Server]:
    """This server first, then the others. A server that asks is told of this one only: it knows others by itself."""
    portal.make_sure_may(tx.scope, portal.Act.VIEW_SERVICE)
    services: dict[str, list[str]] = defaultdict(list)
    for service in search(tx, own):
        if not service.project:
            services[service.server].append(service.name)
    found = [Server(own.name, own.url, tuple(services[own.name]), active=True)]
    if viewer_of(tx.scope).is_peer:
        return found
    peers = [peer for peer in peer_store.search(tx) if peer.name != own.name]
    return found + [Server(peer.name, peer.url, tuple(services[peer.name]), peer.active) for peer in peers]


def find_server(tx: Tx, own: OwnServer, name: str) -> Server:
    found = next((server for server in list_servers(tx, own) if server.name == name), None)
    if found is None:
        raise PeerNotFound(name=name[:100])
    return found
