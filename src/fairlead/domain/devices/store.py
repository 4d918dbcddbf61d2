"""Where devices and their auth sets are kept."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import TENANT, Tx, list_of_strings
from fairlead.domain.devices.model import AuthSet, Device, Identity, Status
from fairlead.domain.devices.tables import auth_sets, devices

_by_id = sa.select(devices).where(devices.c.tenant_id == TENANT, devices.c.id == sa.bindparam("id"))
_by_identity = sa.select(devices).where(
    devices.c.tenant_id == TENANT, devices.c.identity_digest == sa.bindparam("digest")
)
_sets_of = (
    sa.select(auth_sets)
    .where(auth_sets.c.tenant_id == TENANT, auth_sets.c.device_id == sa.bindparam("device_id"))
    .order_by(auth_sets.c.created_at, auth_sets.c.id)
)
_set = sa.select(auth_sets).where(auth_sets.c.tenant_id == TENANT, auth_sets.c.id == sa.bindparam("id"))
_accepted = (
    sa.select(sa.func.count())
    .select_from(devices)
    .where(devices.c.tenant_id == TENANT, devices.c.status == Status.ACCEPTED.value)
)
_seen = (
    sa.update(devices)
    .where(devices.c.id == sa.bindparam("device_id"), devices.c.tenant_id == sa.bindparam("tenant"))
    .values(last_seen_at=sa.bindparam("seen_at"))
)


def find(tx: Tx, device_id: str) -> Device | None:
    row = tx.one(_by_id, {"id": device_id})
    return row and _as_device(row, sets_of(tx, device_id))


def find_by_identity(tx: Tx, identity: Identity) -> Device | None:
    row = tx.one(_by_identity, {"digest": identity.digest})
    return row and _as_device(row, sets_of(tx, row.id))


def find_set(tx: Tx, auth_set_id: str) -> AuthSet | None:
    row = tx.one(_set, {"id": auth_set_id})
    return row and as_auth_set(row)


def sets_of(tx: Tx, device_id: str) -> list[AuthSet]:
    return [as_auth_set(row) for row in tx.all(_sets_of, {"device_id": device_id})]


def search(
    tx: Tx,
    statuses: Sequence[Status] = (),
    ids: Sequence[str] | None = None,
    skip: int = 0,
    at_most: int = 20,
    also: Sequence[sa.ColumnElement[bool]] = (),
) -> list[Device]:
    """A page of devices, oldest first, each with its auth sets. `also` holds further conditions."""
    found = _matching(sa.select(devices), statuses, ids).where(*also)
    found = found.order_by(devices.c.created_at, devices.c.id).offset(skip).limit(at_most)
    rows = tx.all(found)
    sets: dict[str, list[AuthSet]] = defaultdict(list)
    theirs = sa.select(auth_sets).where(
        auth_sets.c.tenant_id == TENANT, auth_sets.c.device_id.in_(list_of_strings(row.id for row in rows))
    )
    for row in tx.all(theirs.order_by(auth_sets.c.created_at, auth_sets.c.id)):
        sets[row.device_id].append(as_auth_set(row))
    return [_as_device(row, sets[row.id]) for row in rows]


def count(tx: Tx, statuses: Sequence[Status] = (), also: Sequence[sa.ColumnElement[bool]] = ()) -> int:
    return int(tx.scalar(_matching(sa.select(sa.func.count()).select_from(devices), statuses, None).where(*also)))


def count_accepted(tx: Tx) -> int:
    return int(tx.scalar(_accepted))


def _matching(select: sa.Select[Any], statuses: Sequence[Status], ids: Sequence[str] | None) -> sa.Select[Any]:
    select = select.where(devices.c.tenant_id == TENANT)
    if statuses:
        select = select.where(devices.c.status.in_([status.value for status in statuses]))
    if ids is not None:
        select = select.where(devices.c.id.in_(list_of_strings(ids)))
    return select


def add(tx: Tx, device_id: str, identity: Identity, status: Status) -> None:
    now = clock.now()
    tx.run(
        sa.insert(devices),
        {
            "id": device_id,
            "identity_digest": identity.digest,
            "identity": identity.canonical,
            "status": status.value,
            "created_at": now,
            "updated_at": now,
        },
    )


def add_set(tx: Tx, auth_set: AuthSet, identity: Identity, credential: str) -> None:
    tx.run(
        sa.insert(auth_sets),
        {
            "id": auth_set.id,
            "device_id": auth_set.device_id,
            "credential": credential,
            "public_key": auth_set.public_key,
            "identity": identity.canonical,
            "status": auth_set.status.value,
            "created_at": auth_set.created_at,
            "token_live": auth_set.token_live,
            "token_generation": auth_set.token_generation,
        },
    )


def change_set_status(tx: Tx, auth_set: AuthSet, status: Status) -> None:
    """Write the new status. The caller holds the device: see `hold`."""
    tx.run(
        sa.update(auth_sets)
        .where(auth_sets.c.tenant_id == TENANT, auth_sets.c.id == auth_set.id)
        .values(status=status.value)
    )


def change_status(tx: Tx, device_id: str, status: Status) -> None:
    tx.run(
        sa.update(devices)
        .where(devices.c.tenant_id == TENANT, devices.c.id == device_id)
        .values(status=status.value, updated_at=clock.now())
    )


def hold(tx: Tx, device_id: str) -> bool:
    """Keep others from changing the device until the end of the transaction; False if there is no such device."""
    held = sa.select(devices.c.id).where(devices.c.tenant_id == TENANT, devices.c.id == device_id).with_for_update()
    return tx.one(held) is not None


def hold_newcomer(tx: Tx, identity: Identity) -> None:
    """Keep others from adding the device with this identity until the end of the transaction."""
    tx.one_at_a_time(f"device {identity.digest}")


def mark_token(tx: Tx, auth_set_id: str) -> None:
    """A token of this set is out there."""
    tx.run(
        sa.update(auth_sets)
        .where(auth_sets.c.tenant_id == TENANT, auth_sets.c.id == auth_set_id)
        .values(token_live=True)
    )


def revoke_token(tx: Tx, auth_set_id: str) -> bool:
    """Every token of the set issued so far is worth nothing from now on; False if there was none."""
    revoked = (
        sa.update(auth_sets)
        .where(auth_sets.c.tenant_id == TENANT, auth_sets.c.id == auth_set_id, auth_sets.c.token_live.is_(True))
        .values(token_live=False, token_generation=auth_sets.c.token_generation + 1)
    )
    return bool(tx.run(revoked).rowcount)


def revoke_tokens(tx: Tx, device_id: str | None = None) -> int:
    """The same for every set of the device, or of all devices; how many had a token."""
    revoked = (
        sa.update(auth_sets)
        .where(auth_sets.c.tenant_id == TENANT, auth_sets.c.token_live.is_(True))
        .values(token_live=False, token_generation=auth_sets.c.token_generation + 1)
    )
    return tx.run(revoked if device_id is None else revoked.where(auth_sets.c.device_id == device_id)).rowcount


def remove_set(tx: Tx, auth_set_id: str) -> None:
    tx.run(sa.delete(auth_sets).where(auth_sets.c.tenant_id == TENANT, auth_sets.c.id == auth_set_id))


def remove(tx: Tx, device_id: str) -> None:
    tx.run(sa.delete(auth_sets).where(auth_sets.c.tenant_id == TENANT, auth_sets.c.device_id == device_id))
    tx.run(sa.delete(devices).where(devices.c.tenant_id == TENANT, devices.c.id == device_id))


def ids_of_accepted() -> sa.Select[Any]:
    """A selection of the ids of all accepted devices, for use inside another statement."""
    return sa.select(devices.c.id).where(devices.c.tenant_id == TENANT, devices.c.status == Status.ACCEPTED.value)


def write_last_seen(tx: Tx, sightings: Iterable[tuple[str, str, datetime]]) -> None:
    """Across tenants: when each device (tenant, device, time) last spoke."""
    rows = [{"tenant": tenant, "device_id": device, "seen_at": at} for tenant, device, at in sightings]
    if rows:
        tx.run(_seen, rows)


def as_auth_set(row: sa.Row[Any]) -> AuthSet:
    return AuthSet(
        id=row.id,
        device_id=row.device_id,
        public_key=row.public_key,
        identity=msgspec.json.decode(row.identity),
        status=Status(row.status),
        created_at=row.created_at,
        token_live=row.token_live,
        token_generation=row.token_generation,
    )


def _as_device(row: sa.Row[Any], sets: Sequence[AuthSet]) -> Device:
    return Device(
        id=row.id,
        identity=msgspec.json.decode(row.identity),
        status=Status(row.status),
        created_at=row.created_at,
        updated_at=row.updated_at,
        last_seen_at=row.last_seen_at,
        auth_sets=tuple(sets),
    )
