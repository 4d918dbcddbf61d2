"""How does a rollout begin, and how does it end?"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.domain import artifacts, audit, devices, identity
from fairlead.domain.deployments import store
from fairlead.domain.deployments.model import (
    AlreadyFinished,
    Deployment,
    DeploymentNotFound,
    DeviceDeployment,
    DeviceStatus,
    LogLine,
    LogNotFound,
    NewDeployment,
    NoArtifact,
    NoDevices,
    NotPartOfDeployment,
    PhasesNotInPlan,
    Status,
    make_sure_it_makes_sense,
    plan_phases,
)
from fairlead.domain.deployments.sight import (
    all_as_seen,
    as_seen,
    devices_in_sight,
    in_sight,
    is_device_in_sight,
    make_sure_all_devices_are_own,
    make_sure_group_is_own,
    past_pending_in_sight,
)
from fairlead.domain.identity import Permission

WORK_ADDED = "deployment-added"
"""The change that tells every process that the devices of a deployment have something to do."""

SMALLEST_PLAN = "os"
"""The one plan that has no phases (the reference's NewDeployment)."""


def create(tx: Tx, new: NewDeployment) -> Deployment:
    """Roll a release out to the devices named, to all accepted ones, or to those of a group.

    Which devices and which artifacts are meant is settled here, once: who is accepted later is not part of it.
    """
    tx.require(Permission.MANAGE_DEPLOYMENTS)
    make_sure_it_makes_sense(new)
    if new.phases and identity.own_tenant(tx).plan == SMALLEST_PLAN:
        raise PhasesNotInPlan
    release = artifacts.hold_release(tx, new.artifact_name)
    if not release:
        raise NoArtifact
    deployment = Deployment(
        id=str(uuid.uuid4()),
        name=new.name,
        artifact_name=new.artifact_name,
        artifact_ids=tuple(artifact.id for artifact in release),
        created_at=clock.now(),
        finished_at=None,
        aborted=False,
        phases=(),
        retries=new.retries,
        max_devices=0,
    )
    store.add(tx, deployment)
    size = store.add_devices(tx, deployment.id, _targets(new))
    if not size:
        make_sure_group_is_own(tx, new.group)
        raise NoDevices
    make_sure_all_devices_are_own(tx, deployment.id)
    store.set_size(tx, deployment.id, size, plan_phases(new.phases, size, [str(uuid.uuid4()) for _ in new.phases]))
    tx.announce(WORK_ADDED, deployment.id)
    audit.record(tx, "deployment.create", deployment.id, name=new.name, artifact_name=new.artifact_name, devices=size)
    return find(tx, deployment.id)


def _targets(new: NewDeployment) -> sa.Select[Any]:
    if new.group is not None:
        return devices.ids_of_accepted_members(new.group)
    if new.all_devices:
        return devices.ids_of_accepted()
    return store.ids_listed(new.devices or ())


def find(tx: Tx, deployment_id: str) -> Deployment:
    tx.require(Permission.VIEW_DEPLOYMENTS)
    deployment = store.find(tx, deployment_id)
    seen = deployment and as_seen(tx, deployment)
    if seen is None:
        raise DeploymentNotFound
    return seen


def search(
    tx: Tx,
    status: Status | None = None,
    words: str = "",
    created: tuple[datetime | None, datetime | None] = (None, None),
    skip: int = 0,
    at_most: int = 20,
) -> tuple[list[Deployment], int]:
    """A page of deployments, newest first, and how many there are in all. `created`: not before, not after."""
    tx.require(Permission.VIEW_DEPLOYMENTS)
    found, total = store.search(tx, status, words, created, skip, at_most, in_sight(tx), past_pending_in_sight(tx))
    return all_as_seen(tx, found), total


def devices_of(tx: Tx, deployment_id: str) -> list[DeviceDeployment]:
    """The devices that have asked for the deployment, with what became of it there."""
    find(tx, deployment_id)
    return store.devices_of(tx, deployment_id, devices_in_sight(tx))


def ids_of_devices(tx: Tx, deployment_id: str) -> list[str]:
    find(tx, deployment_id)
    return store.ids_of_devices(tx, deployment_id, devices_in_sight(tx))


def log_of_device(tx: Tx, deployment_id: str, device_id: str) -> list[LogLine]:
    """What the device wrote about the deployment, or a refusal that says what is missing."""
    find(tx, deployment_id)
    hidden = not is_device_in_sight(tx, deployment_id, device_id)
    if hidden or store.find_device(tx, deployment_id, device_id) is None:
        raise NotPartOfDeployment
    lines = store.read_log(tx, deployment_id, device_id)
    if lines is None:
        raise LogNotFound
    return lines


def abort(tx: Tx, deployment_id: str) -> None:
    """Stop the rollout. Devices in the middle of it are told with their next report, and roll back.

    One that is finished, or was never there, is refused alike with `AlreadyFinished` (mender.md §2.3).
    """
    tx.require(Permission.MANAGE_DEPLOYMENTS)
    deployment = store.find(tx, deployment_id)
    if deployment is None or as_seen(tx, deployment) is None:
        raise AlreadyFinished
    make_sure_all_devices_are_own(tx, deployment_id)
    now = clock.now()
    counts = store.abort_devices(tx, deployment_id, now)
    if not store.finish(tx, deployment_id, now, aborted=True):
        raise AlreadyFinished
    for status, count in counts.items():
        store.count_move(tx, deployment_id, status, DeviceStatus.ABORTED, count)
    audit.record(tx, "deployment.abort", deployment_id, name=deployment.name, artifact_name=deployment.artifact_name)


def forget_device(tx: Tx, device_id: str) -> None:
    """Take a device out of everything that runs: it counts as decommissioned there."""
    _leave_all(tx, device_id)


def _leave_all(tx: Tx, device_id: str) -> int:
    rows = store.hold_open_of_device(tx, device_id)
    for row in rows:
        close_device(tx, row, DeviceStatus.DECOMMISSIONED)
    return len(rows)


def remove_device(tx: Tx, device_id: str) -> None:
    """The same, asked for by a person. A device that takes part in nothing is no error."""
    tx.require(Permission.MANAGE_DEPLOYMENTS)
    if not devices.may_deploy_to(tx, device_id):
        return
    if count := _leave_all(tx, device_id):
        audit.record(tx, "device.leave_deployments", device_id, count=count)


def close_device(tx: Tx, row: DeviceDeployment, outcome: DeviceStatus, **values: Any) -> None:
    """Note how a deployment ended on a device, and end the deployment itself if this was the last."""
    now = clock.now()
    created_at = row.created_at or now
    store.change_device(tx, row, status=outcome.value, open=False, created_at=created_at, finished_at=now, **values)
    if store.count_move(tx, row.deployment_id, row.status, outcome):
        store.finish(tx, row.deployment_id, now)


def make_sure_artifact_is_free(tx: Tx, artifact_id: str) -> None:
    """Refuse to take away an artifact that a running deployment offers."""
    if store.is_artifact_open(tx, artifact_id):
        raise artifacts.ArtifactInUse


def make_sure_artifact_was_never_used(tx: Tx, artifact_id: str) -> None:
    """Refuse to reword an artifact that some deployment has named."""
    if store.was_artifact_used(tx, artifact_id):
        raise artifacts.ArtifactWasUsed
