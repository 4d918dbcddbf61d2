"""Device inventory for people: `/api/management/v1/inventory`."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

import msgspec
from litestar import Request, Router, delete, get, patch, put

from fairlead.api.mender.auth import for_users
from fairlead.api.mender.context import Call
from fairlead.api.mender.errors import BadBody, BadParameter
from fairlead.api.mender.wire import add_links, add_total, page_of, parameter
from fairlead.domain import devices

TAGS = ["Device inventory (management)"]
MOST_IDS = 100_000
MOST_FILTERS = 50
_NOT_FILTERS = frozenset({"page", "per_page", "sort", "has_group", "group", "id"})


class WireAttribute(msgspec.Struct, omit_defaults=True):
    name: str
    value: str | int | float | list[str | int | float]
    scope: str = ""
    description: str | None = None


class WireInventory(msgspec.Struct):
    id: str
    attributes: list[WireAttribute]
    updated_ts: datetime


def wire_inventory(inventory: devices.Inventory) -> WireInventory:
    attributes = [WireAttribute(a.name, a.value, a.scope, a.description) for a in inventory.attributes]
    return WireInventory(inventory.device_id, attributes, inventory.updated_at)


@get("/devices", sync_to_thread=True, summary="List Device Inventories")
def list_inventories(request: Request[Any, Any, Any], call: Call) -> list[WireInventory]:
    """A page of inventories: every parameter that is not one of the list's own filters by an attribute."""
    page = page_of(request)
    wanted = devices.Search(_filters(request), _orders(request), parameter(request, "group"), _has_group(request))
    with call.read() as tx:
        found, total = devices.search_inventories(tx, wanted, page.skip, page.size)
    add_links(request, page, has_next=page.skip + len(found) < total)
    add_total(request, total)
    return [wire_inventory(each) for each in found]


def _filters(request: Request[Any, Any, Any]) -> list[devices.Equals]:
    """`attr=value`, `attr=eq:value` or `scope/attr=value`; a value that reads as a number matches both (§2.2)."""
    filters = []
    for key, value in request.query_params.multi_items():
        if key in _NOT_FILTERS:
            continue
        scope, name = _scope_and_name(key)
        text = value.removeprefix("eq:")
        if not name or "\0" in key or "\0" in value:
            raise BadParameter(reason=f"Can't parse param {key!r}")
        filters.append(devices.Equals(scope, name, (text, *_as_number(text))))
    if len(filters) > MOST_FILTERS:
        raise BadParameter(reason=f"more than {MOST_FILTERS} filters")
    return filters


def _scope_and_name(key: str) -> tuple[str, str]:
    scope, slash, name = key.partition("/")
    return (scope, name) if slash and scope else ("inventory", key)


def _as_number(text: str) -> tuple[float, ...]:
    try:
        number = float(text)
    except ValueError:
        return ()
    return (number,) if math.isfinite(number) and text.isascii() and "_" not in text else ()


def _orders(request: Request[Any, Any, Any]) -> list[devices.Order]:
    orders = []
    for part in (parameter(request, "sort") or "").split(","):
        attribute, _, direction = part.partition(":")
        if not part:
            continue
        if direction not in {"", "asc", "desc"} or not attribute or "\0" in part:
            raise BadParameter(reason="invalid sort order")
        orders.append(devices.Order(*_scope_and_name(attribute), descending=direction != "asc"))
    if len(orders) > MOST_FILTERS:
        raise BadParameter(reason="invalid sort order")
    return orders


def _has_group(request: Request[Any, Any, Any]) -> bool | None:
    text = parameter(request, "has_group")
    if text is None or text == "":
        return None
    if text.lower() not in {"true", "false", "1", "0", "t", "f"}:
        raise BadParameter(reason="Can't parse param has_group")
    return text.lower() in {"true", "1", "t"}


@get("/devices/{device_id:str}", sync_to_thread=True, summary="Get Device Inventory")
def show_inventory(call: Call, device_id: str) -> WireInventory:
    with call.read() as tx:
        return wire_inventory(devices.find_inventory(tx, device_id))


