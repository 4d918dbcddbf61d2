"""Who asks? Answered by a guard in front of every route that is not open to all."""

from __future__ import annotations

import asyncio
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from fairlead.api.mender.context import Call, Context
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.hosts import host_of
from fairlead.base.scope import ActorKind, Scope
from fairlead.domain import devices, identity
from fairlead.domain.identity import TokenKind


class TokenMissing(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "missing or malformed Authorization header"


class ForeignOrigin(Refusal):
    message = "Origin {origin!r} is not this server: a page of another site may not use the cookie of somebody here"


def bearer_token(scope: Any) -> bytes | None:
    """The token of the request: `Authorization: Bearer …`."""
    value = _header(scope, b"authorization")
    return value[7:].strip() or None if value is not None and value[:7].lower() == b"bearer " else None


def _token_of_person(scope: Any, public_url: str) -> bytes | None:
    """The token of a request of people: without the header, the cookie `JWT` of Mender's GUI.

    Browsers send a cookie along whichever page asks, but they say whose page it is: of another site it counts for
    nothing (mender.md §2.0).
    """
    if _header(scope, b"authorization") is not None:
        return bearer_token(scope)
    token = _cookie_token(scope)
    if token is not None:
        _make_sure_page_is_our_own(scope, public_url)
    return token


def _cookie_token(scope: Any) -> bytes | None:
    try:
        cookies = SimpleCookie((_header(scope, b"cookie") or b"").decode("latin-1"))
    except CookieError:
        return None
    return cookies["JWT"].value.encode() if "JWT" in cookies else None


def _make_sure_page_is_our_own(scope: Any, public_url: str) -> None:
    """The scheme says nothing: TLS may end at a proxy."""
    origin = _header(scope, b"origin")
    if origin is None:
        return
    said = origin.decode("latin-1")
    if _site_of(said) not in {_site_of(host_of(scope)), _site_of(public_url)} - {""}:
        raise ForeignOrigin(origin=said[:100])


def _site_of(address: str) -> str:
    """Host and port as browsers write them: without the port that goes without saying."""
    site = address.partition("://")[2].partition("/")[0]
    return site.lower().removesuffix(":80").removesuffix(":443")


def _header(scope: Any, wanted: bytes) -> bytes | None:
    return next((bytes(value) for name, value in scope["headers"] if name == wanted), None)


def verify(context: Context, token: bytes) -> identity.Bearer:
    """The bearer of a token, looked up in the database and then remembered. Refuses what is not good any more."""
    stamp = context.memory.stamp()
    try:
        claims = context.tokens.read(token.decode())
    except UnicodeDecodeError:
        raise identity.BadToken from None
    check = devices.verify_device if claims.kind is TokenKind.DEVICE else identity.verify_user
    bearer = check(context.database, claims)
    context.memory.remember(token, bearer, stamp)
    return bearer


async def _authenticate(connection: ASGIConnection[Any, Any, Any, Any], kind: ActorKind) -> None:
    context: Context = connection.app.state.mender
    http = connection.scope
    token = _token_of_person(http, context.public_url) if kind is ActorKind.USER else bearer_token(http)
    if token is None:
        raise TokenMissing
    bearer = context.memory.find(token)
    if bearer is None:
        loop = asyncio.get_running_loop()
        bearer = await loop.run_in_executor(context.executor, verify, context, token)
    if bearer.scope.actor.kind is not kind:
        raise identity.BadToken
    method, path = _asked(http)
    if bearer.limits is not None and bearer.limits.are_about(method, path):
        await context.calls.submit(identity.CountedCall(bearer.subject, bearer.limits, method, path))
    scope = identity.for_request(bearer.scope, method, path)
    http["state"]["call"] = Call(context, bearer, scope, host_of(http), partial(_scope_now, context, token, http))


def _scope_now(context: Context, token: bytes, http: Any) -> Scope:
    """What the bearer of the token of this request may do by now. Refuses what is not good any more."""
    bearer = context.memory.find(token) or verify(context, token)
    return identity.for_request(bearer.scope, *_asked(http))


def _asked(http: Any) -> tuple[str, str]:
    return str(http.get("method", "GET")), http["path"]


async def for_users(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only people in."""
    await _authenticate(connection, ActorKind.USER)


async def for_devices(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only devices in."""
    await _authenticate(connection, ActorKind.DEVICE)
