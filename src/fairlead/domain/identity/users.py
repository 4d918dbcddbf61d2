"""What can be done with the people of a tenant?"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.domain import audit
from fairlead.domain.identity import passwords, store
from fairlead.domain.identity.model import (
    DEFAULT_ROLES,
    LastAdministrator,
    NothingToUpdate,
    Permission,
    User,
    UserNotFound,
    make_sure_email_is_good,
    make_sure_password_is_good,
    make_sure_roles_exist,
    permissions_of,
)

SIGNED_OUT = "signed-out"
"""The change that tells every process to verify a user's tokens anew."""


@dataclass(frozen=True, slots=True)
class UserChange:
    """What to change of a user; what is None stays as it is."""

    email: str | None = None
    password: str | None = None
    roles: Sequence[str] | None = None


def find_user(tx: Tx, user_id: str) -> User:
    """The user, or `UserNotFound`. Everyone may see themselves."""
    if user_id != tx.scope.actor.id:
        tx.require(Permission.VIEW_USERS)
    user = store.find_user(tx, user_id)
    if user is None:
        raise UserNotFound
    return user


def search_users(
    tx: Tx, ids: Sequence[str] = (), emails: Sequence[str] = (), times: Mapping[str, datetime] | None = None
) -> list[User]:
    tx.require(Permission.VIEW_USERS)
    return store.search_users(tx, ids, emails, times or {})


def add_user(tx: Tx, email: str, password_hash: str, roles: Sequence[str] | None = None) -> User:
    """Give a person an account. The password is hashed before, outside of the transaction: see `prepare_password`."""
    tx.require(Permission.MANAGE_USERS)
    make_sure_email_is_good(email)
    roles = roles or DEFAULT_ROLES
    make_sure_roles_exist(roles)
    now = clock.now()
    user = User(str(uuid.uuid4()), tx.tenant_id, email, password_hash, tuple(roles), now, now, None)
    store.add_user(tx, user)
    audit.record(tx, "user.create", user.id, name=email, roles=list(roles))
    return user


def prepare_password(password: str) -> str:
    """The hash to hand to `add_user` and `change_user`; refuses a password that is too short or absurdly long."""
    make_sure_password_is_good(password)
    return passwords.hash_password(password)


def change_user(tx: Tx, user_id: str, change: UserChange, keep_session: str | None = None) -> None:
    """Change e-mail, password (its hash, see `prepare_password`) or roles.

    A new password ends every session but `keep_session`; new roles are in force with the next request.
    """
    if change == UserChange():
        raise NothingToUpdate
    if user_id != tx.scope.actor.id or change.roles is not None:
        tx.require(Permission.MANAGE_USERS)
    user = store.find_user(tx, user_id)
    if user is None:
        raise UserNotFound
    store.change_user(tx, user_id, updated_at=clock.now(), **_new_values(tx, user, change))
    if change.password is not None:
        store.remove_sessions_of(tx, user_id, except_for=keep_session)
    tx.announce(SIGNED_OUT, user_id)
    audit.record(tx, "user.update", user_id, name=change.email or user.email, changed=_names_of(change))


def _new_values(tx: Tx, user: User, change: UserChange) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if change.email is not None:
        make_sure_email_is_good(change.email)
        values["email"] = change.email
    if change.password is not None:
        values["password_hash"] = change.password
    if change.roles is not None:
        make_sure_roles_exist(change.roles)
        _make_sure_someone_administers(tx, user, change.roles)
        values["roles"] = change.roles
    return values


def _names_of(change: UserChange) -> list[str]:
    return [name for name in ("email", "password", "roles") if getattr(change, name) is not None]


def remove_user(tx: Tx, user_id: str) -> None:
    """Take the account away. Removing someone who is not there is no error (useradm: 204 always)."""
    tx.require(Permission.MANAGE_USERS)
    user = store.find_user(tx, user_id)
    if user is None:
        return
    _make_sure_someone_administers(tx, user, ())
    store.remove_user(tx, user_id)
    tx.announce(SIGNED_OUT, user_id)
    audit.record(tx, "user.delete", user_id, name=user.email)


def _make_sure_someone_administers(tx: Tx, user: User, roles: Sequence[str]) -> None:
    """Refuse to leave the tenant without anyone who may manage its users."""
    if Permission.MANAGE_USERS in permissions_of(roles) or Permission.MANAGE_USERS not in permissions_of(user.roles):
        return
    tx.one_at_a_time("administrators")
    others = (other for other in store.search_users(tx, (), (), {}) if other.id != user.id)
    if not any(Permission.MANAGE_USERS in permissions_of(other.roles) for other in others):
        raise LastAdministrator
