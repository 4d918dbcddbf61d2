"""Users for gateways and other services: `/api/internal/v1/useradm`."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec
from litestar import Request, Response, Router, delete, get, post

from fairlead.api.mender.auth import bearer_token, verify
from fairlead.api.mender.context import Context
from fairlead.api.mender.errors import BadParameter, refuse_with
from fairlead.api.mender.internal.tenancy import call_within, key_of, named_tenant, scope_of_tenant
from fairlead.api.mender.needs import may_request
from fairlead.api.mender.useradm import WireUser, users_found
from fairlead.api.mender.wire import add_header, empty, parameter
from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import ActorKind
from fairlead.domain import identity

TAGS = ["User administration and authentication (internal)"]
_LEAST_PARTS = 4


class RequestNotAllowed(Refusal):
    kind = Kind.FORBIDDEN
    message = "Access denied (RBAC)."


@post(
    "/auth/verify",
    sync_to_thread=True,
    status_code=200,
    exception_handlers={identity.TokenExpired: refuse_with(403)},
    summary="Verify JWT",
)
def verify_token(request: Request[Any, Any, Any], context: Context) -> Response[bytes]:
    """May the bearer of this token make this request? Asked by gateways before they let it through."""
    token = bearer_token(request.scope)
    if token is None:
        raise BadParameter(reason="missing or malformed Authorization header")
    method, path = _header(request, "X-Original-Method"), _path(_header(request, "X-Original-URI"))
    bearer = context.memory.find(token) or verify(context, token)
    if bearer.scope.actor.kind is not ActorKind.USER:
        raise identity.BadToken
    if not may_request(bearer.scope, method.upper(), path):
        raise RequestNotAllowed
    return empty(200)


def _header(request: Request[Any, Any, Any], name: str) -> str:
    value: str = request.headers.get(name, "")
    if not value:
        raise BadParameter(reason=f"missing {name} header")
    return value


def _path(uri: str) -> str:
    """The path of the request as the public listener reads it, with a service and a version at the least.

    Where one with dots leads is for whoever resolves them to say, and not everybody would say the same.
    """
    path = unquote(uri.partition("?")[0].partition("#")[0])
    parts = [part for part in path.split("/") if part]
    if not path.startswith("/") or len(parts) < _LEAST_PARTS or "." in parts or ".." in parts:
        words = f"a path of at least {_LEAST_PARTS} parts, none of them . or .., is needed"
        raise BadParameter(reason=f"malformed X-Original-URI header: {words}")
    return "/" + "/".join(parts)


class NewUser(msgspec.Struct):
    """`propagate` would tell tenantadm of the user; here there is one list of users, so nothing is left to tell."""

    email: str = ""
    password: str | None = None
    password_hash: str | None = None
    propagate: bool = True


class OnePasswordOnly(Refusal):
    message = "password *or* password_hash must be provided"


class HashNotPropagated(Refusal):
    message = "password_hash is not supported with 'propagate'; use 'password' instead"


class UserIsGone(Refusal):
    """Whoever asks again because no answer came must not bring back whom somebody has removed meanwhile."""

    kind = Kind.CONFLICT
    message = "this Idempotency-Key was heard before, and there is no user {email} any more"


def _hash_of(data: NewUser) -> str:
    if bool(data.password) == bool(data.password_hash):
        raise OnePasswordOnly
    if data.password:
        return identity.prepare_password(data.password)
    if data.propagate:
        raise HashNotPropagated
    identity.make_sure_hash_is_good(data.password_hash or "")
    return data.password_hash or ""


@post(
    "/tenants/{tenant_id:str}/users",
    sync_to_thread=True,
    opt={"decoding": "failed to decode request body"},
    summary="Create User",
)
def add_user(request: Request[Any, Any, Any], context: Context, tenant_id: str, data: NewUser) -> Response[bytes]:
    """An account that may do everything, or the password for one that was made without."""
    scope = scope_of_tenant(context, tenant_id)
    identity.make_sure_email_is_good(data.email)
    password_hash = _hash_of(data)
    with context.database.begin(scope) as tx:
        if tx.once(key_of(request)):
            user = identity.provision_user(tx, data.email, password_hash)
        else:
            user = _made_before(tx, data.email)
    add_header(request, "location", f"users/{user.id}")
    return empty(201)


def _made_before(tx: Tx, email: str) -> identity.User:
    found = identity.search_users(tx, emails=[email])
    if not found:
        raise UserIsGone(email=email)
    return found[0]


@get("/tenants/{tenant_id:str}/users", sync_to_thread=True, summary="List Users")
def list_users(request: Request[Any, Any, Any], context: Context, tenant_id: str) -> list[WireUser]:
    """The tenant's users, with the filters that the users themselves have."""
    return users_found(request, call_within(request, context, tenant_id))


@delete("/tokens", sync_to_thread=True, summary="Revoke User Tokens")
def revoke_tokens(request: Request[Any, Any, Any], context: Context) -> None:
    """Make the tokens of one user worthless, or those of all users of the tenant."""
    scope, user_id = scope_of_tenant(context, named_tenant(request)), parameter(request, "user_id")
    with context.database.begin(scope) as tx:
        identity.end_sessions(tx, user_id or None)


routes = Router(
    "/api/internal/v1/useradm", tags=TAGS, route_handlers=[verify_token, add_user, list_users, revoke_tokens]
)
