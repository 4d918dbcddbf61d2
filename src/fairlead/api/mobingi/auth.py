"""Who asks? Answered by a guard in front of every route that is not open to all.

Tokens are looked up in the database at every request: what a role says, a new password, or the end of a stack or a
member, is in force at once. There are people and agents here by the hundred, not devices by the hundred thousand.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from fairlead.api.mobingi.context import Call, Context
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.hosts import host_of
from fairlead.domain import identity, stacks


class TokenMissing(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "There is no token in the Authorization header: get one with POST /v3/access_token"


class OnlyForPeople(Refusal):
    kind = Kind.FORBIDDEN
    message = "This is for people: the token of an agent or a program is not enough. Log in with grant_type=password."


def verify(context: Context, token: bytes, host: str) -> Call:
    """The call of whoever holds this token: a user, a member, a program, or the agent of a stack."""
    try:
        claims = context.tokens.read_access(token.decode("ascii"))
    except UnicodeDecodeError:
        raise identity.BadToken from None
    check = stacks.verify_agent if claims.kind is identity.AccessKind.AGENT else identity.verify_access
    by_now = partial(check, context.database, claims)
    return Call(context, claims, by_now(), host, by_now)


async def for_anyone_with_a_token(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Let everybody in who is somebody. What they may do is asked where it is done."""
    context: Context = connection.app.state.mobingi
    token = _bearer_token(connection.scope)
    if not token:
        raise TokenMissing
    loop = asyncio.get_running_loop()
    http = connection.scope
    http["state"]["call"] = await loop.run_in_executor(context.executor, verify, context, token, host_of(http))


async def for_people(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Of those who have a token, keep agents and programs out."""
    call: Call = connection.scope["state"]["call"]
    if call.claims.kind in {identity.AccessKind.AGENT, identity.AccessKind.PROGRAM}:
        raise OnlyForPeople


def _bearer_token(scope: Any) -> bytes:
    """What follows the word Bearer, whichever way it is written; empty if there is nothing."""
    header: bytes = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
    scheme, _, token = header.partition(b" ")
    return token.strip() if scheme.lower() == b"bearer" else b""
