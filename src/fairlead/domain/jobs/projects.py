"""What can be done with projects? In them people keep their data and jobs, alone or together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from fairlead.base.database import Tx
from fairlead.base.scope import system_scope
from fairlead.domain import audit, catalog
from fairlead.domain.identity import portal
from fairlead.domain.jobs import data_store, job_store, notifications, project_store
from fairlead.domain.jobs.project_model import (
    MOST_MEMBERS,
    MOST_PROJECTS,
    Contents,
    Member,
    MemberKind,
    NoSuchMember,
    OnlyTheOwnerHandsOver,
    OwnerIsNoMember,
    Project,
    ProjectChange,
    ProjectIsBusy,
    TooManyMembers,
    TooManyProjects,
    make_sure_favorites_are_good,
    make_sure_member_is_good,
    make_sure_notebook_is_good,
    make_sure_words_are_good,
)
from fairlead.domain.jobs.tools import Tools

MOST_AT_ONCE = 500


def create_project(tx: Tx, name: str, description: str = "", *, public: bool = False) -> Project:
    """A project of the caller's own, and the one that they work in if they have removed the one before."""
    portal.make_sure_may(tx.scope, portal.Act.CREATE_PROJECT)
    make_sure_words_are_good(name, description)
    owner = portal.number_of_caller(tx.scope)
    if owner == portal.NOTHING:
        raise portal.NotPermitted(act=portal.Act.CREATE_PROJECT.value)
    project = add_project(tx, name, owner, description, public=public)
    if _find_user(tx, Member.user(owner)).default_project is None:
        portal.set_default_project(tx, owner, project.number)
    audit.record(tx, "project.create", project.id, name=name, public=public)
    return project


def add_project(tx: Tx, name: str, owner: int, description: str = "", *, public: bool = False) -> Project:
    number = portal.next_number(tx, "project")
    if len(project_store.owned_by(tx, owner)) >= MOST_PROJECTS:
        raise TooManyProjects
    project_store.add(tx, number, name, description, owner, public)
    return _there(project_store.find(tx, number))


def find_project(tx: Tx, number: int, act: portal.Act = portal.Act.VIEW_PROJECT, *, hold: bool = False) -> Project:
    """The project, if the caller may do this in it; one that they may not see is not there."""
    project = project_store.find(tx, number, hold=hold)
    try:
        portal.make_sure_may(tx.scope, act, project.ref if project is not None else portal.ProjectRef(number))
    except portal.NotThere:  # whatever was to be done in it, it is the project that is missing
        project = None
    if project is None:
        raise portal.NotThere(thing="project")
    return project


def find_project_called(tx: Tx, text: str, act: portal.Act = portal.Act.VIEW_PROJECT) -> Project:
    """The same, by its id, or by its name if there is only one with it in which the caller has a role, or sees."""
    number = portal.number_of(text)
    if number == portal.NOTHING:
        named = project_store.of_numbers(tx, project_store.called(tx, text))
        seen = [each.number for each in named if portal.may(tx.scope, portal.Act.VIEW_PROJECT, each.ref)]
        grants = portal.grants_of(tx.scope)
        meant = [each for each in seen if grants and each in grants.roles] or seen
        number = meant[0] if len(meant) == 1 else portal.NOTHING
    return find_project(tx, number, act)


def list_projects(tx: Tx) -> list[Project]:
    """Those in which the caller has a role."""
    grants = portal.grants_of(tx.scope)
    found = project_store.of_numbers(tx, list(grants.roles)) if grants else []
    return [each for each in found if portal.may(tx.scope, portal.Act.VIEW_PROJECT, each.ref)]


def list_all_projects(tx: Tx, *, skip: int = 0, at_most: int = MOST_AT_ONCE) -> list[Project]:
    """For administrators."""
    portal.make_sure_may(tx.scope, portal.Act.ADMINISTER)
    return project_store.search(tx, max(0, skip), max(0, min(at_most, MOST_AT_ONCE)))


def projects_of(tx: Tx, users: Collection[portal.User]) -> Mapping[int, list[int]]:
    """The numbers of the projects in which each of these users has a role, for whoever may see the users."""
    return {user.number: sorted(portal.roles_of(tx, user)) for user in users}


def contents_of(tx: Tx, projects: Sequence[Project]) -> Mapping[int, Contents]:
    """What is in each of these, which the caller has found before."""
    numbers = [each.number for each in projects]
    members = project_store.members_of(tx, numbers)
    jobs, data = project_store.jobs_in(tx, numbers), project_store.data_in(tx, numbers)
    favorites = project_store.favorites_of(tx, portal.number_of_caller(tx.scope), numbers)
    return {
        number: Contents(tuple(members[number]), tuple(jobs[number]), tuple(data[number]), tuple(favorites[number]))
        for number in numbers
    }


def change_project(tx: Tx, number: int, change: ProjectChange) -> Project:
    """Reword a project, open or close it to the public, write its notebook: each for those who may."""
    project = find_project(tx, number, hold=True)
    values: dict[str, Any] = {
        name: getattr(change, name)
        for name in ("name", "description", "public", "notebook")
        if getattr(change, name) not in (None, getattr(project, name))
    }
    for act in _acts_of(project, change):
        portal.make_sure_may(tx.scope, act, project.ref)
    make_sure_words_are_good(values.get("name", project.name), values.get("description", project.description))
    make_sure_notebook_is_good(values.get("notebook", ""))
    if values:
        project_store.change(tx, number, **values)
        shown = {name: value for name, value in values.items() if name != "notebook"}
        audit.record(tx, "project.update", project.id, name=project.name, changed=sorted(values), **_not_name(shown))
    return find_project(tx, number)


