"""What stands for a user at each request? A random token: of a session, or made by the user for a program.

Only a digest of it is kept, beside a digest of the password that was shown for it: with another password, wherever that
is kept, it is worth nothing any more. The database is asked at every request, so what is taken away is gone at once.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Database, Moment, Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import Scope, system_scope
from fairlead.domain import audit
from fairlead.domain.identity import store as organization
from fairlead.domain.identity.model import BadToken, TenantSuspended, TokenExpired
from fairlead.domain.identity.portal import store
from fairlead.domain.identity.portal.deciding import (
    LogInFirst,
    grants_of,
    make_sure_may,
    number_of_caller,
    roles_of,
    scope_of,
)
from fairlead.domain.identity.portal.model import Suspended, User, UserNotFound, make_sure_name_is_good
from fairlead.domain.identity.portal.store import Found
from fairlead.domain.identity.portal.tables import portal_tokens as tokens
from fairlead.domain.identity.project_roles import Act, Standing

SESSION_LASTS = timedelta(days=7)
ANONYMOUS_SESSION_LASTS = timedelta(days=30)
LONGEST_DAYS = 365
DEFAULT_DAYS = 90
MOST_TOKENS = 50
MOST_SESSIONS = 100
LONGEST_SECRET = 256
SECRET_BYTES = 32

_own = (tokens.c.tenant_id == TENANT, tokens.c.user_number == sa.bindparam("of_user"))
_by_digest = sa.select(tokens).where(tokens.c.tenant_id == TENANT, tokens.c.digest == sa.bindparam("wanted"))
_of_user = sa.select(tokens).where(*_own).order_by(tokens.c.created_at, tokens.c.id)
_one = (*_own, tokens.c.id == sa.bindparam("wanted"))


class TokenKind(enum.StrEnum):
    SESSION = "session"
    API = "api"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is behind a token, and what they may do. `is_administering`: they have an administrator's powers now."""

    scope: Scope
    user: User
    kind: TokenKind
    token_id: str
    expires_at: datetime

    @property
    def is_administering(self) -> bool:
        grants = grants_of(self.scope)
        return grants is not None and grants.is_admin


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token that a user made. The token itself is shown once, when it is made."""

    id: str
    name: str
    as_admin: bool
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
    """A new token, and who it stands for."""

    token: str
    signed_in: SignedIn

    def __repr__(self) -> str:
        return f"Opened({self.signed_in!r})"


class TokenNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "There is no such token."


class BadLifetime(Refusal):
    message = f"A token is good for 1 to {LONGEST_DAYS} days."


class TooManyTokens(Refusal):
    kind = Kind.LIMIT
    message = f"You have {MOST_TOKENS} tokens: remove one first."


class SessionNeeded(Refusal):
    kind = Kind.FORBIDDEN
    message = "This takes a session: log in with your password, a token is not enough."


def open_session(tx: Tx, found: Found, *, as_admin: bool, address: str = "") -> Opened:
    """A session for somebody who has shown who they are. Of too many, those that were opened first end."""
    lasts = ANONYMOUS_SESSION_LASTS if found.user.is_anonymous else SESSION_LASTS
    own = [row for row in tx.all(_of_user, {"of_user": found.user.number}) if row.kind == TokenKind.SESSION.value]
    for row in own[: max(0, len(own) - MOST_SESSIONS + 1)]:
        _remove(tx, found.user.number, row.id)
    as_admin = as_admin and found.user.is_admin
    token, row = _add(tx, found, TokenKind.SESSION, "", as_admin, lasts)
    return Opened(token, _signed_in(tx, found, row, address))


def close_session(tx: Tx, signed_in: SignedIn) -> None:
    """The token is refused from now on. One that was made for a program can only be removed."""
    if signed_in.kind is TokenKind.SESSION:
        _remove(tx, signed_in.user.number, signed_in.token_id)


def session_of(database: Database, tenant_id: str, token: str, address: str = "") -> SignedIn:
    """Who is behind the token of a session or a program on this tenant's portal, with what they may do now.

    Refuses with `BadToken`, or with `Suspended` and the message that an administrator wrote for them.
    """
    if len(token) > LONGEST_SECRET:
        raise BadToken
    with database.read(system_scope(tenant_id)) as tx:
        tenant = organization.find_tenant(tx, tenant_id)
        row = tx.one(_by_digest, {"wanted": digest_of(token)})
        found = store.find(tx, row.user_number) if row else None
        if tenant is None or row is None or found is None or not hmac.compare_digest(row.proof, _proof_of(found)):
            raise BadToken
        if row.expires_at <= clock.now():
            raise TokenExpired
        if not tenant.is_active:
            raise TenantSuspended
        if found.user.status is Standing.SUSPENDED:
            raise Suspended(found.user.status_message)
        return _signed_in(tx, found, row, address)


def add_token(
    tx: Tx, signed_in: SignedIn, name: str, days: int = DEFAULT_DAYS, *, as_admin: bool = False
) -> tuple[ApiToken, str]:
    """A token for a program, and the token as it is to be shown. Nobody can be told it again.

    It takes a session: whoever finds a token must not be able to make others of it, that outlive it. The token has an
    administrator's powers only if they are asked for by somebody who has them at this moment.
    """
    make_sure_is_session(signed_in)
    make_sure_name_is_good(name)
    if not 1 <= days <= LONGEST_DAYS:
        raise BadLifetime
    if as_admin:
        make_sure_may(signed_in.scope, Act.ADMINISTER)
    user = signed_in.user
    found = store.find(tx, user.number)
    if found is None:
        raise UserNotFound
    tx.one_at_a_time(f"tokens of {user.number}")
    if len(list_tokens(tx)) >= MOST_TOKENS:
        raise TooManyTokens
    token, row = _add(tx, found, TokenKind.API, name, as_admin, timedelta(days=days))
    audit.record(tx, "portal.token.create", user.id, name=user.name, token=name, as_admin=as_admin, days=days)
    return _as_token(row), token


def list_tokens(tx: Tx) -> list[ApiToken]:
    """Those that whoever calls made for programs, oldest first."""
    rows = tx.all(_of_user, {"of_user": number_of_caller(tx.scope)})
    now = clock.now()
    return [_as_token(row) for row in rows if row.kind == TokenKind.API.value and row.expires_at > now]


def remove_token(tx: Tx, token_id: str) -> None:
    """Take back a token that whoever calls made."""
    if token_id not in {token.id for token in list_tokens(tx)}:
        raise TokenNotFound
    _remove(tx, number_of_caller(tx.scope), token_id)
    actor = tx.scope.actor
    audit.record(tx, "portal.token.delete", actor.id.partition(":")[2], name=actor.name, token=token_id)


def make_sure_is_session(signed_in: SignedIn) -> None:
    """Refuse what takes an account and a session of it."""
    if signed_in.user.is_anonymous:
        raise LogInFirst(act="do this")
    if signed_in.kind is not TokenKind.SESSION:
        raise SessionNeeded


def remove_tokens_of(tx: Tx, number: int, except_for: str = "") -> None:
    """All of a user's, sessions included."""
    tx.run(sa.delete(tokens).where(*_own, tokens.c.id != sa.bindparam("kept")), {"of_user": number, "kept": except_for})


