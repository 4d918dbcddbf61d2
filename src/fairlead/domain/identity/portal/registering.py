"""How does somebody get an account by themselves, and in again without their password? With letters to their e-mail.

Whether an e-mail has an account here is not told, neither in words nor by the time that an answer takes: the letter
says it, to whoever reads what comes to that address.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from fairlead.base.database import Database, Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import system_scope
from fairlead.base.seal import Seal
from fairlead.domain import audit, mail
from fairlead.domain.identity import attempts
from fairlead.domain.identity import store as organization
from fairlead.domain.identity.model import TenantNotFound, TenantSuspended, make_sure_email_is_good
from fairlead.domain.identity.portal import arrivals, store
from fairlead.domain.identity.portal.deciding import scope_of, visitor
from fairlead.domain.identity.portal.letters import (
    BadSecret,
    Purpose,
    forget_letters_to,
    may_send,
    new_secret,
    sent_with,
    use_up,
)
from fairlead.domain.identity.portal.logging_in import head_called
from fairlead.domain.identity.portal.model import AuthenticationType, UserType, make_sure_name_is_good
from fairlead.domain.identity.portal.numbers import NOTHING
from fairlead.domain.identity.portal.store import Found
from fairlead.domain.identity.portal.tokens import remove_tokens_of
from fairlead.domain.identity.project_roles import Standing
from fairlead.domain.identity.users import prepare_password

_NOT_YOU = "If it was not you, there is nothing to do.\n"


class RegistrationClosed(Refusal):
    kind = Kind.FORBIDDEN
    message = "Nobody can register on this portal by themselves: ask an administrator for an account."


@dataclass(frozen=True, slots=True)
class Registration:
    """What somebody says of themselves to get an account."""

    email: str
    password: str = field(repr=False)
    first_name: str = ""
    last_name: str = ""
    address: str = ""


def register(
    database: Database, seal: Seal, tenant_id: str, given: Registration, link: str, *, allowed: bool = True
) -> None:
    """Make an account that is pending until the address is confirmed: asking again is how another letter is sent.

    The password that is given comes into force with its own letter. So whoever confirms an address has the password
    that was given with the letter they read, and not that of a stranger who was quicker. `link` is what the secret is
    put behind, and comes from the settings, never from the request.
    """
    if not allowed:
        raise RegistrationClosed
    make_sure_email_is_good(given.email)
    make_sure_name_is_good(given.first_name)
    make_sure_name_is_good(given.last_name)
    password_hash = prepare_password(given.password)
    _make_sure_portal_is_open(database, tenant_id)
    if not may_send(database, tenant_id, given.email, given.address):
        return
    with database.begin(visitor(tenant_id, given.address)) as tx:
        tx.one_at_a_time(f"portal e-mail {given.email.lower()}")
        found = _found_or_added(tx, given, password_hash)
        number = found.user.number if found is not None and _awaits_confirmation(found) else NOTHING
        secret, until = new_secret(tx, number, Purpose.CONFIRM, password_hash)
        text = _confirm(link + secret) if number else _has_one()
        subject = "Confirm your e-mail address" if number else "You have an account already"
        mail.post(tx, seal, mail.Letter(given.email, subject, text, worthless_after=until))


def _found_or_added(tx: Tx, given: Registration, password_hash: str) -> Found | None:
    """The user with the e-mail, a new one if there is none; None if it is that of an administrator's account."""
    if head_called(tx, given.email) is not None:
        return None
    return store.find_by_email(tx, given.email) or arrivals.add(
        tx,
        UserType.AUTHENTICATED,
        AuthenticationType.LOCAL,
        given.email,
        Standing.PENDING,
        password_hash=password_hash,
        first_name=given.first_name,
        last_name=given.last_name,
    )


def _awaits_confirmation(found: Found) -> bool:
    return found.user.status is Standing.PENDING and bool(found.password_hash) and not found.user.account_id


