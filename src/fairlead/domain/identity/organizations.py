"""How does an organization begin, change and end?

Whoever signs up is nobody yet, and an organization that is not active has nobody who could speak for it. So the
beginning goes through the operator's door; from then on its own people (`MANAGE_ORGANIZATION`) and the server act.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import structlog

from fairlead.base import clock
from fairlead.base.database import Database, Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import system_scope
from fairlead.domain import audit
from fairlead.domain.identity import directory, store
from fairlead.domain.identity.api_limits import TenantApiLimits, written
from fairlead.domain.identity.model import (
    DEFAULT_ROLES,
    EmailTaken,
    PasswordTooLong,
    PasswordTooShort,
    Permission,
    Tenant,
    TenantNotFound,
    TenantStatus,
    make_sure_email_is_good,
    make_sure_password_is_good,
)
from fairlead.domain.identity.plans import DEVICE_LIMITS, LARGEST_LIMIT, Plan, plan_called
from fairlead.domain.identity.policy import sight
from fairlead.domain.identity.roles import BeyondOwn
from fairlead.domain.identity.tenants import TENANT_CHANGED, add_tenant, own_tenant
from fairlead.domain.identity.tokens import Tokens
from fairlead.domain.identity.users import add_user

LONGEST_NAME = 256
LONGEST_REASON = 4096
SIGN_UP = "sign-up"
BILLING = "billing"
FEATURES = {"rbac": Plan.ENTERPRISE, "audit_logs": Plan.ENTERPRISE, "dynamic_groups": Plan.ENTERPRISE}
"""What takes a plan, and the smallest that has it."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
log = structlog.get_logger()


class BadOrganization(Refusal):
    message = "{reason}"


class EmailInUse(Refusal):
    kind = Kind.CONFLICT
    message = "user with a given email already exists"


class TenantNotRemovable(Refusal):
    """Told of an unknown one as well: who asks may be anyone."""

    kind = Kind.CONFLICT
    message = "The tenant cannot be removed: only one that was never activated can."


class TenantIsSuspended(Refusal):
    kind = Kind.CONFLICT
    message = "The tenant is suspended: only the operator of this server can let it in again."


class TenantNotActive(Refusal):
    kind = Kind.CONFLICT
    message = "The tenant is not active."


class NotATrial(Refusal):
    message = "The tenant is not in a trial, so there is nothing to upgrade."


class BadTenantChange(Refusal):
    message = "{reason}"


@dataclass(frozen=True, slots=True)
class NewOrganization:
    """What someone who signs up says, checked."""

    name: str
    email: str
    password: str
    plan: Plan = Plan.OS
    device_limit: int | None = None

    def __post_init__(self) -> None:
        make_sure_organization_name_is_good(self.name)
        if not self.name.isascii():
            raise BadOrganization(reason="organization: must contain ASCII characters only")
        make_sure_email_is_good(self.email)
        if not self.password:
            raise BadOrganization(reason="password: must be given")
        try:
            make_sure_password_is_good(self.password)
        except (PasswordTooShort, PasswordTooLong) as problem:
            raise BadOrganization(reason=str(problem)) from None
        if self.device_limit is not None and not 0 <= self.device_limit <= LARGEST_LIMIT:
            raise BadOrganization(reason=f"device limit: {self.device_limit} is not between 0 and {LARGEST_LIMIT}")


def make_sure_organization_name_is_good(name: str) -> None:
    if not name.strip():
        raise BadOrganization(reason="organization: must be given")
    if len(name) > LONGEST_NAME:
        raise BadOrganization(reason=f"organization: longer than {LONGEST_NAME} characters")
    if _CONTROL.search(name):
        raise BadOrganization(reason="organization: control characters are not allowed")


def make_sure_email_is_free(tx: Tx, email: str) -> None:
    """Refuse early what `found_organization` would refuse. An e-mail belongs to one user of one tenant."""
    if store.find_user_by_email(tx, email) is not None:
        raise EmailInUse


