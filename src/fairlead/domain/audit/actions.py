"""How is a deed put on record?"""

from __future__ import annotations

from typing import Any

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.domain.audit import store
from fairlead.domain.audit.model import Entry


def record(tx: Tx, action: str, target: str, *, name: str = "", **details: Any) -> None:
    """Keep who did what to what. It stands or falls with the transaction of the deed itself.

    `name` is what people call the target. The entry is written as the last thing in the transaction.
    """
    actor = tx.scope.actor
    entry = Entry(clock.now(), actor.kind.value, actor.id, actor.name, action, target, details, name)
    tx.lastly(store.add, entry)


def record_for_others(tx: Tx, entry: Entry) -> None:
    """Keep what another service says was done: by whom and when, it has to know."""
    tx.lastly(store.add, entry)
