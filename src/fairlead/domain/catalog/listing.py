"""Which services are there for whoever asks, and may they call them?

Everybody sees the services of the whole server, and those of the projects that they see. A peer sees what is exported,
and nothing of other peers. Whoever sees a service is told whether it is disabled and whether they may call it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.base.database import Tx
from fairlead.domain.catalog import peer_store, store
from fairlead.domain.catalog.access import Access
from fairlead.domain.catalog.callers import Project, viewer_of
from fairlead.domain.catalog.closing import Closed, closed_now
from fairlead.domain.catalog.contents import content_of
from fairlead.domain.catalog.descriptions import edam
from fairlead.domain.catalog.descriptions.model import Service
from fairlead.domain.catalog.model import (
    Listed,
    OwnServer,
    ServiceIsDisabled,
    ServiceNotForYou,
    ServiceNotFound,
    ServiceType,
    Wanted,
)
from fairlead.domain.catalog.names import PUBLIC, FullName, read_full_name
from fairlead.domain.catalog.projects import SERVER_LEVEL, projects_meant, projects_seen, shown_project

_OPEN = Access()
LONGEST_SEARCH = 200
"""As much of a text as is looked for."""


def search(tx: Tx, own: OwnServer, wanted: Wanted = Wanted()) -> list[Listed]:
    """All that the caller sees and that is wanted, ours first, each by name."""
    view = _View(tx, own)
    found = view.own_services()
    if not view.viewer.is_peer:
        found += view.services_of_peers()
    return [each for each in found if _is_wanted(each, wanted)]


def find(tx: Tx, own: OwnServer, full_name: str) -> Listed:
    """The service with this full name, if the caller sees it."""
    parts = read_full_name(full_name)
    view = _View(tx, own)
    found = None
    if parts is not None and parts.server == own.name:
        found = view.own_service(parts)
    elif parts is not None and not view.viewer.is_peer:
        found = view.service_of_peer(parts)
    if found is None:
        raise ServiceNotFound(name=full_name[:300])
    return found


def find_callable(tx: Tx, own: OwnServer, full_name: str) -> Listed:
    """The service with this full name, if the caller may call it now."""
    found = find(tx, own, full_name)
    if found.disabled:
        raise ServiceIsDisabled(name=found.full_name, why=found.message or "It is disabled.")
    if not found.authorized:
        raise ServiceNotForYou(name=found.full_name)
    return found


def find_description(tx: Tx, own: OwnServer, full_name: str, version: str = "") -> Service:
    """What a service of this server is, in this version or the newest."""
    found = find(tx, own, full_name)
    if found.server != own.name:
        raise ServiceNotFound(name=found.full_name)
    return content_of(tx, found, version)


class _View:
    """The catalogue as one caller sees it."""

    def __init__(self, tx: Tx, own: OwnServer) -> None:
        self.viewer = viewer_of(tx.scope)
        self._tx = tx
        self._own = own

    @cached_property
    def _closed(self) -> Closed:
        return closed_now(self._tx)

    @cached_property
    def _peers(self) -> Mapping[str, sa.Row[Any]]:
        return {row.name: row for row in peer_store.search(self._tx) if row.name != self._own.name}

    def own_services(self) -> list[Listed]:
        numbers = store.projects(self._tx)
        refs = self._visible(numbers)
        rows = store.search(self._tx, refs)
        found = [self._own_listed(row, refs[row.project]) for row in rows if self._is_shown(row)]
        return sorted(found, key=_by_name)

    def own_service(self, parts: FullName) -> Listed | None:
        """Of the project that is called so, if the caller sees only one: what strangers call theirs is no matter."""
        refs = self._visible(projects_meant(self._tx, parts.project) if parts.project else {SERVER_LEVEL})
        row = store.find(self._tx, min(refs), parts.name) if len(refs) == 1 else None
        return self._own_listed(row, refs[row.project]) if row is not None and self._is_shown(row) else None

    def services_of_peers(self) -> list[Listed]:
        if not self.viewer.sees(None):
            return []
        rows = [row for row in peer_store.offers(self._tx) if row.peer in self._peers]
        order = list(self._peers)
        found = sorted((self._peer_listed(row) for row in rows), key=_by_name)
        return sorted(found, key=lambda each: order.index(each.server))

    def service_of_peer(self, parts: FullName) -> Listed | None:
        if parts.server not in self._peers or not self.viewer.sees(None):
            return None
        row = peer_store.offered(self._tx, parts.server, parts.project, parts.name)
        return self._peer_listed(row) if row is not None else None

    def _visible(self, numbers: set[int]) -> dict[int, Project]:
        """Those of the projects whose services the caller sees. A peer sees what is exported, wherever it belongs."""
        known: dict[int, Project] = dict(projects_seen(self._tx, numbers - {SERVER_LEVEL}))
        if SERVER_LEVEL in numbers:
            known[SERVER_LEVEL] = None
        return {number: ref for number, ref in known.items() if self.viewer.is_peer or self.viewer.sees(ref)}

    def _is_shown(self, row: sa.Row[Any]) -> bool:
        return row.exported or not self.viewer.is_peer

    def _own_listed(self, row: sa.Row[Any], ref: Project) -> Listed:
        closed = self._closed.covers(self._own.name, row.name, is_own=True)
        disabled = row.disabled or closed
        access = msgspec.json.decode(row.access, type=Access)
        return Listed(
            name=row.name,
            project=shown_project(row.project),
            server=self._own.name,
            type=ServiceType(row.type),
            exported=row.exported,
            disabled=disabled,
            authorized=not disabled and self.viewer.may_call(ref, access),
            message=self._closed.message if closed and not row.message else row.message if disabled else "",
            version=row.version,
            title=row.title,
            summary=row.summary,
            package=row.package,
            topics=_terms(row.topics),
            operations=_terms(row.operations),
            content_hash=row.content_hash,
            project_number=row.project,
        )

    def _peer_listed(self, row: sa.Row[Any]) -> Listed:
        active = self._peers[row.peer].active
        closed = self._closed.covers(row.peer, row.name, is_own=False)
        return Listed(
            name=row.name,
            project=row.project,
            server=row.peer,
            type=ServiceType(row.type),
            exported=True,
            disabled=closed or not active,
            authorized=active and not closed and row.authorized and self.viewer.may_call(None, _OPEN),
            message=self._closed.message if closed else "" if active else f"The server {row.peer} does not answer.",
            content_hash=row.content_hash,
        )


def _terms(document: str) -> tuple[str, ...]:
    return tuple(msgspec.json.decode(document, type=list[str]))


def _by_name(service: Listed) -> tuple[str, str, str]:
    return (service.name.lower(), service.name, service.project)


def _is_wanted(service: Listed, wanted: Wanted) -> bool:
    if wanted.type is not None and service.type is not wanted.type:
        return False
    if wanted.server and service.server != wanted.server:
        return False
    if wanted.project and (service.project or PUBLIC) != wanted.project:
        return False
    if wanted.topic and not any(edam.is_a(term, wanted.topic) for term in service.topics):
        return False
    if wanted.operation and not any(edam.is_a(term, wanted.operation) for term in service.operations):
        return False
    return not wanted.text or _mentions(service, wanted.text)


def _mentions(service: Listed, text: str) -> bool:
    """Are all the words somewhere in what people read of the service?"""
    read = " ".join((service.name, service.title, service.summary, service.package)).lower()
    return all(word in read for word in text[:LONGEST_SEARCH].lower().split())