def found_organization(
    tx: Tx,
    tokens: Tokens,
    new: NewOrganization,
    password_hash: str,
    *,
    tenant_id: str = "",
    status: TenantStatus = TenantStatus.ACTIVE,
    trial_ends_at: datetime | None = None,
    billing: Mapping[str, str] | None = None,
    by: str = SIGN_UP,
) -> Tenant:
    """An organization with its first user, who may do everything in it."""
    tenant = add_tenant(
        tx,
        tokens,
        new.name,
        new.plan.value,
        new.device_limit,
        tenant_id=tenant_id,
        status=status,
        trial_ends_at=trial_ends_at,
        billing=billing,
        by=by,
    )
    try:
        add_user(tx.within(system_scope(tenant.id, by)), new.email, password_hash, DEFAULT_ROLES)
    except EmailTaken:
        raise EmailInUse from None
    return tenant


def activate_new_organization(tx: Tx, billing: Mapping[str, str]) -> None:
    """Let in an organization that has just been founded, and keep what was noted about its billing meanwhile.

    Doing it twice is harmless: people press buttons twice.
    """
    tx.require(Permission.MANAGE_ORGANIZATION)
    tx.one_at_a_time(BILLING)
    tenant = own_tenant(tx)
    if tenant.is_active:
        return
    if not directory.change_status(tx, TenantStatus.INACTIVE, TenantStatus.ACTIVE):
        raise TenantIsSuspended
    if billing:
        note_billing(tx, **billing)
    tx.announce(TENANT_CHANGED, tenant.id)
    audit.record(tx, "tenant.activate", tenant.id, name=tenant.name)


def remove_inactive_organization(tx: Tx) -> Tenant:
    """Take back an organization that was never activated, with all that was kept for it, its audit trail included."""
    tx.require(Permission.MANAGE_ORGANIZATION)
    tenant = store.find_tenant(tx, tx.tenant_id)
    if tenant is None or not directory.remove_tenant(tx, TenantStatus.INACTIVE):
        raise TenantNotRemovable
    tx.announce(TENANT_CHANGED, tenant.id)
    tx.afterwards(lambda: log.info("tenant.removed", tenant=tenant.id))
    return tenant


def organization_called(tx: Tx, tenant_id: str) -> Tenant:
    """The own organization, for someone who may manage it; any other id is not found."""
    tx.require(Permission.MANAGE_ORGANIZATION)
    if tenant_id != tx.tenant_id:
        raise TenantNotFound
    return own_tenant(tx)


def make_sure_may_be_cancelled(tx: Tx, reason: str) -> None:
    """Refuse who is limited to device groups, too: it locks every device out."""
    tx.require(Permission.MANAGE_ORGANIZATION)
    if sight(tx.scope) is not None:
        raise BeyondOwn
    if not reason.strip():
        raise BadOrganization(reason="reason: must be given")
    if len(reason) > LONGEST_REASON:
        raise BadOrganization(reason=f"reason: longer than {LONGEST_REASON} characters")
    if not own_tenant(tx).is_active:
        raise TenantNotActive


def cancel_organization(tx: Tx, reason: str) -> None:
    """End the organization at its own wish: it is locked out at once, and nothing of it is removed.

    So the operator can still undo it, and decides when its data goes.
    """
    make_sure_may_be_cancelled(tx, reason)
    tenant = own_tenant(tx)
    marks = {"cancelled_at": clock.now(), "cancel_reason": reason}
    if not directory.change_status(tx, TenantStatus.ACTIVE, TenantStatus.SUSPENDED, **marks):
        raise TenantNotActive
    tx.announce(TENANT_CHANGED, tenant.id)
    audit.record(tx, "tenant.cancel", tenant.id, name=tenant.name, reason=reason)


def make_sure_is_trial(tenant: Tenant) -> None:
    if not tenant.is_trial:
        raise NotATrial


def end_trial(tx: Tx, plan: Plan, billing: Mapping[str, str]) -> None:
    """The trial becomes an ordinary organization with this plan: once, whoever else asks for another at this moment."""
    tx.require(Permission.MANAGE_ORGANIZATION)
    tx.one_at_a_time(BILLING)
    tenant = own_tenant(tx)
    make_sure_is_trial(tenant)
    if not tenant.is_active:
        raise TenantNotActive
    store.change_tenant(tx, tenant.id, trial_ends_at=None, **_for_plan(tenant, plan))
    if billing:
        note_billing(tx, **billing)
    tx.announce(TENANT_CHANGED, tenant.id)
    audit.record(tx, "tenant.upgrade", tenant.id, name=tenant.name, plan=plan.value)


