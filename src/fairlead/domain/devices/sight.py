"""Which devices may the actor see at all? Those whose roles name device groups see no others (identity.policy)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from fairlead.base.database import TENANT, Tx, list_of_strings
from fairlead.base.scope import NotAllowed
from fairlead.domain import identity
from fairlead.domain.devices.model import DeviceNotFound
from fairlead.domain.devices.tables import inventories
from fairlead.domain.identity import DeviceLimit


class OutsideOwnGroups(NotAllowed):
    message = "You may not do this: your roles limit you to device groups, and this is outside of them."


def within(limit: DeviceLimit, device_id: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    """The condition that the device with this id is one of those that the limit leaves."""
    members = inventories.alias("members")
    ids = sa.select(members.c.device_id).where(
        members.c.tenant_id == TENANT, members.c.group_name.in_(list_of_strings(limit.groups))
    )
    return sa.or_(device_id.in_(ids), device_id.in_(list_of_strings(limit.ids)))


def in_sight(tx: Tx, device_id: sa.ColumnElement[str]) -> list[sa.ColumnElement[bool]]:
    """The conditions to add to a statement about devices: none for those who may see all."""
    limit = identity.sight(tx.scope)
    return [] if limit is None else [within(limit, device_id)]


def make_sure_device_is_in_sight(tx: Tx, device_id: str) -> None:
    """Refuse with `DeviceNotFound` what the actor may not see: it looks the same as what is not there."""
    if not is_in_sight(tx, device_id):
        raise DeviceNotFound


def is_in_sight(tx: Tx, device_id: str) -> bool:
    limit = identity.sight(tx.scope)
    return limit is None or is_within(tx, limit, device_id)


def is_within(tx: Tx, limit: DeviceLimit, device_id: str) -> bool:
    if device_id in limit.ids:
        return True
    found: Any = tx.scalar(
        sa.select(inventories.c.group_name).where(
            inventories.c.tenant_id == TENANT, inventories.c.device_id == device_id
        )
    )
    return found is not None and found in limit.groups


def may_deploy_to(tx: Tx, device_id: str) -> bool:
    """Is the device one that the actor may roll anything out to, or take out of a rollout?"""
    limit = identity.deployment_limit(tx.scope)
    return limit is None or is_within(tx, limit, device_id)


def make_sure_sight_is_unlimited(tx: Tx) -> None:
    """Refuse what concerns devices that are in no group yet, or all of them."""
    if identity.sight(tx.scope) is not None:
        raise OutsideOwnGroups


def make_sure_group_gives_nothing_new(tx: Tx, group: str, device_ids: Sequence[str]) -> None:
    """Refuse to put a device into a group whose devices the actor may do more to than to this one.

    Somebody who sees two groups and deploys to one of them could otherwise deploy to both.
    """
    wanted = inventories.c.device_id
    for limit in (identity.deployment_limit(tx.scope), identity.terminal_limit(tx.scope)):
        if limit is None or group not in limit.groups:
            continue
        others = sa.select(wanted).where(
            inventories.c.tenant_id == TENANT,
            wanted.in_(list_of_strings(device_ids)),
            sa.not_(within(limit, wanted)),
            *in_sight(tx, wanted),
        )
        if tx.one(others.limit(1)) is not None:
            raise OutsideOwnGroups


def make_sure_group_is_in_sight(tx: Tx, group: str) -> None:
    """Refuse to put devices where the actor could not see them any more."""
    limit = identity.sight(tx.scope)
    if limit is not None and group not in limit.groups:
        raise OutsideOwnGroups
