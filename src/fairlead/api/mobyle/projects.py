"""Projects, in which people keep their data and jobs: `/projects`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post, put

from fairlead.api.mobyle import wire
from fairlead.api.mobyle.auth import who_asks
from fairlead.api.mobyle.context import Call
from fairlead.api.mobyle.errors import BadBody, NothingHere
from fairlead.base.database import Tx
from fairlead.domain import catalog, jobs
from fairlead.domain.identity import portal

GROUP = "group:"
"""What the name of a group begins with where otherwise a user's id stands."""
_ROLES = {
    "managers": portal.Role.MANAGER,
    "contributors": portal.Role.CONTRIBUTOR,
    "watchers": portal.Role.WATCHER,
}


class NewProject(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    description: str = ""
    public: bool = False


class ProjectChange(msgspec.Struct, forbid_unknown_fields=True):
    """`owner` is the user that the project is handed over to."""

    name: str | None = None
    description: str | None = None
    public: bool | None = None
    notebook: str | None = None
    owner: str | None = None


class Favorites(msgspec.Struct, forbid_unknown_fields=True):
    favorites: list[str]


@get("/projects", sync_to_thread=True, summary="List Projects")
def list_projects(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """All of them, for administrators; with `mine=true` those in which the caller has a role, for everybody."""
    asked = wire.query(request)
    mine = wire.is_yes(asked, "mine")
    told: dict[str, dict[str, Any]] = {}
    with call.read() as tx:
        if mine:
            return wire.answer(_told(call, tx, jobs.list_projects(tx)))
        for projects in wire.pages(asked, partial(jobs.list_all_projects, tx)):
            told |= _told(call, tx, projects)
    return wire.answer(told)


@get("/projects/{project_id:str}", sync_to_thread=True, summary="Show a Project")
def show_project(call: Call, project_id: str) -> Response[bytes]:
    """For its members, administrators, and everybody if it is public."""
    with call.read() as tx:
        project = jobs.find_project(tx, portal.number_of(project_id))
        return wire.answer(_told(call, tx, [project])[project.id])


def _told(call: Call, tx: Tx, projects: Sequence[jobs.Project]) -> dict[str, dict[str, Any]]:
    contents = jobs.contents_of(tx, projects)
    services = _services_of(call, tx, {each.number for each in projects})
    return {
        each.id: wire.said(
            owner=portal.written(each.owner),
            **{name: _users(contents[each.number].with_role(role)) for name, role in _ROLES.items()},
            services=services[each.number],
            jobs=[portal.written(number) for number in contents[each.number].jobs],
            data=[portal.written(number) for number in contents[each.number].data],
            favorites=list(contents[each.number].favorites) or None,
        )
        for each in projects
    }


def _users(members: Collection[jobs.Member]) -> list[str]:
    return [each.name for each in members if each.kind is jobs.MemberKind.USER]


def _services_of(call: Call, tx: Tx, numbers: Collection[int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    for service in catalog.search(tx, call.own, catalog.Wanted(server=call.own.name)):
        if service.project_number in numbers:
            found[service.project_number].append(service.name)
    return found


@get("/projects/{project_id:str}/details", sync_to_thread=True, summary="Show More of a Project")
def show_details(call: Call, project_id: str) -> Response[bytes]:
    """Its name, its notebook, the groups that have a role in it, and the caller's own role."""
    with call.read() as tx:
        project = jobs.find_project(tx, portal.number_of(project_id))
        return wire.answer(_detailed(call, tx, project))


def _detailed(call: Call, tx: Tx, project: jobs.Project) -> dict[str, Any]:
    members = jobs.contents_of(tx, [project])[project.number].members
    grants = portal.grants_of(call.scope)
    role = grants.roles.get(project.number) if grants else None
    return wire.said(
        id=project.id,
        name=project.name,
        description=project.description or None,
        public=project.public,
        notebook=project.notebook or None,
        owner=portal.written(project.owner),
        role=role.value if role else None,
        groups={each.name: has.value for each, has in members if each.kind is jobs.MemberKind.GROUP},
        created=wire.moment(project.created_at),
        updated=wire.moment(project.updated_at),
    )


@post("/projects", status_code=201, sync_to_thread=True, summary="Create a Project")
def create_project(call: Call, data: NewProject) -> Response[bytes]:
    """One of the caller's own."""
    with call.begin() as tx:
        project = jobs.create_project(tx, data.name, data.description, public=data.public)
        told = _detailed(call, tx, project)
    return wire.answer(told, 201, {"Location": f"{call.place}/projects/{project.id}"})


@patch("/projects/{project_id:str}", sync_to_thread=True, summary="Change a Project")
def change_project(call: Call, project_id: str, data: ProjectChange) -> Response[bytes]:
    """Its words, its notebook, whether it is public, and whose it is."""
    number = portal.number_of(project_id)
    if data == ProjectChange():
        raise BadBody(reason="it says nothing to change")
    change = jobs.ProjectChange(data.name, data.description, data.public, data.notebook)
    with call.begin() as tx:
        if change != jobs.ProjectChange():
            jobs.change_project(tx, number, change)
        if data.owner is not None:
            jobs.hand_over(tx, number, portal.number_of(data.owner))
        return wire.answer(_detailed(call, tx, jobs.find_project(tx, number)))


@delete("/projects/{project_id:str}", status_code=204, sync_to_thread=True, summary="Delete a Project")
def remove_project(call: Call, project_id: str) -> None:
    """With its services, its data, and its jobs."""
    with call.begin() as tx:
        jobs.remove_project(tx, call.tools, portal.number_of(project_id))


@put("/projects/{project_id:str}/{role:str}/{member:str}", status_code=204, sync_to_thread=True, summary="Add a Member")
def change_member(call: Call, project_id: str, role: str, member: str) -> None:
    """Somebody becomes one of the managers, contributors or watchers; `group:NAME` is all who belong to a group."""
    if role not in _ROLES:
        raise NothingHere
    with call.begin() as tx:
        jobs.change_member(tx, portal.number_of(project_id), _member(member), _ROLES[role])


@delete(
    "/projects/{project_id:str}/{role:str}/{member:str}",
    status_code=204,
    sync_to_thread=True,
    summary="Remove a Member",
)
def remove_member(call: Call, project_id: str, role: str, member: str) -> None:
    """Somebody has no role in the project any more."""
    if role not in _ROLES:
        raise NothingHere
    number, gone = portal.number_of(project_id), _member(member)
    with call.begin() as tx:
        project = jobs.find_project(tx, number)
        if gone not in jobs.contents_of(tx, [project])[number].with_role(_ROLES[role]):
            raise portal.NotThere(thing=f"one among the {role} of this project")
        jobs.remove_member(tx, number, gone)


def _member(text: str) -> jobs.Member:
    if text.startswith(GROUP):
        return jobs.Member.group(text.removeprefix(GROUP))
    return jobs.Member.user(portal.number_of(text))


@put("/projects/{project_id:str}/favorites", status_code=204, sync_to_thread=True, summary="Choose Favorites")
def change_favorites(call: Call, project_id: str, data: Favorites) -> None:
    """The services that the caller likes best in this project."""
    with call.begin() as tx:
        jobs.change_favorites(tx, portal.number_of(project_id), data.favorites)


routes = Router(
    "/",
    guards=[who_asks],
    tags=["Portal: projects"],
    route_handlers=[
        list_projects,
        create_project,
        show_project,
        change_project,
        remove_project,
        show_details,
        change_member,
        remove_member,
        change_favorites,
    ],
)
