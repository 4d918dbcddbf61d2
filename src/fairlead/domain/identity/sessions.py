"""How does a person get in, and out again?"""

from __future__ import annotations

from datetime import UTC, datetime

from fairlead.base import clock
from fairlead.base.database import Database, Tx
from fairlead.base.scope import Actor, ActorKind, Scope
from fairlead.domain.identity import passwords, store
from fairlead.domain.identity.memory import Bearer
from fairlead.domain.identity.model import BadToken, TenantSuspended, User, WrongLogin, permissions_of
from fairlead.domain.identity.tokens import Claims, Tokens
from fairlead.domain.identity.users import SIGNED_OUT


def log_in(database: Database, tokens: Tokens, email: str, password: str) -> str:
    """A token for the user with this e-mail and password.

    Takes the database, not a transaction: comparing passwords takes long on purpose, and must not hold one open.
    Raises `WrongLogin` alike for an unknown e-mail and a wrong password, `TenantSuspended` only after both are right.
    """
    with database.across_tenants("whose e-mail is this?", writing=False) as tx:
        user = store.find_user_by_email(tx, email)
        tenant = store.find_tenant(tx, user.tenant_id) if user else None
    if user is None or tenant is None:
        passwords.take_as_long(password)
        raise WrongLogin
    if not passwords.matches(password, user.password_hash):
        raise WrongLogin
    if not tenant.is_active:
        raise TenantSuspended
    token, claims = tokens.for_user(user, tenant.plan)
    with database.begin(scope_of(user)) as tx:
        store.add_session(tx, claims.id, user.id, datetime.fromtimestamp(claims.expires_at, UTC))
        store.change_user(tx, user.id, logged_in_at=clock.now())
    return token


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
    if user is None:
        raise BadToken
    if not tenant.is_active:
        raise TenantSuspended
    return Bearer(scope_of(user), user.id, claims.id, claims.expires_at)


def scope_of(user: User) -> Scope:
    """What the user may do, where."""
    return Scope(user.tenant_id, Actor(ActorKind.USER, user.id, user.email), permissions_of(user.roles))
