"""What do the other servers offer, and are they there?

Each is asked once a minute, with the mark of its last answer, so that one with nothing new says so in a few bytes. One
that does not answer is given three tries before it counts as down; one whose answer makes no sense, or that does not
know us, counts as down at once. What a peer says changes what is kept of that peer, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache, partial
from urllib.parse import quote, urlsplit

import structlog

from fairlead.base import clock
from fairlead.base.database import Database, Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.outgoing import LARGEST_ANSWER, Answer, NoAnswer, Outgoing
from fairlead.base.scope import Scope, system_scope
from fairlead.base.seal import Seal
from fairlead.domain import audit, identity
from fairlead.domain.catalog import peer_store
from fairlead.domain.catalog.contents import content_hash, content_of, text_of
from fairlead.domain.catalog.descriptions.json_text import read_json
from fairlead.domain.catalog.descriptions.model import Service
from fairlead.domain.catalog.descriptions.problems import BadDescription
from fairlead.domain.catalog.listing import find
from fairlead.domain.catalog.model import OwnServer, ServiceNotFound
from fairlead.domain.catalog.names import FullName
from fairlead.domain.catalog.peer_answers import Offered, Unusable, offered_by, own_name_of
from fairlead.domain.catalog.peers import Peer, known_peer, token_for
from fairlead.domain.identity import portal

PAUSE = timedelta(minutes=1)
TRIES = 3
KEPT = timedelta(hours=1)
CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
THREADS = 8
MOST_AT_ONCE = 200
LONGEST_ETAG = 200

log = structlog.get_logger()


class PeerIsAway(Refusal):
    kind = Kind.UNAVAILABLE
    message = "The server {name} does not say what its service is: {reason}"


class _Failed(Exception):
    """The peer did not do as it should. `at_once`: there is no use in trying again before it counts as down."""

    def __init__(self, reason: str, *, at_once: bool) -> None:
        super().__init__(reason)
        self.at_once = at_once


@dataclass(frozen=True, slots=True)
class _News:
    """What a peer said: `offered` is None if that is what it said the last time."""

    offered: list[Offered] | None
    found_name: str
    etag: str


@dataclass(frozen=True, slots=True)
class Federation:
    """This server's dealings with the others. It takes the database: no transaction is open while another is asked.

    If it `trusts_administrators`, whoever registers a server thereby allows to call its host, wherever that is; else
    only what `outgoing` allows is called. Where many organizations share a server, their administrators are not those
    who run it.
    """

    database: Database
    seal: Seal
    outgoing: Outgoing
    trusts_administrators: bool

    def refresh_due(self) -> None:
        """Ask all peers whose time has come. Harmless to do in several processes: each peer is asked by one."""
        now = clock.now()
        with self.database.across_tenants("which servers are asked now?", writing=False) as tx:
            due = peer_store.due(tx, now, MOST_AT_ONCE)
        if not due:
            return
        with self.database.across_tenants("which of them are ours to ask?") as tx:
            ours = []
            for row in due:
                within = tx.within(system_scope(row.tenant_id))
                if peer_store.take(within, row.name, row.due_at, PAUSE, now):
                    ours.append(partial(self._refresh, row.tenant_id, row.name))
        with ThreadPoolExecutor(THREADS, thread_name_prefix="peers") as threads:
            for refreshed in [threads.submit(_logged, each) for each in ours]:
                refreshed.result()

    def refresh(self, scope: Scope, name: str) -> Peer:
        """Ask a peer now, and what is known of it then."""
        portal.make_sure_may(scope, portal.Act.MANAGE_SERVERS)
        with self.database.read(scope) as tx:
            known_peer(tx, name)
        self._refresh(scope.tenant_id, name)
        with self.database.read(scope) as tx:
            return known_peer(tx, name)

    def description(self, scope: Scope, own: OwnServer, full_name: str) -> Service:
        """What a service is, wherever it is. A peer is asked when it is first wanted, and again when an hour has gone.

        What was heard earlier is good enough as long as the peer does not answer.
        """
        with self.database.read(scope) as tx:
            listed = find(tx, own, full_name)
            if listed.server == own.name:
                return content_of(tx, listed)
            peer = known_peer(tx, listed.server)
            known = peer_store.offered(tx, listed.server, listed.project, listed.name)
        if known is None:
            raise ServiceNotFound(name=listed.full_name)
        if known.fetched_at is not None and known.fetched_at > clock.now() - KEPT:
            return read_json(known.document.encode())
        try:
            return self._fetch(scope.tenant_id, peer, listed.name, listed.project)
        except _Failed as failure:
            if known.document:
                return read_json(known.document.encode())
            raise PeerIsAway(name=peer.name, reason=str(failure)) from None

    def _fetch(self, tenant_id: str, peer: Peer, name: str, project: str) -> Service:
        full_name = FullName(name, project, peer.own_name or peer.found_name)
        answer = self._ask(tenant_id, peer, f"services/{quote(str(full_name), safe='')}/description")
        if answer.status != 200 or len(answer.body) >= LARGEST_ANSWER:
            raise _Failed(f"it answered with {answer.status} and {len(answer.body)} bytes", at_once=True)
        try:
            service = read_json(answer.body)
        except BadDescription:
            raise _Failed("its description of the service cannot be read", at_once=True) from None
        if service.name != name:
            raise _Failed("it describes another service", at_once=True)
        kept = text_of(service)
        with self.database.begin(system_scope(tenant_id)) as tx:
            values = {"document": kept, "content_hash": content_hash(kept), "fetched_at": clock.now()}
            peer_store.change_offer(tx, peer.name, project, name, **values)
        return service

    def _refresh(self, tenant_id: str, name: str) -> None:
        with self.database.read(system_scope(tenant_id)) as tx:
            peer = known_peer(tx, name)
            if not identity.own_tenant(tx).is_active:
                return
        try:
            news = self._news_of(tenant_id, peer)
        except _Failed as failure:
            self._write(tenant_id, peer, partial(_note_failure, peer=peer, failure=failure))
        else:
            self._write(tenant_id, peer, partial(_note_news, peer=peer, news=news))

    def _write(self, tenant_id: str, peer: Peer, note: Callable[[Tx], None]) -> None:
        """Unless the peer was changed or removed while it was asked."""
        with self.database.begin(system_scope(tenant_id, "federation")) as tx:
            tx.one_at_a_time("peers")
            row = peer_store.find(tx, peer.name)
            if row is not None and (row.url, row.token_out, row.own_name) == (peer.url, peer.token_out, peer.own_name):
                note(tx)

    def _news_of(self, tenant_id: str, peer: Peer) -> _News:
        own_name = peer.own_name or peer.found_name
        etag = peer.etag if own_name and peer.active else ""
        services = self._ask(tenant_id, peer, "services/", etag)
        if services.status == 304 and etag:
            return _News(None, own_name, etag)
        _make_sure_it_is_good(services)
        try:
            if not peer.own_name:
                servers = self._ask(tenant_id, peer, "servers/")
                _make_sure_it_is_good(servers)
                own_name = own_name_of(servers, peer.url, peer.name)
            return _News(offered_by(services, own_name), own_name, _etag_of(services))
        except Unusable as problem:
            raise _Failed(str(problem), at_once=True) from None

    def _ask(self, tenant_id: str, peer: Peer, path: str, etag: str = "") -> Answer:
        headers = {"Accept": "application/json"}
        try:
            token = token_for(peer, self.seal, tenant_id)
            headers |= {"Authorization": f"Bearer {token}"} if token else {}
            headers |= {"If-None-Match": etag} if etag else {}
            return self._way_to(peer).send(
                "GET",
                f"{peer.url}/{path}",
                headers,
                b"",
                connect_seconds=CONNECT_SECONDS,
                read_seconds=READ_SECONDS,
            )
        except Refusal as refusal:
            raise _Failed(str(refusal), at_once=True) from None
        except NoAnswer as silence:
            raise _Failed(str(silence), at_once=False) from None

    def _way_to(self, peer: Peer) -> Outgoing:
        if not self.trusts_administrators:
            return self.outgoing
        parts = urlsplit(peer.url)
        usual = 443 if parts.scheme == "https" else 80
        return _way_to(parts.netloc if parts.port else f"{parts.netloc}:{usual}")


@lru_cache(maxsize=256)
def _way_to(host: str) -> Outgoing:
    """To this host and port, and to whatever is public; kept, because reading whom to trust takes its time."""
    return Outgoing([host])


def _make_sure_it_is_good(answer: Answer) -> None:
    if answer.status != 200:
        later = answer.status in {408, 425, 429} or answer.status >= 500
        raise _Failed(f"it answered with {answer.status}", at_once=not later)


def _etag_of(answer: Answer) -> str:
    found = next((value for name, value in answer.headers if name.lower() == "etag"), "")
    return found if len(found) <= LONGEST_ETAG and found.isascii() and found.isprintable() else ""


def _note_failure(tx: Tx, peer: Peer, failure: _Failed) -> None:
    failures = peer.failures + 1
    active = peer.active and not failure.at_once and failures < TRIES
    reason = str(failure)[:500]
    peer_store.change(tx, peer.name, failures=min(failures, TRIES), active=active, problem=reason, etag="")
    if peer.active and not active:
        audit.record(tx, "server.lost", peer.name, reason=reason)


def _note_news(tx: Tx, peer: Peer, news: _News) -> None:
    if news.offered is not None:
        peer_store.change_offers(tx, peer.name, news.offered)
    values = {"found_name": news.found_name, "etag": news.etag, "seen_at": clock.now()}
    peer_store.change(tx, peer.name, **values, active=True, failures=0, problem="")
    if not peer.active:
        audit.record(tx, "server.reached", peer.name)


def _logged(refresh: Callable[[], None]) -> None:
    """One peer that cannot be dealt with keeps nobody from the others."""
    try:
        refresh()
    except Exception as problem:
        log.warning("peers.not_refreshed", problem=str(problem))
