"""Roles in Mender's dialect: `/api/management/v1/useradm/roles`.

A permission is an action on an object: `any`; `http` with a method and an expression over paths; or
`CREATE_DEPLOYMENT`, `REMOTE_TERMINAL` or `VIEW_DEVICE` on a device group, on one device, or on any.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import msgspec
from litestar import Request, Response, delete, get, post, put

from fairlead.api.mender.context import Call
from fairlead.api.mender.errors import BadBody
from fairlead.api.mender.wire import add_header, empty
from fairlead.domain import identity
from fairlead.domain.identity import Deed, Everything, Grant, OnDevices, OnRequests, Which

_ROLE = "failed to decode role"
_DEEDS = {"CREATE_DEPLOYMENT": Deed.DEPLOY, "REMOTE_TERMINAL": Deed.TERMINAL, "VIEW_DEVICE": Deed.VIEW}
_ACTIONS = {deed: action for action, deed in _DEEDS.items()}
_TYPES = {"any": Which.ANY, "DEVICE_GROUP": Which.GROUP, "DEVICE_ID": Which.DEVICE}
_TYPE_NAMES = {which: name for name, which in _TYPES.items()}
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
ANY = "any"


class WireObject(msgspec.Struct):
    type: str
    value: str


class WirePermission(msgspec.Struct):
    action: str
    object: WireObject


class WireRole(msgspec.Struct):
    name: str
    description: str
    permissions: list[WirePermission]


class RoleBody(msgspec.Struct):
    """A role as clients send it. When one is changed, its name is that of the path."""

    name: str = ""
    description: str = ""
    permissions: list[WirePermission] = []


def _permission(action: str, type_: str, value: str) -> WirePermission:
    return WirePermission(action, WireObject(type_, value))


_SEEN_BY_OBSERVERS = "^/api/management/v[12]/(devauth|inventory|deployments|useradm/(users|roles))"
_SEARCHES = "^/api/management/v2/(devauth/devices|inventory/filters)/search$"
_OBSERVER = [_permission("http", "GET", _SEEN_BY_OBSERVERS), _permission("http", "POST", _SEARCHES)]
_BUILT_IN = {
    "RBAC_ROLE_PERMIT_ALL": [_permission(ANY, ANY, ANY)],
    "RBAC_ROLE_OBSERVER": _OBSERVER,
    "RBAC_ROLE_CI": [
        *_OBSERVER,
        *(_permission("http", method, "^/api/management/v[12]/deployments/") for method in ("POST", "PUT", "DELETE")),
    ],
    "RBAC_ROLE_REMOTE_TERMINAL": [_permission("REMOTE_TERMINAL", ANY, ANY)],
}
"""How the built-in roles are shown: their rights are those of `identity.BUILT_IN_ROLES`."""


def wire_role(role: identity.Role) -> WireRole:
    shown = _BUILT_IN.get(role.name) or [_said(grant) for grant in role.grants]
    return WireRole(role.name, role.description, shown)


def _said(grant: Grant) -> WirePermission:
    if isinstance(grant, Everything):
        return _permission(ANY, ANY, ANY)
    if isinstance(grant, OnRequests):
        return _permission("http", grant.method, grant.expression)
    value = ANY if grant.which is Which.ANY else grant.value
    return _permission(_ACTIONS[grant.deed], _TYPE_NAMES[grant.which], value)


def _grant(permission: WirePermission) -> Grant:
    """What a permission means; `BadBody` if it is none of those that there are."""
    action, type_, value = permission.action, permission.object.type, permission.object.value
    if action == ANY:
        if type_.lower() != ANY:
            raise BadBody(what=_ROLE, reason=f"the action any takes an object of type any, not {type_[:40]!r}")
        return Everything()
    if action == "http":
        method = ANY if type_.lower() == ANY else type_.upper()
        if method not in (ANY, *_METHODS):
            raise BadBody(
                what=_ROLE, reason=f"object type {type_[:40]!r} is no method: one of any, {', '.join(_METHODS)}"
            )
        return OnRequests(method, value)
    if action not in _DEEDS:
        known = ", ".join((ANY, "http", *_DEEDS))
        raise BadBody(what=_ROLE, reason=f"unknown action {action[:40]!r}: one of {known}")
    which = _TYPES.get(ANY if type_.lower() == ANY else type_)
    if which is None:
        raise BadBody(what=_ROLE, reason=f"object type {type_[:40]!r} must be one of {', '.join(_TYPES)}")
    return OnDevices(_DEEDS[action], which, "" if which is Which.ANY else value)


@get("/roles", sync_to_thread=True, summary="List Roles")
def list_roles(call: Call) -> list[WireRole]:
    """The four built-in roles, then the tenant's own."""
    with call.read() as tx:
        return [wire_role(role) for role in identity.list_roles(tx)]


@post("/roles", sync_to_thread=True, opt={"decoding": _ROLE}, summary="Create Role")
def add_role(request: Request[Any, Any, Any], call: Call, data: RoleBody) -> Response[bytes]:
    """A new role. It cannot allow more than whoever makes it may do."""
    grants = [_grant(each) for each in data.permissions]
    with call.begin() as tx:
        role = identity.add_role(tx, data.name, data.description, grants)
    add_header(request, "location", f"roles/{quote(role.name)}")
    return empty(201)


@get("/roles/{name:str}", sync_to_thread=True, summary="Show Role")
def show_role(call: Call, name: str) -> WireRole:
    with call.read() as tx:
        return wire_role(identity.find_role(tx, name))


@put("/roles/{name:str}", sync_to_thread=True, status_code=202, opt={"decoding": _ROLE}, summary="Update Role")
def change_role(call: Call, name: str, data: RoleBody) -> Response[bytes]:
    """Other permissions for a role, in force within a second for everybody who has it."""
    if data.name not in ("", name):
        raise BadBody(what=_ROLE, reason="the name of a role cannot be changed")
    grants = [_grant(each) for each in data.permissions]
    with call.begin() as tx:
        identity.change_role(tx, name, data.description, grants)
    return empty(202)


@delete("/roles/{name:str}", sync_to_thread=True, summary="Delete Role")
def remove_role(call: Call, name: str) -> None:
    """Remove a role that nobody has."""
    with call.begin() as tx:
        identity.remove_role(tx, name)


handlers = [list_roles, add_role, show_role, change_role, remove_role]
