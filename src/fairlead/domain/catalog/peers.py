"""Which other servers do we know, and how does one of them show us who it is?

An administrator registers a server under a name of our choice. With one token we call it, with another it calls us:
that one is made here, long and by chance, so that a plain digest keeps it as well as a slow one would.
"""

from __future__ import annotations

import hashlib
import ipaddress
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import Database, Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.outgoing import Outgoing
from fairlead.base.scope import Scope
from fairlead.base.seal import Seal
from fairlead.domain import audit, identity
from fairlead.domain.catalog import peer_store as store
from fairlead.domain.catalog.model import OwnServer
from fairlead.domain.catalog.names import is_server_name, make_sure_server_name_is_good
from fairlead.domain.identity import portal

MOST_PEERS = 200
LONGEST_URL = 500
LONGEST_TOKEN = 1000
TOKEN_PREFIX = "peer-"  # noqa: S105 - tokens begin with it

_ANYWHERE = Outgoing(["0.0.0.0/0", "::/0"])
"""Where an administrator may send us is said elsewhere: this only tells what is an address at all."""


class PeerNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "There is no server {name}."


class PeerNameTaken(Refusal):
    kind = Kind.CONFLICT
    message = "There is a server {name} already."


class ThatIsOurselves(Refusal):
    kind = Kind.CONFLICT
    message = "{what} is this server itself."


class BadPeerAddress(Refusal):
    message = "{url!r} cannot be the address of a server: {reason}"


class BadPeerToken(Refusal):
    message = f"A token is made of printable ASCII characters without spaces, and has at most {LONGEST_TOKEN} of them."


class BadOwnName(Refusal):
    message = "{name!r} cannot be what a server calls itself."


class TooManyPeers(Refusal):
    kind = Kind.LIMIT
    message = "There may be at most {most} other servers."


@dataclass(frozen=True, slots=True)
class Peer:
    """Another server. `active` says that it answers as it should; `problem` why it does not."""

    name: str
    url: str
    own_name: str
    found_name: str
    active: bool
    failures: int
    problem: str
    etag: str
    seen_at: datetime | None
    registered_at: datetime
    token_out: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class PeerChange:
    """What becomes different; None stays. `allow_plain_http` is about the address that is given."""

    url: str | None = None
    token: str | None = None
    own_name: str | None = None
    allow_plain_http: bool = False
    renews_token: bool = False


def register_peer(
    tx: Tx,
    seal: Seal,
    own: OwnServer,
    name: str,
    url: str,
    token: str = "",
    own_name: str = "",
    *,
    allow_plain_http: bool = False,
) -> tuple[Peer, str]:
    """Know another server from now on, and the token with which it calls us, which nobody can be told again.

    `token` is the one with which we call it, `own_name` what it calls itself, where that cannot be seen. It is asked
    what it offers soon after, and inactive until it has answered.
    """
    portal.make_sure_may(tx.scope, portal.Act.MANAGE_SERVERS)
    make_sure_server_name_is_good(name)
    _make_sure_it_is_not_us(own, name, url)
    url = _checked_url(url, allow_plain_http)
    _make_sure_token_can_be_sent(token)
    _make_sure_own_name_is_good(own_name)
    tx.one_at_a_time("peers")
    known = store.search(tx)
    if any(row.name.lower() == name.lower() for row in known):
        raise PeerNameTaken(name=name)
    if len(known) >= MOST_PEERS:
        raise TooManyPeers(most=MOST_PEERS)
    token_in = _new_token()
    now = clock.now()
    store.add(
        tx,
        {
            "name": name,
            "url": url,
            "own_name": own_name,
            "found_name": "",
            "token_out": _sealed(tx, seal, name, token),
            "token_in_hash": _digest(token_in),
            "active": False,
            "failures": 0,
            "problem": "",
            "etag": "",
            "due_at": now,
            "seen_at": None,
            "registered_at": now,
        },
    )
    audit.record(tx, "server.register", name, url=url)
    return known_peer(tx, name), token_in


