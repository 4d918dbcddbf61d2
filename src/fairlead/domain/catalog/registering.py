"""How does a service come into the catalogue, how is it changed, and how does it go?

A service is known by its name in one place: the whole server, or a project. It may have several versions; the newest
of them answers by the name. Which flags it has, and who may call it, is said of the service and not of a version.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.domain import audit
from fairlead.domain.catalog import store
from fairlead.domain.catalog.access import Access, make_sure_access_is_good
from fairlead.domain.catalog.closing import make_sure_message_is_good
from fairlead.domain.catalog.contents import content_hash, summary_of, text_of, type_of, version_of
from fairlead.domain.catalog.descriptions.json_text import read_json
from fairlead.domain.catalog.descriptions.model import Service
from fairlead.domain.catalog.listing import find
from fairlead.domain.catalog.model import (
    Listed,
    OwnServer,
    ProgramsAreForAdministrators,
    ServiceNotFound,
    ServiceType,
    TooManyServices,
    TooManyVersions,
    VersionNotFound,
)
from fairlead.domain.catalog.names import FullName, in_order, make_sure_name_is_good
from fairlead.domain.catalog.projects import SERVER_LEVEL, projects_seen, shown_project
from fairlead.domain.identity import portal

MOST_OF_THE_SERVER = 5000
MOST_OF_A_PROJECT = 500
MOST_VERSIONS = 50


class Outcome(enum.Enum):
    """What registering came to."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Registered:
    """Which service it was. The version that was registered need not be the one that answers by the name."""

    full_name: str
    version: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """What becomes different; None stays. `message` is told to whoever calls the service while it is disabled."""

    exported: bool | None = None
    disabled: bool | None = None
    message: str | None = None
    access: Access | None = None


def register_service(
    tx: Tx, own: OwnServer, service: Service, project: int = SERVER_LEVEL, *, exported: bool = False
) -> Registered:
    """Keep a service, or another version of it, or another description of a version that is there.

    Only one that is new takes `exported`; jobs that run keep the description with which they began.
    """
    known = store.find(tx, project, service.name)
    _make_sure_may_register(tx, service, project, is_new=known is None)
    version = version_of(service)
    make_sure_name_is_good(service.name, version)
    tx.one_at_a_time("services")
    document = text_of(service)
    digest = content_hash(document)
    known = store.find(tx, project, service.name)
    versions = store.versions(tx, project, service.name)
    full_name = str(FullName(service.name, shown_project(project), own.name))
    if versions.get(version) == digest:
        return Registered(full_name, version, Outcome.UNCHANGED)
    _make_sure_there_is_room(tx, project, service, versions)
    if known is None:
        _add(tx, service, project, digest, exported=exported)
    _keep(tx, service, project, document, digest)
    if version == max([*versions, version], key=in_order):
        store.change(tx, project, service.name, **_said_of(service, digest))
    outcome = Outcome.ADDED if known is None else Outcome.CHANGED
    action = "service.register" if known is None else "service.update"
    audit.record(tx, action, full_name, name=service.name, version=version, content_hash=digest)
    return Registered(full_name, version, outcome)


def change_service(tx: Tx, own: OwnServer, full_name: str, change: ServiceChange) -> Listed:
    """Change whether a service is exported or disabled, and who may call it. Jobs that run go on."""
    service = _find_own(tx, own, full_name)
    portal.make_sure_may(tx.scope, portal.Act.MANAGE_SERVICES)
    values: dict[str, Any] = {
        name: getattr(change, name) for name in ("exported", "disabled", "message") if getattr(change, name) is not None
    }
    make_sure_message_is_good(values.get("message", ""))
    if change.access is not None:
        values["access"] = msgspec.json.encode(make_sure_access_is_good(change.access)).decode()
    row = store.find(tx, service.project_number, service.name)
    different = {name: value for name, value in values.items() if row is None or getattr(row, name) != value}
    if different:
        store.change(tx, service.project_number, service.name, **different, updated_at=clock.now())
        audit.record(tx, "service.change", service.full_name, name=service.name, **different)
    return find(tx, own, service.full_name)


def find_access(tx: Tx, own: OwnServer, full_name: str) -> Access:
    """Who may call a service, for those who say so."""
    service = _find_own(tx, own, full_name)
    portal.make_sure_may(tx.scope, portal.Act.MANAGE_SERVICES)
    row = _row_of(tx, service)
    return msgspec.json.decode(row.access, type=Access)


def list_versions(tx: Tx, own: OwnServer, full_name: str) -> list[str]:
    """The versions of a service of this server, the one that answers by its name first."""
    service = _find_own(tx, own, full_name)
    return sorted(store.versions(tx, service.project_number, service.name), key=in_order, reverse=True)


