"""How does an organization sign up, get in, or think better of it?

With billing, an organization is inactive until its card is verified; nobody can log in to it. If anything fails on
the way, what was begun is taken back on both sides.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from fairlead.base import clock
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import system_scope
from fairlead.domain import identity
from fairlead.domain.billing.model import (
    BillingIsMisconfigured,
    CardDeclined,
    CardMissing,
    CardNotVerified,
    SignedUp,
)
from fairlead.domain.billing.office import Office
from fairlead.domain.billing.payments import Payments
from fairlead.domain.identity import NewOrganization, TenantStatus

SIGN_UP_KEPT = timedelta(days=1)


def open_account(office: Office, new: NewOrganization) -> SignedUp:
    """An inactive organization, and the secret with which its founder leaves a card."""
    _make_sure_is_welcome(office, new)
    tenant_id = identity.new_tenant_id()
    if office.payments is None:
        _found(office, new, tenant_id, TenantStatus.INACTIVE)
        return SignedUp(tenant_id, "")
    with office.payments.new_customer(tenant_id, new.email, new.name) as customer:
        intent = office.payments.begin_card(customer, f"sign-up-{tenant_id}")
        noted = {"customer": customer, "intent": intent.id}
        _found(office, new, tenant_id, TenantStatus.INACTIVE, billing=noted)
    return SignedUp(tenant_id, intent.secret)


def open_account_at_once(office: Office, new: NewOrganization, card_token: str) -> None:
    """An organization that is active at once; with billing, the card behind the token is charged first."""
    if office.payments is not None and not card_token:
        raise CardMissing
    _make_sure_is_welcome(office, new)
    tenant_id = identity.new_tenant_id()
    if office.payments is None:
        _found(office, new, tenant_id, TenantStatus.ACTIVE)
        return
    with office.payments.new_customer(tenant_id, new.email, new.name) as customer:
        office.payments.card_of_token(customer, card_token)
        _found(office, new, tenant_id, TenantStatus.INACTIVE, billing={"customer": customer})
        try:
            activate(office, tenant_id)
        except BaseException:
            _take_back(office, tenant_id)
            raise


def open_trial(office: Office, new: NewOrganization) -> None:
    """An organization that is active for the time of the trial, without a card."""
    _make_sure_is_welcome(office, new)
    until = clock.now() + office.trial
    _found(office, new, identity.new_tenant_id(), TenantStatus.ACTIVE, trial_ends_at=until)


def activate(office: Office, tenant_id: str) -> None:
    """Let a new organization in, once its card is verified. From here on its plan is charged."""
    with office.database.across_tenants("is there such a tenant?", writing=False) as tx:
        tenant = identity.find_tenant(tx, tenant_id)
    is_paid = tenant.status is TenantStatus.INACTIVE and "customer" in tenant.billing
    nothing: AbstractContextManager[dict[str, str]] = contextlib.nullcontext({})
    with (
        charged(office, tenant, tenant.plan) if is_paid else nothing as noted,
        office.database.begin(system_scope(tenant_id, identity.SIGN_UP)) as tx,
    ):
        identity.activate_new_organization(tx, noted)


@contextlib.contextmanager
def charged(office: Office, tenant: identity.Tenant, plan: str) -> Iterator[dict[str, str]]:
    """Charge the organization for the plan from now on, if plans are charged for; what is to be noted of it within.

    What nobody has noted at the end is not charged for any longer: of two who ask at the same moment for two plans,
    one is too late. While the database is away nobody knows, and trying again comes to the same subscription.
    """
    if office.payments is None:
        yield {}
        return
    subscription = _begin_to_charge(office, office.payments, tenant, plan)
    try:
        yield {"subscription": subscription}
    except Refusal as refusal:
        if refusal.kind is not Kind.UNAVAILABLE:
            _stop_unless_noted(office, office.payments, tenant.id, subscription)
        raise
    _stop_unless_noted(office, office.payments, tenant.id, subscription)


def _begin_to_charge(office: Office, payments: Payments, tenant: identity.Tenant, plan: str) -> str:
    """Charge the card that the organization has left; the id of the subscription, "" when the plan costs nothing."""
    customer, intent_id = tenant.billing["customer"], tenant.billing.get("intent", "")
    card = ""
    if intent_id:
        intent = payments.find_intent(intent_id)
        if intent is None or not intent.is_done:
            raise CardNotVerified
        card = intent.payment_method
        payments.charge(customer, card)
    attempt = tenant.billing.get("attempt", "")
    try:
        return payments.subscribe(customer, plan, f"subscription-{tenant.id}-{plan}-{card}-{attempt}")
    except (CardDeclined, BillingIsMisconfigured):
        with office.database.begin(system_scope(tenant.id, identity.SIGN_UP)) as tx:
            identity.note_billing(tx, attempt=new_attempt())
        raise


def new_attempt() -> str:
    """What is part of the keys of subscriptions from now on.

    Stripe answers a key for a day as it did at first, whatever was mended or ended meanwhile. So the next try needs
    another one, and one that is kept before it is used: only then does trying that once more make nothing twice.
    """
    return uuid.uuid4().hex


def _stop_unless_noted(office: Office, payments: Payments, tenant_id: str, subscription: str) -> None:
    if subscription and not _is_noted(office, tenant_id, subscription):
        payments.forget_subscription(subscription)


def _is_noted(office: Office, tenant_id: str, subscription: str) -> bool:
    """Is this what the organization pays for? If not, its next try gets another one. One that is gone pays nothing."""
    scope = system_scope(tenant_id, identity.SIGN_UP)
    with contextlib.suppress(identity.TenantNotFound), office.database.begin(scope) as tx:
        if identity.own_tenant(tx).billing.get("subscription") == subscription:
            return True
        identity.note_billing(tx, attempt=new_attempt())
    return False


def remove_inactive(office: Office, tenant_id: str) -> None:
    """Forget an organization that was never activated, here and at the payment service."""
    removed = _take_back(office, tenant_id)
    if office.payments is not None and "customer" in removed.billing:
        office.payments.forget_customer(removed.billing["customer"])


def remove_abandoned(office: Office) -> int:
    """Forget who signed up and has not been let in within a day: otherwise their e-mails were taken for ever.

    Only an organization that was never let in is inactive. Several processes may do it at once.
    """
    with office.database.across_tenants("who has not come back?", writing=False) as tx:
        abandoned = identity.ids_of_inactive(tx, clock.now() - SIGN_UP_KEPT)
    removed = 0
    for tenant_id in abandoned:
        with contextlib.suppress(identity.TenantNotRemovable):
            remove_inactive(office, tenant_id)
            removed += 1
    return removed


def _take_back(office: Office, tenant_id: str) -> identity.Tenant:
    with office.database.begin(system_scope(tenant_id, identity.SIGN_UP)) as tx:
        return identity.remove_inactive_organization(tx)


def _make_sure_is_welcome(office: Office, new: NewOrganization) -> None:
    office.make_sure_there_may_be_others()
    with office.database.across_tenants("is the e-mail free?", writing=False) as tx:
        identity.make_sure_email_is_free(tx, new.email)


def _found(
    office: Office,
    new: NewOrganization,
    tenant_id: str,
    status: TenantStatus,
    *,
    billing: Mapping[str, str] | None = None,
    trial_ends_at: datetime | None = None,
) -> None:
    password_hash = identity.prepare_password(new.password)
    with office.database.across_tenants("a new organization") as tx:
        identity.found_organization(
            tx,
            office.tokens,
            new,
            password_hash,
            tenant_id=tenant_id,
            status=status,
            billing=billing,
            trial_ends_at=trial_ends_at,
        )
