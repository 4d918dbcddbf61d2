"""What does the payment service know of, and how may it fail?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fairlead.base.errors import Kind, Refusal

RETRY_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Intent:
    """Someone's wish to leave a card with the payment service. The browser needs the secret, and we the outcome."""

    id: str
    secret: str
    status: str
    customer: str
    payment_method: str

    @property
    def is_done(self) -> bool:
        return self.status == "succeeded" and bool(self.payment_method)

    @property
    def is_open(self) -> bool:
        return self.status not in {"succeeded", "canceled"}


@dataclass(frozen=True, slots=True)
class Bill:
    """What the payment service says of a customer, in its own words: the card that is charged, and for what."""

    card: dict[str, Any] | None = None
    subscription: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class SignedUp:
    """A new organization, and the secret with which the browser leaves a card; "" when no card is asked for."""

    tenant_id: str
    secret: str


class OneOrganizationOnly(Refusal):
    kind = Kind.FORBIDDEN
    message = "This server serves one organization only: others can be made when it is started with --multitenant."


class BillingIsOff(Refusal):
    kind = Kind.CONFLICT
    message = "This server does not do billing: its operator can set --stripe-key."


class BillingIsAway(Refusal):
    kind = Kind.UNAVAILABLE
    message = "The payment service does not answer at the moment, so nothing was changed: please try again."


class BillingIsMisconfigured(Refusal):
    """The payment service does not take our key, or what we ask for. The log says more."""

    kind = Kind.UNAVAILABLE
    message = "The payment service refuses what this server asks, so nothing was changed: please tell its operator."


class CardMissing(Refusal):
    message = "token: must be given, because this server charges for its plans"


class CardDeclined(Refusal):
    kind = Kind.PAYMENT
    message = "The card was declined: {reason}"


class CardNotVerified(Refusal):
    kind = Kind.PAYMENT
    message = "The card has not been verified by the payment service."


class UpgradeNotStarted(Refusal):
    message = "The upgrade has not been started, so there is no card to charge."


class UpgradedMeanwhile(Refusal):
    kind = Kind.CONFLICT
    message = "The organization was upgraded at this very moment, so it is not cancelled: please try again."


class IntentNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "setup intent not found"


class IntentNotDone(Refusal):
    kind = Kind.CONFLICT
    message = "The setup intent is {status}: the card can be saved when the payment service has verified it."


class NoBillingAccount(Refusal):
    kind = Kind.CONFLICT
    message = "The tenant has no billing account yet: ask for a billing secret first."
