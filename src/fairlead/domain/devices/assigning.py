"""What do other services say of devices, and what of it do we keep?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fairlead.base import clock
from fairlead.base.database import TENANT, Tx, as_document, from_document, json_merge, list_of_strings
from fairlead.base.database.columns import Moment
from fairlead.base.errors import Kind, Refusal
from fairlead.domain import audit
from fairlead.domain.devices.inventory import LONGEST_REPORT_BYTES, forget, make_sure_attributes_are_good
from fairlead.domain.devices.model import (
    IDENTITY_SCOPE,
    LONGEST_NAME_BYTES,
    REPORTED_SCOPE,
    SYSTEM_SCOPE,
    Attribute,
    BadAttribute,
    ReportTooLarge,
    Status,
    document_of,
    holds_nul,
)
from fairlead.domain.devices.places import TOLD_STATUS
from fairlead.domain.devices.sight import make_sure_sight_is_unlimited
from fairlead.domain.devices.tables import devices, inventories
from fairlead.domain.identity import Permission

DECOMMISSIONED = "decommissioned"
"""What can be told of a device besides the statuses that there are."""

_KEPT_BY_US = frozenset(
    {
        (SYSTEM_SCOPE, "created_ts"),
        (SYSTEM_SCOPE, "updated_ts"),
        (SYSTEM_SCOPE, "group"),
        (IDENTITY_SCOPE, "status"),
    }
)
MOST_DEVICES = 10_000


class UnknownStatus(Refusal):
    kind = Kind.NOT_FOUND
    message = "unrecognized status: {status}"


class BadDeviceId(Refusal):
    message = "id: {reason}"


class DeviceIdTaken(Refusal):
    kind = Kind.CONFLICT
    message = "a device with this id is there already"


@dataclass(frozen=True, slots=True)
class Revised:
    """A device that a status is told of, and the number of the telling: a later one has a higher number."""

    device_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class StatusChange:
    """How many of the devices that were named are there, and of how many something was changed."""

    matched: int
    updated: int


_change = (
    sa.update(inventories)
    .where(inventories.c.tenant_id == TENANT, inventories.c.device_id == sa.bindparam("of_device"))
    .values(
        reported=json_merge(inventories.c.reported, sa.bindparam("more_reported", type_=sa.Text)),
        assigned=json_merge(inventories.c.assigned, sa.bindparam("more_assigned", type_=sa.Text)),
        updated_at=sa.bindparam("at", type_=Moment),
    )
)
_begin = sa.insert(inventories).values(
    device_id=sa.bindparam("of_device"),
    reported=as_document(sa.bindparam("more_reported", type_=sa.Text)),
    assigned=as_document(sa.bindparam("more_assigned", type_=sa.Text)),
    created_at=sa.bindparam("at", type_=Moment),
    updated_at=sa.bindparam("at", type_=Moment),
)


def assign_attributes(tx: Tx, device_id: str, attributes: Sequence[Attribute]) -> None:
    """Lay attributes of any scope over what is known of a device, whether anything was known of it or not."""
    tx.require(Permission.MANAGE_DEVICES)
    make_sure_sight_is_unlimited(tx)
    _make_sure_id_is_good(device_id)
    make_sure_attributes_are_good(attributes)
    for each in attributes:
        if (each.scope, each.name) in _KEPT_BY_US:
            raise BadAttribute(reason=f"name: {each.name} of scope {each.scope} is kept by the server itself")
    own = _document([each for each in attributes if each.scope == REPORTED_SCOPE])
    others = _document([each for each in attributes if each.scope != REPORTED_SCOPE])
    tx.one_at_a_time(f"inventory {device_id}")
    row = _row(device_id, own, others, clock.now())
    if not tx.run(_change, row).rowcount:
        _add(tx, [row])
    named = [f"{each.scope}/{each.name}" for each in attributes[:100]]
    audit.record(tx, "inventory.assign", device_id, attributes=named, count=len(attributes))


def _document(attributes: Sequence[Attribute]) -> str:
    document = msgspec.json.encode(document_of(attributes)).decode()
    if len(document) > LONGEST_REPORT_BYTES:
        raise ReportTooLarge(limit=LONGEST_REPORT_BYTES)
    if holds_nul(document):
        raise BadAttribute(reason="attributes must not contain NUL characters")
    return document


def _row(device_id: str, reported: str, assigned: str, at: datetime) -> dict[str, Any]:
    return {"of_device": device_id, "more_reported": reported, "more_assigned": assigned, "at": at}


def _add(tx: Tx, rows: Sequence[Mapping[str, Any]]) -> None:
    try:
        tx.run(_begin, rows)
    except IntegrityError:  # another tenant's
        raise DeviceIdTaken from None


def _make_sure_id_is_good(device_id: str) -> None:
    if not device_id.strip():
        raise BadDeviceId(reason="cannot be blank.")
    if len(device_id.encode()) > LONGEST_NAME_BYTES or "\0" in device_id:
        raise BadDeviceId(reason=f"the length must be between 1 and {LONGEST_NAME_BYTES}.")


def tell_status(tx: Tx, status: str, told: Sequence[Revised]) -> StatusChange:
    """Take notice of what another service says that the status of devices is.

    Devices that asked us have the status that we gave them, and no other. For those that are not ours to let in it
    is kept, unless something newer was told before. `decommissioned` forgets what is known of the devices.
    """
    tx.require(Permission.MANAGE_DEVICES)
    make_sure_sight_is_unlimited(tx)
    if status not in {*Status, DECOMMISSIONED}:
        raise UnknownStatus(status=status[:60])
    if len(told) > MOST_DEVICES:
        raise BadDeviceId(reason=f"at most {MOST_DEVICES} devices")
    newest: dict[str, int] = {}
    for each in told:
        _make_sure_id_is_good(each.device_id)
        newest[each.device_id] = max(each.revision, newest.get(each.device_id, each.revision))
    if status == DECOMMISSIONED:
        return _forget_all(tx, newest)
    return _keep(tx, Status(status), newest)


def _forget_all(tx: Tx, device_ids: Mapping[str, int]) -> StatusChange:
    gone = [device_id for device_id in sorted(device_ids) if forget(tx, device_id)]
    for device_id in gone:
        audit.record(tx, "inventory.delete", device_id)
    return StatusChange(len(gone), len(gone))


def _keep(tx: Tx, status: Status, newest: Mapping[str, int]) -> StatusChange:
    ours = _ids(tx, sa.select(devices.c.id).where(devices.c.tenant_id == TENANT, devices.c.id.in_(_listed(newest))))
    tx.one_at_a_time("told statuses")
    known = {row.device_id: _revision_in(row.assigned) for row in tx.all(_inventories(newest))}
    now = clock.now()
    rows = [
        (device_id, _row(device_id, "{}", _told(status, revision), now))
        for device_id, revision in sorted(newest.items())
        if device_id not in ours and revision > known.get(device_id, -1)
    ]
    changed = [row for device_id, row in rows if device_id in known]
    new = [row for device_id, row in rows if device_id not in known]
    if changed:
        tx.run(_change, changed)
    if new:
        _add(tx, new)
    for device_id, _ in rows:
        audit.record(tx, "inventory.status", device_id, status=status.value)
    return StatusChange(len(ours | known.keys()) + len(new), len(rows))


def _listed(ids: Mapping[str, int]) -> sa.Select[Any]:
    return list_of_strings(ids)


def _ids(tx: Tx, found: sa.Select[Any]) -> set[str]:
    return {row[0] for row in tx.all(found)}


def _inventories(ids: Mapping[str, int]) -> sa.Select[Any]:
    found = sa.select(inventories.c.device_id, from_document(inventories.c.assigned).label("assigned"))
    return found.where(inventories.c.tenant_id == TENANT, inventories.c.device_id.in_(_listed(ids)))


def _told(status: Status, revision: int) -> str:
    return msgspec.json.encode({TOLD_STATUS: {"v": status.value, "revision": revision}}).decode()


def _revision_in(assigned: str) -> int:
    """The number of the last telling, -1 if nothing was told."""
    return int(msgspec.json.decode(assigned).get(TOLD_STATUS, {}).get("revision", -1))
