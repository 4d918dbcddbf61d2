"""How does a person get in, and out again?"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from fairlead.base.database import Database, Tx
from fairlead.base.scope import Actor, ActorKind, Scope, system_scope
from fairlead.base.seal import Seal
from fairlead.domain.identity import attempts, passwords, personal_store, second_factor, store
from fairlead.domain.identity.attempts import Counter
from fairlead.domain.identity.memory import Bearer
from fairlead.domain.identity.model import SIGNED_OUT, BadToken, Tenant, TenantSuspended, User, WrongLogin
from fairlead.domain.identity.personal_store import SecondFactor
from fairlead.domain.identity.plans import Plan
from fairlead.domain.identity.policy import Policy
from fairlead.domain.identity.roles import policy_of_roles
from fairlead.domain.identity.second_factor import WrongSecondFactor
from fairlead.domain.identity.tokens import Claims, Tokens


@dataclass(frozen=True, slots=True)
class Credentials:
    """What somebody shows to get in, and the address that they come from. `code` is that of the second factor."""

    email: str
    password: str = field(repr=False)
    code: str = field(default="", repr=False)
    address: str = ""

    @property
    def counters(self) -> list[Counter]:
        return [attempts.logins_from(self.email, self.address), attempts.logins_as(self.email)]


def log_in(database: Database, tokens: Tokens, seal: Seal, given: Credentials) -> str:
    """A token for the user with this e-mail and password, and this code if they have a second factor.

    Takes the database, not a transaction: comparing passwords takes long on purpose, and must not hold one open.
    Raises `WrongLogin` alike for an unknown e-mail and a wrong password, and any other no only after both are right.
    After too many failures nothing is compared any more, and it is not told whether what was shown is right.
    """
    try:
        return _log_in(database, tokens, seal, given)
    except (WrongLogin, WrongSecondFactor):
        _count_failure(database, given)
        raise


def _count_failure(database: Database, given: Credentials) -> None:
    """Refuses instead with `TooManyAttempts` when others, at the same moment, have used up what was left."""
    with database.across_tenants("count a failed login") as tx:
        is_allowed = attempts.note(tx, given.counters)
    if not is_allowed:
        with database.across_tenants("until when?", writing=False) as tx:
            attempts.make_sure_more_are_allowed(tx, given.counters)


def _log_in(database: Database, tokens: Tokens, seal: Seal, given: Credentials) -> str:
    with database.across_tenants("whose e-mail is this?", writing=False) as tx:
        attempts.make_sure_more_are_allowed(tx, given.counters)
        user = store.find_user_by_email(tx, given.email)
        tenant = store.find_tenant(tx, user.tenant_id) if user else None
        factor = _second_factor(tx, user)
    if user is None or tenant is None:
        passwords.take_as_long(given.password)
        raise WrongLogin
    if not passwords.matches(given.password, user.password_hash):
        raise WrongLogin
    if not tenant.is_active:
        raise TenantSuspended
    step = second_factor.step_to_use(seal, factor, user.id, given.code) if asks_for_code(factor, tenant) else None
    token, claims = tokens.for_user(user, tenant.plan)
    with database.begin(scope_of(user, Policy.NOBODY)) as tx:
        attempts.make_sure_more_are_allowed(tx, given.counters)
        if not personal_store.note_login(tx, user.id, user.password_hash, factor.is_on, step):
            raise WrongLogin if step is None else WrongSecondFactor
        store.add_session(tx, claims.id, user.id, datetime.fromtimestamp(claims.expires_at, UTC))
        attempts.forget(tx, given.counters[0])
    return token


def _second_factor(tx: Tx, user: User | None) -> SecondFactor:
    scope = system_scope(user.tenant_id if user else "")
    return personal_store.find_second_factor(tx.within(scope), user.id if user else "")


def asks_for_code(factor: SecondFactor, tenant: Tenant) -> bool:
    """Is a code needed? As the reference says, only in plans that have second factors."""
    return factor.is_on and Plan(tenant.plan).includes(second_factor.LEAST_PLAN)


def log_out(tx: Tx, session_id: str) -> None:
    """End the session: its token is refused from now on."""
    store.remove_session(tx, session_id)
    tx.announce(SIGNED_OUT, tx.scope.actor.id)


def verify_user(database: Database, claims: Claims) -> Bearer:
    """The user behind a token of ours, if their session still stands; otherwise `BadToken` or `TenantSuspended`."""
    with database.across_tenants("whose token is this?", writing=False) as tx:
        tenant = store.find_tenant(tx, claims.tenant_id or "")
        if tenant is None:
            raise BadToken
        scope = Scope(tenant.id, Actor(ActorKind.USER, claims.subject))
        user = store.find_user_of_session(tx.within(scope), claims.id, claims.subject)
        policy = policy_of_roles(tx.within(scope), user.roles) if user else Policy.NOBODY
    if user is None:
        raise BadToken
    if not tenant.is_active:
        raise TenantSuspended
    return Bearer(scope_of(user, policy), user.id, claims.id, claims.expires_at, tenant.api_limits.management)


def scope_of(user: User, policy: Policy) -> Scope:
    """The user in their tenant, with what they may do there."""
    return Scope(user.tenant_id, Actor(ActorKind.USER, user.id, user.email), policy)
