"""Users and their sessions: `/api/management/v1/useradm`."""

from __future__ import annotations

import base64
import binascii
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, post, put

from fairlead.api.mender import roles
from fairlead.api.mender.auth import for_users
from fairlead.api.mender.context import Call, Context
from fairlead.api.mender.wire import add_header, address_of_client, decode, empty, epoch_parameter, parameters
from fairlead.base.errors import Kind, Refusal
from fairlead.domain import identity

TAGS = ["User administration and authentication"]
LARGEST_LOGIN_BODY = 4096
_TIMES = ("created_after", "created_before", "updated_after", "updated_before")


class NoLogin(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "invalid or missing auth header"


class LoginBody(msgspec.Struct):
    """The second factor, for those who have one. An empty body, as mender-cli sends it, is none."""

    token2fa: str = ""


@post(
    "/auth/login",
    status_code=200,
    media_type="application/jwt",
    request_max_body_size=LARGEST_LOGIN_BODY,
    tags=TAGS,
    summary="Login",
)
async def log_in(request: Request[Any, Any, Any], context: Context) -> Response[bytes]:
    """A token for an e-mail and a password, given as Basic authorization, and a code where 2fa is in force."""
    code, body = "", await request.body()
    if body.strip():
        code = decode(body, LoginBody, "failed to decode login request").token2fa
    email, password = _basic(request)
    given = identity.Credentials(email, password, code, address_of_client(request))
    loop_run = request.app.state.in_thread
    token = await loop_run(identity.log_in, context.database, context.tokens, context.seal, given)
    return Response(token.encode(), media_type="application/jwt")


def _basic(request: Request[Any, Any, Any]) -> tuple[str, str]:
    scheme, _, encoded = request.headers.get("authorization", "").partition(" ")
    try:
        email, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        raise NoLogin from None
    if scheme.lower() != "basic" or not colon or "\0" in email + password:
        raise NoLogin
    return email, password


@post("/auth/logout", sync_to_thread=True, status_code=202, summary="Logout")
def log_out(call: Call) -> Response[bytes]:
    """End the session: the token of this request is refused from now on."""
    with call.begin() as tx:
        identity.log_out(tx, call.bearer.token_id)
    return empty(202)


class WireUser(msgspec.Struct, omit_defaults=True):
    id: str
    email: str
    roles: list[str]
    created_ts: datetime
    updated_ts: datetime
    login_ts: datetime | None = None


def wire_user(user: identity.User) -> WireUser:
    return WireUser(user.id, user.email, list(user.roles), user.created_at, user.updated_at, user.logged_in_at)


@get("/users", sync_to_thread=True, summary="List Users")
def list_users(request: Request[Any, Any, Any], call: Call) -> list[WireUser]:
    """The tenant's users; ids and e-mails may be repeated, times are seconds since 1970 and inclusive."""
    return users_found(request, call)


def users_found(request: Request[Any, Any, Any], call: Call) -> list[WireUser]:
    """The users of the tenant of whoever calls."""
    times = {name: moment for name in _TIMES if (moment := epoch_parameter(request, name)) is not None}
    with call.read() as tx:
        found = identity.search_users(tx, parameters(request, "id"), parameters(request, "email"), times)
    return [wire_user(user) for user in found]


class NewUser(msgspec.Struct):
    """A new account. `login` names other ways in, which the reference shows and does not define: it is not used."""

    email: str = ""
    password: str = ""
    roles: list[str] | None = None
    login: dict[str, str] | None = None


_USER = "failed to decode request body"


@post("/users", sync_to_thread=True, opt={"decoding": _USER}, summary="Create User")
def add_user(request: Request[Any, Any, Any], call: Call, data: NewUser) -> Response[bytes]:
    call.scope.require(identity.Permission.MANAGE_USERS)
    identity.make_sure_email_is_good(data.email)
    password_hash = identity.prepare_password(data.password)
    with call.begin() as tx:
        user = identity.add_user(tx, data.email, password_hash, data.roles)
    add_header(request, "location", f"users/{user.id}")
    return empty(201)


def _meant(call: Call, user_id: str) -> str:
    return call.scope.actor.id if user_id == "me" else user_id


@get("/users/{user_id:str}", sync_to_thread=True, summary="Show User")
def show_user(call: Call, user_id: str) -> WireUser:
    """One user; `me` is whoever asks."""
    with call.read() as tx:
        return wire_user(identity.find_user(tx, _meant(call, user_id)))


class UserUpdate(msgspec.Struct):
    email: str | None = None
    password: str | None = None
    roles: list[str] | None = None


@put("/users/{user_id:str}", sync_to_thread=True, status_code=204, opt={"decoding": _USER}, summary="Update User")
def change_user(call: Call, user_id: str, data: UserUpdate) -> None:
    """Change e-mail, password or roles. A new password ends the user's other sessions."""
    user_id = _meant(call, user_id)
    if user_id != call.scope.actor.id:
        call.scope.require(identity.Permission.MANAGE_USERS)
    password_hash = None if data.password is None else identity.prepare_password(data.password)
    change = identity.UserChange(data.email, password_hash, data.roles)
    with call.begin() as tx:
        identity.change_user(tx, user_id, change, keep_session=call.bearer.token_id)


@delete("/users/{user_id:str}", sync_to_thread=True, summary="Remove User")
def remove_user(call: Call, user_id: str) -> None:
    with call.begin() as tx:
        identity.remove_user(tx, _meant(call, user_id))


open_routes = Router("/api/management/v1/useradm", route_handlers=[log_in])
routes = Router(
    "/api/management/v1/useradm",
    guards=[for_users],
    tags=TAGS,
    route_handlers=[log_out, list_users, add_user, show_user, change_user, remove_user, *roles.handlers],
)
