"""What does a deployment look like to someone who may see only some of its devices?

As one that has only those: counted anew from their rows. A deployment without any of them is not there for them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import sqlalchemy as sa

from fairlead.base.database import TENANT, Tx, list_of_strings
from fairlead.base.scope import NotAllowed
from fairlead.domain import devices, identity
from fairlead.domain.deployments.model import Deployment, DeviceStatus
from fairlead.domain.deployments.tables import deployments, device_deployments
from fairlead.domain.identity import DeviceLimit

_dd = device_deployments.c


class DeploymentOutsideOwnGroups(NotAllowed):
    """Told with 405 by Mender (mender.md §2.5), even to those who could see the devices."""

    message = "You may not do this: your roles allow deployments only to the devices of your own groups."


def in_sight(tx: Tx) -> list[sa.ColumnElement[bool]]:
    """The conditions that leave the deployments with at least one device that the actor may see."""
    limit = identity.sight(tx.scope)
    if limit is None:
        return []
    seen = sa.select(sa.literal(1)).where(
        _dd.tenant_id == TENANT,
        _dd.deployment_id == deployments.c.id,
        deployments.c.tenant_id == TENANT,
        devices.within(limit, _dd.device_id),
    )
    return [seen.correlate(deployments).exists()]


def devices_in_sight(tx: Tx) -> list[sa.ColumnElement[bool]]:
    """The conditions that leave the rows of devices that the actor may see."""
    limit = identity.sight(tx.scope)
    return [] if limit is None else [devices.within(limit, _dd.device_id)]


def is_device_in_sight(tx: Tx, deployment_id: str, device_id: str) -> bool:
    limit = identity.sight(tx.scope)
    return limit is None or bool(
        _ids(tx, deployment_id, devices.within(limit, _dd.device_id), _dd.device_id == device_id)
    )


def make_sure_all_devices_are_own(tx: Tx, deployment_id: str) -> None:
    """Refuse a deployment that reaches beyond the groups to which the actor may deploy."""
    limit = identity.deployment_limit(tx.scope)
    if limit is not None and _ids(tx, deployment_id, sa.not_(devices.within(limit, _dd.device_id))):
        raise DeploymentOutsideOwnGroups


def make_sure_group_is_own(tx: Tx, group: str | None) -> None:
    """Refuse a group that is empty or not there like one with devices: which of them it is, is not to be seen."""
    limit = identity.deployment_limit(tx.scope)
    if limit is not None and group is not None and group not in limit.groups:
        raise DeploymentOutsideOwnGroups


def past_pending_in_sight(tx: Tx) -> sa.ColumnElement[bool] | None:
    """The condition that a device which the actor may see is past pending; None for those who may see all."""
    limit = identity.sight(tx.scope)
    if limit is None:
        return None
    begun = sa.select(sa.literal(1)).where(
        _dd.tenant_id == TENANT,
        _dd.deployment_id == deployments.c.id,
        deployments.c.tenant_id == TENANT,
        _dd.status.not_in([DeviceStatus.WAITING.value, DeviceStatus.PENDING.value]),
        devices.within(limit, _dd.device_id),
    )
    return begun.correlate(deployments).exists()


def _ids(tx: Tx, deployment_id: str, *conditions: sa.ColumnElement[bool]) -> Sequence[sa.Row[tuple[str]]]:
    """One device of the deployment for which the conditions hold, if there is any."""
    rows = sa.select(_dd.device_id).where(_dd.tenant_id == TENANT, _dd.deployment_id == deployment_id, *conditions)
    return tx.all(rows.limit(1))


def as_seen(tx: Tx, deployment: Deployment) -> Deployment | None:
    """The deployment as the actor sees it; None if they see none of its devices."""
    seen = all_as_seen(tx, [deployment])
    return seen[0] if seen[0].max_devices or identity.sight(tx.scope) is None else None


def all_as_seen(tx: Tx, found: list[Deployment]) -> list[Deployment]:
    limit = identity.sight(tx.scope)
    if limit is None or not found:
        return found
    counts = _count(tx, [deployment.id for deployment in found], limit)
    return [_counted_anew(deployment, counts) for deployment in found]


Counts = dict[tuple[str, int | None, DeviceStatus], int]


def _count(tx: Tx, ids: list[str], limit: DeviceLimit) -> Counts:
    grouped = (_dd.deployment_id, _dd.phase, _dd.status)
    counted = (
        sa.select(*grouped, sa.func.count().label("devices"))
        .where(
            _dd.tenant_id == TENANT, _dd.deployment_id.in_(list_of_strings(ids)), devices.within(limit, _dd.device_id)
        )
        .group_by(*grouped)
    )
    return {(row.deployment_id, row.phase, DeviceStatus(row.status)): row.devices for row in tx.all(counted)}


def _counted_anew(deployment: Deployment, counts: Counts) -> Deployment:
    statistics: Counter[DeviceStatus] = Counter()
    by_phase: Counter[int | None] = Counter()
    total = 0
    for (of_deployment, phase, status), number in counts.items():
        if of_deployment != deployment.id:
            continue
        total += number
        if status is not DeviceStatus.WAITING:
            statistics[status] += number
            by_phase[phase] += number
    phases = tuple(replace(each, device_count=by_phase[i]) for i, each in enumerate(deployment.phases))
    return replace(deployment, statistics=statistics, max_devices=total, phases=phases)
