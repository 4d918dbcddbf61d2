"""How does somebody get in who has an account? With a password, which one of three keeps.

* Whoever has an account in the organization by which they may do everything logs in with that, second factor included,
  and is a user of the portal from the first time on. An account that somebody else made with the same e-mail is theirs.
* Whoever has registered, with their own password.
* Everybody else is asked for in the directory, if there is one, and becomes a user at the first login.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fairlead.base.database import Database, Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import system_scope
from fairlead.base.seal import Seal
from fairlead.domain import audit
from fairlead.domain.identity import attempts, passwords, personal_store, second_factor
from fairlead.domain.identity import model as organization_model
from fairlead.domain.identity import store as organization
from fairlead.domain.identity.attempts import Counter
from fairlead.domain.identity.model import (
    LONGEST_EMAIL,
    LONGEST_PASSWORD,
    Tenant,
    TenantNotFound,
    TenantSuspended,
    WrongLogin,
)
from fairlead.domain.identity.personal_store import SecondFactor
from fairlead.domain.identity.portal import arrivals, store
from fairlead.domain.identity.portal.deciding import scope_of, visitor
from fairlead.domain.identity.portal.directory import Entry, Ldap
from fairlead.domain.identity.portal.letters import forget_letters_to
from fairlead.domain.identity.portal.model import AuthenticationType, Suspended, UserType
from fairlead.domain.identity.portal.store import Found
from fairlead.domain.identity.portal.tokens import Opened, SignedIn, open_session, remove_tokens_of
from fairlead.domain.identity.project_roles import Standing
from fairlead.domain.identity.roles import policy_of_roles
from fairlead.domain.identity.second_factor import WrongSecondFactor
from fairlead.domain.identity.sessions import asks_for_code

Entrance = Callable[[Tx], Found]
"""Makes sure that what was shown is still right, and says who has shown it: in the transaction that lets them in."""


@dataclass(frozen=True, slots=True)
class Login:
    """What somebody shows to get in. `name` is an e-mail, or what the directory calls them.

    `as_admin`: with an administrator's powers, if they have them. `instead_of` is the session of the anonymous user
    that they were until now, whose things come to the account.
    """

    name: str
    password: str = field(repr=False)
    code: str = field(default="", repr=False)
    address: str = ""
    as_admin: bool = True
    instead_of: SignedIn | None = None

    @property
    def counters(self) -> list[Counter]:
        """Those of the organization's own logins, so that nobody has twice as many attempts."""
        return [attempts.logins_from(self.name, self.address), attempts.logins_as(self.name)]

    @property
    def is_conceivable(self) -> bool:
        is_name = 0 < len(self.name) <= LONGEST_EMAIL and self.name.isprintable()
        return is_name and 0 < len(self.password) <= LONGEST_PASSWORD


class EmailOfAnother(Refusal):
    """Told after the password only. Whoever may write their own e-mail into a directory takes no account by that."""

    kind = Kind.CONFLICT
    message = "The directory says that your e-mail is {email}, which another account here has: ask an administrator."


@dataclass(frozen=True, slots=True)
class _Known:
    """What we know of a name before anything is compared."""

    tenant: Tenant
    found: Found | None
    account: organization_model.User | None
    factor: SecondFactor


def log_in(database: Database, seal: Seal, tenant_id: str, given: Login, directory: Ldap | None = None) -> Opened:
    """A session for whoever shows the right password.

    Takes the database, not a transaction: comparing passwords takes long on purpose, and a directory longer. Refuses
    with `WrongLogin` alike for an unknown name and a wrong password, and in any other way only after both are right.
    """
    if not given.is_conceivable:
        raise WrongLogin
    try:
        entrance = _prove(database, seal, tenant_id, given, directory)
        with database.begin(visitor(tenant_id, given.address)) as tx:
            attempts.make_sure_more_are_allowed(tx, given.counters)
            return _let_in(tx, entrance(tx), given)
    except (WrongLogin, WrongSecondFactor):
        _count_failure(database, given)
        raise


def _count_failure(database: Database, given: Login) -> None:
    """Refuses instead with `TooManyAttempts` when others, at the same moment, have used up what was left."""
    with database.across_tenants("count a failed login") as tx:
        is_allowed = attempts.note(tx, given.counters)
    if not is_allowed:
        with database.across_tenants("until when?", writing=False) as tx:
            attempts.make_sure_more_are_allowed(tx, given.counters)


def _prove(database: Database, seal: Seal, tenant_id: str, given: Login, directory: Ldap | None) -> Entrance:
    known = _look_up(database, tenant_id, given)
    found = known.found
    if known.account is not None:
        return _by_account(seal, known, known.account, given)
    if found is not None and found.password_hash and passwords.matches(given.password, found.password_hash):
        return _by_own_password(found)
    if directory is not None and _may_be_in_directory(found):
        entry = directory.verify(given.name, given.password)
        if entry is not None:
            return _by_directory(entry)
    elif found is None or not found.password_hash:
        passwords.take_as_long(given.password)
    raise WrongLogin