def renew_proof(tx: Tx, number: int, token_id: str) -> None:
    """Let a session outlive the change of the password that was made through it."""
    found = store.find(tx, number)
    if found is not None:
        proof = _proof_of(found)
        tx.run(sa.update(tokens).where(*_one).values(proof=proof), {"of_user": number, "wanted": token_id})


def remove_expired_tokens(tx: Tx) -> None:
    """Across tenants."""
    tx.run(sa.delete(tokens).where(tokens.c.expires_at <= sa.bindparam("now", type_=Moment)), {"now": clock.now()})


def digest_of(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _add(tx: Tx, found: Found, kind: TokenKind, name: str, as_admin: bool, lasts: timedelta) -> tuple[str, sa.Row[Any]]:
    token, now = secrets.token_urlsafe(SECRET_BYTES), clock.now()
    row = {
        "digest": digest_of(token),
        "id": secrets.token_hex(8),
        "user_number": found.user.number,
        "kind": kind.value,
        "name": name,
        "as_admin": as_admin,
        "proof": _proof_of(found),
        "created_at": now,
        "expires_at": now + lasts,
    }
    tx.run(sa.insert(tokens), row)
    added = tx.one(_by_digest, {"wanted": row["digest"]})
    assert added is not None
    return token, added


def _remove(tx: Tx, number: int, token_id: str) -> None:
    tx.run(sa.delete(tokens).where(*_one), {"of_user": number, "wanted": token_id})


def _proof_of(found: Found) -> str:
    return digest_of(found.password_hash)


def _signed_in(tx: Tx, found: Found, row: sa.Row[Any], address: str) -> SignedIn:
    scope = scope_of(found.user, roles_of(tx, found.user), as_admin=row.as_admin, address=address)
    return SignedIn(scope, found.user, TokenKind(row.kind), row.id, row.expires_at)


def _as_token(row: sa.Row[Any]) -> ApiToken:
    return ApiToken(row.id, row.name, row.as_admin, row.created_at, row.expires_at)