def suspend_ended_trials(database: Database) -> int:
    """Lock out the organizations whose trial is over. Several processes may do it at once: each is told once."""
    now = clock.now()
    with database.across_tenants("whose trial is over?", writing=False) as tx:
        over = directory.ids_of_ended_trials(tx, now)
    suspended = 0
    for tenant_id in over:
        with database.begin(system_scope(tenant_id)) as tx:
            if directory.suspend_ended_trial(tx, now):
                tx.announce(TENANT_CHANGED, tenant_id)
                audit.record(tx, "tenant.suspend", tenant_id, reason="the trial is over")
                suspended += 1
    return suspended


def note_billing(tx: Tx, **facts: str) -> None:
    """Keep what the payment service calls things of this organization; an empty text forgets one."""
    tx.one_at_a_time(BILLING)
    known = {**own_tenant(tx).billing, **facts}
    kept = {name: value for name, value in known.items() if value}
    store.change_tenant(tx, tx.tenant_id, billing=msgspec.json.encode(kept).decode())


def forget_billing(tx: Tx, **facts: str) -> bool:
    """Forget these facts; none of them, and False, if one is not what is noted any more. An empty text is no fact."""
    tx.one_at_a_time(BILLING)
    known = own_tenant(tx).billing
    if any(known.get(name, "") != value for name, value in facts.items()):
        return False
    note_billing(tx, **dict.fromkeys(facts, ""))
    return True


@dataclass(frozen=True, slots=True)
class TenantChange:
    """What to change of an organization; what is None stays as it is."""

    name: str | None = None
    plan: str | None = None
    trial: bool | None = None
    trial_ends_at: datetime | None = None
    api_limits: TenantApiLimits | None = None


def change_organization(tx: Tx, change: TenantChange) -> None:
    """What the operator decides about an organization. In force within a second, for its devices too."""
    tx.require(Permission.MANAGE_ORGANIZATION)
    tenant = own_tenant(tx)
    values = _new_values(tenant, change)
    changed = _differences(tenant, values)
    if not changed:
        return
    store.change_tenant(tx, tenant.id, **values)
    tx.announce(TENANT_CHANGED, tenant.id)
    audit.record(tx, "tenant.update", tenant.id, name=change.name or tenant.name, changed=changed)


def _differences(tenant: Tenant, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Old and new of whatever is not the same any more: callers hand in all that they know, whatever they change."""
    told = {"trial_ends_at": "trial_expiration"}
    before = {name: getattr(tenant, name) for name in values}
    if "api_limits" in before:
        before["api_limits"] = written(tenant.api_limits)
    return {told.get(name, name): (before[name], new) for name, new in values.items() if before[name] != new}


def _new_values(tenant: Tenant, change: TenantChange) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if change.name is not None:
        make_sure_organization_name_is_good(change.name)
        values["name"] = change.name
    if change.plan is not None:
        values |= _for_plan(tenant, plan_called(change.plan))
    if change.api_limits is not None:
        values["api_limits"] = written(change.api_limits)
    return values | _trial_values(tenant, change)


def _trial_values(tenant: Tenant, change: TenantChange) -> dict[str, Any]:
    if change.trial is False:
        return {"trial_ends_at": None}
    if change.trial and change.trial_ends_at is None and not tenant.is_trial:
        raise BadTenantChange(reason="trial_expiration: must be given for a trial")
    if change.trial_ends_at is None:
        return {}
    if not 2000 <= change.trial_ends_at.year < 9999:
        raise BadTenantChange(reason="trial_expiration: not a time between the years 2000 and 9998")
    return {"trial_ends_at": change.trial_ends_at}


def _for_plan(tenant: Tenant, plan: Plan) -> dict[str, Any]:
    """The plan, and its device limit unless the operator has set another one."""
    own_limit = DEVICE_LIMITS[Plan(tenant.plan)]
    limit = DEVICE_LIMITS[plan] if tenant.device_limit == own_limit else tenant.device_limit
    return {"plan": plan.value, "device_limit": limit}


def features_of(plan: str) -> dict[str, bool]:
    """What the plan has of what not every plan has."""
    return {name: Plan(plan).includes(least) for name, least in FEATURES.items()}
