"""What of projects and jobs changes when users come, become others, or go? And who has which role where?"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from fairlead.base.database import Tx
from fairlead.domain import catalog
from fairlead.domain.identity import portal
from fairlead.domain.jobs import data_store, job_store, notifications, project_store
from fairlead.domain.jobs.project_model import MOST_FAVORITES, Member, Project
from fairlead.domain.jobs.projects import add_project, clear_project

FIRST_PROJECT = "my project"
BROUGHT_ALONG = "from before you logged in"


@portal.roles_told_by
def roles_of(tx: Tx, user: portal.User) -> Mapping[int, portal.Role]:
    """By the number of the project, the strongest of those that somebody has."""
    roles: dict[int, portal.Role] = {}
    for project, role in project_store.roles_of(tx, user.id, user.groups):
        roles[project] = portal.strongest({role, roles.get(project, role)})
    return roles | {project.number: portal.Role.OWNER for project in project_store.owned_by(tx, user.number)}


@portal.when_added
def give_a_project(tx: Tx, user: portal.User) -> None:
    """Everybody has a place to begin with. It is part of their arrival, which is on record."""
    project = add_project(tx, FIRST_PROJECT, user.number)
    portal.set_default_project(tx, user.number, project.number)


@portal.when_merged
def move_to(tx: Tx, anonymous: portal.User, user: portal.User) -> None:
    """The projects of the anonymous become the account's, unless nothing was done in them; and so do their jobs."""
    for project in project_store.owned_by(tx, anonymous.number):
        if _is_as_it_began(tx, project):
            clear_project(tx, project)
        elif project.name == FIRST_PROJECT:
            project_store.change(tx, project.number, name=BROUGHT_ALONG)
        project_store.remove_member(tx, project.number, Member.user(user.number))
    project_store.change_owner_of_all(tx, anonymous.number, user.number)
    _move_memberships(tx, anonymous, user)
    _move_favorites(tx, anonymous, user)
    job_store.change_user(tx, anonymous.number, user.number)
    data_store.change_user(tx, anonymous.number, user.number)
    notifications.change_user(tx, anonymous.number, user.number)


def _is_as_it_began(tx: Tx, project: Project) -> bool:
    said = project.name != FIRST_PROJECT or project.description or project.notebook or project.public
    number = project.number
    done = (
        project_store.jobs_in(tx, [number])
        or project_store.data_in(tx, [number])
        or project_store.count_members(tx, number)
        or catalog.count_services_of_project(tx, number)
        or project_store.favorites_of(tx, project.owner, [number])
    )
    return not (said or done)


def _move_favorites(tx: Tx, anonymous: portal.User, user: portal.User) -> None:
    for project, brought in project_store.all_favorites_of(tx, anonymous.number).items():
        had = project_store.favorites_of(tx, user.number, [project])[project]
        project_store.change_favorites(tx, project, user.number, [*had, *brought][:MOST_FAVORITES])
    project_store.forget_favorites_of(tx, anonymous.number)


def _move_memberships(tx: Tx, anonymous: portal.User, user: portal.User) -> None:
    for project, role in project_store.roles_of(tx, anonymous.id, ()):
        has = project_store.role_of_member(tx, project, Member.user(user.number))
        owns = project in {each.number for each in project_store.owned_by(tx, user.number)}
        if not owns:
            project_store.add_member(tx, project, Member.user(user.number), portal.strongest({role, has or role}))
    project_store.remove_everywhere(tx, anonymous.id)


@portal.before_removal
def take_away(tx: Tx, user: portal.User) -> None:
    """Whoever goes takes their projects along, unless jobs are under way in one."""
    for project in project_store.owned_by(tx, user.number):
        clear_project(tx, project)
    project_store.remove_everywhere(tx, user.id)
    project_store.forget_favorites_of(tx, user.number)
    notifications.forget_all_of(tx, user.number)


def seen(tx: Tx, numbers: Collection[int]) -> Mapping[int, portal.ProjectRef]:
    return {project.number: project.ref for project in project_store.of_numbers(tx, numbers)}


def called(tx: Tx, name: str) -> list[int]:
    return project_store.called(tx, name)


catalog.ask_for_projects(seen, called)
