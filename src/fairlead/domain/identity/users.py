"""What can be done with the people of a tenant?"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.domain import audit
from fairlead.domain.identity import passwords, personal_store, store
from fairlead.domain.identity.model import (
    DEFAULT_ROLES,
    SIGNED_OUT,
    LastAdministrator,
    NothingToUpdate,
    Permission,
    User,
    UserNotFound,
    make_sure_email_is_good,
    make_sure_password_is_good,
)
from fairlead.domain.identity.roles import (
    ADMINISTRATORS,
    each_once,
    make_sure_actor_covers_user,
    make_sure_roles_may_be_given,
    policy_of_roles,
)


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
    """Give a person an account; no list of roles is the default ones, an empty list is none.

    The password is hashed before, outside of the transaction: see `prepare_password`.
    """
    tx.require(Permission.MANAGE_USERS)
    make_sure_email_is_good(email)
    roles = each_once(DEFAULT_ROLES if roles is None else roles)
    make_sure_roles_may_be_given(tx, roles)
    now = clock.now()
    user = User(str(uuid.uuid4()), tx.tenant_id, email, password_hash, roles, now, now, None)
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
    if change.roles is not None:
        tx.one_at_a_time(ADMINISTRATORS)
        change = replace(change, roles=each_once(change.roles))
    user = store.find_user(tx, user_id)
    if user is None:
        raise UserNotFound
    make_sure_actor_covers_user(tx, user)
    store.change_user(tx, user_id, updated_at=clock.now(), **_new_values(tx, user, change))
    if change.password is not None:
        store.remove_sessions_of(tx, user_id, except_for=keep_session)
    if change.password is not None or change.email is not None:
        personal_store.remove_resets_of(tx, user_id)
    tx.announce(SIGNED_OUT, user_id)
    audit.record(tx, "user.update", user_id, name=change.email or user.email, changed=_differences(user, change))


def _new_values(tx: Tx, user: User, change: UserChange) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if change.email is not None:
        make_sure_email_is_good(change.email)
        values["email"] = change.email
    if change.password is not None:
        values["password_hash"] = change.password
    if change.roles is not None:
        make_sure_roles_may_be_given(tx, change.roles)
        _make_sure_someone_administers(tx, user, change.roles)
        values["roles"] = change.roles
    return values


def _differences(user: User, change: UserChange) -> dict[str, tuple[Any, ...]]:
    """What is changed, for the audit trail: old and new. Of a password neither is told."""
    found: dict[str, tuple[Any, ...]] = {} if change.password is None else {"password": ()}
    for name in ("email", "roles"):
        new = getattr(change, name)
        if new is not None and (old := getattr(user, name)) != (new if name == "email" else tuple(new)):
            found[name] = (old, new)
    return found


def remove_user(tx: Tx, user_id: str) -> None:
    """Take the account away. Removing someone who is not there is no error (useradm: 204 always)."""
    tx.require(Permission.MANAGE_USERS)
    tx.one_at_a_time(ADMINISTRATORS)
    user = store.find_user(tx, user_id)
    if user is None:
        return
    make_sure_actor_covers_user(tx, user)
    _make_sure_someone_administers(tx, user, ())
    store.remove_user(tx, user_id)
    tx.announce(SIGNED_OUT, user_id)
    audit.record(tx, "user.delete", user_id, name=user.email)


def _make_sure_someone_administers(tx: Tx, user: User, roles: Sequence[str]) -> None:
    """Refuse to leave the tenant without anyone who may manage its users. Asked in one's turn as `ADMINISTRATORS`."""
    if _administers(tx, roles) or not _administers(tx, user.roles):
        return
    others = (other for other in store.search_users(tx, (), (), {}) if other.id != user.id)
    if not any(_administers(tx, other.roles) for other in others):
        raise LastAdministrator


def _administers(tx: Tx, roles: Sequence[str]) -> bool:
    return Permission.MANAGE_USERS in policy_of_roles(tx, roles)
