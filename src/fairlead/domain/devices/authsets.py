"""Who is let into the fleet, and who is put out again?"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fairlead.base import clock
from fairlead.base.database import Database, Tx
from fairlead.base.scope import Actor, ActorKind, Scope
from fairlead.domain import audit, identity
from fairlead.domain.devices import inventory, signatures, store
from fairlead.domain.devices.model import (
    AuthSet,
    AuthSetNotFound,
    BadStatus,
    Device,
    DeviceExists,
    DeviceNotFound,
    FleetIsFull,
    Identity,
    OtherDevicesAuthSet,
    Status,
    TokenNotFound,
    credential_of,
    status_of_device,
)
from fairlead.domain.devices.sight import (
    in_sight,
    is_in_sight,
    make_sure_device_is_in_sight,
    make_sure_sight_is_unlimited,
)
from fairlead.domain.devices.tables import devices
from fairlead.domain.identity import Permission

TOKEN_REVOKED = "device-token-revoked"  # noqa: S105 - the name of a change
"""The change that tells every process to verify a device's tokens anew."""

_when_decommissioned: list[Callable[[Tx, str], None]] = []


def when_decommissioned(clean_up: Callable[[Tx, str], None]) -> None:
    """Have something done in the transaction that decommissions a device, by a package that knows of devices."""
    _when_decommissioned.append(clean_up)


def find(tx: Tx, device_id: str) -> Device:
    """The device with its auth sets, or `DeviceNotFound`."""
    tx.require(Permission.VIEW_DEVICES)
    make_sure_device_is_in_sight(tx, device_id)
    device = store.find(tx, device_id)
    if device is None:
        raise DeviceNotFound
    return device


def search(
    tx: Tx, statuses: Sequence[Status] = (), ids: Sequence[str] | None = None, skip: int = 0, at_most: int = 20
) -> list[Device]:
    """A page of the devices that have one of the statuses and one of the ids, oldest first."""
    tx.require(Permission.VIEW_DEVICES)
    return store.search(tx, statuses, ids, skip, at_most, in_sight(tx, devices.c.id))


def count(tx: Tx, statuses: Sequence[Status] = ()) -> int:
    tx.require(Permission.VIEW_DEVICES)
    return store.count(tx, statuses, in_sight(tx, devices.c.id))


def device_limit(tx: Tx) -> int:
    """How many devices the tenant may accept; 0 means any number."""
    tx.require(Permission.VIEW_DEVICES)
    return identity.own_tenant(tx).device_limit


def find_set(tx: Tx, device_id: str, auth_set_id: str) -> AuthSet:
    """The auth set of this device, or a refusal that says which of the two is missing."""
    tx.require(Permission.VIEW_DEVICES)
    make_sure_device_is_in_sight(tx, device_id)
    if store.find(tx, device_id) is None:
        raise DeviceNotFound
    return _own_set(tx, device_id, auth_set_id)


def preauthorize(tx: Tx, claimed: Mapping[str, Any], public_key: str) -> Device:
    """Vouch for a device that has not yet asked: it is accepted when it does.

    An identity that is known already is refused with `DeviceExists`, which carries the device.
    """
    tx.require(Permission.MANAGE_DEVICES)
    make_sure_sight_is_unlimited(tx)
    identity_ = Identity.of(claimed)
    pem = signatures.normalised(public_key)
    store.hold_newcomer(tx, identity_)
    existing = store.find_by_identity(tx, identity_)
    if existing is not None:
        raise DeviceExists(device=existing)
    auth_set = AuthSet(
        str(uuid.uuid4()), str(uuid.uuid4()), pem, identity_.data, Status.PREAUTHORIZED, clock.now(), False, 0
    )
    store.add(tx, auth_set.device_id, identity_, Status.PREAUTHORIZED)
    store.add_set(tx, auth_set, identity_, credential_of(tx.tenant_id, identity_, pem))
    inventory.begin(tx, auth_set.device_id, identity_)
    audit.record(tx, "device.preauthorize", auth_set.device_id, identity=identity_.data)
    return find(tx, auth_set.device_id)


def change_status(tx: Tx, device_id: str, auth_set_id: str, status: str) -> None:
    """Accept, reject or set back one auth set of a device. The same status again is no error."""
    tx.require(Permission.MANAGE_DEVICES)
    if status not in {Status.ACCEPTED, Status.REJECTED, Status.PENDING}:
        raise BadStatus
    make_sure_device_is_in_sight(tx, device_id)
    if not store.hold(tx, device_id):
        raise DeviceNotFound
    auth_set = _set_to_decide(tx, device_id, auth_set_id)
    if auth_set.status == status:
        return
    if status == Status.ACCEPTED:
        _accept(tx, auth_set)
    else:
        _take_back(tx, auth_set, Status(status))
    verb = {Status.ACCEPTED: "accept", Status.REJECTED: "reject", Status.PENDING: "unaccept"}[Status(status)]
    audit.record(tx, f"device.{verb}", device_id, auth_set=auth_set_id)


def _accept(tx: Tx, auth_set: AuthSet) -> None:
    device = store.find(tx, auth_set.device_id)
    if device is not None and device.status is not Status.ACCEPTED:  # a new key of one that is in takes no room
        make_sure_there_is_room(tx)
    accept_set(tx, auth_set)


