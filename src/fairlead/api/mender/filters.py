"""Searching devices by what is known of them: `/api/management/v2/inventory/filters`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from litestar import Request, Router, get, post

from fairlead.api.mender.auth import for_users
from fairlead.api.mender.context import Call
from fairlead.api.mender.errors import BadBody, BadParameter
from fairlead.api.mender.inventory import WireInventory, wire_inventory
from fairlead.api.mender.wire import LARGEST_PAGE, LARGEST_PER_PAGE, Page, add_links, add_total, page_of
from fairlead.domain import devices, identity
from fairlead.domain.identity import Plan

TAGS = ["Device inventory filters and search (management)"]
MOST_FILTERS = 20
MOST_ATTRIBUTES = 500
_DECODING = "failed to decode search parameters"


class WirePredicate(msgspec.Struct):
    scope: str = ""
    attribute: str = ""
    type: str = ""
    value: Any = None


class WireOrder(msgspec.Struct):
    scope: str = ""
    attribute: str = ""
    order: str = ""


class WireName(msgspec.Struct):
    scope: str = ""
    attribute: str = ""


class SearchBody(msgspec.Struct):
    """Which devices, in which order, and which of their attributes; all of it may be left out."""

    page: int | None = None
    per_page: int | None = None
    filters: list[WirePredicate] | None = None
    sort: list[WireOrder] | None = None
    attributes: list[WireName] | None = None
    device_ids: list[str] | None = None


def inventories_found(request: Request[Any, Any, Any], call: Call, body: SearchBody) -> list[WireInventory]:
    """A page of the inventories that match, with the number of all of them."""
    page = _page(request, body)
    names = _names(body.attributes or ())
    wanted = devices.Search(_predicates(body.filters or ()), _orders(body.sort or ()), ids=body.device_ids or None)
    with call.read() as tx:
        found, total = devices.search_inventories(tx, wanted, page.skip, page.size)
    add_links(request, page, has_next=page.skip + len(found) < total)
    add_total(request, total)
    return [_only(wire_inventory(each), names) for each in found]


def _page(request: Request[Any, Any, Any], body: SearchBody) -> Page:
    """The body says which page; where it does not, the query may, as our links do."""
    asked = page_of(request)
    number = asked.number if body.page is None else body.page
    size = asked.size if body.per_page is None else body.per_page
    if not 1 <= number <= LARGEST_PAGE:
        raise BadParameter(reason="Param page is out of bounds")
    if not 1 <= size <= LARGEST_PER_PAGE:
        raise BadParameter(reason="Param per_page is out of bounds")
    return Page(number, size)


def _make_sure_there_are_not_too_many(what: str, given: Sequence[Any]) -> None:
    if len(given) > MOST_FILTERS:
        raise BadBody(what=_DECODING, reason=f"{what}: at most {MOST_FILTERS}")


def _predicates(filters: Sequence[WirePredicate]) -> list[devices.Predicate]:
    _make_sure_there_are_not_too_many("filters", filters)
    return [devices.predicate_of(each.scope, each.attribute, each.type, each.value) for each in filters]


def _orders(sort: Sequence[WireOrder]) -> list[devices.Order]:
    _make_sure_there_are_not_too_many("sort", sort)
    for each in sort:
        devices.make_sure_attribute_is_named(each.scope, each.attribute)
        if each.order not in {"asc", "desc"}:
            raise BadBody(what=_DECODING, reason="sort: order must be asc or desc")
    return [devices.Order(each.scope, each.attribute, descending=each.order == "desc") for each in sort]


def _names(attributes: Sequence[WireName]) -> frozenset[tuple[str, str]]:
    for each in attributes:
        devices.make_sure_attribute_is_named(each.scope, each.attribute)
    return frozenset((each.scope, each.attribute) for each in attributes)


def _only(inventory: WireInventory, names: frozenset[tuple[str, str]]) -> WireInventory:
    if names:
        inventory.attributes = [each for each in inventory.attributes if (each.scope, each.name) in names]
    return inventory


@post("/search", sync_to_thread=True, status_code=200, opt={"decoding": _DECODING}, summary="Search Device Inventories")
def search(request: Request[Any, Any, Any], call: Call, data: SearchBody) -> list[WireInventory]:
    """The devices that fulfil all filters. Part of the plans professional and enterprise."""
    with call.read() as tx:
        identity.make_sure_plan_includes(tx, Plan.PROFESSIONAL)
    return inventories_found(request, call, data)


class WireAttributeCount(msgspec.Struct):
    name: str
    scope: str
    count: int


@get("/attributes", sync_to_thread=True, summary="Get filterable attributes")
def list_attributes(call: Call) -> list[WireAttributeCount]:
    """The attributes that most devices have, with the number of these devices."""
    with call.read() as tx:
        found = devices.attribute_counts(tx, MOST_ATTRIBUTES)
    return [WireAttributeCount(each.name, each.scope, each.count) for each in found]


routes = Router(
    "/api/management/v2/inventory/filters", guards=[for_users], tags=TAGS, route_handlers=[search, list_attributes]
)