def _look_up(database: Database, tenant_id: str, given: Login) -> _Known:
    with database.read(system_scope(tenant_id)) as tx:
        attempts.make_sure_more_are_allowed(tx, given.counters)
        tenant = organization.find_tenant(tx, tenant_id)
        if tenant is None:
            raise TenantNotFound
        if not tenant.is_active:
            raise TenantSuspended
        found = store.find_by_email(tx, given.name)
        account = _account_of(tx, given.name, found)
        factor = personal_store.find_second_factor(tx, account.id if account else "")
    return _Known(tenant, found, account, factor)


def _account_of(tx: Tx, email: str, found: Found | None) -> organization_model.User | None:
    """The user of the organization who logs in by this e-mail: one who may do everything, or who once could."""
    if found is not None and found.user.account_id:
        return organization.find_user(tx, found.user.account_id)
    return head_called(tx, email)


def head_called(tx: Tx, email: str) -> organization_model.User | None:
    """The user of the organization with this e-mail, if there is one who may do everything in it."""
    found = organization.search_users(tx, (), (email,), {})
    return found[0] if found and policy_of_roles(tx, found[0].roles).everything else None


def _may_be_in_directory(found: Found | None) -> bool:
    """A password of an account of ours is not told to the directory. One that is not confirmed yet is nobody's."""
    return found is None or not found.password_hash or found.user.status is Standing.PENDING


def _by_own_password(found: Found) -> Entrance:
    def enter(tx: Tx) -> Found:
        now = store.find(tx, found.user.number)
        if now is None or now.password_hash != found.password_hash:
            raise WrongLogin
        return now

    return enter


def _by_account(seal: Seal, known: _Known, account: organization_model.User, given: Login) -> Entrance:
    if not passwords.matches(given.password, account.password_hash):
        raise WrongLogin
    asked = asks_for_code(known.factor, known.tenant)
    step = second_factor.step_to_use(seal, known.factor, account.id, given.code) if asked else None

    def enter(tx: Tx) -> Found:
        if not personal_store.note_login(tx, account.id, account.password_hash, known.factor.is_on, step):
            raise WrongLogin if step is None else WrongSecondFactor
        return _user_of_account(tx, account)

    return enter


def _user_of_account(tx: Tx, account: organization_model.User) -> Found:
    """The user who has this account: found, made, or taken from whoever registered with the e-mail."""
    found = store.find_by_account(tx, account.id)
    if found is not None:
        return found
    same_email = store.find_by_email(tx, account.email)
    if same_email is None:
        local = AuthenticationType.LOCAL
        return arrivals.add(tx, UserType.AUTHENTICATED, local, account.email, account_id=account.id)
    return _take_over(tx, same_email, AuthenticationType.LOCAL, account_id=account.id, directory_id=None)


def _by_directory(entry: Entry) -> Entrance:
    def enter(tx: Tx) -> Found:
        found = store.find_by_directory(tx, entry.id)
        if found is not None:
            return found
        same_email = store.find_by_email(tx, entry.email) if entry.email else None
        values: dict[str, Any] = {
            "directory_id": entry.id,
            "first_name": entry.first_name,
            "last_name": entry.last_name,
        }
        if same_email is None:
            return arrivals.add(tx, UserType.AUTHENTICATED, AuthenticationType.LDAP, entry.email, **values)
        if same_email.user.status is not Standing.PENDING or same_email.user.account_id:
            raise EmailOfAnother(email=entry.email)
        return _take_over(tx, same_email, AuthenticationType.LDAP, **values)

    return enter


def _take_over(tx: Tx, found: Found, by: AuthenticationType, **values: Any) -> Found:
    """Make a user who only claimed an e-mail the one whose e-mail it is. What the other knew is good for nothing."""
    user = found.user
    remove_tokens_of(tx, user.number)
    forget_letters_to(tx, user.number)
    status = Standing.ACTIVE if user.status is Standing.PENDING else user.status
    store.change(tx, user.number, authentication_type=by.value, password_hash="", status=status.value, **values)
    changed = store.find(tx, user.number) or found
    audit.record(tx.within(scope_of(changed.user)), "portal.user.take_over", user.id, name=user.name, by=by.value)
    return changed


def _let_in(tx: Tx, found: Found, given: Login) -> Opened:
    user = found.user
    if user.status is Standing.SUSPENDED:
        raise Suspended(user.status_message)
    store.note_login(tx, user.number)
    attempts.forget(tx, given.counters[0])
    if given.instead_of is not None:
        was = store.find(tx, given.instead_of.user.number)
        if was is not None and was.user.is_anonymous and was.user.status is not Standing.SUSPENDED:
            arrivals.merge(tx.within(scope_of(user)), was.user, user)
    return open_session(tx, store.find(tx, user.number) or found, as_admin=given.as_admin, address=given.address)