def remove_service(tx: Tx, own: OwnServer, full_name: str) -> None:
    """Remove a service with all its versions. Its jobs stay as they are."""
    service = _find_own(tx, own, full_name)
    _make_sure_may(tx, portal.Act.DELETE_SERVICE, service.project_number)
    tx.one_at_a_time("services")
    store.remove(tx, service.project_number, service.name)
    audit.record(tx, "service.remove", service.full_name, name=service.name)


def remove_version(tx: Tx, own: OwnServer, full_name: str, version: str) -> None:
    """Remove one version of a service, and with the last one the service; the newest of the others answers then."""
    service = _find_own(tx, own, full_name)
    _make_sure_may(tx, portal.Act.DELETE_SERVICE, service.project_number)
    tx.one_at_a_time("services")
    place = (service.project_number, service.name)
    versions = store.versions(tx, *place)
    if version not in versions:
        raise VersionNotFound(name=service.full_name, version=version[:60])
    rest = sorted(versions.keys() - {version}, key=in_order)
    if not rest:
        remove_service(tx, own, full_name)
        return
    store.remove_version(tx, *place, version)
    newest = read_json((store.document(tx, *place, rest[-1]) or "").encode())
    store.change(tx, *place, **_said_of(newest, versions[rest[-1]]))
    audit.record(tx, "service.remove_version", service.full_name, name=service.name, version=version)


def count_services_of_project(tx: Tx, project: int) -> int:
    """For whoever decides about the project."""
    return store.count(tx, project)


def remove_services_of_project(tx: Tx, project: int) -> None:
    """A project goes, and its services with it: for whoever removes the project."""
    if project != SERVER_LEVEL:
        tx.one_at_a_time("services")
        store.remove_project(tx, project)


def _find_own(tx: Tx, own: OwnServer, full_name: str) -> Listed:
    """A service of this server. What others offer is not ours to change."""
    found = find(tx, own, full_name)
    if found.server != own.name:
        raise ServiceNotFound(name=found.full_name)
    return found


def _row_of(tx: Tx, service: Listed) -> sa.Row[Any]:
    row = store.find(tx, service.project_number, service.name)
    if row is None:
        raise ServiceNotFound(name=service.full_name)
    return row


def _make_sure_may_register(tx: Tx, service: Service, project: int, *, is_new: bool) -> None:
    """Those who work in a project may add workflows of services there: each of these is run for them as always."""
    _make_sure_may(tx, portal.Act.CREATE_SERVICE if is_new else portal.Act.EDIT_SERVICE, project)
    is_administrator = portal.may(tx.scope, portal.Act.MANAGE_SERVICES)
    if type_of(service) is ServiceType.PROGRAM and not is_administrator:
        raise ProgramsAreForAdministrators


def _make_sure_may(tx: Tx, act: portal.Act, project: int) -> None:
    """What belongs to the whole server is managed by its administrators."""
    if project == SERVER_LEVEL:
        portal.make_sure_may(tx.scope, portal.Act.MANAGE_SERVICES)
    else:
        ref = projects_seen(tx, {project}).get(project)
        if ref is None:
            raise portal.NotThere(thing="project")
        portal.make_sure_may(tx.scope, act, ref)


def _make_sure_there_is_room(tx: Tx, project: int, service: Service, versions: dict[str, str]) -> None:
    version = version_of(service)
    most = MOST_OF_THE_SERVER if project == SERVER_LEVEL else MOST_OF_A_PROJECT
    if not versions and store.count(tx, project) >= most:
        raise TooManyServices(most=most)
    if version not in versions and len(versions) >= MOST_VERSIONS:
        raise TooManyVersions(name=service.name, most=MOST_VERSIONS)


def _add(tx: Tx, service: Service, project: int, digest: str, *, exported: bool) -> None:
    place = {"project": project, "name": service.name}
    flags = {"exported": exported, "disabled": False, "message": "", "access": "{}", "created_at": clock.now()}
    store.add(tx, place | flags | _said_of(service, digest))


def _keep(tx: Tx, service: Service, project: int, document: str, digest: str) -> None:
    row = {"project": project, "name": service.name, "version": version_of(service)}
    store.keep_version(tx, row | {"document": document, "content_hash": digest, "registered_at": clock.now()})


def _said_of(service: Service, digest: str) -> dict[str, Any]:
    """What is kept of the version that answers by the name, so that it need not be read to be listed."""
    return {
        "version": version_of(service),
        "type": type_of(service).value,
        **summary_of(service),
        "content_hash": digest,
        "updated_at": clock.now(),
    }
