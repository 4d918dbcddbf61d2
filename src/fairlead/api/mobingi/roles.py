"""Roles and users: `/v3/role…`, `/v3/user…`. Whether somebody may is asked where it is done: the master may, mostly."""

from __future__ import annotations

import json
from typing import Any

from litestar import Request, Response, Router, delete, get, post, put

from fairlead.api.mobingi import wire
from fairlead.api.mobingi.auth import for_anyone_with_a_token
from fairlead.api.mobingi.context import Call
from fairlead.api.mobingi.errors import MissingParameter
from fairlead.domain import identity

Fields = dict[str, Any]
Query = Request[Any, Any, Any]


@post("/v3/role", status_code=200, sync_to_thread=True)
def create_role(call: Call, fields: Fields) -> Response[bytes]:
    """Make a role of a name and a scope document."""
    with call.begin() as tx:
        role = identity.add_document_role(tx, wire.required(fields, "name"), _scope(fields))
    return _done(role_id=role.id)


@put("/v3/role/{role_id:str}", sync_to_thread=True)
def change_role(call: Call, role_id: str, fields: Fields) -> Response[bytes]:
    """Give a role another name and document."""
    with call.begin() as tx:
        identity.change_document_role(tx, role_id, wire.required(fields, "name"), _scope(fields))
    return _done(role_id=role_id)


@delete("/v3/role/{role_id:str}", status_code=200, sync_to_thread=True)
def remove_role(call: Call, role_id: str) -> Response[bytes]:
    """Remove a role, also from those who have it."""
    with call.begin() as tx:
        identity.remove_document_role(tx, role_id)
    return _done(role_id=role_id)


@get("/v3/role", sync_to_thread=True)
def list_roles(call: Call) -> Response[bytes]:
    """All roles of the account."""
    with call.read() as tx:
        roles = identity.list_document_roles(tx)
        account = identity.account_id(tx) if roles else ""
    return wire.answer([_role(role, account) for role in roles])


@get("/v3/role/templates", sync_to_thread=False)
def list_templates() -> Response[bytes]:
    """Scope documents to begin with."""
    found = identity.DOCUMENT_TEMPLATES
    return wire.answer([{"id": each.id, "name": each.name, "scope": json.loads(each.document.text)} for each in found])


@get("/v3/user/{username:str}/role", sync_to_thread=True)
def list_roles_of_user(call: Call, username: str) -> Response[bytes]:
    """The role of a user, in a list."""
    with call.read() as tx:
        attachments = identity.roles_of(tx, username)
        account = identity.account_id(tx) if attachments else ""
    return wire.answer([_role(each.role, account) for each in attachments])


@get("/v3/user/role", sync_to_thread=True)
def list_own_roles(call: Call) -> Response[bytes]:
    """The role of whoever asks, in a list."""
    with call.read() as tx:
        attachments = identity.own_roles(tx)
        account = identity.account_id(tx) if attachments else ""
    return wire.answer([_attachment(each, account) for each in attachments])


@post("/v3/user/role", status_code=200, sync_to_thread=True)
def attach_role(call: Call, fields: Fields) -> Response[bytes]:
    """Give a user a role, in place of the one that they have."""
    with call.begin() as tx:
        username, role_id = wire.required(fields, "username"), wire.required(fields, "role_id")
        attachment = identity.attach_role(tx, username, role_id)
    return _done(user_role_id=attachment.id)


@put("/v3/user/role/{role_id:str}", sync_to_thread=True)
def reattach_role(call: Call, role_id: str, request: Query, fields: Fields) -> Response[bytes]:
    """Give a user this role, in place of the one that they have."""
    with call.begin() as tx:
        identity.attach_role(tx, _username(request, fields), role_id)
    return _done(role_id=role_id)


@delete("/v3/user/role/{role_id:str}", status_code=200, sync_to_thread=True)
def detach_role(call: Call, role_id: str, request: Query, fields: Fields) -> Response[bytes]:
    """Take this role from a user."""
    with call.begin() as tx:
        identity.detach_role(tx, _username(request, fields), role_id)
    return _done(role_id=role_id)


@get("/v3/user", sync_to_thread=True)
def describe_user(call: Call, request: Query) -> Response[bytes]:
    """Whoever asks, or the user of this name for the master. We keep no tokens, so there is none to show."""
    username = wire.optional(wire.query(request), "username")
    with call.read() as tx:
        person = identity.find_person(tx, username)
        account = identity.account_id(tx)
    return wire.answer({"user_id": account, "username": person.name, "email": person.email, "api_token": ""})


def _scope(fields: Fields) -> str:
    """The document as it was given: a text, or in a JSON body also the object itself."""
    given = fields.get("scope")
    if isinstance(given, dict):
        return json.dumps(given, ensure_ascii=False, separators=(",", ":"))
    return wire.required(fields, "scope")


def _username(request: Query, fields: Fields) -> str:
    """From the body as published, or from the query, because some clients send no body with a DELETE."""
    username = wire.optional(fields, "username") or wire.optional(wire.query(request), "username")
    if not username:
        raise MissingParameter(name="username")
    return username


def _role(role: identity.DocumentRole, account: str) -> Fields:
    return {
        "role_id": role.id,
        "user_id": account,
        "name": role.name,
        "scope": role.document,
        "create_time": wire.moment(role.created_at),
        "update_time": wire.moment(role.updated_at),
    }


def _attachment(attachment: identity.Attachment, account: str) -> Fields:
    """The user is a text with JSON in it, as the reference has it."""
    return {
        "user_role_id": attachment.id,
        "role_id": attachment.role.id,
        "user": json.dumps({"user_id": account, "username": attachment.username}),
        "scope": attachment.role.document,
        "create_time": wire.moment(attachment.created_at),
        "update_time": wire.moment(attachment.updated_at),
    }


def _done(**ids: str) -> Response[bytes]:
    return wire.answer({"status": "success", **ids})


routes = Router(
    "/",
    guards=[for_anyone_with_a_token],
    route_handlers=[
        create_role,
        change_role,
        remove_role,
        list_roles,
        list_roles_of_user,
        list_own_roles,
        attach_role,
        reattach_role,
        detach_role,
        list_templates,
        describe_user,
    ],
)
