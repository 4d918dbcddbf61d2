"""Which devices belong together? A device is in one group at most; a group lives as long as it has a member."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Tx, list_of_strings
from fairlead.base.errors import Kind, Refusal
from fairlead.domain import audit
from fairlead.domain.devices.inventory import WITH_STATUS, of_tenant
from fairlead.domain.devices.model import LONGEST_NAME_BYTES, DeviceNotFound, Status
from fairlead.domain.devices.sight import (
    in_sight,
    make_sure_device_is_in_sight,
    make_sure_group_gives_nothing_new,
    make_sure_group_is_in_sight,
)
from fairlead.domain.devices.tables import devices, inventories
from fairlead.domain.identity import Permission

_NAME = re.compile(r"[A-Za-z0-9_-]*")

MOST_RECORDED = 100
"""How many devices an entry of the audit trail names; their number is told as well."""


class BadGroupName(Refusal):
    message = "{reason}"


class GroupNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "group not found"


class NotInGroup(Refusal):
    kind = Kind.NOT_FOUND
    message = "Device not found"


@dataclass(frozen=True, slots=True)
class GroupChange:
    """How many of the devices that were named exist, and how many of them changed their group."""

    matched: int
    updated: int


def make_sure_name_is_good(name: str) -> None:
    """The rules and the words of inventory 2.2 (mender.md §2.2)."""
    if not name:
        raise BadGroupName(reason="Group name cannot be blank")
    if len(name) > LONGEST_NAME_BYTES:
        raise BadGroupName(reason=f"Group name must be at most {LONGEST_NAME_BYTES} characters long")
    if not _NAME.fullmatch(name):
        raise BadGroupName(reason="Group name can only contain: upper/lowercase alphanum, -(dash), _(underscore)")


def group_of(tx: Tx, device_id: str) -> str | None:
    """The group of the device, None if it is in none."""
    tx.require(Permission.VIEW_DEVICES)
    make_sure_device_is_in_sight(tx, device_id)
    found = sa.select(inventories.c.group_name).where(
        inventories.c.tenant_id == TENANT, inventories.c.device_id == device_id
    )
    row = tx.one(found)
    if row is None:
        raise DeviceNotFound
    group: str | None = row.group_name
    return group


def assign(tx: Tx, device_id: str, group: str) -> None:
    """Put the device into the group, out of the one that it was in."""
    if not assign_many(tx, [device_id], group).matched:
        raise DeviceNotFound


def assign_many(tx: Tx, device_ids: Sequence[str], group: str) -> GroupChange:
    """Put devices into the group. Those that do not exist are passed over and not counted."""
    tx.require(Permission.MANAGE_DEVICES)
    make_sure_name_is_good(group)
    make_sure_group_is_in_sight(tx, group)
    make_sure_group_gives_nothing_new(tx, group, device_ids)
    named = (
        inventories.c.tenant_id == TENANT,
        inventories.c.device_id.in_(list_of_strings(device_ids)),
        *in_sight(tx, inventories.c.device_id),
    )
    matched = tx.scalar(sa.select(sa.func.count()).select_from(inventories).where(*named))
    elsewhere = sa.or_(inventories.c.group_name.is_(None), inventories.c.group_name != group)
    moved = _move(tx, group, *named, elsewhere)
    if moved:
        audit.record(tx, "group.add_devices", group, devices=moved[:MOST_RECORDED], count=len(moved))
    return GroupChange(int(matched), len(moved))


def _move(tx: Tx, group: str | None, *those: sa.ColumnElement[bool]) -> list[str]:
    """Put these devices into the group, or into none; which ones they were."""
    moved = sa.update(inventories).where(*those).values(group_name=group, updated_at=clock.now())
    return sorted(row.device_id for row in tx.all(moved.returning(inventories.c.device_id)))


def clear(tx: Tx, device_id: str, group: str) -> None:
    """Take the device out of this group, or refuse with `NotInGroup`."""
    if not clear_many(tx, [device_id], group).updated:
        raise NotInGroup


def clear_many(tx: Tx, device_ids: Sequence[str], group: str) -> GroupChange:
    """Take those of the devices out of the group that are in it."""
    tx.require(Permission.MANAGE_DEVICES)
    removed = _move(
        tx,
        None,
        inventories.c.tenant_id == TENANT,
        inventories.c.group_name == group,
        inventories.c.device_id.in_(list_of_strings(device_ids)),
        *in_sight(tx, inventories.c.device_id),
    )
    if removed:
        audit.record(tx, "group.remove_devices", group, devices=removed[:MOST_RECORDED], count=len(removed))
    return GroupChange(len(removed), len(removed))


def groups(tx: Tx, status: Status | None = None) -> list[str]:
    """The names of all groups that have a member (of this status), in alphabetical order."""
    tx.require(Permission.VIEW_DEVICES)
    names = sa.select(inventories.c.group_name).distinct().where(*of_tenant(), inventories.c.group_name.is_not(None))
    names = names.where(*in_sight(tx, inventories.c.device_id))
    if status is not None:
        names = names.where(devices.c.status == status.value)
    return [row.group_name for row in tx.all(names.select_from(WITH_STATUS).order_by(inventories.c.group_name))]


def members(tx: Tx, group: str, skip: int, at_most: int) -> tuple[list[str], int]:
    """A page of the ids of the devices in the group, and how many there are; `GroupNotFound` if there are none."""
    tx.require(Permission.VIEW_DEVICES)
    inside = (
        inventories.c.tenant_id == TENANT,
        inventories.c.group_name == group,
        *in_sight(tx, inventories.c.device_id),
    )
    total = int(tx.scalar(sa.select(sa.func.count()).select_from(inventories).where(*inside)))
    if not total:
        raise GroupNotFound
    page = sa.select(inventories.c.device_id).where(*inside).order_by(inventories.c.created_at, inventories.c.device_id)
    return [row.device_id for row in tx.all(page.offset(skip).limit(at_most))], total


def ids_of_accepted_members(group: str) -> sa.Select[Any]:
    """A selection of the ids of the group's accepted devices, for use inside another statement."""
    return (
        sa.select(inventories.c.device_id.label("id"))
        .select_from(WITH_STATUS)
        .where(
            inventories.c.tenant_id == TENANT,
            devices.c.tenant_id == TENANT,
            inventories.c.group_name == group,
            devices.c.status == Status.ACCEPTED.value,
        )
    )
