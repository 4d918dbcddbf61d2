"""How does a device ask to be let in, and what is it told?"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fairlead.base import clock
from fairlead.base.database import Database, Tx, list_of_strings
from fairlead.base.errors import Refusal
from fairlead.base.scope import Actor, ActorKind, Everything, Scope
from fairlead.domain import audit, identity
from fairlead.domain.devices import inventory, signatures, store
from fairlead.domain.devices.authsets import accept_set, make_sure_there_is_room
from fairlead.domain.devices.model import (
    AccountSuspended,
    AuthSet,
    BadAuthRequest,
    BadIdentity,
    BadPublicKey,
    Device,
    FleetIsFull,
    Identity,
    NotAdmitted,
    Status,
    credential_of,
    status_of_device,
)
from fairlead.domain.devices.tables import auth_sets


@dataclass(frozen=True, slots=True)
class AuthRequest:
    """What a device sends: who it says it is, its key, and a signature over the bytes of the request."""

    body: bytes
    signature: str
    identity: str
    public_key: str
    tenant_token: str


@dataclass(frozen=True, slots=True)
class _Verified:
    """An auth request whose signature is right."""

    claimed: Identity
    public_key: str
    tenant: identity.Tenant
    credential: str


class Admissions:
    """Answers auth requests in groups: one look-up finds the accepted sets of the whole group."""

    def __init__(self, database: Database, tokens: identity.Tokens, *, multitenant: bool) -> None:
        self._database = database
        self._tokens = tokens
        self._multitenant = multitenant

    def admit(self, requests: list[AuthRequest]) -> Sequence[str | Exception]:
        """A token for each request of an accepted device, and for each other the refusal that it gets."""
        tenants: dict[str, identity.Tenant | Exception] = {}
        verified = [_or_refusal(self._verify, request, tenants) for request in requests]
        sets = self._accepted([v.credential for v in verified if isinstance(v, _Verified)])
        return [
            v if isinstance(v, Exception) else _or_refusal(self._answer, v, sets.get(v.credential)) for v in verified
        ]

    def _verify(self, request: AuthRequest, tenants: dict[str, identity.Tenant | Exception]) -> _Verified:
        try:
            claimed = read_identity(request.identity)
            key = signatures.read_public_key(request.public_key)
        except (BadIdentity, BadPublicKey) as bad:
            raise BadAuthRequest(reason=bad) from None
        signatures.verify(key, request.signature, request.body)
        if request.tenant_token not in tenants:
            tenants[request.tenant_token] = _or_refusal(self._tenant, request.tenant_token)
        tenant = tenants[request.tenant_token]
        if isinstance(tenant, Exception):
            raise tenant
        pem = signatures.normal_pem(key)
        return _Verified(claimed, pem, tenant, credential_of(tenant.id, claimed, pem))

    def _tenant(self, token: str) -> identity.Tenant:
        tenant_id = identity.DEFAULT_TENANT_ID
        if self._multitenant:
            try:
                tenant_id = self._tokens.read_tenant(token)
            except identity.BadToken:
                raise NotAdmitted from None
        with self._database.across_tenants("whose device is this?", writing=False) as tx:
            try:
                tenant = identity.find_tenant(tx, tenant_id)
            except identity.TenantNotFound:
                raise NotAdmitted from None
        if not tenant.is_active:
            raise AccountSuspended
        return tenant

    def _accepted(self, credentials: list[str]) -> dict[str, sa.Row[Any]]:
        if not credentials:
            return {}
        found = sa.select(
            auth_sets.c.credential, auth_sets.c.id, auth_sets.c.device_id, auth_sets.c.token_generation
        ).where(
            auth_sets.c.credential.in_(list_of_strings(credentials)),
            auth_sets.c.status == Status.ACCEPTED.value,
            auth_sets.c.token_live.is_(True),
        )
        with self._database.across_tenants("which of these are accepted?", writing=False) as tx:
            return {row.credential: row for row in tx.all(found)}

    def _answer(self, request: _Verified, accepted: sa.Row[Any] | None) -> str:
        if accepted is None:
            accepted = self._decide(request)
        return self._tokens.for_device(
            accepted.id, accepted.device_id, request.tenant.id, request.tenant.plan, accepted.token_generation
        )

    def _decide(self, request: _Verified) -> Any:
        """The slow way: for a device that is new, waits, was preauthorized, or has no token out there."""
        scope = Scope(request.tenant.id, Actor(ActorKind.DEVICE, "", ""), Everything())
        try:
            return self._decide_once(scope, request)
        except IntegrityError:  # the same device asked twice at the same moment: now it is there
            return self._decide_once(scope, request)

    def _decide_once(self, scope: Scope, request: _Verified) -> AuthSet:
        with self._database.begin(scope) as tx:
            auth_set = ask(tx, request.claimed, request.public_key, request.credential)
        if auth_set.status is not Status.ACCEPTED:
            raise NotAdmitted
        return auth_set


def read_identity(text: str) -> Identity:
    """The identity in an auth request: a JSON object in a string."""
    try:
        data = msgspec.json.decode(text)
    except (msgspec.DecodeError, ValueError, RecursionError):
        raise BadIdentity(reason="is not JSON") from None
    if not isinstance(data, dict):
        raise BadIdentity(reason="is not a JSON object")
    return Identity.of(data)


def ask(tx: Tx, claimed: Identity, public_key: str, credential: str) -> AuthSet:
    """Note that a device asks, and answer with its auth set as it now is.

    An unknown identity becomes a pending device, an unknown key a pending set of the device; a preauthorized
    set is accepted if there is room (mender.md §2.1). An accepted set is noted to have a token.
    """
    device = store.find_by_identity(tx, claimed)
    auth_set = _set_with(device, public_key)
    if auth_set is not None and auth_set.status in {Status.PENDING, Status.REJECTED}:
        return auth_set
    device = _held(tx, device, claimed)
    auth_set = _set_with(device, public_key)
    if auth_set is None:
        return _add_pending(tx, device, claimed, public_key, credential)
    if auth_set.status is Status.PREAUTHORIZED:
        try:
            make_sure_there_is_room(tx)
        except FleetIsFull:
            raise NotAdmitted from None
        accept_set(tx, auth_set)
        mine = _as_device(tx, auth_set.device_id, claimed)
        audit.record(mine, "device.accept", auth_set.device_id, auth_set=auth_set.id, preauthorized=True)
    elif auth_set.status is not Status.ACCEPTED:
        return auth_set
    store.mark_token(tx, auth_set.id)
    found = store.find_set(tx, auth_set.id)
    assert found is not None
    return found


def _held(tx: Tx, device: Device | None, claimed: Identity) -> Device | None:
    """The device as it is once nobody else adds it or decides about it, until the end of the transaction."""
    if device is None:
        store.hold_newcomer(tx, claimed)
        device = store.find_by_identity(tx, claimed)
    if device is not None:
        store.hold(tx, device.id)
        device = store.find_by_identity(tx, claimed)
    return device


def _set_with(device: Device | None, public_key: str) -> AuthSet | None:
    return next((each for each in device.auth_sets if each.public_key == public_key), None) if device else None


def _add_pending(tx: Tx, device: Device | None, claimed: Identity, public_key: str, credential: str) -> AuthSet:
    device_id = device.id if device else str(uuid.uuid4())
    now = clock.now()
    auth_set = AuthSet(str(uuid.uuid4()), device_id, public_key, claimed.data, Status.PENDING, now, False, 0)
    if device is None:
        store.add(tx, device_id, claimed, Status.PENDING)
        inventory.begin(tx, device_id, claimed)
    store.add_set(tx, auth_set, claimed, credential)
    if device is not None:
        statuses = [s.status for s in device.auth_sets] + [Status.PENDING]
        store.change_status(tx, device_id, status_of_device(statuses))
    audit.record(_as_device(tx, device_id, claimed), "device.ask", device_id, auth_set=auth_set.id)
    return auth_set


def _as_device(tx: Tx, device_id: str, claimed: Identity) -> Tx:
    """The same transaction, now that we know whose it is: for the record of who asked."""
    return tx.within(Scope(tx.tenant_id, Actor(ActorKind.DEVICE, device_id, claimed.canonical)))


def _or_refusal(do: Any, *arguments: Any) -> Any:
    try:
        return do(*arguments)
    except Refusal as refusal:
        return refusal
