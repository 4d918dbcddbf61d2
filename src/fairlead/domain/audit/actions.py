"""How is a deed put on record?"""

from __future__ import annotations

from typing import Any

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.domain.audit import store
from fairlead.domain.audit.model import Entry


def record(tx: Tx, action: str, target: str, **details: Any) -> None:
    """Keep who did what to what. It stands or falls with the transaction of the deed itself."""
    actor = tx.scope.actor
    store.add(tx, Entry(clock.now(), actor.kind.value, actor.id, actor.name, action, target, details))