def accept_set(tx: Tx, auth_set: AuthSet) -> None:
    """Accept this set and reject whichever set of the device was accepted or preauthorized before (mender.md §2.1)."""
    for other in store.sets_of(tx, auth_set.device_id):
        if other.id != auth_set.id and other.status in {Status.ACCEPTED, Status.PREAUTHORIZED}:
            store.change_set_status(tx, other, Status.REJECTED)
            store.revoke_token(tx, other.id)
    store.change_set_status(tx, auth_set, Status.ACCEPTED)
    _settle(tx, auth_set.device_id)


def _take_back(tx: Tx, auth_set: AuthSet, status: Status) -> None:
    store.change_set_status(tx, auth_set, status)
    store.revoke_token(tx, auth_set.id)
    _settle(tx, auth_set.device_id)


def make_sure_there_is_room(tx: Tx) -> None:
    """Refuse with `FleetIsFull` when the tenant has accepted as many devices as it may."""
    limit = identity.own_tenant(tx).device_limit
    if limit:
        tx.one_at_a_time("admission")
        if store.count_accepted(tx) >= limit:
            raise FleetIsFull


def remove_set(tx: Tx, device_id: str, auth_set_id: str) -> None:
    """Forget one key of a device. A device that was only preauthorized goes with its last set."""
    tx.require(Permission.MANAGE_DEVICES)
    make_sure_device_is_in_sight(tx, device_id)
    if not store.hold(tx, device_id):
        raise DeviceNotFound
    auth_set = _own_set(tx, device_id, auth_set_id)
    store.remove_set(tx, auth_set_id)
    if auth_set.status is Status.PREAUTHORIZED and not store.sets_of(tx, device_id):
        _remove(tx, device_id)
    else:
        _settle(tx, device_id)
    audit.record(tx, "device.remove_auth_set", device_id, auth_set=auth_set_id)


def decommission(tx: Tx, device_id: str) -> None:
    """Remove the device with all that is known of it. If it asks again it is a new device."""
    tx.require(Permission.MANAGE_DEVICES)
    make_sure_device_is_in_sight(tx, device_id)
    if not store.hold(tx, device_id):
        raise DeviceNotFound
    _remove(tx, device_id)
    audit.record(tx, "device.decommission", device_id)


def _remove(tx: Tx, device_id: str) -> None:
    for clean_up in _when_decommissioned:
        clean_up(tx, device_id)
    inventory.forget(tx, device_id)
    store.remove(tx, device_id)
    tx.announce(TOKEN_REVOKED, device_id)


def revoke_token(tx: Tx, token_id: str) -> None:
    """Make a device's token worthless; the device has to ask for another. `token_id` is its `jti`."""
    tx.require(Permission.MANAGE_DEVICES)
    auth_set = store.find_set(tx, token_id)
    if auth_set is None or not is_in_sight(tx, auth_set.device_id) or not store.revoke_token(tx, token_id):
        raise TokenNotFound
    tx.announce(TOKEN_REVOKED, auth_set.device_id)
    audit.record(tx, "device.revoke_token", auth_set.device_id, token=token_id)


def revoke_tokens(tx: Tx, device_id: str | None = None) -> None:
    """Make every token of one device worthless, or those of all devices. Who is accepted may ask for another."""
    tx.require(Permission.MANAGE_DEVICES)
    make_sure_sight_is_unlimited(tx)
    if not store.revoke_tokens(tx, device_id):
        return
    if device_id is None:
        tx.announce(identity.TENANT_CHANGED, tx.tenant_id)
    else:
        tx.announce(TOKEN_REVOKED, device_id)
    audit.record(tx, "device.revoke_tokens", device_id or "", all_devices=device_id is None)


def verify_device(database: Database, claims: identity.Claims) -> identity.Bearer:
    """The device behind a token of ours, if its auth set is still accepted; otherwise `BadToken`."""
    scope = Scope(claims.tenant_id or "", Actor(ActorKind.DEVICE, claims.subject))
    with database.read(scope) as tx:
        auth_set = store.find_set(tx, claims.id)
        tenant = identity.own_tenant(tx) if auth_set is not None else None
    if auth_set is None or auth_set.device_id != claims.subject or auth_set.status is not Status.ACCEPTED:
        raise identity.BadToken
    if not auth_set.token_live or auth_set.token_generation != claims.generation:
        raise identity.BadToken
    if tenant is None or not tenant.is_active:
        raise identity.TenantSuspended
    return identity.Bearer(scope, claims.subject, claims.id, claims.expires_at, tenant.api_limits.devices)


def _own_set(tx: Tx, device_id: str, auth_set_id: str) -> AuthSet:
    auth_set = store.find_set(tx, auth_set_id)
    if auth_set is None or auth_set.device_id != device_id:
        raise AuthSetNotFound
    return auth_set


def _set_to_decide(tx: Tx, device_id: str, auth_set_id: str) -> AuthSet:
    """A decision about another device's set is a mistake that deserves its own words (mender.md §2.1)."""
    auth_set = store.find_set(tx, auth_set_id)
    if auth_set is None or not is_in_sight(tx, auth_set.device_id):
        raise AuthSetNotFound
    if auth_set.device_id != device_id:
        raise OtherDevicesAuthSet
    return auth_set


def _settle(tx: Tx, device_id: str) -> None:
    """Give the device the status that its sets now add up to, and let tokens be verified anew."""
    store.change_status(tx, device_id, status_of_device(s.status for s in store.sets_of(tx, device_id)))
    tx.announce(TOKEN_REVOKED, device_id)
