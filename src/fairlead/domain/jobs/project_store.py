"""Where projects are kept, who belongs to them, and which services people like best there."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Tx
from fairlead.domain.identity import portal
from fairlead.domain.jobs.project_model import Member, MemberKind, Project
from fairlead.domain.jobs.tables import portal_data, portal_favorites, portal_jobs, portal_members, portal_projects

_project = portal_projects.c
_member = portal_members.c
_favorite = portal_favorites.c
_own = sa.select(portal_projects).where(_project.tenant_id == TENANT).order_by(_project.number)
_one = _own.where(_project.number == sa.bindparam("number"))
_held = _one.with_for_update()
_members = sa.select(portal_members).where(_member.tenant_id == TENANT)
_membership = (_member.tenant_id == TENANT, _member.kind == sa.bindparam("of_kind"))


def find(tx: Tx, number: int, *, hold: bool = False) -> Project | None:
    """The project; with `hold` nobody else changes or removes it until the end of the transaction."""
    row = tx.one(_held if hold else _one, {"number": number})
    return row and _as_project(row)


def of_numbers(tx: Tx, numbers: Collection[int]) -> list[Project]:
    if not numbers:
        return []
    return [_as_project(row) for row in tx.all(_own.where(_project.number.in_(list(numbers))))]


def called(tx: Tx, name: str) -> list[int]:
    """The numbers of all projects with this name: everybody begins with one that is called alike."""
    named = (_project.tenant_id == TENANT, _project.name == name)
    return [row.number for row in tx.all(sa.select(_project.number).where(*named).order_by(_project.number))]


def search(tx: Tx, skip: int, at_most: int) -> list[Project]:
    return [_as_project(row) for row in tx.all(_own.offset(skip).limit(at_most))]


def owned_by(tx: Tx, user: int) -> list[Project]:
    return [_as_project(row) for row in tx.all(_own.where(_project.owner == user))]


def add(tx: Tx, number: int, name: str, description: str, owner: int, public: bool) -> None:
    now = clock.now()
    row = {"number": number, "name": name, "description": description, "owner": owner, "public": public}
    tx.run(sa.insert(portal_projects), row | {"created_at": now, "updated_at": now})


def change(tx: Tx, number: int, **values: Any) -> None:
    own = (_project.tenant_id == TENANT, _project.number == number)
    tx.run(sa.update(portal_projects).where(*own).values(**values, updated_at=clock.now()))


def remove(tx: Tx, number: int) -> None:
    """With its members, favourites, data and jobs."""
    tx.run(sa.delete(portal_projects).where(_project.tenant_id == TENANT, _project.number == number))


def change_owner_of_all(tx: Tx, old: int, new: int) -> None:
    own = (_project.tenant_id == TENANT, _project.owner == old)
    tx.run(sa.update(portal_projects).where(*own).values(owner=new, updated_at=clock.now()))


def roles_of(tx: Tx, user_id: str, groups: Collection[str]) -> list[tuple[int, portal.Role]]:
    """Each role that somebody has as a member: as themselves and through their groups."""
    mine = sa.and_(_member.kind == MemberKind.USER.value, _member.name == user_id)
    ours = sa.and_(_member.kind == MemberKind.GROUP.value, _member.name.in_(list(groups)))
    rows = tx.all(_members.where(sa.or_(mine, ours) if groups else mine))
    return [(row.project, portal.Role(row.role)) for row in rows]


def members_of(tx: Tx, numbers: Collection[int]) -> Mapping[int, list[tuple[Member, portal.Role]]]:
    found: dict[int, list[tuple[Member, portal.Role]]] = defaultdict(list)
    ordered = _members.where(_member.project.in_(list(numbers))).order_by(_member.kind.desc(), _member.name)
    for row in tx.all(ordered):
        found[row.project].append((Member(MemberKind(row.kind), row.name), portal.Role(row.role)))
    return found


def role_of_member(tx: Tx, project: int, member: Member) -> portal.Role | None:
    one = (_member.project == project, _member.kind == member.kind.value, _member.name == member.name)
    row = tx.one(_members.where(*one))
    return row and portal.Role(row.role)


def count_members(tx: Tx, project: int) -> int:
    count = sa.select(sa.func.count()).select_from(portal_members)
    return int(tx.scalar(count.where(_member.tenant_id == TENANT, _member.project == project)))


def add_member(tx: Tx, project: int, member: Member, role: portal.Role) -> None:
    """One role each: a new one takes the place of the old one."""
    remove_member(tx, project, member)
    row = {"project": project, "kind": member.kind.value, "name": member.name, "role": role.value}
    tx.run(sa.insert(portal_members), row)


def remove_member(tx: Tx, project: int, member: Member) -> None:
    one = (*_membership, _member.name == member.name, _member.project == project)
    tx.run(sa.delete(portal_members).where(*one), {"of_kind": member.kind.value})


def remove_everywhere(tx: Tx, user_id: str) -> None:
    gone = sa.delete(portal_members).where(*_membership, _member.name == user_id)
    tx.run(gone, {"of_kind": MemberKind.USER.value})


def favorites_of(tx: Tx, user: int, numbers: Collection[int]) -> Mapping[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    own = (_favorite.tenant_id == TENANT, _favorite.user_number == user, _favorite.project.in_(list(numbers)))
    for row in tx.all(sa.select(portal_favorites).where(*own).order_by(_favorite.position)):
        found[row.project].append(row.service)
    return found


def all_favorites_of(tx: Tx, user: int) -> Mapping[int, list[str]]:
    """By the project in which somebody has them."""
    found: dict[int, list[str]] = defaultdict(list)
    own = (_favorite.tenant_id == TENANT, _favorite.user_number == user)
    for row in tx.all(sa.select(portal_favorites).where(*own).order_by(_favorite.position)):
        found[row.project].append(row.service)
    return found


def change_favorites(tx: Tx, project: int, user: int, services: Iterable[str]) -> None:
    own = (_favorite.tenant_id == TENANT, _favorite.project == project, _favorite.user_number == user)
    tx.run(sa.delete(portal_favorites).where(*own))
    rows = [
        {"project": project, "user_number": user, "position": position, "service": service}
        for position, service in enumerate(dict.fromkeys(services))
    ]
    if rows:
        tx.run(sa.insert(portal_favorites), rows)


def forget_favorites_of(tx: Tx, user: int) -> None:
    tx.run(sa.delete(portal_favorites).where(_favorite.tenant_id == TENANT, _favorite.user_number == user))


def jobs_in(tx: Tx, numbers: Collection[int]) -> Mapping[int, list[int]]:
    """Those that somebody has submitted, and not those that are tasks of others."""
    return _numbers_in(tx, portal_jobs, numbers, portal_jobs.c.parent_job.is_(None))


def data_in(tx: Tx, numbers: Collection[int]) -> Mapping[int, list[int]]:
    return _numbers_in(tx, portal_data, numbers)


def _numbers_in(tx: Tx, table: sa.Table, numbers: Collection[int], *more: Any) -> Mapping[int, list[int]]:
    found: dict[int, list[int]] = defaultdict(list)
    own = (table.c.tenant_id == TENANT, table.c.project.in_(list(numbers)), *more)
    for row in tx.all(sa.select(table.c.project, table.c.number).where(*own).order_by(table.c.number)):
        found[row.project].append(row.number)
    return found


def _as_project(row: sa.Row[Any]) -> Project:
    return Project(**{name: getattr(row, name) for name in Project.__dataclass_fields__})
