"""Which attributes are there to filter by?"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairlead.base.database import Tx, by_code_point, keys_of
from fairlead.domain.devices.inventory import WITH_STATUS, of_tenant
from fairlead.domain.devices.model import IDENTITY_SCOPE, SYSTEM_SCOPE, attribute_of
from fairlead.domain.devices.places import TOLD_STATUS
from fairlead.domain.devices.sight import in_sight
from fairlead.domain.devices.tables import devices, inventories
from fairlead.domain.identity import Permission


@dataclass(frozen=True, slots=True)
class AttributeCount:
    """How many devices have this attribute."""

    scope: str
    name: str
    count: int


def attribute_counts(tx: Tx, at_most: int) -> list[AttributeCount]:
    """The attributes that most devices have, those of the same count by scope and name."""
    tx.require(Permission.VIEW_DEVICES)
    own = [*of_tenant(), *in_sight(tx, inventories.c.device_id)]
    counts: Counter[tuple[str, str]] = Counter(_system_counts(tx, own))
    for document in (inventories.c.reported, inventories.c.assigned):
        for row in tx.all(_counts_in(document, own, at_most)):
            told = attribute_of(row.key, {"v": ""})
            counts[told.scope, told.name] += row.devices
    found = [AttributeCount(scope, name, count) for (scope, name), count in counts.items() if count]
    return sorted(found, key=lambda each: (-each.count, each.scope, each.name))[:at_most]


def _counts_in(document: Any, own: list[sa.ColumnElement[bool]], at_most: int) -> sa.Select[Any]:
    keys = keys_of(document).table_valued("key", joins_implicitly=True)
    count = sa.func.count().label("devices")
    found = sa.select(keys.c.key, count).select_from(WITH_STATUS, keys).where(*own).group_by(keys.c.key)
    return found.order_by(count.desc(), by_code_point(keys.c.key)).limit(at_most)


def _system_counts(tx: Tx, own: list[sa.ColumnElement[bool]]) -> dict[tuple[str, str], int]:
    """Those that every device has, and those that are kept in columns. A status that was told is in a document."""
    found = sa.select(
        sa.func.count().label("there"),
        sa.func.count(inventories.c.group_name).label("grouped"),
        sa.func.count(devices.c.status).label("known"),
    )
    row = tx.one(found.select_from(WITH_STATUS).where(*own))
    assert row is not None
    return {
        (SYSTEM_SCOPE, "created_ts"): row.there,
        (SYSTEM_SCOPE, "updated_ts"): row.there,
        (SYSTEM_SCOPE, "group"): row.grouped,
        (IDENTITY_SCOPE, TOLD_STATUS.partition("/")[2]): row.known,
    }
