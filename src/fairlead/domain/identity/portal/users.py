"""What can administrators do with the users of a portal, and users with their own account?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from fairlead.base.database import Database, Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.domain import audit
from fairlead.domain.identity import attempts, passwords
from fairlead.domain.identity.attempts import Counter
from fairlead.domain.identity.model import LONGEST_PASSWORD, NothingToUpdate, make_sure_email_is_good
from fairlead.domain.identity.portal import arrivals, store
from fairlead.domain.identity.portal.deciding import make_sure_may, number_of_caller
from fairlead.domain.identity.portal.letters import forget_letters_to
from fairlead.domain.identity.portal.logging_in import head_called
from fairlead.domain.identity.portal.model import (
    AuthenticationType,
    EmailTaken,
    Notices,
    User,
    UserNotFound,
    UserType,
    make_sure_groups_are_good,
    make_sure_message_is_good,
    make_sure_name_is_good,
)
from fairlead.domain.identity.portal.numbers import number_of
from fairlead.domain.identity.portal.store import Found
from fairlead.domain.identity.portal.tokens import SignedIn, make_sure_is_session, remove_tokens_of, renew_proof
from fairlead.domain.identity.project_roles import Act, Standing
from fairlead.domain.identity.users import prepare_password

MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Search:
    """Which users: with this text in their e-mail, this status, of this type; all that are given must hold."""

    text: str = ""
    status: Standing | None = None
    type: UserType | None = None
    skip: int = 0
    at_most: int = MOST_AT_ONCE


@dataclass(frozen=True, slots=True)
class OwnChange:
    """What somebody changes of themselves; what is None stays as it is."""

    first_name: str | None = None
    last_name: str | None = None
    notices: Notices | None = None


@dataclass(frozen=True, slots=True)
class NewPassword:
    """Who wants a new one shows the old one: a session that was left open does not give the account away."""

    old: str = field(repr=False)
    new: str = field(repr=False)


class LastAdministrator(Refusal):
    kind = Kind.CONFLICT
    message = "This is the last administrator: make another one first."


class AdministratorByAccount(Refusal):
    kind = Kind.CONFLICT
    message = "This user administers the organization, and so its portal: that is changed in the organization."


class AnonymousAdministrator(Refusal):
    kind = Kind.CONFLICT
    message = "Someone without an account cannot be an administrator."


class WrongPassword(Refusal):
    kind = Kind.FORBIDDEN
    message = "The old password is wrong."


class PasswordKeptElsewhere(Refusal):
    kind = Kind.CONFLICT
    message = "Your password is not kept by this portal: change it where it is."


def find_user(tx: Tx, number: int) -> User:
    """The user, or `UserNotFound`. Everyone may see themselves; of others only administrators learn that they exist."""
    if number != number_of_caller(tx.scope):
        make_sure_may(tx.scope, Act.MANAGE_USERS)
    return _find(tx, number).user


def find_user_called(tx: Tx, name: str) -> User:
    """The user with this e-mail or this id."""
    make_sure_may(tx.scope, Act.MANAGE_USERS)
    found = store.find(tx, number_of(name)) or (store.find_by_email(tx, name) if name.isprintable() else None)
    if found is None:
        raise UserNotFound
    return found.user


def search_users(tx: Tx, wanted: Search = Search()) -> list[User]:
    """By number."""
    make_sure_may(tx.scope, Act.MANAGE_USERS)
    if not wanted.text.isprintable():
        return []
    at_most = max(0, min(wanted.at_most, MOST_AT_ONCE))
    return store.search(tx, wanted.text, wanted.status, wanted.type, max(0, wanted.skip), at_most)


def add_user(
    tx: Tx, email: str, password_hash: str, *, first_name: str = "", last_name: str = "", is_admin: bool = False
) -> User:
    """Give somebody an account that is in force at once. The password is hashed before, see `prepare_password`."""
    make_sure_may(tx.scope, Act.MANAGE_USERS)
    make_sure_email_is_good(email)
    make_sure_name_is_good(first_name)
    make_sure_name_is_good(last_name)
    if head_called(tx, email) is not None:
        raise EmailTaken(email=email)
    values: dict[str, Any] = {"password_hash": password_hash, "first_name": first_name, "last_name": last_name}
    local = AuthenticationType.LOCAL
    return arrivals.add(tx, UserType.AUTHENTICATED, local, email, is_admin=is_admin, **values).user


def suspend_user(tx: Tx, number: int, message: str = "") -> None:
    """Shut somebody out. Their sessions and tokens are good for nothing but for being told the message."""
    make_sure_may(tx.scope, Act.MANAGE_USERS)
    make_sure_message_is_good(message)
    user = _find(tx, number).user
    _make_sure_others_administer(tx, user)
    _change_status(tx, user, Standing.SUSPENDED, message)
    forget_letters_to(tx, number)


def activate_user(tx: Tx, number: int) -> None:
    """Let somebody in: who has not confirmed the e-mail yet, or is suspended, and then has to log in again."""
    make_sure_may(tx.scope, Act.MANAGE_USERS)
    user = _find(tx, number).user
    if user.status is Standing.SUSPENDED:
        remove_tokens_of(tx, number)
    _change_status(tx, user, Standing.ACTIVE, "")
    forget_letters_to(tx, number)


def _change_status(tx: Tx, user: User, status: Standing, message: str) -> None:
    if (user.status, user.status_message) == (status, message):
        return
    store.change(tx, user.number, status=status.value, status_message=message)
    _note(tx, user, status=(user.status.value, status.value), **({"message": message} if message else {}))


def change_groups(tx: Tx, number: int, groups: Iterable[str]) -> None:
    """Let somebody belong to these groups and no others."""
    make_sure_may(tx.scope, Act.MANAGE_USERS)
    wanted = sorted(set(groups))
    make_sure_groups_are_good(wanted)
    user = _find(tx, number).user
    if tuple(wanted) != user.groups:
        store.change_groups(tx, number, wanted)
        _note(tx, user, groups=(list(user.groups), wanted))


def change_is_admin(tx: Tx, number: int, is_admin: bool) -> None:
    """Make somebody an administrator, or one no more."""
    make_sure_may(tx.scope, Act.MANAGE_USERS)
    found = _find(tx, number)
    user = found.user
    if is_admin and user.is_anonymous:
        raise AnonymousAdministrator
    if not is_admin and found.is_admin_by_account:
        raise AdministratorByAccount
    if is_admin == user.is_admin:
        return
    if not is_admin:
        _make_sure_others_administer(tx, user)
    store.change(tx, number, is_admin=is_admin)
    _note(tx, user, is_admin=(user.is_admin, is_admin))


def remove_user(tx: Tx, number: int) -> None:
    """Take an account away, with all that belongs to it, unless somebody who keeps that refuses."""
    make_sure_may(tx.scope, Act.MANAGE_USERS)
    user = _find(tx, number).user
    _make_sure_others_administer(tx, user)
    arrivals.remove(tx, user)


def change_own(tx: Tx, change: OwnChange) -> User:
    """Change how whoever calls is called and what they are told of."""
    if change == OwnChange():
        raise NothingToUpdate
    user = _find(tx, number_of_caller(tx.scope)).user
    values: dict[str, Any] = {}
    for column, name in (("first_name", change.first_name), ("last_name", change.last_name)):
        if name is not None:
            make_sure_name_is_good(name)
            values[column] = name
    if change.notices is not None:
        values |= {f"notify_{name}": getattr(change.notices, name) for name in Notices.__dataclass_fields__}
    store.change(tx, user.number, **values)
    _note(tx, user, changed=sorted(values))
    return _find(tx, user.number).user


def change_own_password(database: Database, signed_in: SignedIn, given: NewPassword) -> None:
    """Set a new password. All other sessions and all tokens end; the session that it was done through goes on.

    Takes the database, not a transaction: comparing passwords takes long on purpose.
    """
    make_sure_is_session(signed_in)
    number = signed_in.user.number
    counter = Counter(f"portal password\0{signed_in.user.tenant_id}\0{number}", 10, timedelta(minutes=5))
    with database.read(signed_in.scope) as tx:
        attempts.make_sure_more_are_allowed(tx, [counter])
        found = _find(tx, number)
    if found.user.authentication_type is not AuthenticationType.LOCAL or found.user.account_id:
        raise PasswordKeptElsewhere
    if len(given.old) > LONGEST_PASSWORD or not passwords.matches(given.old, found.password_hash):
        with database.across_tenants("count a wrong password") as tx:
            attempts.note(tx, [counter])
        raise WrongPassword
    password_hash = prepare_password(given.new)
    with database.begin(signed_in.scope) as tx:
        if _find(tx, number).password_hash != found.password_hash:
            raise WrongPassword
        store.change(tx, number, password_hash=password_hash)
        remove_tokens_of(tx, number, except_for=signed_in.token_id)
        renew_proof(tx, number, signed_in.token_id)
        forget_letters_to(tx, number)
        _note(tx, found.user, changed=["password"])


def _find(tx: Tx, number: int) -> Found:
    found = store.find(tx, number)
    if found is None:
        raise UserNotFound
    return found


def _make_sure_others_administer(tx: Tx, user: User) -> None:
    """Refuse to leave the portal without anybody who can administer it."""
    if not user.is_admin or user.status is not Standing.ACTIVE:
        return
    tx.one_at_a_time("portal administrators")
    if not any(other.number != user.number for other in store.administrators(tx)):
        raise LastAdministrator


def _note(tx: Tx, user: User, **details: Any) -> None:
    audit.record(tx, "portal.user.update", user.id, name=user.name, **details)
