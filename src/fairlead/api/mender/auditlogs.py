"""Who did what in an organization: `/api/management/v1/auditlogs`."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Sequence
from functools import reduce
from typing import Any

from litestar import Request, Router, get
from litestar.response import Stream

from fairlead.api.mender.auditlog_wire import wanted_of, wire_entry
from fairlead.api.mender.auth import for_users
from fairlead.api.mender.context import Call
from fairlead.api.mender.errors import BadParameter
from fairlead.api.mender.wire import (
    add_header,
    add_links,
    add_total,
    number_parameter,
    page_of,
    parameter,
    parameters,
)
from fairlead.base.database import Tx
from fairlead.domain import audit, devices, identity

IN_ONE_GO = 1000
LONGEST_SEPARATOR = 16
COLUMNS: tuple[tuple[str, ...], ...] = (
    ("actor", "id"),
    ("actor", "type"),
    ("actor", "email"),
    ("actor", "identity_data"),
    ("time",),
    ("action",),
    ("object", "id"),
    ("object", "type"),
    ("object", "name"),
    ("object", "user", "email"),
    ("object", "deployment", "name"),
    ("object", "deployment", "artifact_name"),
    ("change",),
)
Columns = Sequence[tuple[str, ...]]


@get("/logs", sync_to_thread=True, summary="Get Audit Logs")
def list_entries(request: Request[Any, Any, Any], call: Call) -> list[dict[str, Any]]:
    """What was done, newest first. Times are seconds since 1970 and inclusive."""
    page, wanted = page_of(request), wanted_of(request)
    with call.read() as tx:
        _make_sure_they_may_look(tx)
        found = audit.search(tx, wanted, page.skip, page.size)
        total = audit.count(tx, wanted)
    add_total(request, total)
    add_links(request, page, has_next=total > page.skip + len(found))
    return [wire_entry(entry) for entry in found]


def _make_sure_they_may_look(tx: Tx) -> None:
    """The trail lies below the people and the plans, so the question is asked here."""
    tx.require(identity.Permission.VIEW_AUDIT_LOG)
    devices.make_sure_sight_is_unlimited(tx)
    identity.make_sure_plan_includes(tx, identity.Plan.ENTERPRISE)


@get("/logs/export", sync_to_thread=True, summary="Export Audit Logs")
def export_entries(request: Request[Any, Any, Any], call: Call) -> Stream:
    """The same as one CSV file of any length, written while it is read from the database."""
    wanted, at_most = wanted_of(request), number_parameter(request, "limit")
    if at_most is not None and at_most < 1:
        raise BadParameter(reason="Param limit is out of bounds")
    separator = _separator(request)
    columns = _columns(request, separator)
    export = _Export(call, wanted, at_most, columns)
    first = _as_csv([separator.join(path) for path in columns]) + export.go_on()
    add_header(request, "content-disposition", 'attachment; filename="auditlogs.csv"')
    return Stream(_streamed(first, export, request.app.state.in_thread), media_type="text/csv")


class _Export:
    """Page by page, each in a transaction of its own: a slow reader holds nothing open, and may be put out."""

    def __init__(self, call: Call, wanted: audit.Wanted, at_most: int | None, columns: Columns) -> None:
        self._call, self._wanted, self._left, self._columns = call, wanted, at_most, columns
        self._place: audit.Place | None = None
        self.is_complete = False

    def go_on(self) -> str:
        size = IN_ONE_GO if self._left is None else min(IN_ONE_GO, self._left)
        with self._call.read() as tx:
            _make_sure_they_may_look(tx)
            found, self._place = audit.search_on(tx, self._wanted, self._place, size)
        if self._left is not None:
            self._left -= len(found)
        self.is_complete = self._place is None or self._left == 0
        return _as_csv(*(self._row(wire_entry(entry)) for entry in found))

    def _row(self, entry: dict[str, Any]) -> list[str]:
        return [_cell(entry, path) for path in self._columns]


async def _streamed(first: str, export: _Export, in_thread: Callable[..., Any]) -> AsyncIterator[str]:
    yield first
    while not export.is_complete:
        yield await in_thread(export.go_on)


def _as_csv(*rows: list[str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cell(entry: dict[str, Any], path: tuple[str, ...]) -> str:
    """What stands there. A spreadsheet must not take it for a formula, so an apostrophe goes before what looks so."""
    value = str(reduce(lambda part, name: part.get(name, {}), path, entry) or "")
    return f"'{value}" if value.startswith(("=", "+", "-", "@", "\t", "\r")) else value


def _separator(request: Request[Any, Any, Any]) -> str:
    separator = parameter(request, "format_separator") or "."
    if len(separator) > LONGEST_SEPARATOR or not separator.isprintable():
        raise BadParameter(reason="Can't parse param format_separator")
    return separator


def _columns(request: Request[Any, Any, Any], separator: str) -> Columns:
    """All columns but those to ignore, which are named as in the header, or with dots; `actor` names all of it."""
    ignored = [name for value in parameters(request, "ignore") for name in value.split(",") if name]
    paths = {joint.join(path[:end]): path[:end] for path in COLUMNS for end in (1, 2, 3) for joint in (".", separator)}
    if unknown := [name for name in ignored if name not in paths]:
        raise BadParameter(reason=f"Param ignore: there is no field {unknown[0][:60]!r}")
    gone = [paths[name] for name in ignored]
    left = [path for path in COLUMNS if not any(path[: len(each)] == each for each in gone)]
    if not left:
        raise BadParameter(reason="Param ignore leaves nothing to export")
    return left


routes = Router(
    "/api/management/v1/auditlogs",
    guards=[for_users],
    tags=["Audit logs"],
    route_handlers=[list_entries, export_entries],
)
