"""The catalogue: `/services/`."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post, put

from fairlead.api.mobyle import wire
from fairlead.api.mobyle.auth import who_asks
from fairlead.api.mobyle.context import Call
from fairlead.api.mobyle.errors import HEADERS, NO_STORE, BadBody
from fairlead.base.database import Tx
from fairlead.domain import catalog, jobs
from fairlead.domain.identity import portal

LARGEST_DESCRIPTION = 4 * 1024 * 1024
_TYPES = {catalog.Format.JSON: "application/json", catalog.Format.YAML: "application/yaml"}


class NewService(msgspec.Struct, forbid_unknown_fields=True):
    """Without a project it is one of the whole server."""

    description: dict[str, Any]
    project: str = ""
    exported: bool = False


class ServiceChange(msgspec.Struct, forbid_unknown_fields=True):
    exported: bool | None = None
    disabled: bool | None = None
    message: str | None = None
    access: catalog.Access | None = None


@get("/services", sync_to_thread=True, summary="List Services")
def list_services(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """All that the caller sees. `type`, `topic`, `operation`, `q`, `server` and `project` say which are wanted."""
    wanted = _wanted(request)
    with call.read() as tx:
        found = catalog.search(tx, call.own, wanted)
    return wire.answer_or_known(request, {each.full_name: _told(each) for each in found})


def _wanted(request: Request[Any, Any, Any]) -> catalog.Wanted:
    asked = wire.query(request)
    return catalog.Wanted(
        type=wire.chosen(asked, "type", catalog.ServiceType),
        topic=asked.get("topic", ""),
        operation=asked.get("operation", ""),
        text=asked.get("q", asked.get("filter", "")),
        server=asked.get("server", ""),
        project=asked.get("project", ""),
    )


def _told(service: catalog.Listed) -> dict[str, Any]:
    return wire.said(
        name=service.name,
        server=service.server,
        project=service.project or None,
        type=service.type.value,
        exported=service.exported,
        disabled=service.disabled,
        authorized=service.authorized,
    )


def _summed_up(service: catalog.Listed) -> dict[str, Any]:
    return wire.said(
        full_name=service.full_name,
        **_told(service),
        version=service.version or None,
        title=service.title or None,
        description=service.summary or None,
        package=service.package or None,
        message=service.message or None,
        topics=list(service.topics),
        operations=list(service.operations),
    )


@get("/services/by_topic", sync_to_thread=True, summary="Services by Topic")
def by_topic(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """A tree of those of EDAM's topics that lead to services."""
    with call.read() as tx:
        return wire.answer(_branch(catalog.by_topic(catalog.search(tx, call.own, _wanted(request)))))


