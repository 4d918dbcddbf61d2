"""Who belongs to an account besides its master, and what can be done with them?

A member has a name that is theirs within the account, a password, and at most one role, which is a scope document.
They come and go by the master's word alone.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.domain import audit
from fairlead.domain.identity import member_store as store
from fairlead.domain.identity.model import make_sure_email_is_good
from fairlead.domain.identity.principals import make_sure_may
from fairlead.domain.identity.resources import Resource
from fairlead.domain.identity.vocabulary import Act

LONGEST_USERNAME = 64
ON_MEMBERS = "members and their roles"
"""What is done one at a time: giving somebody a role, and taking the role or them away."""

_when_removed: list[Callable[[Tx, str], None]] = []


def when_member_removed(clean_up: Callable[[Tx, str], None]) -> None:
    """Have this done, in the same transaction, when a member is let go; it is told their username."""
    _when_removed.append(clean_up)


@dataclass(frozen=True, slots=True)
class Member:
    """Someone in an account. `tokens_from` is the moment of their password: a token tells under which it was issued."""

    id: str
    tenant_id: str
    username: str
    email: str
    password_hash: str = field(repr=False)
    tokens_from: datetime
    created_at: datetime
    updated_at: datetime


class MemberNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "there is no user {username}"


class UsernameTaken(Refusal):
    kind = Kind.CONFLICT
    message = "there is a user {username} already"


class BadUsername(Refusal):
    message = "username: {reason}"


def list_members(tx: Tx) -> list[Member]:
    """All of them, by name."""
    make_sure_may(tx.scope, Act.VIEW_USERS, _as_resource(""))
    return [as_member(row) for row in store.list_members(tx)]


def find_member(tx: Tx, username: str) -> Member:
    """The member of this name, or `MemberNotFound`. Everyone may see themselves."""
    row = store.find_member_called(tx, username)
    if row is None or row.id != tx.scope.actor.id:
        make_sure_may(tx.scope, Act.VIEW_USERS, _as_resource(username))
    return _found(row, username)


def add_member(tx: Tx, username: str, password_hash: str, email: str = "") -> Member:
    """Take somebody into the account. The password is hashed before, see `prepare_password`."""
    make_sure_may(tx.scope, Act.CREATE_USER, _as_resource(username))
    _make_sure_username_is_good(username)
    if email:
        make_sure_email_is_good(email)
    now = clock.now()
    member = Member(str(uuid.uuid4()), tx.tenant_id, username, email, password_hash, now, now, now)
    try:
        store.add_member(tx, {name: getattr(member, name) for name in Member.__dataclass_fields__})
    except IntegrityError:
        raise UsernameTaken(username=username) from None
    audit.record(tx, "member.create", member.id, name=username)
    return member


def change_member_password(tx: Tx, username: str, password_hash: str) -> None:
    """Give a member another password. Tokens that they got by the old one are good no more."""
    make_sure_may(tx.scope, Act.CREATE_USER, _as_resource(username))
    member = _found(store.find_member_called(tx, username), username)
    now = clock.now()
    store.change_member(tx, member.id, password_hash=password_hash, tokens_from=now, updated_at=now)
    audit.record(tx, "member.update", member.id, name=username, changed={"password": ()})


def remove_member(tx: Tx, username: str) -> None:
    """Let a member go, with their role and their tokens. What they own stays, and is nobody's but the master's."""
    make_sure_may(tx.scope, Act.DELETE_USER, _as_resource(username))
    tx.one_at_a_time(ON_MEMBERS)
    member = _found(store.find_member_called(tx, username), username)
    store.remove_member(tx, member.id)
    for clean_up in _when_removed:
        clean_up(tx, username)
    audit.record(tx, "member.delete", member.id, name=username)


def as_member(row: sa.Row[Any]) -> Member:
    return Member(**{name: getattr(row, name) for name in Member.__dataclass_fields__})


def _found(row: sa.Row[Any] | None, username: str) -> Member:
    if row is None:
        raise MemberNotFound(username=username[:LONGEST_USERNAME])
    return as_member(row)


def _as_resource(username: str) -> Resource:
    return Resource.other("user", username)


def _make_sure_username_is_good(username: str) -> None:
    """Names stand in paths and in conditions of scope documents; with an @ it would be the master's e-mail."""
    if not 1 <= len(username) <= LONGEST_USERNAME:
        raise BadUsername(reason=f"must have 1 to {LONGEST_USERNAME} characters")
    if "@" in username:
        raise BadUsername(reason="must be without @: only the master of an account goes by an e-mail")
    if not username.isprintable() or username != username.strip():
        raise BadUsername(reason="must be printable, without space around it")
    if set(username) & set("/\\*?#%") or username in (".", "..", "role", "_SUBUSER_"):
        raise BadUsername(reason="must be a name without / \\ * ? # and %, and none of . .. role and _SUBUSER_")
