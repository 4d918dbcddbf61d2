"""Organizations, for whoever wants one and for their people: `/api/management/v1/tenantadm` and `/v2/tenantadm`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from litestar import Response, Router, delete, get, post, put
from litestar.di import Provide
from litestar.params import Dependency

from fairlead.api.mender.auth import for_users
from fairlead.api.mender.context import Call, Context
from fairlead.api.mender.forms import LARGEST_FORM, read_form
from fairlead.api.mender.wire import empty
from fairlead.domain import billing, identity
from fairlead.domain.identity import Plan

TAGS = ["Tenants"]
Form = Annotated[Mapping[str, str], Dependency(skip_validation=True)]


class WireTenant(msgspec.Struct, omit_defaults=True):
    """`trial_expiration` is there during a trial, `features` where the tenant's own people ask."""

    id: str
    name: str
    tenant_token: str
    status: str
    plan: str
    api_limits: identity.TenantApiLimits
    trial: bool | None = None
    trial_expiration: datetime | None = None
    features: dict[str, bool] | None = None


def wire_tenant(tenant: identity.Tenant) -> WireTenant:
    return WireTenant(
        id=tenant.id,
        name=tenant.name,
        tenant_token=tenant.token,
        status=tenant.status.value,
        plan=tenant.plan,
        api_limits=tenant.api_limits,
        trial=tenant.is_trial,
        trial_expiration=tenant.trial_ends_at,
    )


@get("/user/tenant", sync_to_thread=True, summary="Tenant Info")
def show_own_tenant(call: Call) -> WireTenant:
    """The organization of whoever asks."""
    with call.read() as tx:
        tenant = identity.own_tenant(tx)
    return msgspec.structs.replace(wire_tenant(tenant), features=identity.features_of(tenant.plan))


def _wanted(context: Context, form: Mapping[str, str], plan: Plan) -> identity.NewOrganization:
    """What the form asks for. Whether a person has filled it in is asked last: the answer is good for one time."""
    context.office.make_sure_there_may_be_others()
    new = identity.NewOrganization(
        name=form.get("organization", ""),
        email=form.get("email", ""),
        password=form.get("password", ""),
        plan=identity.plan_called(form.get("plan") or plan.value),
    )
    context.recaptcha.check(form.get("g-recaptcha-response", ""))
    return new


@post("/tenants", sync_to_thread=True, status_code=202, summary="Create Account")
def create_at_once(context: Context, form: Form) -> Response[bytes]:
    """An organization and its first user, who can log in at once. Where plans are charged for, `token` is the card."""
    billing.open_account_at_once(context.office, _wanted(context, form, Plan.OS), form.get("token", ""))
    return empty(202)


class WireSignedUp(msgspec.Struct):
    """`secret` is for the payment service's form; empty where no card is asked for."""

    id: str
    secret: str


@post("/tenants", sync_to_thread=True, status_code=200, summary="Create Account")
def create(context: Context, form: Form) -> WireSignedUp:
    """An organization whose first user can log in once it is activated."""
    signed_up = billing.open_account(context.office, _wanted(context, form, Plan.OS))
    return WireSignedUp(signed_up.tenant_id, signed_up.secret)


@post("/tenants/trial", sync_to_thread=True, status_code=202, summary="Create Trial Account")
def create_trial(context: Context, form: Form) -> Response[bytes]:
    """An organization that is active until its trial ends."""
    billing.open_trial(context.office, _wanted(context, form, Plan.ENTERPRISE))
    return empty(202)


@delete("/tenants/{tenant_id:str}", sync_to_thread=True, summary="Delete Inactive Account")
def remove_inactive(context: Context, tenant_id: str) -> None:
    """Take back an organization that was never activated. Of all others, and of none, nothing is said."""
    billing.remove_inactive(context.office, tenant_id)


class Activation(msgspec.Struct):
    status: Literal["active"]


@put("/tenants/{tenant_id:str}/status", sync_to_thread=True, status_code=202, summary="Activate Account")
def activate(context: Context, tenant_id: str, data: Activation) -> Response[bytes]:
    """Let a new organization in; where plans are charged for, its card must be verified."""
    billing.activate(context.office, tenant_id)
    return empty(202)


