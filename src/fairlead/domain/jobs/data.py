"""What can be done with data that are there: find, list, read, reword, retype, remove?"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.base.database import Tx
from fairlead.domain import audit, catalog
from fairlead.domain.identity import portal
from fairlead.domain.jobs import data_store, project_store
from fairlead.domain.jobs.data_model import (
    Data,
    DataChange,
    DataIsInUse,
    DataIsNotReady,
    DataStatus,
    known_terms,
    make_sure_words_are_good,
)
from fairlead.domain.jobs.projects import find_project, list_projects
from fairlead.domain.jobs.tools import Tools

MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class DataSearch:
    """Of one project, or of all in which the caller has a role; with this tag, and this text in its name."""

    project: int = portal.NOTHING
    tag: str = ""
    text: str = ""
    skip: int = 0
    at_most: int = MOST_AT_ONCE


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of something: where they are in the store, and how they may be called by whoever saves them."""

    key: str
    size_bytes: int
    sha256: str
    name: str


@dataclass(frozen=True, slots=True)
class Accepting:
    """A service that takes data of a type, and as which of its parameters."""

    service: catalog.Listed
    parameters: tuple[str, ...]


def find_data(tx: Tx, number: int, act: portal.Act = portal.Act.VIEW_DATA, *, hold: bool = False) -> Data:
    """The data, if the caller may do this with them. Data can be public though their project is not."""
    data = data_store.find(tx, number, hold=hold)
    project = project_store.find(tx, data.project) if data is not None else None
    if data is None or project is None:
        raise portal.NotThere(thing="data")
    is_open = project.public or (data.public and act is portal.Act.VIEW_DATA)
    portal.make_sure_may(tx.scope, act, portal.ProjectRef(project.number, is_open))
    return data


def list_data(tx: Tx, wanted: DataSearch = DataSearch()) -> list[Data]:
    """The newest first."""
    projects: Collection[int]
    if wanted.project:
        projects = [find_project(tx, wanted.project, portal.Act.VIEW_DATA).number]
    else:
        projects = [each.number for each in list_projects(tx)]
    at_most = max(0, min(wanted.at_most, MOST_AT_ONCE))
    return data_store.search(tx, projects, wanted.tag[:100], wanted.text[:200], max(0, wanted.skip), at_most)


def used_by(tx: Tx, number: int) -> list[int]:
    """The jobs that have read the data, of those that the caller sees: they may be of any project."""
    find_data(tx, number)
    return _seen(tx, data_store.used_by(tx, number))


def _seen(tx: Tx, readers: Sequence[data_store.Reader]) -> list[int]:
    projects = project_store.of_numbers(tx, {each.project for each in readers})
    seen = {each.number for each in projects if portal.may(tx.scope, portal.Act.VIEW_JOB, each.ref)}
    return [each.job for each in readers if each.project in seen]


def find_content(tx: Tx, number: int) -> Content:
    """Where the bytes are; `DataIsNotReady` if they are not there yet, or never will be."""
    return content_of(find_data(tx, number))


def content_of(data: Data) -> Content:
    if data.status is not DataStatus.READY:
        raise DataIsNotReady(reason=data.message or f"it is {data.status.value}.")
    return Content(data.blob_key, data.size_bytes, data.sha256, data.name)


def change_data(tx: Tx, number: int, change: DataChange) -> Data:
    """Reword data, or say what they are: that decides which services take them."""
    data = find_data(tx, number, portal.Act.EDIT_DATA, hold=True)
    values: dict[str, Any] = {
        name: getattr(change, name)
        for name in DataChange.__dataclass_fields__
        if getattr(change, name) not in (None, getattr(data, name))
    }
    make_sure_words_are_good(
        values.get("name", data.name), values.get("description", data.description), values.get("tags", data.tags)
    )
    for branch in ("data", "format"):
        if f"{branch}_terms" in values:
            values[f"{branch}_terms"] = known_terms(values[f"{branch}_terms"], branch)
    if values:
        data_store.change(tx, number, **values)
        audit.record(tx, "data.update", data.id, name=data.name, changed=sorted(values))
    return find_data(tx, number)


def remove_data(tx: Tx, tools: Tools, number: int) -> None:
    """Remove data that no job which is under way needs. Their bytes go once that is committed."""
    data = find_data(tx, number, portal.Act.DELETE_DATA, hold=True)
    readers = data_store.used_by(tx, number, only_active=True)
    if readers:
        seen = _seen(tx, readers)
        raise DataIsInUse(job=f"The job {portal.written(seen[0])}" if seen else "A job")
    data_store.remove(tx, number)
    audit.record(tx, "data.delete", data.id, name=data.name)
    if data.blob_key:
        tx.afterwards(lambda: tools.blobs.remove(data.blob_key))


def services_for(tx: Tx, tools: Tools, number: int) -> list[Accepting]:
    """The services that the caller may call, and that take these data."""
    data = find_data(tx, number)
    found = []
    for service in catalog.search(tx, tools.own(tx.tenant_id)):
        if service.authorized and service.server == tools.own(tx.tenant_id).name:
            parameters = _accepting(tx, tools, service, data)
            if parameters:
                found.append(Accepting(service, parameters))
    return found


def _accepting(tx: Tx, tools: Tools, service: catalog.Listed, data: Data) -> tuple[str, ...]:
    types = _remembered.get(service.content_hash)
    if types is None:
        described = catalog.find_description(tx, tools.own(tx.tenant_id), service.full_name)
        types = _remembered[service.content_hash] = _types_of(described)
        if len(_remembered) > _MOST_REMEMBERED:
            _remembered.clear()
    return tuple(name for name, type_ in types if catalog.accepts(type_, data.data_terms, data.format_terms))


_MOST_REMEMBERED = 6000
_remembered: dict[str, tuple[tuple[str, catalog.Type | None], ...]] = {}
"""What services take, by the hash of their descriptions: the same for everybody."""


def _types_of(service: catalog.Service) -> tuple[tuple[str, catalog.Type | None], ...]:
    """Parameters that take files. Of one whose type was lost nobody can say that it does."""
    placed = [each.parameter for each in service.inputs.placed()]
    return tuple((each.name, each.type) for each in placed if each.type is not None and not each.hidden)
