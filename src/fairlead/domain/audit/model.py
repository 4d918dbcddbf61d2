"""What does the audit trail hold, and how is it kept from being changed afterwards?"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

BEGINNING = "0" * 64
"""Stands in the chain where the first entry looks for the digest of the one before."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed: `action` names the noun and its verb (`device.accept`), `object_id` what it was done to.

    `object_name` is what people call the object, where they call it something.
    """

    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    action: str
    object_id: str
    details: dict[str, Any]
    object_name: str = ""

    @property
    def object_type(self) -> str:
        return self.action.partition(".")[0]

    @property
    def verb(self) -> str:
        return self.action.partition(".")[2]


def digest_of(previous: str, tenant_id: str, number: int, entry: Entry, details: str) -> str:
    """The digest that ties an entry to all before it. `details` are taken as they are stored.

    Never to be changed: entries of earlier versions are checked by it.
    """
    microseconds = (entry.at - _EPOCH) // timedelta(microseconds=1)
    said = [
        previous,
        tenant_id,
        number,
        microseconds,
        entry.actor_kind,
        entry.actor_id,
        entry.actor_name,
        entry.action,
        entry.object_id,
        entry.object_name,
        details,
    ]
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()
