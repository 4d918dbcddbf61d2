"""The people of a portal: `/users/`."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post

from fairlead.api.mobyle import wire
from fairlead.api.mobyle.auth import OPEN, who_asks
from fairlead.api.mobyle.context import Call
from fairlead.api.mobyle.errors import BadBody
from fairlead.base.database import Tx
from fairlead.domain import identity, jobs
from fairlead.domain.identity import portal


class Registering(msgspec.Struct, forbid_unknown_fields=True):
    """Somebody who registers. An administrator makes an account with it that is in force at once."""

    email: str
    password: str
    first_name: str = ""
    last_name: str = ""
    admin: bool = False


class Secret(msgspec.Struct, forbid_unknown_fields=True):
    token: str


class Forgotten(msgspec.Struct, forbid_unknown_fields=True):
    email: str


class NewPassword(msgspec.Struct, forbid_unknown_fields=True):
    token: str
    password: str


class Notices(msgspec.Struct, forbid_unknown_fields=True):
    project: bool
    job: bool
    data: bool


class OwnChange(msgspec.Struct, forbid_unknown_fields=True):
    """What somebody changes of themselves. A new password takes the old one."""

    first_name: str | None = None
    last_name: str | None = None
    notifications: Notices | None = None
    old_password: str | None = None
    password: str | None = None


class UserChange(msgspec.Struct, forbid_unknown_fields=True):
    """What administrators change of others. The message goes with the status."""

    status: str | None = None
    status_message: str | None = None
    is_admin: bool | None = None
    groups: list[str] | None = None


@get("/users", sync_to_thread=True, summary="List Users")
def list_users(call: Call, request: Request[Any, Any, Any]) -> Response[bytes]:
    """For administrators, all of them: `q`, `status`, `type`, `skip` and `limit` say which."""
    asked = wire.query(request)
    wanted = partial(
        portal.Search,
        text=asked.get("q", ""),
        status=wire.chosen(asked, "status", portal.Standing),
        type=wire.chosen(asked, "type", portal.UserType),
    )
    told: dict[str, dict[str, Any]] = {}
    with call.read() as tx:
        for users in wire.pages(asked, lambda **part: portal.search_users(tx, wanted(**part))):
            told |= _told(tx, users)
    return wire.answer(told)


@get("/users/{user_id:str}", sync_to_thread=True, summary="Show a User")
def show_user(call: Call, user_id: str) -> Response[bytes]:
    """For administrators, and everybody for themselves."""
    with call.read() as tx:
        user = portal.find_user(tx, portal.number_of(user_id))
        return wire.answer(_told(tx, [user])[user.id])


@get("/users/me", sync_to_thread=True, summary="Show Oneself")
def show_me(call: Call) -> Response[bytes]:
    """With what others are not told."""
    user = call.session().user
    with call.read() as tx:
        return wire.answer({"id": user.id, **_told(tx, [user])[user.id], **_private(user)})


def _told(tx: Tx, users: Collection[portal.User]) -> dict[str, dict[str, Any]]:
    projects = jobs.projects_of(tx, users)
    return {
        user.id: wire.said(
            email=user.email or None,
            type=user.type.value,
            authentication_type=user.authentication_type.value if user.authentication_type else None,
            status=user.status.value,
            status_message=user.status_message or None,
            is_admin=user.is_admin,
            groups=list(user.groups),
            projects=[portal.written(number) for number in projects[user.number]],
        )
        for user in users
    }


def _private(user: portal.User) -> dict[str, Any]:
    notices = {name: getattr(user.notices, name) for name in Notices.__struct_fields__}
    return wire.said(
        first_name=user.first_name or None,
        last_name=user.last_name or None,
        default_project=wire.id_of(user.default_project),
        notifications=notices,
    )


@post("/users", opt={OPEN: True}, status_code=201, sync_to_thread=True, summary="Register")
def register(call: Call, data: Registering) -> Response[bytes]:
    """An account that is pending until the letter is answered; from an administrator, one that is in force at once.

    Whether there is an account with the e-mail already is not told.
    """
    if portal.may(call.scope, portal.Act.MANAGE_USERS):
        return _add(call, data)
    if data.admin:
        raise BadBody(reason="only administrators make others administrators")
    given = portal.Registration(data.email, data.password, data.first_name, data.last_name, call.address)
    allowed = call.context.rules.registration
    context = call.context
    link = _link(call, "confirm")
    portal.register(context.database, context.tools.seal, call.tenant_id, given, link, allowed=allowed)
    return wire.answer({"status": portal.Standing.PENDING.value}, 202)


def _add(call: Call, data: Registering) -> Response[bytes]:
    password_hash = identity.prepare_password(data.password)
    with call.begin() as tx:
        user = portal.add_user(
            tx,
            data.email,
            password_hash,
            first_name=data.first_name,
            last_name=data.last_name,
            is_admin=data.admin,
        )
        return wire.answer({"id": user.id, **_told(tx, [user])[user.id]}, 201)


def _link(call: Call, what: str) -> str:
    """Where a letter leads to: a page of ours, which takes the secret from the address without sending it anywhere."""
    return f"{call.own.url}/pages/{what}#"


@post("/users/confirm", opt={OPEN: True}, status_code=204, sync_to_thread=True, summary="Confirm an E-mail Address")
def confirm(call: Call, data: Secret) -> None:
    """With the secret of the letter, the account is in force."""
    portal.confirm(call.context.database, call.tenant_id, data.token)


@post("/users/password/reset", opt={OPEN: True}, status_code=202, sync_to_thread=True, summary="Forget a Password")
def start_reset(call: Call, data: Forgotten) -> Response[bytes]:
    """A letter to set a new one, if there is an account."""
    context = call.context
    link = _link(call, "password")
    portal.start_password_reset(context.database, context.tools.seal, call.tenant_id, data.email, link, call.address)
    return wire.answer({}, 202)


@post("/users/password", opt={OPEN: True}, status_code=204, sync_to_thread=True, summary="Set a New Password")
def complete_reset(call: Call, data: NewPassword) -> None:
    """With the secret of the letter."""
    portal.complete_password_reset(call.context.database, call.tenant_id, data.token, data.password, call.address)


@patch("/users/me", sync_to_thread=True, summary="Change Oneself")
def change_me(call: Call, data: OwnChange) -> Response[bytes]:
    """Names, notifications, the password."""
    session = call.session()
    if (data.password is None) != (data.old_password is None):
        raise BadBody(reason="a new password takes the old one, and the old one a new one")
    if data.password is not None and data.old_password is not None:
        wanted = portal.NewPassword(data.old_password, data.password)
        portal.change_own_password(call.context.database, session, wanted)
    change = _own_change(data)
    with call.begin() as tx:
        if change != portal.OwnChange() or data.password is None:
            portal.change_own(tx, change)
        user = portal.find_user(tx, session.user.number)
        return wire.answer({"id": user.id, **_told(tx, [user])[user.id], **_private(user)})


def _own_change(data: OwnChange) -> portal.OwnChange:
    told = data.notifications
    notices = portal.Notices(told.project, told.job, told.data) if told is not None else None
    return portal.OwnChange(data.first_name, data.last_name, notices)


@patch("/users/{user_id:str}", sync_to_thread=True, summary="Change a User")
def change_user(call: Call, user_id: str, data: UserChange) -> Response[bytes]:
    """For administrators: suspend, activate, put into groups, make an administrator."""
    number = portal.number_of(user_id)
    if data == UserChange():
        raise BadBody(reason="it says nothing to change")
    if data.status_message is not None and data.status != portal.Standing.SUSPENDED.value:
        raise BadBody(reason="a status_message is for those who are suspended")
    with call.begin() as tx:
        if data.groups is not None:
            portal.change_groups(tx, number, data.groups)
        if data.is_admin is not None:
            portal.change_is_admin(tx, number, data.is_admin)
        if data.status is not None:
            _change_status(tx, number, data)
        user = portal.find_user(tx, number)
        return wire.answer(_told(tx, [user])[user.id])


def _change_status(tx: Tx, number: int, data: UserChange) -> None:
    match data.status:
        case portal.Standing.SUSPENDED.value:
            portal.suspend_user(tx, number, data.status_message or "")
        case portal.Standing.ACTIVE.value:
            portal.activate_user(tx, number)
        case _:
            raise BadBody(reason="a status becomes active or suspended")


@delete("/users/{user_id:str}", status_code=204, sync_to_thread=True, summary="Remove a User")
def remove_user(call: Call, user_id: str) -> None:
    """For administrators: with all that is theirs."""
    with call.begin() as tx:
        portal.remove_user(tx, portal.number_of(user_id))


routes = Router(
    "/",
    guards=[who_asks],
    tags=["Portal: users"],
    route_handlers=[
        list_users,
        register,
        show_me,
        change_me,
        show_user,
        change_user,
        remove_user,
        confirm,
        start_reset,
        complete_reset,
    ],
)