def change_peer(tx: Tx, seal: Seal, own: OwnServer, name: str, change: PeerChange) -> tuple[Peer, str]:
    """Change what is known of another server, and its new token, "" unless it was to be renewed.

    At another address our token is not sent any more unless it is given anew: it was meant for the old one.
    """
    portal.make_sure_may(tx.scope, portal.Act.MANAGE_SERVERS)
    tx.one_at_a_time("peers")
    peer = known_peer(tx, name)
    values: dict[str, Any] = {}
    if change.url is not None:
        _make_sure_it_is_not_us(own, name, change.url)
        values["url"] = _checked_url(change.url, change.allow_plain_http)
        if values["url"] != peer.url:
            values |= {"token_out": "", "found_name": ""}
    if change.token is not None:
        _make_sure_token_can_be_sent(change.token)
        values["token_out"] = _sealed(tx, seal, name, change.token)
    if change.own_name is not None:
        _make_sure_own_name_is_good(change.own_name)
        values |= {"own_name": change.own_name, "found_name": ""}
    token_in = _new_token() if change.renews_token else ""
    if token_in:
        values["token_in_hash"] = _digest(token_in)
    if values:
        store.change(tx, name, **values, etag="", failures=0, problem="", due_at=clock.now())
        audit.record(tx, "server.update", name, changed=sorted(values.keys() & {"url", "own_name"}))
    return known_peer(tx, name), token_in


def remove_peer(tx: Tx, name: str) -> None:
    """Forget another server and what it offers. Its token is good no more."""
    portal.make_sure_may(tx.scope, portal.Act.MANAGE_SERVERS)
    tx.one_at_a_time("peers")
    known_peer(tx, name)
    store.remove(tx, name)
    audit.record(tx, "server.remove", name)


def find_peer(tx: Tx, name: str) -> Peer:
    portal.make_sure_may(tx.scope, portal.Act.MANAGE_SERVERS)
    return known_peer(tx, name)


def list_peers(tx: Tx) -> list[Peer]:
    """All of them with what only administrators are told, in the order in which they were registered."""
    portal.make_sure_may(tx.scope, portal.Act.MANAGE_SERVERS)
    return [_as_peer(row) for row in store.search(tx)]


def known_peer(tx: Tx, name: str) -> Peer:
    """For our own dealings with it, whoever it is that we have them for."""
    row = store.find(tx, name)
    if row is None:
        raise PeerNotFound(name=name[:100])
    return _as_peer(row)


def peer_of(database: Database, token: str, address: str = "") -> Scope | None:
    """On whose behalf a server calls that shows this token; None if it is no token of a peer.

    It calls from this address. Its requests are within the organization that has registered it, and come to nothing
    when that is kept out.
    """
    if not token.startswith(TOKEN_PREFIX) or not token.isascii():
        return None
    with database.across_tenants("which server's token is this?", writing=False) as tx:
        row = store.with_token(tx, _digest(token))
        if row is None or not identity.find_tenant(tx, row.tenant_id).is_active:
            return None
    return portal.peer(row.tenant_id, row.name, address)


def token_for(peer: Peer, seal: Seal, tenant_id: str) -> str:
    """The token with which we call the peer, "" if there is none."""
    return seal.open(peer.token_out, _purpose(tenant_id, peer.name)).decode() if peer.token_out else ""


def _as_peer(row: sa.Row[Any]) -> Peer:
    return Peer(**{name: getattr(row, name) for name in Peer.__dataclass_fields__})


def _sealed(tx: Tx, seal: Seal, name: str, token: str) -> str:
    return seal.close(token.encode(), _purpose(tx.tenant_id, name)) if token else ""


def _purpose(tenant_id: str, name: str) -> str:
    return f"peer {tenant_id}/{name}"


def _new_token() -> str:
    return TOKEN_PREFIX + secrets.token_urlsafe(32)


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _make_sure_it_is_not_us(own: OwnServer, name: str, url: str) -> None:
    if name.lower() == own.name.lower():
        raise ThatIsOurselves(what=name)
    if own.url and url.rstrip("/").lower() == own.url.rstrip("/").lower():
        raise ThatIsOurselves(what=url)


def _make_sure_token_can_be_sent(token: str) -> None:
    if len(token) > LONGEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise BadPeerToken


def _make_sure_own_name_is_good(name: str) -> None:
    if name and not is_server_name(name):
        raise BadOwnName(name=name[:100])


def _checked_url(url: str, allow_plain_http: bool) -> str:
    """Without a slash at its end. What is not encrypted is for this machine only, unless that is allowed."""
    _ANYWHERE.check(url)
    parts = urlsplit(url)
    if len(url) > LONGEST_URL or parts.query or parts.fragment or "?" in url or "#" in url:
        raise BadPeerAddress(url=url[:LONGEST_URL], reason="it is too long, or has a query or a fragment")
    if parts.scheme == "http" and not allow_plain_http and not _is_this_machine(parts.hostname or ""):
        reason = "tokens and data are sent to it, so it must begin with https:// unless plain http is allowed"
        raise BadPeerAddress(url=url, reason=reason)
    return url.rstrip("/")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
