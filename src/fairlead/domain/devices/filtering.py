"""Which devices have these attributes, and in which order?

The one place that turns filters and sort orders into SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairlead.base.database import Moment, Tx, by_code_point, holds, list_of_strings, number_at, text_at
from fairlead.domain.devices.inventory import COLUMNS, WITH_STATUS, as_inventory, of_tenant
from fairlead.domain.devices.model import Inventory
from fairlead.domain.devices.patterns import ids_of_matching
from fairlead.domain.devices.places import moment_of, own_column, place_of
from fairlead.domain.devices.predicates import Operator, Predicate, condition_of
from fairlead.domain.devices.sight import in_sight
from fairlead.domain.devices.tables import inventories
from fairlead.domain.identity import Permission


@dataclass(frozen=True, slots=True)
class Equals:
    """The attribute, or one element of it where it is an array, is one of the values."""

    scope: str
    name: str
    values: tuple[str | float, ...]


@dataclass(frozen=True, slots=True)
class Order:
    scope: str
    name: str
    descending: bool = True


@dataclass(frozen=True, slots=True)
class Search:
    """Which inventories are wanted: those that fulfil every filter. None means: whichever, with or without."""

    filters: Sequence[Equals | Predicate] = ()
    orders: Sequence[Order] = ()
    group: str | None = None
    has_group: bool | None = None
    ids: Sequence[str] | None = None


def search(tx: Tx, wanted: Search, skip: int, at_most: int) -> tuple[list[Inventory], int]:
    """A page of the inventories that match, and how many match in all."""
    tx.require(Permission.VIEW_DEVICES)
    conditions = _with_patterns(
        tx, wanted, [*of_tenant(), *in_sight(tx, inventories.c.device_id), *_conditions(wanted)]
    )
    total = tx.scalar(sa.select(sa.func.count()).select_from(WITH_STATUS).where(*conditions))
    page = sa.select(*COLUMNS).select_from(WITH_STATUS).where(*conditions)
    page = page.order_by(*_order(wanted.orders)).offset(skip).limit(at_most)
    return [as_inventory(row) for row in tx.all(page)], int(total)


def _conditions(wanted: Search) -> list[sa.ColumnElement[bool]]:
    conditions = [_condition(each) for each in wanted.filters if not _is_pattern(each)]
    if wanted.ids is not None:
        conditions.append(inventories.c.device_id.in_(list_of_strings(wanted.ids)))
    if wanted.group is not None:
        conditions.append(inventories.c.group_name == wanted.group)
    if wanted.has_group is not None:
        conditions.append(inventories.c.group_name.is_not(None) == sa.literal(wanted.has_group))
    return conditions


def _is_pattern(wanted: Equals | Predicate) -> bool:
    return isinstance(wanted, Predicate) and wanted.operator is Operator.REGEX


def _with_patterns(tx: Tx, wanted: Search, conditions: list[sa.ColumnElement[bool]]) -> list[sa.ColumnElement[bool]]:
    """The conditions, and that the device is one of those that fulfil them and match every pattern."""
    patterns = [
        (each.scope, each.name, each.value)
        for each in wanted.filters
        if isinstance(each, Predicate) and each.operator is Operator.REGEX
    ]
    if not patterns:
        return conditions
    return [*conditions, inventories.c.device_id.in_(list_of_strings(ids_of_matching(tx, patterns, conditions)))]


def _condition(wanted: Equals | Predicate) -> sa.ColumnElement[bool]:
    return condition_of(wanted) if isinstance(wanted, Predicate) else _equals(wanted)


def _equals(wanted: Equals) -> sa.ColumnElement[bool]:
    column = own_column(wanted.scope, wanted.name)
    if column is None:
        document, key = place_of(wanted.scope, wanted.name)
        return sa.or_(*(holds(document, key, "v", value) for value in wanted.values))
    if isinstance(column.type, Moment):
        moments = [moment for value in wanted.values if (moment := moment_of(value)) is not None]
        return column.in_(moments) if moments else sa.false()
    return column.in_([value for value in wanted.values if isinstance(value, str)])


def _order(orders: Sequence[Order]) -> list[sa.ColumnElement[Any]]:
    """Missing values, then numbers, then texts, as MongoDB orders them; devices of the same rank by age."""
    columns: list[sa.ColumnElement[Any]] = []
    for order in orders:
        column = own_column(order.scope, order.name)
        if column is not None:
            ordered = column if isinstance(column.type, Moment) else by_code_point(column)
            keys: list[Any] = [column.is_not(None), ordered]
        else:
            document, key = place_of(order.scope, order.name)
            number, text = number_at(document, key, "v"), text_at(document, key, "v")
            rank = sa.case((number.is_not(None), 1), (text.is_not(None), 2), else_=0)
            keys = [rank, number, text]
        columns += [key.desc() if order.descending else key.asc() for key in keys]
    return [*columns, inventories.c.created_at, inventories.c.device_id]
