"""What is there, as a driver has just seen it? Written down where that has changed."""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.base.database import Database, Tx
from fairlead.base.scope import Scope
from fairlead.domain.stacks import layer_store, report_store, store
from fairlead.domain.stacks.layer_store import KeptInstance
from fairlead.domain.stacks.vendors.driver import Instance, Observation, Progress

DEAD = ("terminated", "failed")
"""An instance in one of these states does not come back."""


def note(database: Database, scope: Scope, stack_id: str, operation: int, observation: Observation) -> None:
    """Bring the rows of a stack's instances up to what was seen in this operation, unless there is nothing new."""
    with database.read(scope) as tx:
        if not _differs(layer_store.instances(tx, stack_id), observation):
            return
    with database.begin(scope) as tx:
        record = store.find(tx, stack_id, hold=True)
        if record is not None and record.operation == operation:
            _write(tx, stack_id, observation)


def dead(instances: Sequence[Instance]) -> set[str]:
    return {each.id for each in instances if each.state in DEAD}


def _differs(kept: dict[str, KeptInstance], observation: Observation) -> bool:
    seen = {each.id: each for each in observation.instances}
    return bool(_gone(kept, observation)) or any(
        instance_id not in kept or _is_other(kept[instance_id], each) for instance_id, each in seen.items()
    )


def _is_other(kept: KeptInstance, seen: Instance) -> bool:
    return (kept.seen.flag, kept.seen.is_spot, kept.seen.state, dict(kept.seen.details)) != (
        seen.flag,
        seen.is_spot,
        seen.state,
        dict(seen.details),
    )


def _gone(kept: dict[str, KeptInstance], observation: Observation) -> set[str]:
    """While something is under way, what is not seen yet may still come."""
    if observation.progress is not Progress.DONE:
        return set()
    return kept.keys() - {each.id for each in observation.instances}


def _write(tx: Tx, stack_id: str, observation: Observation) -> None:
    kept = layer_store.instances(tx, stack_id)
    for each in observation.instances:
        if each.id not in kept:
            layer_store.add_instance(tx, stack_id, each)
        elif _is_other(kept[each.id], each):
            layer_store.change_instance(tx, stack_id, each)
    gone = _gone(kept, observation)
    if gone:
        layer_store.remove_instances(tx, stack_id, gone)
        report_store.forget_instances(tx, stack_id, gone)