def _not_name(values: dict[str, Any]) -> dict[str, Any]:
    return {"new_name" if key == "name" else key: value for key, value in values.items()}


def _acts_of(project: Project, change: ProjectChange) -> list[portal.Act]:
    acts = []
    if change.notebook is not None:
        writes = portal.Act.EDIT_NOTEBOOK if project.notebook else portal.Act.CREATE_NOTEBOOK
        acts.append(writes if change.notebook else portal.Act.DELETE_NOTEBOOK)
    if not acts or any(each is not None for each in (change.name, change.description, change.public)):
        acts.append(portal.Act.EDIT_PROJECT)
    return acts


def remove_project(tx: Tx, tools: Tools, number: int) -> None:
    """With its services, its data, and its jobs, of which none may be under way."""
    project = find_project(tx, number, portal.Act.DELETE_PROJECT, hold=True)
    keys = _clear(tx, project)
    audit.record(tx, "project.delete", project.id, name=project.name)
    tx.afterwards(lambda: _remove_payloads(tools, keys))


def clear_project(tx: Tx, project: Project) -> None:
    """The same for whoever goes with all that is theirs. What the payloads leave behind is swept."""
    _clear(tx, project)


def _clear(tx: Tx, project: Project) -> list[str]:
    if job_store.count_active(tx, project=project.number):
        raise ProjectIsBusy
    keys = data_store.keys_of_project(tx, project.number) + job_store.keys_of_project(tx, project.number)
    catalog.remove_services_of_project(tx, project.number)
    project_store.remove(tx, project.number)
    _forget_as_default(tx, project)
    return keys


def _forget_as_default(tx: Tx, project: Project) -> None:
    try:
        owner = portal.find_user(tx.within(system_scope(tx.tenant_id)), project.owner)
    except portal.UserNotFound:
        return
    if owner.default_project == project.number:
        portal.set_default_project(tx, owner.number, None)


def _remove_payloads(tools: Tools, keys: list[str]) -> None:
    for key in keys:
        tools.blobs.remove(key)


def change_member(tx: Tx, number: int, member: Member, role: portal.Role) -> None:
    """Give somebody a role in a project, instead of the one that they had."""
    project = find_project(tx, number, portal.Act.CHANGE_MEMBERS, hold=True)
    make_sure_member_is_good(member)
    if role is portal.Role.OWNER or member == Member.user(project.owner):
        raise OwnerIsNoMember
    before = project_store.role_of_member(tx, number, member)
    if before is role:
        return
    if member.kind is MemberKind.USER:
        _find_user(tx, member)
    if before is None and project_store.count_members(tx, number) >= MOST_MEMBERS:
        raise TooManyMembers
    project_store.add_member(tx, number, member, role)
    audit.record(tx, "project.member", project.id, name=project.name, member=member.name, role=role.value)
    if member.kind is MemberKind.USER:
        text = f"You are a {role.value} of the project {project.name} now."
        notifications.notify(
            tx, portal.number_of(member.name), notifications.NotificationType.PROJECT, text, project.id
        )


def remove_member(tx: Tx, number: int, member: Member) -> None:
    """Take somebody's role away. Everybody may give up their own."""
    is_own = member == Member.user(portal.number_of_caller(tx.scope))
    act = portal.Act.VIEW_PROJECT if is_own else portal.Act.CHANGE_MEMBERS
    project = find_project(tx, number, act, hold=True)
    if member == Member.user(project.owner):
        raise OwnerIsNoMember
    if project_store.role_of_member(tx, number, member) is None:
        raise portal.NotThere(thing="member of this project")
    project_store.remove_member(tx, number, member)
    audit.record(tx, "project.remove_member", project.id, name=project.name, member=member.name)


def hand_over(tx: Tx, number: int, new_owner: int) -> None:
    """Make another user the owner; who was it becomes a manager."""
    project = find_project(tx, number, portal.Act.CHANGE_MEMBERS, hold=True)
    if project.owner != portal.number_of_caller(tx.scope) and not portal.may(tx.scope, portal.Act.ADMINISTER):
        raise OnlyTheOwnerHandsOver
    user = _find_user(tx, Member.user(new_owner))
    if user.is_anonymous or user.status is not portal.Standing.ACTIVE:
        raise NoSuchMember
    if new_owner == project.owner:
        return
    if len(project_store.owned_by(tx, new_owner)) >= MOST_PROJECTS:
        raise TooManyProjects
    project_store.remove_member(tx, number, Member.user(new_owner))
    project_store.change(tx, number, owner=new_owner)
    project_store.add_member(tx, number, Member.user(project.owner), portal.Role.MANAGER)
    audit.record(tx, "project.hand_over", project.id, name=project.name, owner=portal.written(new_owner))
    text = f"The project {project.name} is yours now."
    notifications.notify(tx, new_owner, notifications.NotificationType.PROJECT, text, project.id)


def _find_user(tx: Tx, member: Member) -> portal.User:
    """Whoever changes members need not be one who may look at users."""
    try:
        return portal.find_user(tx.within(system_scope(tx.tenant_id)), portal.number_of(member.name))
    except portal.UserNotFound:
        raise NoSuchMember from None


def change_favorites(tx: Tx, number: int, services: list[str]) -> None:
    """The services that the caller likes best in this project. Nobody else's."""
    project = find_project(tx, number)
    user = portal.number_of_caller(tx.scope)
    if user == portal.NOTHING:
        raise portal.LogInFirst(act="have favourites")
    make_sure_favorites_are_good(services)
    project_store.change_favorites(tx, number, user, services)
    audit.record(tx, "project.favorites", project.id, name=project.name, favorites=services)


def _there(project: Project | None) -> Project:
    if project is None:
        raise LookupError("a project that was added just now")
    return project
