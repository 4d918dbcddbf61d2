"""How does an organization go on after its trial, pay with another card, or leave?"""

from __future__ import annotations

import re
import uuid

from fairlead.base.scope import Scope
from fairlead.domain import audit, identity
from fairlead.domain.billing.model import (
    Bill,
    Intent,
    IntentNotDone,
    IntentNotFound,
    NoBillingAccount,
    SignedUp,
    UpgradedMeanwhile,
    UpgradeNotStarted,
)
from fairlead.domain.billing.office import Office
from fairlead.domain.billing.signing_up import charged, new_attempt

_INTENT_ID = re.compile(r"[A-Za-z0-9_]{1,255}")


def cancel(office: Office, scope: Scope, tenant_id: str, reason: str) -> None:
    """Stop charging, then lock the organization out: in this order, so that nobody pays for what is gone."""
    with office.database.read(scope) as tx:
        tenant = identity.organization_called(tx, tenant_id)
        identity.make_sure_may_be_cancelled(tx, reason)
    office.make_sure_there_may_be_others()
    ended = tenant.billing.get("subscription", "")
    if office.payments is not None and ended:
        office.payments.unsubscribe(ended)
    with office.database.begin(scope) as tx:
        if not identity.forget_billing(tx, subscription=ended):
            identity.make_sure_may_be_cancelled(tx, reason)
            raise UpgradedMeanwhile
        identity.note_billing(tx, attempt=new_attempt())
        identity.cancel_organization(tx, reason)


def start_upgrade(office: Office, scope: Scope, tenant_id: str) -> SignedUp:
    """The secret with which a trial's administrator leaves a card; "" when no card is asked for."""
    tenant = _trial(office, scope, tenant_id)
    secret = "" if office.payments is None else _open_intent(office, scope, tenant).secret
    return SignedUp(tenant.id, secret)


def complete_upgrade(office: Office, scope: Scope, tenant_id: str, plan: str) -> None:
    """End the trial: with billing, the card is charged for the plan from now on."""
    tenant = _trial(office, scope, tenant_id)
    wanted = identity.plan_called(plan)
    if office.payments is not None and not {"customer", "intent"} <= set(tenant.billing):
        raise UpgradeNotStarted
    with charged(office, tenant, wanted.value) as noted, office.database.begin(scope) as tx:
        identity.end_trial(tx, wanted, noted)


def cancel_upgrade(office: Office, scope: Scope, tenant_id: str) -> None:
    """Think better of it: the card is not waited for any longer, and the trial goes on.

    An intent that was opened since is somebody's new beginning, and stays.
    """
    tenant = _trial(office, scope, tenant_id)
    intent_id = tenant.billing.get("intent", "")
    if office.payments is not None and intent_id:
        office.payments.cancel_intent(intent_id)
    with office.database.begin(scope) as tx:
        if intent_id and identity.forget_billing(tx, intent=intent_id):
            identity.note_billing(tx, cancelled_intent=intent_id)
        audit.record(tx, "tenant.cancel_upgrade", tenant.id, name=tenant.name)


def find_bill(office: Office, scope: Scope) -> Bill:
    """The card on file and the subscription; nothing before there is an account with the payment service."""
    tenant = office.organization(scope)
    payments = office.make_sure_it_bills()
    if "customer" not in tenant.billing:
        return Bill()
    return payments.bill(tenant.billing["customer"], tenant.billing.get("subscription", ""))


def billing_secret(office: Office, scope: Scope) -> str:
    """The secret of the intent that waits for a card; a new one if none waits."""
    return _open_intent(office, scope, office.organization(scope)).secret


def begin_card(office: Office, scope: Scope) -> Intent:
    """An intent to pay with another card than before."""
    tenant = office.organization(scope)
    payments = office.make_sure_it_bills()
    if "customer" not in tenant.billing:
        raise NoBillingAccount
    intent = payments.begin_card(tenant.billing["customer"], f"card-{uuid.uuid4()}")
    with office.database.begin(scope) as tx:
        audit.record(tx, "tenant.begin_card", tenant.id, name=tenant.name, intent=intent.id)
    return intent


def confirm_card(office: Office, scope: Scope, intent_id: str) -> None:
    """Pay with the card of this intent from now on. Someone else's intent is not found."""
    tenant = office.organization(scope)
    payments = office.make_sure_it_bills()
    intent = payments.find_intent(intent_id) if _INTENT_ID.fullmatch(intent_id) else None
    if intent is None or intent.customer != tenant.billing.get("customer"):
        raise IntentNotFound
    if not intent.is_done:
        raise IntentNotDone(status=intent.status)
    payments.charge(intent.customer, intent.payment_method)
    with office.database.begin(scope) as tx:
        audit.record(tx, "tenant.change_card", tenant.id, name=tenant.name, intent=intent.id)


def _trial(office: Office, scope: Scope, tenant_id: str) -> identity.Tenant:
    with office.database.read(scope) as tx:
        tenant = identity.organization_called(tx, tenant_id)
    identity.make_sure_is_trial(tenant)
    return tenant


def _open_intent(office: Office, scope: Scope, tenant: identity.Tenant) -> Intent:
    """The intent that waits for a card. Its key names the one before it, so that asking twice at once makes one.

    The one before it may have been cancelled: without its name Stripe would give that very one again.
    """
    payments = office.make_sure_it_bills()
    known = tenant.billing.get("intent", "")
    if known and (intent := payments.find_intent(known)) and intent.is_open:
        return intent
    customer = tenant.billing.get("customer")
    if customer is None:
        customer = payments.add_customer(tenant.id, scope.actor.name, tenant.name)
    before = known or tenant.billing.get("cancelled_intent", "")
    intent = payments.begin_card(customer, f"intent-{tenant.id}-{before}")
    with office.database.begin(scope) as tx:
        identity.note_billing(tx, customer=customer, intent=intent.id)
        audit.record(tx, "tenant.begin_card", tenant.id, name=tenant.name, intent=intent.id)
    return intent
