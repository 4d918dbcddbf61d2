"""Where deployments are kept, and what becomes of them on each device."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Tx, list_of_strings
from fairlead.domain.deployments.model import (
    COUNTED,
    FINISHED,
    Deployment,
    DeviceDeployment,
    DeviceStatus,
    LogLine,
    Phase,
    Status,
    words_of,
)
from fairlead.domain.deployments.tables import counter_name, deployment_logs, deployments, device_deployments

MOST_SEARCHED_WORDS = 100

_dd = device_deployments.c
_own = sa.select(deployments).where(deployments.c.tenant_id == TENANT)
_by_id = _own.where(deployments.c.id == sa.bindparam("id"))
_held = _by_id.with_for_update()
_open_of_device = (
    sa.select(device_deployments)
    .join(deployments, deployments.c.id == _dd.deployment_id)
    .where(
        _dd.tenant_id == TENANT,
        deployments.c.tenant_id == TENANT,
        _dd.device_id == sa.bindparam("device_id"),
        _dd.open.is_(True),
    )
    .order_by(deployments.c.created_at, deployments.c.id)
)
_open_held = _open_of_device.with_for_update(of=device_deployments)
_newer = deployments.alias("newer")
_done = device_deployments.alias("done")
_has_finished_a_newer_one = (
    sa.select(sa.literal(1))
    .select_from(_newer)
    .join(_done, _done.c.deployment_id == _newer.c.id)
    .where(
        _dd.tenant_id == TENANT,
        deployments.c.tenant_id == TENANT,
        _newer.c.tenant_id == TENANT,
        _newer.c.created_at > deployments.c.created_at,
        _done.c.tenant_id == TENANT,
        _done.c.device_id == _dd.device_id,
        _done.c.open.is_(False),
        _done.c.status != DeviceStatus.WAITING.value,
    )
    .correlate(deployments, device_deployments)
    .exists()
)
_offerable = _open_of_device.where(sa.or_(_dd.status != DeviceStatus.WAITING.value, sa.not_(_has_finished_a_newer_one)))
_offerable_held = _offerable.with_for_update(of=device_deployments)
_one = sa.select(device_deployments).where(
    _dd.tenant_id == TENANT,
    _dd.deployment_id == sa.bindparam("deployment_id"),
    _dd.device_id == sa.bindparam("device_id"),
)
_one_held = _one.with_for_update()
_known = _dd.status != DeviceStatus.WAITING.value
_running = deployments.c.finished_at.is_(None)
_past_pending = (
    sum((deployments.c[counter_name(s)] for s in COUNTED if s is not DeviceStatus.PENDING), sa.literal(0)) > 0
)


def find(tx: Tx, deployment_id: str, *, hold: bool = False) -> Deployment | None:
    """The deployment; with `hold` nobody else changes it until the end of the transaction."""
    row = tx.one(_held if hold else _by_id, {"id": deployment_id})
    return row and _as_deployment(row)


def search(
    tx: Tx,
    status: Status | None,
    words: str,
    created: tuple[datetime | None, datetime | None],
    skip: int,
    at_most: int,
    also: Sequence[sa.ColumnElement[bool]] = (),
    past_pending: sa.ColumnElement[bool] | None = None,
) -> tuple[list[Deployment], int]:
    """A page of deployments, newest first, and how many there are. Any one of the words is enough.

    `past_pending` says what counts as in progress, for someone who does not see all devices.
    """
    conditions: list[sa.ColumnElement[bool]] = [deployments.c.tenant_id == TENANT, *also]
    if status is not None:
        conditions += _of_status(status, clock.now(), _past_pending if past_pending is None else past_pending)
    if words.strip():
        wanted = words_of(words).split()[:MOST_SEARCHED_WORDS]
        any_of_them = (deployments.c.words.contains(f" {word} ", autoescape=True) for word in wanted)
        conditions.append(sa.or_(sa.false(), *any_of_them))
    after, before = created
    if after is not None:
        conditions.append(deployments.c.created_at >= after)
    if before is not None:
        conditions.append(deployments.c.created_at <= before)
    total = tx.scalar(sa.select(sa.func.count()).select_from(deployments).where(*conditions))
    page = sa.select(deployments).where(*conditions).order_by(deployments.c.created_at.desc(), deployments.c.id)
    return [_as_deployment(row) for row in tx.all(page.offset(skip).limit(at_most))], int(total)


def _of_status(status: Status, now: datetime, past_pending: sa.ColumnElement[bool]) -> list[sa.ColumnElement[bool]]:
    later = sa.and_(deployments.c.starts_at.is_not(None), deployments.c.starts_at > now)
    conditions: dict[Status, list[Any]] = {
        Status.FINISHED: [deployments.c.finished_at.is_not(None)],
        Status.ABORTED: [deployments.c.aborted.is_(True)],
        Status.INPROGRESS: [_running, past_pending],
        Status.SCHEDULED: [_running, sa.not_(past_pending), later],
        Status.PENDING: [_running, sa.not_(past_pending), sa.not_(sa.func.coalesce(later, sa.false()))],
    }
    return conditions[status]


def add(tx: Tx, deployment: Deployment) -> None:
    starts_at = deployment.phases[0].start_at if deployment.phases else None
    tx.run(
        sa.insert(deployments),
        {
            "id": deployment.id,
            "name": deployment.name,
            "artifact_name": deployment.artifact_name,
            "artifact_ids": _json(deployment.artifact_ids),
            "words": words_of(deployment.name, deployment.artifact_name),
            "phases": _json(deployment.phases),
            "retries": deployment.retries,
            "max_devices": deployment.max_devices,
            "aborted": False,
            "starts_at": starts_at,
            "created_at": deployment.created_at,
        },
    )


def add_devices(tx: Tx, deployment_id: str, ids: sa.Select[Any]) -> int:
    """Note every device that the selection finds as one that the deployment waits for; how many there are."""
    found = ids.distinct().order_by(sa.literal_column("1")).subquery()
    waiting = sa.select(
        sa.literal(deployment_id, sa.Text),
        found.c[0],
        TENANT,
        sa.literal(DeviceStatus.WAITING.value, sa.Text),
        sa.true(),
    )
    columns = ["deployment_id", "device_id", "tenant_id", "status", "open"]
    added = sa.insert(device_deployments).from_select(columns, waiting)
    return tx.run(added.execution_options(preserve_rowcount=True)).rowcount


def ids_listed(devices: Sequence[str]) -> sa.Select[Any]:
    return list_of_strings(devices)


def set_size(tx: Tx, deployment_id: str, devices: int, phases: Sequence[Phase]) -> None:
    starts_at = phases[0].start_at if phases else None
    _change(tx, deployment_id, max_devices=devices, phases=_json(phases), starts_at=starts_at)


def set_phases(tx: Tx, deployment_id: str, phases: Sequence[Phase]) -> None:
    _change(tx, deployment_id, phases=_json(phases))


def finish(tx: Tx, deployment_id: str, at: datetime, *, aborted: bool = False) -> bool:
    """Note the end of a deployment that still runs; False if it has ended before."""
    running = (deployments.c.tenant_id == TENANT, deployments.c.id == deployment_id, _running)
    ended = sa.update(deployments).where(*running).values(finished_at=at, aborted=aborted)
    return bool(tx.run(ended).rowcount)


def _change(tx: Tx, deployment_id: str, **values: Any) -> None:
    own = (deployments.c.tenant_id == TENANT, deployments.c.id == deployment_id)
    tx.run(sa.update(deployments).where(*own).values(**values))


def count_move(tx: Tx, deployment_id: str, before: DeviceStatus, after: DeviceStatus, devices: int = 1) -> bool:
    """Move devices from one counter to another; True if with this all devices of the deployment have finished."""
    if before is after:
        return False
    moved: dict[Any, Any] = {}
    for status, change in ((before, -devices), (after, devices)):
        if status is not DeviceStatus.WAITING:
            counter = deployments.c[counter_name(status)]
            moved[counter] = counter + change
    finished = sum((deployments.c[counter_name(status)] for status in FINISHED), sa.literal(0))
    counted = (
        sa.update(deployments)
        .where(deployments.c.tenant_id == TENANT, deployments.c.id == deployment_id)
        .values(moved)
        .returning((finished >= deployments.c.max_devices).label("complete"), deployments.c.finished_at)
    )
    row = tx.one(counted)
    return row is not None and bool(row.complete) and row.finished_at is None


def find_device(tx: Tx, deployment_id: str, device_id: str, *, hold: bool = False) -> DeviceDeployment | None:
    row = tx.one(_one_held if hold else _one, {"deployment_id": deployment_id, "device_id": device_id})
    return row and _as_device_deployment(row)


def hold_open_of_device(tx: Tx, device_id: str) -> list[DeviceDeployment]:
    """All that the device has not finished, the oldest first.

    Rows are held, and deployments changed, in this order everywhere, so that nobody waits in a circle.
    """
    return [_as_device_deployment(row) for row in tx.all(_open_held, {"device_id": device_id})]


def offerable(tx: Tx, device_id: str, *, hold: bool = False) -> list[DeviceDeployment]:
    """What the device is at or may be offered: what it has begun first, then the oldest.

    Never what is older than a deployment that it has finished: that would lead it back (mender.md §2.3, step 2).
    """
    statement = _offerable_held if hold else _offerable
    oldest_first = [_as_device_deployment(row) for row in tx.all(statement, {"device_id": device_id})]
    return sorted(oldest_first, key=lambda row: row.status is DeviceStatus.WAITING)


Conditions = Sequence[sa.ColumnElement[bool]]


def devices_of(tx: Tx, deployment_id: str, also: Conditions = ()) -> list[DeviceDeployment]:
    """The devices that have asked for the deployment so far."""
    of_it = (_dd.tenant_id == TENANT, _dd.deployment_id == deployment_id)
    known = sa.select(device_deployments).where(*of_it, _known, *also)
    return [_as_device_deployment(row) for row in tx.all(known.order_by(_dd.created_at, _dd.device_id))]


def ids_of_devices(tx: Tx, deployment_id: str, also: Conditions = ()) -> list[str]:
    """Every device that is part of the deployment, whether it has asked or not."""
    ids = sa.select(_dd.device_id).where(_dd.tenant_id == TENANT, _dd.deployment_id == deployment_id, *also)
    return list(tx.run(ids.order_by(_dd.device_id)).scalars())


def change_device(tx: Tx, row: DeviceDeployment, **values: Any) -> None:
    tx.run(
        sa.update(device_deployments)
        .where(_dd.tenant_id == TENANT, _dd.deployment_id == row.deployment_id, _dd.device_id == row.device_id)
        .values(**values)
    )


def abort_devices(tx: Tx, deployment_id: str, at: datetime) -> Mapping[DeviceStatus, int]:
    """Close what is open: begun ones become aborted, the others are never offered. How many had which status."""
    of_it = (_dd.tenant_id == TENANT, _dd.deployment_id == deployment_id, _dd.open.is_(True))
    held = sa.select(_dd.status).where(*of_it).order_by(_dd.device_id).with_for_update()
    counts = Counter(DeviceStatus(status) for status in tx.run(held).scalars())
    del counts[DeviceStatus.WAITING]
    aborted = {"status": DeviceStatus.ABORTED.value, "finished_at": at, "open": False}
    tx.run(sa.update(device_deployments).where(*of_it, _known).values(**aborted))
    tx.run(sa.update(device_deployments).where(*of_it).values(open=False))
    return counts


def is_artifact_open(tx: Tx, artifact_id: str) -> bool:
    """Does a running deployment offer this artifact?"""
    offered = sa.select(deployments.c.id).where(
        deployments.c.tenant_id == TENANT, _running, deployments.c.artifact_ids.contains(f'"{artifact_id}"')
    )
    return tx.one(offered.limit(1)) is not None


def was_artifact_used(tx: Tx, artifact_id: str) -> bool:
    offered = sa.select(deployments.c.id).where(
        deployments.c.tenant_id == TENANT, deployments.c.artifact_ids.contains(f'"{artifact_id}"')
    )
    return tx.one(offered.limit(1)) is not None


def write_log(tx: Tx, deployment_id: str, device_id: str, lines: Sequence[LogLine]) -> None:
    """Keep the log of the device, in place of the one it may have sent before."""
    same = (
        deployment_logs.c.tenant_id == TENANT,
        deployment_logs.c.deployment_id == deployment_id,
        deployment_logs.c.device_id == device_id,
    )
    tx.run(sa.delete(deployment_logs).where(*same))
    row = {"deployment_id": deployment_id, "device_id": device_id, "messages": _json(lines)}
    tx.run(sa.insert(deployment_logs), row)


def read_log(tx: Tx, deployment_id: str, device_id: str) -> list[LogLine] | None:
    found = sa.select(deployment_logs.c.messages).where(
        deployment_logs.c.tenant_id == TENANT,
        deployment_logs.c.deployment_id == deployment_id,
        deployment_logs.c.device_id == device_id,
    )
    messages = tx.scalar(found)
    return None if messages is None else msgspec.json.decode(messages, type=list[LogLine])


def ids_with_work(tx: Tx, deployment_id: str | None = None) -> list[str]:
    """Across tenants: the devices that have something open, in this deployment or in any."""
    ids = sa.select(_dd.device_id).where(_dd.open.is_(True))
    if deployment_id is not None:
        ids = ids.where(_dd.deployment_id == deployment_id)
    return list(tx.run(ids).scalars())


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _as_deployment(row: sa.Row[Any]) -> Deployment:
    return Deployment(
        id=row.id,
        name=row.name,
        artifact_name=row.artifact_name,
        artifact_ids=tuple(msgspec.json.decode(row.artifact_ids)),
        created_at=row.created_at,
        finished_at=row.finished_at,
        aborted=row.aborted,
        phases=msgspec.json.decode(row.phases, type=tuple[Phase, ...]),
        retries=row.retries,
        max_devices=row.max_devices,
        statistics={status: getattr(row, counter_name(status)) for status in COUNTED},
    )


def _as_device_deployment(row: sa.Row[Any]) -> DeviceDeployment:
    values = {name: getattr(row, name) for name in DeviceDeployment.__dataclass_fields__}
    return DeviceDeployment(**{**values, "status": DeviceStatus(row.status)})
