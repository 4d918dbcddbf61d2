"""What is a device told when it asks for its next deployment?"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.domain import artifacts, identity
from fairlead.domain.deployments import store
from fairlead.domain.deployments.model import (
    BadProvides,
    Deployment,
    DeviceDeployment,
    DeviceStatus,
    Instructions,
    phase_with_room,
)
from fairlead.domain.deployments.rollout import close_device

MOST_PROVIDES = 1000
LONGEST_PROVIDE = 4096
_MINDS_DEPENDS = "enterprise"


def make_sure_provides_are_good(provides: Mapping[str, str]) -> None:
    """A device must say what it is and what it runs, and must not tell endless stories."""
    for key in ("artifact_name", "device_type"):
        if not provides.get(key):
            raise BadProvides(reason=f"{key}: cannot be blank.")
    if len(provides) > MOST_PROVIDES or any(len(k) + len(v) > LONGEST_PROVIDE for k, v in provides.items()):
        raise BadProvides(reason=f"at most {MOST_PROVIDES} entries of {LONGEST_PROVIDE} characters can be provided.")


def has_work(tx: Tx, device_id: str) -> bool:
    """Is there anything that the device is at or may be offered, now or later?"""
    return bool(store.offerable(tx, device_id))


def next_for_device(tx: Tx, device_id: str, provides: Mapping[str, str]) -> Instructions | None:
    """What the device is to install now; None if there is nothing.

    What it has begun comes first, then the oldest that it is offered (mender.md §2.3). A release that it has
    already, or that holds nothing for its type, is noted as such and done with.
    """
    make_sure_provides_are_good(provides)
    for row in store.offerable(tx, device_id, hold=True):
        deployment = store.find(tx, row.deployment_id)
        if deployment is None:
            continue
        begun = _begin(tx, deployment, row, provides["device_type"])
        if begun is None:
            continue
        return _instruct(tx, deployment, begun, provides)
    return None


def _begin(tx: Tx, deployment: Deployment, row: DeviceDeployment, device_type: str) -> DeviceDeployment | None:
    """Count the device in when it asks for the first time; None while no phase has room for it."""
    if row.status is not DeviceStatus.WAITING:
        return row
    now = clock.now()
    phase = _enter_phase(tx, deployment.id, now) if deployment.phases else None
    if deployment.phases and phase is None:
        return None
    store.change_device(
        tx, row, status=DeviceStatus.PENDING.value, created_at=now, device_type=device_type, phase=phase
    )
    store.count_move(tx, deployment.id, row.status, DeviceStatus.PENDING)
    return dataclasses.replace(row, status=DeviceStatus.PENDING, created_at=now, device_type=device_type, phase=phase)


def _enter_phase(tx: Tx, deployment_id: str, now: datetime) -> int | None:
    deployment = store.find(tx, deployment_id, hold=True)
    number = phase_with_room(deployment.phases, now) if deployment else None
    if deployment is not None and number is not None:
        phases = list(deployment.phases)
        phases[number] = dataclasses.replace(phases[number], device_count=phases[number].device_count + 1)
        store.set_phases(tx, deployment_id, phases)
    return number


def _instruct(
    tx: Tx, deployment: Deployment, row: DeviceDeployment, provides: Mapping[str, str]
) -> Instructions | None:
    if provides["artifact_name"] == deployment.artifact_name:
        close_device(tx, row, DeviceStatus.ALREADY_INSTALLED)
        return None
    artifact = _choose(tx, deployment, row, provides)
    if artifact is None:
        close_device(tx, row, DeviceStatus.NOARTIFACT)
        return None
    if row.artifact_id != artifact.id:
        store.change_device(tx, row, artifact_id=artifact.id, device_type=provides["device_type"])
    return Instructions(
        deployment_id=deployment.id,
        artifact_id=artifact.id,
        artifact_name=artifact.name,
        device_types=artifact.device_types,
        blob_key=artifact.blob_key,
        file_name=artifact.file_name,
        modified_at=artifact.modified_at,
        size_bytes=artifact.size_bytes,
    )


def _choose(
    tx: Tx, deployment: Deployment, row: DeviceDeployment, provides: Mapping[str, str]
) -> artifacts.Artifact | None:
    """What the device was told before, or else the smallest artifact of the release that it can install.

    In the middle of an update a device may provide something new; what it has begun stays what it was.
    """
    candidates = artifacts.of_ids(tx, deployment.artifact_ids)
    told = next((artifact for artifact in candidates if artifact.id == row.artifact_id), None)
    if told is not None and told.suits(provides, mind_depends=False):
        return told
    mind_depends = identity.own_tenant(tx).plan == _MINDS_DEPENDS
    return next((a for a in candidates if a.suits(provides, mind_depends=mind_depends)), None)
