"""How does somebody who goes by scope documents get an access token, and who is behind one?

A token is kept by nobody, so that it survives a restart, and asked about at every request, so that it is worth no more
than what it stands for: the session of a master, the password of a member, the credentials of a program.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import UTC, datetime

from fairlead.base.database import Database, Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import Actor, ActorKind, Scope, system_scope
from fairlead.domain.identity import attempts, member_store, passwords, personal_store, store
from fairlead.domain.identity.attempts import Counter
from fairlead.domain.identity.document_roles import policy_of_member
from fairlead.domain.identity.judging import Verdict
from fairlead.domain.identity.members import Member, as_member
from fairlead.domain.identity.model import BadToken, Tenant, TenantSuspended, WrongLogin
from fairlead.domain.identity.policy import Policy
from fairlead.domain.identity.principals import RoleForbids, policy_of_program, verdict
from fairlead.domain.identity.programs import Program, as_program, program_with
from fairlead.domain.identity.resources import Resource
from fairlead.domain.identity.roles import policy_of_roles
from fairlead.domain.identity.sessions import asks_for_code, scope_of
from fairlead.domain.identity.tokens import ACCESS_LIFETIME, AccessClaims, AccessKind, Tokens
from fairlead.domain.identity.vocabulary import Act

_LOGIN = Resource.other("login")


class Grant(enum.StrEnum):
    """On what grounds somebody asks for a token."""

    PASSWORD = "password"  # noqa: S105 - the name of a grant
    CLIENT_CREDENTIALS = "client_credentials"


@dataclass(frozen=True, slots=True)
class AccessRequest:
    """What somebody shows to get a token: the credentials of a program, and their own for the grant `password`."""

    grant: Grant
    client_id: str
    client_secret: str = field(repr=False)
    username: str = ""
    password: str = field(default="", repr=False)
    address: str = ""


@dataclass(frozen=True, slots=True)
class AccessToken:
    token: str = field(repr=False)
    expires_in_seconds: int = int(ACCESS_LIFETIME.total_seconds())


class NotTheMaster(Refusal):
    kind = Kind.FORBIDDEN
    message = "{email} is not a master of this account: that takes a role that allows everything"


class SecondFactorStandsAgainst(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = (
        "{email} has a second factor, for which clients of this API cannot ask: log in as another user of the account, "
        "or turn the second factor off"
    )


def enter(database: Database, tokens: Tokens, request: AccessRequest) -> AccessToken:
    """A token for whoever shows the right credentials.

    Takes the database, not a transaction: comparing passwords takes long on purpose. Refuses with `UnknownProgram`
    when the program's are wrong, with `WrongLogin` for an unknown user as for a wrong password, and in any other way
    only after all of them are right.
    """
    with database.across_tenants("whose program is this?", writing=False) as tx:
        program = program_with(tx, request.client_id, request.client_secret)
        tenant = store.find_tenant(tx, program.tenant_id)
    if tenant is None:
        raise BadToken
    if request.grant is Grant.CLIENT_CREDENTIALS:
        _make_sure_is_active(tenant)
        return AccessToken(tokens.for_access(AccessKind.PROGRAM, program.id, tenant.id)[0])
    return enter_account(database, tokens, tenant, request)


def enter_account(database: Database, tokens: Tokens, tenant: Tenant, request: AccessRequest) -> AccessToken:
    """A token for whoever has this name and password in the account of the tenant; no program is asked for."""
    counters = _counters(tenant, request)
    try:
        return _log_in(database, tokens, tenant, request, counters)
    except WrongLogin:
        _count_failure(database, counters)
        raise


def _counters(tenant: Tenant, request: AccessRequest) -> list[Counter]:
    """Those of other logins for an e-mail, so that nobody has twice as many attempts; a name counts in its tenant."""
    name = request.username if _is_email(request.username) else f"{tenant.id}\0{request.username}"
    return [attempts.logins_from(name, request.address), attempts.logins_as(name)]


def _count_failure(database: Database, counters: list[Counter]) -> None:
    """Refuses instead with `TooManyAttempts` when others, at the same moment, have used up what was left."""
    with database.across_tenants("count a failed login") as tx:
        is_allowed = attempts.note(tx, counters)
    if not is_allowed:
        with database.across_tenants("until when?", writing=False) as tx:
            attempts.make_sure_more_are_allowed(tx, counters)


def _log_in(
    database: Database, tokens: Tokens, tenant: Tenant, request: AccessRequest, counters: list[Counter]
) -> AccessToken:
    with database.across_tenants("may they try again?", writing=False) as tx:
        attempts.make_sure_more_are_allowed(tx, counters)
    enter_as = _enter_as_master if _is_email(request.username) else _enter_as_member
    return AccessToken(enter_as(database, tokens, tenant, request, counters))


def _enter_as_master(
    database: Database, tokens: Tokens, tenant: Tenant, request: AccessRequest, counters: list[Counter]
) -> str:
    with database.across_tenants("whose e-mail is this?", writing=False) as tx:
        user = store.find_user_by_email(tx, request.username)
        user = user if user and user.tenant_id == tenant.id else None
        factor = personal_store.find_second_factor(tx.within(system_scope(tenant.id)), user.id if user else "")
        policy = policy_of_roles(tx.within(system_scope(tenant.id)), user.roles) if user else Policy.NOBODY
    if user is None:
        passwords.take_as_long(request.password)
        raise WrongLogin
    _make_sure_password_matches(request, user.password_hash)
    _make_sure_is_active(tenant)
    if not policy.everything:
        raise NotTheMaster(email=user.email)
    if asks_for_code(factor, tenant):
        raise SecondFactorStandsAgainst(email=user.email)
    token, claims = tokens.for_access(AccessKind.USER, user.id, tenant.id)
    with database.begin(scope_of(user, Policy.NOBODY)) as tx:
        attempts.make_sure_more_are_allowed(tx, counters)
        if not personal_store.note_login(tx, user.id, user.password_hash, factor.is_on, None):
            raise WrongLogin
        store.add_session(tx, claims.id, user.id, datetime.fromtimestamp(claims.expires_at, UTC))
        attempts.forget(tx, counters[0])
    return token


def _enter_as_member(
    database: Database, tokens: Tokens, tenant: Tenant, request: AccessRequest, counters: list[Counter]
) -> str:
    with database.read(system_scope(tenant.id)) as tx:
        row = member_store.find_member_called(tx, request.username)
        member = row and as_member(row)
        policy = policy_of_member(tx, member) if member else Policy.NOBODY
    if member is None:
        passwords.take_as_long(request.password)
        raise WrongLogin
    _make_sure_password_matches(request, member.password_hash)
    _make_sure_is_active(tenant)
    _make_sure_may_log_in(_scope_of_member(member, policy))
    with database.begin(system_scope(tenant.id)) as tx:
        attempts.make_sure_more_are_allowed(tx, counters)
        attempts.forget(tx, counters[0])
    return tokens.for_access(AccessKind.MEMBER, member.id, tenant.id, _generation_of(member))[0]


def verify_access(database: Database, claims: AccessClaims) -> Scope:
    """Who is behind the access token of a user, a member or a program, with what they may do at this moment.

    Refuses with `BadToken` when what it stands for is no more, or `TenantSuspended`.
    """
    with database.across_tenants("whose token is this?", writing=False) as tx:
        tenant = store.find_tenant(tx, claims.tenant_id)
        if tenant is None or claims.kind not in _BEHIND:
            raise BadToken
        found = _BEHIND[claims.kind](tx.within(system_scope(tenant.id)), claims)
    _make_sure_is_active(tenant)
    return found


def _behind_user(tx: Tx, claims: AccessClaims) -> Scope:
    user = store.find_user_of_session(tx, claims.id, claims.subject)
    policy = policy_of_roles(tx, user.roles) if user else Policy.NOBODY
    if user is None or not policy.everything:
        raise BadToken
    return scope_of(user, policy)


def _behind_member(tx: Tx, claims: AccessClaims) -> Scope:
    row = member_store.find_member(tx, claims.subject)
    member = row and as_member(row)
    if member is None or _generation_of(member) != claims.generation:
        raise BadToken
    scope = _scope_of_member(member, policy_of_member(tx, member))
    _make_sure_may_log_in(scope)
    return scope


def _behind_program(tx: Tx, claims: AccessClaims) -> Scope:
    row = member_store.find_program(tx, claims.subject)
    if row is None:
        raise BadToken
    return _scope_of_program(as_program(row))


_BEHIND = {
    AccessKind.USER: _behind_user,
    AccessKind.MEMBER: _behind_member,
    AccessKind.PROGRAM: _behind_program,
}


def _scope_of_member(member: Member, policy: Policy) -> Scope:
    return Scope(member.tenant_id, Actor(ActorKind.USER, member.id, member.username), policy)


def _scope_of_program(program: Program) -> Scope:
    return Scope(program.tenant_id, Actor(ActorKind.SYSTEM, program.id, program.name), policy_of_program())


def _generation_of(member: Member) -> int:
    """Tells one password of a member from the next: the microsecond in which it was set."""
    return int(member.tokens_from.timestamp() * 1_000_000)


def _make_sure_password_matches(request: AccessRequest, password_hash: str) -> None:
    if not passwords.matches(request.password, password_hash):
        raise WrongLogin


def _make_sure_is_active(tenant: Tenant) -> None:
    if not tenant.is_active:
        raise TenantSuspended


def _make_sure_may_log_in(scope: Scope) -> None:
    """A role keeps people out only if it says so, and then their tokens as well."""
    if verdict(scope, Act.LOG_IN, _LOGIN) is Verdict.DENIED:
        raise RoleForbids(act=str(Act.LOG_IN))


def _is_email(username: str) -> bool:
    return "@" in username
