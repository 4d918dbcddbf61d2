"""How do we speak to Stripe?

Nothing here touches the database, and no transaction is open while one of these calls is under way. What makes
something carries an idempotency key, so that trying again never makes it twice.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import structlog

from fairlead.base.errors import Refusal
from fairlead.domain.billing.model import (
    RETRY_SECONDS,
    Bill,
    BillingIsAway,
    BillingIsMisconfigured,
    CardDeclined,
    Intent,
)

if TYPE_CHECKING:
    from stripe import SetupIntent, StripeClient, StripeError

CONNECT_SECONDS, ANSWER_SECONDS = 5, 20
TRIES_AGAIN = 1

log = structlog.get_logger()


class Payments:
    """Our account with Stripe. `prices` says what a plan costs; one without a price is not charged for."""

    def __init__(self, key: str, url: str, prices: Mapping[str, str]) -> None:
        self._key = key
        self._url = url.rstrip("/")
        self._prices = dict(prices)
        self._opened: StripeClient | None = None
        self._opening = threading.Lock()

    @contextlib.contextmanager
    def new_customer(self, tenant_id: str, email: str, name: str) -> Iterator[str]:
        """A customer that stays only if all that follows works out."""
        customer = self.add_customer(tenant_id, email, name)
        try:
            yield customer
        except BaseException:
            self.forget_customer(customer)
            raise

    def add_customer(self, tenant_id: str, email: str, name: str) -> str:
        said: Any = {"name": name, "metadata": {"tenant_id": tenant_id}}
        if "@" in email:
            said["email"] = email
        with _worded():
            return self._client.v1.customers.create(said, {"idempotency_key": f"customer-{tenant_id}"}).id

    def forget_customer(self, customer: str) -> None:
        """Remove the customer and whatever they subscribe to, if Stripe can be reached: nothing depends on it."""
        try:
            with _worded():
                self._client.v1.customers.delete(customer)
        except Refusal as refusal:
            log.warning("billing.customer_left_behind", customer=customer, reason=str(refusal))

    def begin_card(self, customer: str, key: str) -> Intent:
        """A new wish to leave a card, under which the customer may be charged while they are away."""
        said: Any = {"customer": customer, "payment_method_types": ["card"], "usage": "off_session"}
        with _worded():
            return _intent(self._client.v1.setup_intents.create(said, {"idempotency_key": key}))

    def find_intent(self, intent_id: str) -> Intent | None:
        import stripe

        with _worded():
            try:
                return _intent(self._client.v1.setup_intents.retrieve(intent_id))
            except stripe.InvalidRequestError as problem:
                if _is_missing(problem):
                    return None
                raise

    def cancel_intent(self, intent_id: str) -> None:
        """End the wish, unless it has ended meanwhile."""
        import stripe

        with _worded(), contextlib.suppress(stripe.InvalidRequestError):
            self._client.v1.setup_intents.cancel(intent_id)

    def card_of_token(self, customer: str, token: str) -> None:
        """Leave the card behind a token of Stripe's own form with the customer; `CardDeclined` if it is not good."""
        import stripe

        key = f"card-{customer}"
        with _worded():
            try:
                said: Any = {"type": "card", "card": {"token": token}}
                card = self._client.v1.payment_methods.create(said, {"idempotency_key": f"{key}-create"})
                whose: Any = {"customer": customer}
                self._client.v1.payment_methods.attach(card.id, whose, {"idempotency_key": f"{key}-attach"})
            except stripe.InvalidRequestError as problem:
                raise CardDeclined(reason=problem.user_message or "unknown token") from None
        self.charge(customer, card.id)

    def charge(self, customer: str, payment_method: str) -> None:
        """From now on this card is the one that is charged."""
        said: Any = {"invoice_settings": {"default_payment_method": payment_method}}
        with _worded():
            self._client.v1.customers.update(customer, said)

    def subscribe(self, customer: str, plan: str, key: str) -> str:
        """Begin to charge for the plan; the subscription's id, "" when the plan costs nothing."""
        price = self._prices.get(plan)
        if price is None:
            return ""
        said: Any = {
            "customer": customer,
            "items": [{"price": price}],
            "payment_behavior": "error_if_incomplete",
            "off_session": True,
            "metadata": {"plan": plan},
        }
        with _worded():
            return self._client.v1.subscriptions.create(said, {"idempotency_key": key}).id

    def unsubscribe(self, subscription: str) -> None:
        """Stop charging at once. One that has ended already stays ended."""
        import stripe

        with _worded():
            try:
                self._client.v1.subscriptions.cancel(subscription)
            except stripe.InvalidRequestError as problem:
                if not _is_missing(problem):
                    raise

    def forget_subscription(self, subscription: str) -> None:
        """Stop charging for what belongs to nothing, if Stripe can be reached: otherwise the operator has to."""
        try:
            self.unsubscribe(subscription)
        except Refusal as refusal:
            log.error("billing.subscription_left_behind", subscription=subscription, reason=str(refusal))

    def bill(self, customer: str, subscription: str) -> Bill:
        """The card that is charged, and the subscription, as Stripe describes them."""
        wanted: Any = {"expand": ["invoice_settings.default_payment_method"]}
        with _worded():
            found = self._client.v1.customers.retrieve(customer, wanted).to_dict(for_json=True)
            method = (found.get("invoice_settings") or {}).get("default_payment_method") or {}
            running = (
                self._client.v1.subscriptions.retrieve(subscription).to_dict(for_json=True) if subscription else None
            )
        return Bill(method.get("card"), running)

    @property
    def _client(self) -> StripeClient:
        """Opened at the first use: the library takes a third of a second to load, which no start should pay."""
        with self._opening:
            if self._opened is None:
                import stripe

                self._opened = stripe.StripeClient(
                    self._key,
                    base_addresses={"api": self._url},
                    max_network_retries=TRIES_AGAIN,
                    http_client=stripe.RequestsClient(timeout=(CONNECT_SECONDS, ANSWER_SECONDS)),
                )
            return self._opened


def _intent(found: SetupIntent) -> Intent:
    customer, method = found.customer, found.payment_method
    return Intent(
        id=found.id,
        secret=found.client_secret or "",
        status=found.status,
        customer=customer if isinstance(customer, str) else (customer.id if customer else ""),
        payment_method=method if isinstance(method, str) else (method.id if method else ""),
    )


def _is_missing(problem: StripeError) -> bool:
    return problem.http_status == 404 or problem.code == "resource_missing"


@contextlib.contextmanager
def _worded() -> Iterator[None]:
    """Say what went wrong in our words. Stripe's own are told only where they speak of the card."""
    import stripe

    try:
        yield
    except stripe.CardError as problem:
        raise CardDeclined(reason=problem.user_message or "no reason given") from None
    except (stripe.AuthenticationError, stripe.PermissionError, stripe.InvalidRequestError) as problem:
        log.error(
            "billing.refused",
            kind=type(problem).__name__,
            code=problem.code,
            status=problem.http_status,
            stripe_request=problem.request_id,
        )
        raise BillingIsMisconfigured from None
    except stripe.StripeError as problem:
        log.warning("billing.away", kind=type(problem).__name__, status=problem.http_status)
        raise BillingIsAway(retry_after=RETRY_SECONDS) from None
