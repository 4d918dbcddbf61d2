"""Which roles does an account have that are written as scope documents, and who has which?

A document is kept, and given back, as it was given. A member has one role at most: another one takes its place, and
who has none goes by the default for members. Whatever changes is in force with the next request, because what a
member may do is looked up at each.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.domain import audit
from fairlead.domain.identity import member_store as store
from fairlead.domain.identity.account_ids import new_id
from fairlead.domain.identity.documents import ScopeDocument, read_document
from fairlead.domain.identity.members import ON_MEMBERS, Member, as_member, find_member
from fairlead.domain.identity.policy import Policy
from fairlead.domain.identity.principals import make_sure_may, policy_of_sub_user
from fairlead.domain.identity.resources import Resource
from fairlead.domain.identity.vocabulary import Act

LONGEST_NAME = 256
LONGEST_ID = 64
MOST_ROLES = 1000


@dataclass(frozen=True, slots=True)
class DocumentRole:
    """A named scope document, as the text that was given."""

    id: str
    name: str
    document: str
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Attachment:
    """That a member has a role, and since when they have one."""

    id: str
    username: str
    role: DocumentRole
    created_at: datetime
    updated_at: datetime


class DocumentRoleNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "there is no role {role_id}"


class RoleNotAttached(Refusal):
    kind = Kind.NOT_FOUND
    message = "the user {username} does not have the role {role_id}"


class MasterHasNoRole(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "{username} is an e-mail, and so of a master, who may do everything: roles are for the other users"


class BadRoleName(Refusal):
    message = "name: must be printable and have 1 to {most} characters"


class TooManyRoles(Refusal):
    kind = Kind.LIMIT
    message = "there are {most} roles, and more are not possible: remove one first"


def list_document_roles(tx: Tx) -> list[DocumentRole]:
    """All of the account, oldest first."""
    make_sure_may(tx.scope, Act.VIEW_ROLES, _as_resource(""))
    return [_as_role(row) for row in store.list_roles(tx)]


def find_document_role(tx: Tx, role_id: str) -> DocumentRole:
    """The role, or `DocumentRoleNotFound`."""
    make_sure_may(tx.scope, Act.VIEW_ROLES, _as_resource(role_id))
    return _find(tx, role_id)


def add_document_role(tx: Tx, name: str, document: str) -> DocumentRole:
    """Make a role of a scope document, or refuse with `BadDocument` and the place of what is wrong in it."""
    make_sure_may(tx.scope, Act.CREATE_ROLE, _as_resource(""))
    _make_sure_it_is_good(name, document)
    tx.one_at_a_time(ON_MEMBERS)
    if store.count_roles(tx) >= MOST_ROLES:
        raise TooManyRoles(most=MOST_ROLES)
    now = clock.now()
    role = DocumentRole(new_id(tx, "morole"), name, document, now, now)
    store.add_role(tx, {each: getattr(role, each) for each in DocumentRole.__dataclass_fields__})
    audit.record(tx, "role.create", role.id, name=name, document=document)
    return role


def change_document_role(tx: Tx, role_id: str, name: str, document: str) -> None:
    """Give a role another name and document, for everybody who has it."""
    make_sure_may(tx.scope, Act.EDIT_ROLE, _as_resource(role_id))
    _make_sure_it_is_good(name, document)
    tx.one_at_a_time(ON_MEMBERS)
    old = _find(tx, role_id)
    store.change_role(tx, role_id, name=name, document=document, updated_at=clock.now())
    audit.record(tx, "role.update", role_id, name=name, changed=_differences(old, name, document))


def remove_document_role(tx: Tx, role_id: str) -> None:
    """Remove a role. Whoever had it has none any more."""
    make_sure_may(tx.scope, Act.DELETE_ROLE, _as_resource(role_id))
    tx.one_at_a_time(ON_MEMBERS)
    role = _find(tx, role_id)
    usernames = store.holders(tx, role_id)
    store.remove_role(tx, role_id)
    audit.record(tx, "role.delete", role_id, name=role.name, taken_from=usernames)


def attach_role(tx: Tx, username: str, role_id: str) -> Attachment:
    """Let a member have this role, in place of the one that they may have had. Doing it again changes nothing."""
    make_sure_may(tx.scope, Act.CREATE_USER_ROLE, _as_resource(role_id))
    tx.one_at_a_time(ON_MEMBERS)
    member, role = _find_who_can_have_one(tx, username), _find(tx, role_id)
    before = _attachment_of(tx, member)
    if before is not None and before.role.id == role.id:
        return before
    now = clock.now()
    attached = before or Attachment(new_id(tx, "mour"), username, role, now, now)
    store.remove_attachment(tx, member.id)
    row = {"id": attached.id, "member_id": member.id, "role_id": role.id}
    store.add_attachment(tx, {**row, "created_at": attached.created_at, "updated_at": now})
    _record(tx, member, before.role.id if before else "", role.id)
    return replace(attached, role=role, updated_at=now)


def detach_role(tx: Tx, username: str, role_id: str) -> None:
    """Take this role from a member, who then goes by the default. Refuses one that they do not have."""
    make_sure_may(tx.scope, Act.DELETE_USER_ROLE, _as_resource(role_id))
    tx.one_at_a_time(ON_MEMBERS)
    member, role = _find_who_can_have_one(tx, username), _find(tx, role_id)
    attachment = _attachment_of(tx, member)
    if attachment is None or attachment.role.id != role.id:
        raise RoleNotAttached(username=username, role_id=role_id)
    store.remove_attachment(tx, member.id)
    _record(tx, member, role.id, "")


def roles_of(tx: Tx, username: str) -> list[Attachment]:
    """The role of a member, if they have one. For the master to ask."""
    make_sure_may(tx.scope, Act.VIEW_USER_ROLES, _as_resource(""))
    return _listed(_attachment_of(tx, _find_who_can_have_one(tx, username)))


def own_roles(tx: Tx) -> list[Attachment]:
    """The role of whoever asks, if they have one. The master has none, and what is no person may not ask."""
    row = store.find_member(tx, tx.scope.actor.id)
    if row is None:
        make_sure_may(tx.scope, Act.VIEW_USER_ROLES, _as_resource(""))
        return []
    return _listed(_attachment_of(tx, as_member(row)))


def policy_of_member(tx: Tx, member: Member) -> Policy:
    """What the member may do at this moment."""
    row = store.find_attachment(tx, member.id)
    return policy_of_sub_user(_read(row.document) if row else None)


@lru_cache(maxsize=128)
def _read(document: str) -> ScopeDocument:
    return read_document(document)


def _record(tx: Tx, member: Member, before: str, after: str) -> None:
    audit.record(tx, "member.update", member.id, name=member.username, changed={"role": (before, after)})


def _find_who_can_have_one(tx: Tx, username: str) -> Member:
    if "@" in username:
        raise MasterHasNoRole(username=username[:LONGEST_NAME])
    return find_member(tx, username)


def _find(tx: Tx, role_id: str) -> DocumentRole:
    row = store.find_role(tx, role_id)
    if row is None:
        raise DocumentRoleNotFound(role_id=role_id[:LONGEST_ID])
    return _as_role(row)


def _attachment_of(tx: Tx, member: Member) -> Attachment | None:
    row = store.find_attachment(tx, member.id)
    return row and Attachment(row.attachment_id, row.username, _as_role(row), row.attached_at, row.changed_at)


def _listed(attachment: Attachment | None) -> list[Attachment]:
    return [attachment] if attachment else []


def _as_role(row: sa.Row[Any]) -> DocumentRole:
    return DocumentRole(**{name: getattr(row, name) for name in DocumentRole.__dataclass_fields__})


def _as_resource(role_id: str) -> Resource:
    return Resource.other("role", role_id)


def _make_sure_it_is_good(name: str, document: str) -> None:
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise BadRoleName(most=LONGEST_NAME)
    read_document(document)


def _differences(old: DocumentRole, name: str, document: str) -> dict[str, tuple[str, str]]:
    """What is put on record of a change: old and new of whatever is not the same any more."""
    pairs = {"name": (old.name, name), "document": (old.document, document)}
    return {what: (before, after) for what, (before, after) in pairs.items() if before != after}
