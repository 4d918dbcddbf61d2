"""What does a device say about a deployment, and what follows from it?"""

from __future__ import annotations

from collections.abc import Sequence

from fairlead.base.database import Tx
from fairlead.domain.deployments import store
from fairlead.domain.deployments.model import (
    FINISHED,
    LONGEST_SUBSTATE,
    DeploymentAborted,
    DeviceDecommissioned,
    DeviceDeployment,
    DeviceStatus,
    LogLine,
    NotPartOfDeployment,
    OutcomeStands,
    SubstateTooLong,
)
from fairlead.domain.deployments.rollout import close_device


def report_status(tx: Tx, deployment_id: str, device_id: str, status: DeviceStatus, substate: str = "") -> None:
    """Note how far the device is. The same report again is harmless; an outcome, once reported, stands.

    An aborted deployment is refused: that is how the device learns that it must roll back. A failure with retries
    left is no outcome: the device is offered the deployment again.
    """
    if len(substate) > LONGEST_SUBSTATE:
        raise SubstateTooLong(limit=LONGEST_SUBSTATE)
    row = _row(tx, deployment_id, device_id)
    if row.status is DeviceStatus.ABORTED:
        raise DeploymentAborted
    if row.status is DeviceStatus.DECOMMISSIONED:
        raise DeviceDecommissioned
    if row.status is status and row.substate == substate:
        return
    if row.status in FINISHED:
        if row.status is not status:
            raise OutcomeStands(status=row.status.value)
        return
    if status is DeviceStatus.FAILURE and _may_retry(tx, row):
        again = {"status": DeviceStatus.PENDING.value, "attempts": row.attempts + 1, "artifact_id": None}
        store.change_device(tx, row, **again, substate=substate)
        store.count_move(tx, deployment_id, row.status, DeviceStatus.PENDING)
    elif status in FINISHED:
        close_device(tx, row, status, substate=substate)
    else:
        store.change_device(tx, row, status=status.value, substate=substate)
        store.count_move(tx, deployment_id, row.status, status)


def _may_retry(tx: Tx, row: DeviceDeployment) -> bool:
    deployment = store.find(tx, row.deployment_id)
    return deployment is not None and row.attempts < deployment.retries


def report_log(tx: Tx, deployment_id: str, device_id: str, lines: Sequence[LogLine]) -> None:
    """Keep what the device wrote about the deployment."""
    row = _row(tx, deployment_id, device_id)
    store.write_log(tx, deployment_id, device_id, lines)
    if not row.has_log:
        store.change_device(tx, row, has_log=True)


def _row(tx: Tx, deployment_id: str, device_id: str) -> DeviceDeployment:
    row = store.find_device(tx, deployment_id, device_id, hold=True)
    if row is None or row.status is DeviceStatus.WAITING:
        raise NotPartOfDeployment
    return row
