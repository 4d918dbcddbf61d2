"""Where members, programs, and roles that are written as scope documents are kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from fairlead.base.database import TENANT, Tx
from fairlead.domain.identity.member_tables import document_roles, member_roles, members, programs

_members = sa.select(members).where(members.c.tenant_id == TENANT)
_member = _members.where(members.c.id == sa.bindparam("id"))
_member_called = _members.where(members.c.username == sa.bindparam("username"))
_programs = sa.select(programs).where(programs.c.tenant_id == TENANT)
_program = _programs.where(programs.c.id == sa.bindparam("id"))
_any_program = sa.select(programs).where(programs.c.id == sa.bindparam("id"))
_roles = sa.select(document_roles).where(document_roles.c.tenant_id == TENANT)
_role = _roles.where(document_roles.c.id == sa.bindparam("id"))
_role_count = sa.select(sa.func.count()).select_from(document_roles).where(document_roles.c.tenant_id == TENANT)
_attached = (
    sa.select(
        member_roles.c.id.label("attachment_id"),
        member_roles.c.created_at.label("attached_at"),
        member_roles.c.updated_at.label("changed_at"),
        members.c.username,
        document_roles,
    )
    .join(members, sa.and_(members.c.id == member_roles.c.member_id, members.c.tenant_id == TENANT))
    .join(
        document_roles,
        sa.and_(document_roles.c.id == member_roles.c.role_id, document_roles.c.tenant_id == TENANT),
    )
    .where(member_roles.c.tenant_id == TENANT)
)
_attached_to = _attached.where(member_roles.c.member_id == sa.bindparam("member_id"))
_holders = (
    sa.select(members.c.username)
    .join(member_roles, sa.and_(member_roles.c.member_id == members.c.id, member_roles.c.tenant_id == TENANT))
    .where(members.c.tenant_id == TENANT, member_roles.c.role_id == sa.bindparam("role_id"))
    .order_by(members.c.username)
)
_remove_attachment = sa.delete(member_roles).where(
    member_roles.c.tenant_id == TENANT, member_roles.c.member_id == sa.bindparam("of_member")
)


def find_member(tx: Tx, member_id: str) -> sa.Row[Any] | None:
    return tx.one(_member, {"id": member_id})


def find_member_called(tx: Tx, username: str) -> sa.Row[Any] | None:
    return tx.one(_member_called, {"username": username})


def list_members(tx: Tx) -> list[sa.Row[Any]]:
    return list(tx.all(_members.order_by(members.c.username)))


def add_member(tx: Tx, values: Mapping[str, Any]) -> None:
    tx.run(sa.insert(members), values)


def change_member(tx: Tx, member_id: str, **values: Any) -> None:
    tx.run(sa.update(members).where(members.c.tenant_id == TENANT, members.c.id == member_id).values(**values))


def remove_member(tx: Tx, member_id: str) -> None:
    tx.run(sa.delete(members).where(members.c.tenant_id == TENANT, members.c.id == member_id))


def find_program(tx: Tx, program_id: str) -> sa.Row[Any] | None:
    return tx.one(_program, {"id": program_id})


def find_any_program(tx: Tx, program_id: str) -> sa.Row[Any] | None:
    """Across tenants: whoever shows the credentials of a program has not said whose it is."""
    return tx.one(_any_program, {"id": program_id})


def list_programs(tx: Tx) -> list[sa.Row[Any]]:
    return list(tx.all(_programs.order_by(programs.c.created_at, programs.c.id)))


def add_program(tx: Tx, values: Mapping[str, Any]) -> None:
    tx.run(sa.insert(programs), values)


def remove_program(tx: Tx, program_id: str) -> bool:
    return bool(tx.run(sa.delete(programs).where(programs.c.tenant_id == TENANT, programs.c.id == program_id)).rowcount)


def find_role(tx: Tx, role_id: str) -> sa.Row[Any] | None:
    return tx.one(_role, {"id": role_id})


def list_roles(tx: Tx) -> list[sa.Row[Any]]:
    return list(tx.all(_roles.order_by(document_roles.c.created_at, document_roles.c.id)))


def count_roles(tx: Tx) -> int:
    return int(tx.scalar(_role_count))


def add_role(tx: Tx, values: Mapping[str, Any]) -> None:
    tx.run(sa.insert(document_roles), values)


def change_role(tx: Tx, role_id: str, **values: Any) -> None:
    mine = (document_roles.c.tenant_id == TENANT, document_roles.c.id == role_id)
    tx.run(sa.update(document_roles).where(*mine).values(**values))


def remove_role(tx: Tx, role_id: str) -> None:
    tx.run(sa.delete(document_roles).where(document_roles.c.tenant_id == TENANT, document_roles.c.id == role_id))


def find_attachment(tx: Tx, member_id: str) -> sa.Row[Any] | None:
    """The role of a member, if they have one, and since when."""
    return tx.one(_attached_to, {"member_id": member_id})


def holders(tx: Tx, role_id: str) -> list[str]:
    """The usernames of those who have the role."""
    return [row.username for row in tx.all(_holders, {"role_id": role_id})]


def add_attachment(tx: Tx, values: Mapping[str, Any]) -> None:
    tx.run(sa.insert(member_roles), values)


def remove_attachment(tx: Tx, member_id: str) -> None:
    tx.run(_remove_attachment, {"of_member": member_id})