class Cancellation(msgspec.Struct):
    reason: str


@post("/tenants/{tenant_id:str}/cancel", sync_to_thread=True, status_code=202, summary="Cancel Account")
def cancel(call: Call, tenant_id: str, data: Cancellation) -> Response[bytes]:
    """End the own organization. Its people and devices are refused within a second; nothing is removed."""
    billing.cancel(call.context.office, call.scope, tenant_id, data.reason)
    return empty(202)


@post("/tenants/{tenant_id:str}/upgrade/start", sync_to_thread=True, status_code=200, summary="Start Account Upgrade")
def start_upgrade(call: Call, tenant_id: str) -> WireSignedUp:
    """What the browser needs to leave a card, for a trial."""
    started = billing.start_upgrade(call.context.office, call.scope, tenant_id)
    return WireSignedUp(started.tenant_id, started.secret)


class Upgrade(msgspec.Struct):
    plan: str


@post(
    "/tenants/{tenant_id:str}/upgrade/complete",
    sync_to_thread=True,
    status_code=202,
    summary="Complete Account Upgrade",
)
def complete_upgrade(call: Call, tenant_id: str, data: Upgrade) -> Response[bytes]:
    """End the trial: the organization has this plan from now on."""
    billing.complete_upgrade(call.context.office, call.scope, tenant_id, data.plan)
    return empty(202)


@post("/tenants/{tenant_id:str}/upgrade/cancel", sync_to_thread=True, status_code=202, summary="Cancel Account Upgrade")
def cancel_upgrade(call: Call, tenant_id: str) -> Response[bytes]:
    """The trial goes on as if the upgrade had not been started."""
    billing.cancel_upgrade(call.context.office, call.scope, tenant_id)
    return empty(202)


class WireBill(msgspec.Struct, omit_defaults=True):
    """As Stripe describes them: `payment_method.card` and `subscription`."""

    card: dict[str, Any] | None = None
    subscription: dict[str, Any] | None = None


@get("/billing", sync_to_thread=True, summary="Get billing information")
def show_bill(call: Call) -> WireBill:
    """The card that is charged, and for what."""
    bill = billing.find_bill(call.context.office, call.scope)
    return WireBill(bill.card, bill.subscription)


class WireSecret(msgspec.Struct):
    secret: str


@post("/billing/secret", sync_to_thread=True, status_code=200, summary="Get stripe secret")
def billing_secret(call: Call) -> WireSecret:
    """The secret of the setup intent that waits for a card; a new one if none waits."""
    return WireSecret(billing.billing_secret(call.context.office, call.scope))


class WireIntent(msgspec.Struct):
    intent_id: str
    secret: str


@post("/billing/card", sync_to_thread=True, status_code=200, summary="Init Card Update")
def begin_card(call: Call) -> WireIntent:
    """A setup intent for another card."""
    intent = billing.begin_card(call.context.office, call.scope)
    return WireIntent(intent.id, intent.secret)


@post("/billing/card/{intent_id:str}/confirm", sync_to_thread=True, status_code=204, summary="Confirm Card Update")
def confirm_card(call: Call, intent_id: str) -> None:
    """Pay with the card of this setup intent from now on."""
    billing.confirm_card(call.context.office, call.scope, intent_id)


_FORMS: Any = {
    "tags": TAGS,
    "dependencies": {"form": Provide(read_form)},
    "request_max_body_size": LARGEST_FORM,
}
open_routes = Router("/api/management/v1/tenantadm", route_handlers=[create_at_once], **_FORMS)
open_routes_v2 = Router(
    "/api/management/v2/tenantadm", route_handlers=[create, create_trial, remove_inactive, activate], **_FORMS
)
routes = Router("/api/management/v1/tenantadm", guards=[for_users], tags=TAGS, route_handlers=[show_own_tenant])
routes_v2 = Router(
    "/api/management/v2/tenantadm",
    guards=[for_users],
    tags=TAGS,
    route_handlers=[
        cancel,
        start_upgrade,
        complete_upgrade,
        cancel_upgrade,
        show_bill,
        billing_secret,
        begin_card,
        confirm_card,
    ],
)
