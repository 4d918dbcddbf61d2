"""What does the audit trail hold?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed: `action` names the verb and its noun (`device.accept`), `object_id` what it was done to."""

    at: datetime
    actor_kind: str
    actor_id: str
    actor_name: str
    action: str
    object_id: str
    details: dict[str, Any]
