"""Tokens for a Docker registry, in exchange for a name and a password."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from litestar import Request, Response, Router, get

from fairlead.api.mobingi import wire
from fairlead.api.mobingi.context import Context
from fairlead.api.mobingi.errors import BadParameter
from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.registry_tokens import LIFETIME, Access
from fairlead.domain import identity

MOST_SCOPES = 20
_CATALOG = ("registry", "catalog")


class LoginMissing(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "Log in with a name and a password (HTTP Basic)."


@get("/docker/token", sync_to_thread=True, opt={"challenge": 'Basic realm="Fairlead"'}, summary="Registry Token")
def issue_token(context: Context, request: Request[Any, Any, Any]) -> Response[bytes]:
    """A token for `service`, with as much of each `scope` as the caller may do there."""
    service = wire.required(wire.query(request), "service")
    wanted = _wanted(request)
    name, password = _login(request.headers.get("authorization", ""))
    scope = identity.enter_registry(context.database, context.tokens, name, password, wire.address_of(request))
    with context.database.begin(scope) as tx:
        granted = [_granted(tx, each, multitenant=context.tokens.multitenant) for each in wanted]
    now = clock.now()
    token = context.registry.issue(name, service, [each for each in granted if each.actions], now)
    answer = {
        "token": token,
        "access_token": token,
        "expires_in": int(LIFETIME.total_seconds()),
        "issued_at": clock.rfc3339(now.replace(microsecond=0)),
    }
    return wire.answer(answer)


def _granted(tx: Tx, wanted: Access, *, multitenant: bool) -> Access:
    if (wanted.type, wanted.name) == _CATALOG:
        seen = identity.may_list_registry(tx, multitenant=multitenant)
        return Access(*_CATALOG, wanted.actions if seen else [])
    if wanted.type != "repository":
        return Access(wanted.type, wanted.name, [])
    actions = identity.allowed_in_registry(tx, wanted.name, wanted.actions, multitenant=multitenant)
    return Access("repository", wanted.name, actions)


def _wanted(request: Request[Any, Any, Any]) -> list[Access]:
    """Scopes as Docker writes them: `repository:acme/web:pull,push`, several of them apart or with blanks between."""
    texts = [text for value in request.query_params.getall("scope", []) for text in value.split()]
    if len(texts) > MOST_SCOPES:
        raise BadParameter(name="scope", reason=f"at most {MOST_SCOPES} are taken at a time")
    return [_scope(text) for text in texts]


def _scope(text: str) -> Access:
    kind, _, rest = text.partition(":")
    name, _, actions = rest.rpartition(":")
    if not kind or not name or not actions or "\0" in text:
        raise BadParameter(name="scope", reason="it must be like repository:acme/web:pull,push")
    return Access(kind, name, actions.split(","))


def _login(header: str) -> tuple[str, str]:
    scheme, _, encoded = header.partition(" ")
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise LoginMissing from None
    if scheme.lower() != "basic" or not colon or not name or "\0" in name:
        raise LoginMissing
    return name, password


routes = Router("/v3", tags=["Registry"], route_handlers=[issue_token])