@get("/services/by_operation", sync_to_thread=True, summary="Services by Operation")
def by_operation(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """A tree of those of EDAM's operations that lead to services."""
    with call.read() as tx:
        return wire.answer(_branch(catalog.by_operation(catalog.search(tx, call.own, _wanted(request)))))


def _branch(branch: catalog.Branch) -> dict[str, Any]:
    return {
        "id": branch.term.id,
        "name": branch.term.name,
        "definition": branch.term.definition,
        "services": [_summed_up(each) for each in branch.services],
        "sublevels": [_branch(each) for each in branch.below],
    }


@get("/services/closed", sync_to_thread=True, summary="Show What Is Closed")
def show_closed(call: Call) -> Response[bytes]:
    """For administrators: patterns of services that are disabled, whatever each of them says."""
    with call.read() as tx:
        return wire.answer(catalog.find_closed(tx))


@put("/services/closed", sync_to_thread=True, summary="Close Services")
def change_closed(call: Call, data: catalog.Closed) -> Response[bytes]:
    """For administrators: these are closed, and no others."""
    with call.begin() as tx:
        catalog.change_closed(tx, data)
        return wire.answer(catalog.find_closed(tx))


@get("/services/{full_name:str}", sync_to_thread=True, summary="Show a Service")
def show_service(call: Call, request: Request[Any, Any, Any], full_name: str) -> Response[bytes]:
    with call.read() as tx:
        return wire.answer_or_known(request, _told(catalog.find(tx, call.own, full_name)))


@get("/services/{full_name:str}/details", sync_to_thread=True, summary="Show More of a Service")
def show_details(call: Call, full_name: str) -> Response[bytes]:
    """Title, terms, and why it is disabled; the versions of a service of this server, the newest first."""
    with call.read() as tx:
        found = catalog.find(tx, call.own, full_name)
        versions = catalog.list_versions(tx, call.own, full_name) if found.server == call.own.name else None
    return wire.answer(_summed_up(found) | wire.said(versions=versions))


@get("/services/{full_name:str}/description", sync_to_thread=True, summary="Show a Service's Description")
def show_description(call: Call, request: Request[Any, Any, Any], full_name: str) -> Response[bytes]:
    """The whole description, in JSON or with `format=yaml`; of `version`, or of the newest."""
    asked = wire.query(request)
    wanted = catalog.format_called(asked.get("format", "json"))
    version = asked.get("version", "")
    if version:
        with call.read() as tx:
            service = catalog.find_description(tx, call.own, full_name, version)
    else:
        service = call.context.federation.description(call.scope, call.own, full_name)
    text = catalog.written_as(service, wanted)
    return Response(text.encode(), headers={**HEADERS, **NO_STORE}, media_type=_TYPES[wanted])


@get("/services/{full_name:str}/access", sync_to_thread=True, summary="Show Who May Call a Service")
def show_access(call: Call, full_name: str) -> Response[bytes]:
    """For administrators."""
    with call.read() as tx:
        return wire.answer(catalog.find_access(tx, call.own, full_name))


@post("/services", status_code=201, sync_to_thread=True, summary="Register a Service")
def register_service(call: Call, data: NewService) -> Response[bytes]:
    """Of the description, as JSON. A version that is there already is described anew."""
    service = catalog.read_description(msgspec.json.encode(data.description), catalog.Format.JSON)
    with call.begin() as tx:
        return _registered(call, tx, service, data.project, exported=data.exported)


@post("/services/import", status_code=201, sync_to_thread=True, summary="Import a Service")
def import_service(call: Call, request: Request[Any, Any, Any], raw: bytes) -> Response[bytes]:
    """The same of a body that is the description: YAML, JSON or XML. The query has `project` and `exported`."""
    asked = wire.query(request)
    if len(raw) > LARGEST_DESCRIPTION:
        raise catalog.DescriptionTooLarge(most=LARGEST_DESCRIPTION)
    if not raw.strip():
        raise BadBody(reason="there is no description in it")
    service = catalog.read_description(raw)
    with call.begin() as tx:
        return _registered(call, tx, service, asked.get("project", ""), exported=wire.is_yes(asked, "exported"))


def _registered(call: Call, tx: Tx, service: catalog.Service, project: str, *, exported: bool) -> Response[bytes]:
    number = jobs.find_project_called(tx, project).number if project else catalog.SERVER_LEVEL
    done = catalog.register_service(tx, call.own, service, number, exported=exported)
    told = {"service": done.full_name, "version": done.version, "outcome": done.outcome.value}
    warnings = [str(each) for each in service.warnings]
    return wire.answer(
        told | ({"warnings": warnings} if warnings else {}), 201 if done.outcome is catalog.Outcome.ADDED else 200
    )


@patch("/services/{full_name:str}", sync_to_thread=True, summary="Change a Service")
def change_service(call: Call, full_name: str, data: ServiceChange) -> Response[bytes]:
    """For administrators: whether it is exported or disabled, and who may call it."""
    change = catalog.ServiceChange(data.exported, data.disabled, data.message, data.access)
    if change == catalog.ServiceChange():
        raise BadBody(reason="it says nothing to change")
    with call.begin() as tx:
        return wire.answer(_told(catalog.change_service(tx, call.own, full_name, change)))


@delete("/services/{full_name:str}", status_code=204, sync_to_thread=True, summary="Remove a Service")
def remove_service(call: Call, request: Request[Any, Any, Any], full_name: str) -> None:
    """With all its versions, or one of them: `version`, which may be empty like that of many services."""
    version = wire.query(request).get("version")
    with call.begin() as tx:
        if version is not None:
            catalog.remove_version(tx, call.own, full_name, version)
        else:
            catalog.remove_service(tx, call.own, full_name)


@get("/terms/{term:str}", sync_to_thread=True, summary="Show a Term of EDAM")
def show_term(term: str) -> Response[bytes]:
    """What it is called, what it means, and of which it is a kind."""
    found = catalog.find_term(term)
    if found is None:
        raise portal.NotThere(thing="term in EDAM")
    return wire.answer(
        {
            "id": found.id,
            "name": found.name,
            "definition": found.definition,
            "parents": list(found.parents),
            "obsolete": found.obsolete,
        }
    )


routes = Router(
    "/",
    guards=[who_asks],
    tags=["Portal: services"],
    route_handlers=[
        list_services,
        register_service,
        by_topic,
        by_operation,
        show_closed,
        change_closed,
        import_service,
        show_service,
        change_service,
        remove_service,
        show_details,
        show_description,
        show_access,
        show_term,
    ],
)