@delete("/devices/{device_id:str}", sync_to_thread=True, summary="Delete Device Inventory")
def remove_inventory(call: Call, device_id: str) -> None:
    """Forget what the device has reported; it may report again."""
    with call.begin() as tx:
        devices.remove_inventory(tx, device_id)


class Group(msgspec.Struct):
    group: str | None


@get("/devices/{device_id:str}/group", sync_to_thread=True, summary="Get Device Group")
def show_group(call: Call, device_id: str) -> Group:
    """The device's group, null if it is in none."""
    with call.read() as tx:
        return Group(devices.group_of(tx, device_id))


class NewGroup(msgspec.Struct):
    group: str


_GROUP = "failed to decode device group data"


@put(
    "/devices/{device_id:str}/group",
    sync_to_thread=True,
    status_code=204,
    opt={"decoding": _GROUP},
    summary="Assign Group",
)
def assign_group(call: Call, device_id: str, data: NewGroup) -> None:
    """Put the device into a group, out of the one it was in."""
    with call.begin() as tx:
        devices.assign(tx, device_id, data.group)


@delete("/devices/{device_id:str}/group/{name:str}", sync_to_thread=True, summary="Clear Group")
def clear_group(call: Call, device_id: str, name: str) -> None:
    with call.begin() as tx:
        devices.clear(tx, device_id, name)


@get("/groups", sync_to_thread=True, summary="List Groups")
def list_groups(request: Request[Any, Any, Any], call: Call) -> list[str]:
    """The names of all groups, or of those with devices of one status."""
    status = parameter(request, "status")
    if status and status not in list(devices.Status):
        return []
    with call.read() as tx:
        return devices.groups(tx, devices.Status(status) if status else None)


@get("/groups/{name:str}/devices", sync_to_thread=True, summary="Get Devices in Group")
def list_members(request: Request[Any, Any, Any], call: Call, name: str) -> list[str]:
    page = page_of(request)
    with call.read() as tx:
        ids, total = devices.members(tx, name, page.skip, page.size)
    add_links(request, page, has_next=page.skip + len(ids) < total)
    add_total(request, total)
    return ids


class GroupChange(msgspec.Struct):
    """How many devices were meant, and how many changed. Zero is said too: the reference requires both."""

    matched_count: int
    updated_count: int


_SCHEMA = "invalid payload schema"


@patch(
    "/groups/{name:str}/devices",
    sync_to_thread=True,
    opt={"decoding": _SCHEMA},
    summary="Add Devices to Group",
)
def add_members(call: Call, name: str, data: list[str]) -> GroupChange:
    """Put devices into the group; those that are in it already stay."""
    _make_sure_ids_are_there(data)
    with call.begin() as tx:
        change = devices.assign_many(tx, data, name)
    return GroupChange(change.matched, change.updated)


@delete(
    "/groups/{name:str}/devices",
    sync_to_thread=True,
    status_code=200,
    opt={"decoding": _SCHEMA},
    summary="Remove Devices from Group",
)
def remove_members(call: Call, name: str, data: list[str]) -> GroupChange:
    """Take devices out of the group."""
    _make_sure_ids_are_there(data)
    with call.begin() as tx:
        change = devices.clear_many(tx, data, name)
    return GroupChange(change.matched, change.updated)


def _make_sure_ids_are_there(ids: list[str]) -> None:
    if not ids:
        raise BadParameter(reason="no device IDs present in payload")
    if len(ids) > MOST_IDS:
        raise BadBody(what=_SCHEMA, reason=f"at most {MOST_IDS} device IDs")


routes = Router(
    "/api/management/v1/inventory",
    guards=[for_users],
    tags=TAGS,
    route_handlers=[
        list_inventories,
        show_inventory,
        remove_inventory,
        show_group,
        assign_group,
        clear_group,
        list_groups,
        list_members,
        add_members,
        remove_members,
    ],
)
