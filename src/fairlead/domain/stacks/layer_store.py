"""Where is kept what a stack consists of: its layers, and the instances in them?"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Tx, as_document, from_document, list_of_strings
from fairlead.domain.stacks.tables import stack_instances, stack_layers
from fairlead.domain.stacks.vendors.driver import Instance

_instance = stack_instances.c
_layer = stack_layers.c


@dataclass(frozen=True, slots=True)
class KeptLayer:
    """A layer's row. `stamp` tells agents whether to deploy, `private_key` is sealed."""

    flag: str
    stamp: int
    container_digest: str
    private_key: str = field(repr=False)
    public_key: str


@dataclass(frozen=True, slots=True)
class KeptInstance:
    """An instance as it was last seen. `is_leaving`: another has to be there in its place."""

    seen: Instance
    is_leaving: bool
    created_at: datetime


_layers_of_stack = (_layer.tenant_id == TENANT, _layer.stack_id == sa.bindparam("of_stack"))
_layers = sa.select(stack_layers).where(*_layers_of_stack)
_remove_layers = sa.delete(stack_layers).where(*_layers_of_stack)
_change_stamp = (
    sa.update(stack_layers)
    .where(*_layers_of_stack, _layer.flag == sa.bindparam("of_flag"))
    .values(stamp=sa.bindparam("new_stamp"), container_digest=sa.bindparam("new_digest"))
)
_of_stack = (_instance.tenant_id == TENANT, _instance.stack_id == sa.bindparam("of_stack"))
_this = (*_of_stack, _instance.id == sa.bindparam("of_id"))
_told = sa.select(
    _instance.id,
    _instance.flag,
    _instance.is_spot,
    _instance.state,
    from_document(_instance.details).label("details"),
    _instance.is_leaving,
    _instance.created_at,
)
_instances = _told.where(*_of_stack).order_by(_instance.created_at, _instance.id)
_elsewhere = sa.select(sa.func.count()).where(
    _instance.tenant_id == TENANT, _instance.id == sa.bindparam("of_id"), _instance.stack_id != sa.bindparam("of_stack")
)
_add_instance = sa.insert(stack_instances).values(details=as_document(sa.bindparam("said", type_=sa.Text)))
_change_instance = (
    sa.update(stack_instances)
    .where(*_this)
    .values(
        state=sa.bindparam("new_state"),
        flag=sa.bindparam("new_flag"),
        is_spot=sa.bindparam("new_is_spot"),
        details=as_document(sa.bindparam("said", type_=sa.Text)),
    )
)


def layers(tx: Tx, stack_id: str) -> dict[str, KeptLayer]:
    """The layers that were planned, by flag."""
    found = tx.all(_layers, {"of_stack": stack_id})
    return {
        row.flag: KeptLayer(**{name: getattr(row, name) for name in KeptLayer.__dataclass_fields__}) for row in found
    }


def replace_layers(tx: Tx, stack_id: str, kept: Iterable[KeptLayer]) -> None:
    """These are the layers from now on."""
    tx.run(_remove_layers, {"of_stack": stack_id})
    rows = [{name: getattr(each, name) for name in KeptLayer.__dataclass_fields__} for each in kept]
    if rows:
        tx.run(sa.insert(stack_layers), [row | {"stack_id": stack_id} for row in rows])


def change_stamp(tx: Tx, stack_id: str, flag: str, stamp: int, digest: str) -> None:
    tx.run(_change_stamp, {"of_stack": stack_id, "of_flag": flag, "new_stamp": stamp, "new_digest": digest})


def instances(tx: Tx, stack_id: str) -> dict[str, KeptInstance]:
    """The instances as they were last seen, by id, oldest first."""
    return {row.id: _as_kept(row) for row in tx.all(_instances, {"of_stack": stack_id})}


def is_of_another_stack(tx: Tx, stack_id: str, instance_id: str) -> bool:
    return bool(tx.scalar(_elsewhere, {"of_stack": stack_id, "of_id": instance_id}))


def add_instance(tx: Tx, stack_id: str, instance: Instance) -> None:
    row = {
        "id": instance.id,
        "stack_id": stack_id,
        "flag": instance.flag,
        "is_spot": instance.is_spot,
        "state": instance.state,
        "said": _text(instance.details),
        "created_at": clock.now(),
    }
    tx.run(_add_instance, row)


def change_instance(tx: Tx, stack_id: str, instance: Instance) -> None:
    values = {
        "of_stack": stack_id,
        "of_id": instance.id,
        "new_state": instance.state,
        "new_flag": instance.flag,
        "new_is_spot": instance.is_spot,
        "said": _text(instance.details),
    }
    tx.run(_change_instance, values)


def let_leave(tx: Tx, stack_id: str, instance_ids: Collection[str]) -> None:
    """Note that others have to be there in the place of these."""
    leaving = sa.update(stack_instances).where(*_of_stack, _instance.id.in_(list_of_strings(instance_ids)))
    tx.run(leaving.values(is_leaving=True), {"of_stack": stack_id})


def remove_instances(tx: Tx, stack_id: str, instance_ids: Collection[str]) -> None:
    gone = sa.delete(stack_instances).where(*_of_stack, _instance.id.in_(list_of_strings(instance_ids)))
    tx.run(gone, {"of_stack": stack_id})


def _as_kept(row: sa.Row[Any]) -> KeptInstance:
    details: Mapping[str, Any] = msgspec.json.decode(row.details)
    seen = Instance(row.id, row.flag, is_spot=row.is_spot, state=row.state, details=details)
    return KeptInstance(seen, row.is_leaving, row.created_at)


def _text(details: Mapping[str, Any]) -> str:
    return msgspec.json.encode(dict(details)).decode()
