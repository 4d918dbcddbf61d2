"""Do both engines find the same devices, and those that a plain reading of the rules finds?"""

from __future__ import annotations

import operator
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fairlead.base.scope import system_scope
from fairlead.domain import devices

NAMES = ("a", "b.$%c", 'quo"te\\')
SCOPES = ("inventory", "tags")
TEXTS = ("", "a", "ab", "B", "1", "ä", "日本", "\U0001f600", "\ue000", "a\nb", '"', "%", "\\")
NUMBERS = (0, 1, -1, 1.0, 1.5, 0.1, 10**15, 2**53, 2**53 + 1, 2**63, 10**30, 1e300, -1e-300, 5e-324)
PATTERNS = ("", "a", "A", "/A/i", "b", ".*b", "/a.b/s", "/b/m", "日", r"\d", "a|b$", "[^a]")

texts, numbers = st.sampled_from(TEXTS), st.sampled_from(NUMBERS)
lists = st.lists(texts, max_size=3) | st.lists(numbers, max_size=3)
values = texts | numbers | lists
inventories = st.dictionaries(st.tuples(st.sampled_from(SCOPES), st.sampled_from(NAMES)), values, max_size=4)
named = st.tuples(st.sampled_from(SCOPES), st.sampled_from(NAMES))
_equal = st.tuples(st.sampled_from(("$eq", "$ne")), values)
_order = st.tuples(st.sampled_from(("$gt", "$gte", "$lt", "$lte", "$ltne")), texts | numbers)
_among = st.tuples(st.sampled_from(("$in", "$nin")), lists)
_there = st.tuples(st.just("$exists"), st.booleans())
_like = st.tuples(st.just("$regex"), st.sampled_from(PATTERNS))
filters = st.tuples(named, _equal | _order | _among | _there | _like)

ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
    "$ltne": operator.lt,
}
LIKE = {
    "": lambda text: True,
    "a": lambda text: text.startswith("a"),
    "A": lambda text: text.startswith("A"),
    "/A/i": lambda text: text.lower().startswith("a"),
    "b": lambda text: text.startswith("b"),
    ".*b": lambda text: "b" in text.split("\n")[0],
    "/a.b/s": lambda text: text.startswith("a") and text[2:3] == "b",
    "/b/m": lambda text: text.startswith("b"),
    "日": lambda text: text.startswith("日"),
    r"\d": lambda text: text[:1] in set("0123456789") - {""},
    "a|b$": lambda text: text.startswith("a") or text == "b",
    "[^a]": lambda text: bool(text) and text[0] != "a",
}


def holds(known: dict[tuple[str, str], Any], name: tuple[str, str], sign: str, wanted: Any) -> bool:
    """The rules of mender.md §2.2, read aloud."""
    there, value = name in known, known.get(name)
    elements = value if isinstance(value, list) else [value] if there else []
    if sign == "$exists":
        return there is wanted
    if sign in {"$ne", "$nin"}:
        return not holds(known, name, {"$ne": "$eq", "$nin": "$in"}[sign], wanted)
    if sign == "$regex":
        return any(isinstance(each, str) and LIKE[wanted](each) for each in elements)
    if sign == "$in":
        return any(is_same(each, other) for each in elements for other in wanted)
    if sign == "$eq" and isinstance(wanted, list):
        return isinstance(value, list) and len(value) == len(wanted) and all(map(is_same, value, wanted))
    if sign == "$eq":
        return any(is_same(each, wanted) for each in elements)
    return any(
        ORDERS[sign](as_compared(each), as_compared(wanted))
        for each in elements
        if isinstance(each, str) == isinstance(wanted, str)
    )


def as_compared(value: Any) -> Any:
    return value if isinstance(value, str) else float(value)


def is_same(one: Any, other: Any) -> bool:
    return isinstance(one, str) == isinstance(other, str) and as_compared(one) == as_compared(other)


def keep(tx: Any, device_id: str, known: dict[tuple[str, str], Any]) -> None:
    attributes = [devices.Attribute(name, value, scope) for (scope, name), value in known.items()]
    devices.assign_attributes(tx, device_id, attributes)


def ids_found(database: Any, tenant: str, predicates: list[devices.Predicate]) -> set[str]:
    with database.read(system_scope(tenant)) as tx:
        found, total = devices.search_inventories(tx, devices.Search(predicates), 0, 100)
    assert total == len(found)
    return {each.device_id for each in found}


FLEET = [
    {},
    *({("inventory", "a"): value} for value in (*TEXTS, *NUMBERS)),
    *({("inventory", "a"): value} for value in ([], ["a"], ["a", "ab"], ["ab", "a"], [1], [1, 1.5], [2**63], ["1"])),
    *({("tags", name): "a"} for name in NAMES),
]


@pytest.fixture(scope="module")
def fleet(database):
    """A device for each value that there is, in a tenant of its own; nobody changes them."""
    tenant = f"fleet-{uuid.uuid4()}"
    known = {f"{tenant}-{number}": each for number, each in enumerate(FLEET)}
    with database.begin(system_scope(tenant)) as tx:
        for device_id, each in known.items():
            keep(tx, device_id, each)
    return tenant, known


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=filters)
@example(wanted=(("inventory", "a"), ("$eq", 2**53 + 1)))
@example(wanted=(("inventory", "a"), ("$in", [])))
@example(wanted=(("inventory", "a"), ("$nin", [])))
@example(wanted=(("inventory", "a"), ("$eq", [])))
@example(wanted=(("inventory", "a"), ("$eq", [1.0])))
@example(wanted=(("inventory", "a"), ("$lt", "\ue000")))
@example(wanted=(("inventory", "a"), ("$gte", 10**30)))
def test_a_filter_finds_what_its_meaning_says(database, fleet, wanted):
    tenant, known = fleet
    name, (sign, value) = wanted

    found = ids_found(database, tenant, [devices.predicate_of(*name, sign, value)])

    assert found == {device_id for device_id, each in known.items() if holds(each, name, sign, value)}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fleet=st.lists(inventories, min_size=1, max_size=4), wanted=st.lists(filters, min_size=1, max_size=3))
def test_several_filters_must_all_hold(database, fleet, wanted):
    tenant = f"several-{uuid.uuid4()}"
    known = {f"{tenant}-{number}": each for number, each in enumerate(fleet)}
    with database.begin(system_scope(tenant)) as tx:
        for device_id, each in known.items():
            keep(tx, device_id, each)

    found = ids_found(database, tenant, [devices.predicate_of(*name, *rule) for name, rule in wanted])

    assert found == {
        device_id for device_id, each in known.items() if all(holds(each, name, *rule) for name, rule in wanted)
    }
