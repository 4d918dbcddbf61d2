"""Which devices have these attributes, and in which order?

The one place that turns filters and sort orders into SQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fairlead.base.database import Moment, Tx, holds, number_at, text_at
from fairlead.domain.devices.inventory import COLUMNS, WITH_STATUS, as_inventory, of_tenant
from fairlead.domain.devices.model import (
    IDENTITY_SCOPE,
    REPORTED_SCOPE,
    SYSTEM_SCOPE,
    Inventory,
    attribute_key,
)
from fairlead.domain.devices.tables import devices, inventories
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
    """Which inventories are wanted. `has_group` None means: with or without one."""

    filters: Sequence[Equals] = ()
    orders: Sequence[Order] = ()
    group: str | None = None
    has_group: bool | None = None


def search(tx: Tx, wanted: Search, skip: int, at_most: int) -> tuple[list[Inventory], int]:
    """A page of the inventories that match, and how many match in all."""
    tx.require(Permission.VIEW_DEVICES)
    conditions = [*of_tenant(), *_conditions(wanted)]
    total = tx.scalar(sa.select(sa.func.count()).select_from(WITH_STATUS).where(*conditions))
    page = sa.select(*COLUMNS).select_from(WITH_STATUS).where(*conditions)
    page = page.order_by(*_order(wanted.orders)).offset(skip).limit(at_most)
    return [as_inventory(row) for row in tx.all(page)], int(total)


def _conditions(wanted: Search) -> list[sa.ColumnElement[bool]]:
    conditions = [_equals(each) for each in wanted.filters]
    if wanted.group is not None:
        conditions.append(inventories.c.group_name == wanted.group)
    if wanted.has_group is not None:
        conditions.append(inventories.c.group_name.is_not(None) == sa.literal(wanted.has_group))
    return conditions


def _equals(wanted: Equals) -> sa.ColumnElement[bool]:
    column = _own_column(wanted.scope, wanted.name)
    if column is None:
        document, key = _place(wanted.scope, wanted.name)
        return sa.or_(*(holds(document, key, "v", value) for value in wanted.values))
    if isinstance(column.type, Moment):
        moments = [moment for value in wanted.values if (moment := _moment(value)) is not None]
        return column.in_(moments) if moments else sa.false()
    return column.in_([value for value in wanted.values if isinstance(value, str)])


def _moment(value: str | float) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _order(orders: Sequence[Order]) -> list[sa.ColumnElement[Any]]:
    """Missing values, then numbers, then texts, as MongoDB orders them; devices of the same rank by age."""
    columns: list[sa.ColumnElement[Any]] = []
    for order in orders:
        column = _own_column(order.scope, order.name)
        if column is not None:
            keys: list[Any] = [column.is_not(None), column]
        else:
            document, key = _place(order.scope, order.name)
            number, text = number_at(document, key, "v"), text_at(document, key, "v")
            rank = sa.case((number.is_not(None), 1), (text.is_not(None), 2), else_=0)
            keys = [rank, number, text]
        columns += [key.desc() if order.descending else key.asc() for key in keys]
    return [*columns, inventories.c.created_at, inventories.c.device_id]


def _own_column(scope: str, name: str) -> sa.Column[Any] | None:
    """The column of an attribute that is kept outside of the documents."""
    return {
        (SYSTEM_SCOPE, "created_ts"): inventories.c.created_at,
        (SYSTEM_SCOPE, "updated_ts"): inventories.c.updated_at,
        (SYSTEM_SCOPE, "group"): inventories.c.group_name,
        (IDENTITY_SCOPE, "status"): devices.c.status,
        (IDENTITY_SCOPE, "id"): inventories.c.device_id,
    }.get((scope, name))


def _place(scope: str, name: str) -> tuple[sa.Column[Any], str]:
    document = inventories.c.reported if scope == REPORTED_SCOPE else inventories.c.assigned
    return document, attribute_key(scope, name)