def confirm(database: Database, tenant_id: str, secret: str) -> None:
    """Put the account in force with the secret of the letter, and with the password that was given for that letter."""
    with database.begin(visitor(tenant_id)) as tx:
        sent = use_up(tx, secret, Purpose.CONFIRM)
        found = store.find(tx, sent.number)
        if found is None or not _awaits_confirmation(found):
            raise BadSecret
        if sent.password_hash != found.password_hash:
            remove_tokens_of(tx, sent.number)
        store.change(tx, sent.number, status=Standing.ACTIVE.value, password_hash=sent.password_hash)
        forget_letters_to(tx, sent.number)
        own = tx.within(scope_of(found.user))
        audit.record(own, "portal.user.confirm", found.user.id, name=found.user.name)


def start_password_reset(
    database: Database, seal: Seal, tenant_id: str, email: str, link: str, address: str = ""
) -> None:
    """Send a link to set a new password, if the e-mail is that of a user whose password we keep."""
    make_sure_email_is_good(email)
    _make_sure_portal_is_open(database, tenant_id)
    if not may_send(database, tenant_id, email, address):
        return
    with database.begin(visitor(tenant_id, address)) as tx:
        found = store.find_by_email(tx, email)
        user = found.user if found is not None and _may_reset(found) else None
        secret, until = new_secret(tx, user.number if user else NOTHING, Purpose.RESET)
        text = _reset(link + secret)
        mail.post(tx, seal, mail.Letter(user.email if user else mail.NOBODY, "Set a new password", text, until))


def _may_reset(found: Found) -> bool:
    """Not those whose password is kept by the organization or a directory, nor the suspended."""
    user = found.user
    is_ours = user.authentication_type is AuthenticationType.LOCAL and not user.account_id
    return is_ours and user.status is not Standing.SUSPENDED


def complete_password_reset(database: Database, tenant_id: str, secret: str, password: str, address: str = "") -> None:
    """Set the new password with the secret of the letter; it confirms the address as well. All sessions end.

    A password that is refused does not use the secret up.
    """
    with database.read(system_scope(tenant_id)) as tx:
        sent_with(tx, secret, Purpose.RESET)
    password_hash = prepare_password(password)
    with database.begin(visitor(tenant_id, address)) as tx:
        number = use_up(tx, secret, Purpose.RESET).number
        found = store.find(tx, number)
        if found is None or not _may_reset(found):
            raise BadSecret
        store.change(tx, number, status=Standing.ACTIVE.value, password_hash=password_hash)
        remove_tokens_of(tx, number)
        forget_letters_to(tx, number)
        attempts.forget(tx, attempts.logins_from(found.user.email, address))
        own = tx.within(scope_of(found.user))
        audit.record(own, "portal.user.update", found.user.id, name=found.user.name, changed=["password"], by="letter")


def _make_sure_portal_is_open(database: Database, tenant_id: str) -> None:
    with database.read(system_scope(tenant_id)) as tx:
        tenant = organization.find_tenant(tx, tenant_id)
    if tenant is None:
        raise TenantNotFound
    if not tenant.is_active:
        raise TenantSuspended


def _confirm(link: str) -> str:
    return (
        "Somebody, most likely you, asked for an account with this e-mail address.\n\n"
        f"Confirm within an hour that it is yours:\n\n{link}\n\n"
        "The account then has the password that was given when this letter was asked for.\n"
        f"{_NOT_YOU}"
    )


def _has_one() -> str:
    return (
        "Somebody, most likely you, asked for an account with this e-mail address.\n\n"
        "There is one already: log in with its password, or ask for a new password.\n\n"
        f"{_NOT_YOU}"
    )


def _reset(link: str) -> str:
    return (
        "Somebody, most likely you, asked for a new password for this e-mail address.\n\n"
        f"Set it within an hour:\n\n{link}\n\n"
        f"{_NOT_YOU}"
    )
