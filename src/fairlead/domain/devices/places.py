"""Where does an attribute stand: in a column of its own, or under a key of a document?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from fairlead.base.database import text_at
from fairlead.domain.devices.model import IDENTITY_SCOPE, REPORTED_SCOPE, SYSTEM_SCOPE, attribute_key
from fairlead.domain.devices.tables import devices, inventories

TOLD_STATUS = attribute_key(IDENTITY_SCOPE, "status")
"""Where the status stands that another service tells us of a device which we have not let in ourselves."""

STATUS: sa.ColumnElement[str] = sa.func.coalesce(devices.c.status, text_at(inventories.c.assigned, TOLD_STATUS, "v"))

_COLUMNS: dict[tuple[str, str], sa.ColumnElement[Any]] = {
    (SYSTEM_SCOPE, "created_ts"): inventories.c.created_at,
    (SYSTEM_SCOPE, "updated_ts"): inventories.c.updated_at,
    (SYSTEM_SCOPE, "group"): inventories.c.group_name,
    (IDENTITY_SCOPE, "status"): STATUS,
    (IDENTITY_SCOPE, "id"): inventories.c.device_id,
}


def own_column(scope: str, name: str) -> sa.ColumnElement[Any] | None:
    """What an attribute is that is kept outside of the documents: a text or a moment."""
    return _COLUMNS.get((scope, name))


def place_of(scope: str, name: str) -> tuple[sa.Column[Any], str]:
    """The document that holds the attribute, and the key in it."""
    document = inventories.c.reported if scope == REPORTED_SCOPE else inventories.c.assigned
    return document, attribute_key(scope, name)


def moment_of(value: object) -> datetime | None:
    """The moment that is written there, None if it is none or says no zone."""
    try:
        moment = datetime.fromisoformat(str(value))
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
