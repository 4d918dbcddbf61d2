"""Coming and going: `POST /session`, `DELETE /session`."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Response, Router, delete, get, post

from fairlead.api.mobyle import wire
from fairlead.api.mobyle.auth import COOKIE, OPEN, who_asks
from fairlead.api.mobyle.context import Call
from fairlead.api.mobyle.errors import BadBody
from fairlead.base import clock
from fairlead.domain.identity import portal


class Entering(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody shows to get in; `anonymous` for those who have nothing to show.

    `admin: false` leaves an administrator's powers at the door. With `cookie` the token is put into a cookie, which
    pages cannot read, and is not told otherwise.
    """

    username: str = ""
    password: str = ""
    code: str = ""
    admin: bool = True
    anonymous: bool = False
    cookie: bool = False


@post("/session", opt={OPEN: True}, status_code=201, sync_to_thread=True, summary="Log In")
def enter(call: Call, data: Entering) -> Response[bytes]:
    """A session of somebody with an account, or of somebody new without one.

    Whoever was here without an account, and shows that session, takes what they have along.
    """
    if data.anonymous and (data.username or data.password):
        raise BadBody(reason="one is either anonymous or has a name and a password")
    opened = _anonymously(call) if data.anonymous else _with_password(call, data)
    cookie = _cookie(call, opened) if data.cookie else None
    told = _told(opened.signed_in, call) | ({} if cookie else {"token": opened.token})
    return wire.answer(told, 201, {"Set-Cookie": cookie} if cookie else {})


def _anonymously(call: Call) -> portal.Opened:
    allowed = call.context.rules.anonymous
    return portal.enter_anonymously(call.context.database, call.tenant_id, allowed=allowed, address=call.address)


def _with_password(call: Call, data: Entering) -> portal.Opened:
    was = call.signed_in
    given = portal.Login(
        data.username,
        data.password,
        data.code,
        call.address,
        as_admin=data.admin,
        instead_of=was if was is not None and was.user.is_anonymous else None,
    )
    context = call.context
    return portal.log_in(context.database, context.tools.seal, call.tenant_id, given, context.rules.directory)


def _cookie(call: Call, opened: portal.Opened) -> str:
    seconds = int((opened.signed_in.expires_at - clock.now()).total_seconds())
    return _cookie_text(call, opened.token, seconds)


def _cookie_text(call: Call, value: str, seconds: int) -> str:
    secure = "; Secure" if call.host.startswith("https:") else ""
    return f"{COOKIE}={value}; Path={call.place}; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"


@get("/session", sync_to_thread=True, summary="Show the Session")
def show_session(call: Call) -> Response[bytes]:
    """Who is behind the session or token of this request."""
    return wire.answer(_told(call.session(), call))


def _told(signed_in: portal.SignedIn, call: Call) -> dict[str, Any]:
    user = signed_in.user
    return wire.said(
        user=user.id,
        email=user.email or None,
        type=user.type.value,
        status=user.status.value,
        admin=signed_in.is_administering,
        default_project=wire.id_of(user.default_project),
        server=call.own.name,
        expires=wire.moment(signed_in.expires_at),
    )


@delete("/session", status_code=200, opt={OPEN: True}, sync_to_thread=True, summary="Log Out")
def leave(call: Call) -> Response[bytes]:
    """The session is over. Leaving twice is harmless."""
    if call.signed_in is not None:
        with call.begin() as tx:
            portal.close_session(tx, call.signed_in)
    reply = wire.done()
    reply.headers["Set-Cookie"] = _cookie_text(call, "", 0)
    return reply


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    days: int = 90
    admin: bool = False


@get("/users/me/tokens", sync_to_thread=True, summary="List Own Tokens")
def list_tokens(call: Call) -> Response[bytes]:
    """Those that the caller made for programs."""
    call.session()
    with call.read() as tx:
        return wire.answer([_as_told(each) for each in portal.list_tokens(tx)])


@post("/users/me/tokens", status_code=201, sync_to_thread=True, summary="Make a Token")
def add_token(call: Call, data: NewToken) -> Response[bytes]:
    """A token for a program. It is told this once."""
    with call.begin() as tx:
        made, token = portal.add_token(tx, call.session(), data.name, data.days, as_admin=data.admin)
    return wire.answer(_as_told(made) | {"token": token}, 201)


@delete("/users/me/tokens/{token_id:str}", status_code=204, sync_to_thread=True, summary="Remove a Token")
def remove_token(call: Call, token_id: str) -> None:
    call.session()
    with call.begin() as tx:
        portal.remove_token(tx, token_id)


def _as_told(token: portal.ApiToken) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "admin": token.as_admin,
        "created": wire.moment(token.created_at),
        "expires": wire.moment(token.expires_at),
    }


routes = Router(
    "/",
    guards=[who_asks],
    tags=["Portal: sessions"],
    route_handlers=[enter, show_session, leave, list_tokens, add_token, remove_token],
)
