"""Who asks? Answered by a guard in front of every route that is not open to all."""

from __future__ import annotations

import asyncio
from http.cookies import CookieError, SimpleCookie
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from fairlead.api.mender.context import Call, Context
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.hosts import host_of
from fairlead.base.scope import ActorKind
from fairlead.domain import devices, identity
from fairlead.domain.identity import TokenKind


class TokenMissing(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "missing or malformed Authorization header"


def bearer_token(scope: Any, *, cookie: bool = False) -> bytes | None:
    """The token of the request: `Authorization: Bearer …`, or for people also the cookie `JWT` of Mender's GUI."""
    for name, value in scope["headers"]:
        if name == b"authorization":
            return bytes(value[7:].strip()) or None if value[:7].lower() == b"bearer " else None
    return _cookie_token(scope) if cookie else None


def _cookie_token(scope: Any) -> bytes | None:
    for name, value in scope["headers"]:
        if name == b"cookie":
            try:
                cookies = SimpleCookie(value.decode("latin-1"))
            except CookieError:
                return None
            return cookies["JWT"].value.encode() if "JWT" in cookies else None
    return None


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
    token = bearer_token(connection.scope, cookie=kind is ActorKind.USER)
    if token is None:
        raise TokenMissing
    bearer = context.memory.find(token)
    if bearer is None:
        loop = asyncio.get_running_loop()
        bearer = await loop.run_in_executor(context.executor, verify, context, token)
    if bearer.scope.actor.kind is not kind:
        raise identity.BadToken
    http = connection.scope
    method, path = str(http.get("method", "GET")), http["path"]
    if bearer.limits is not None and bearer.limits.are_about(method, path):
        await context.calls.submit(identity.CountedCall(bearer.subject, bearer.limits, method, path))
    scope = identity.for_request(bearer.scope, method, path)
    http["state"]["call"] = Call(context, bearer, scope, host_of(http))


async def for_users(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only people in."""
    await _authenticate(connection, ActorKind.USER)


async def for_devices(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let only devices in."""
    await _authenticate(connection, ActorKind.DEVICE)
