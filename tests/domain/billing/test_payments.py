"""What is said when Stripe says no, and does trying again make anything twice?"""

from __future__ import annotations

import pytest

from fairlead.domain import billing
from house.stripe import EVERYTHING_IS_THERE, KEY, StandIn


@pytest.fixture
def stripe():
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture
def payments(stripe):
    return billing.Payments(KEY, stripe.url, {"professional": "price_pro"})


def test_a_key_that_stripe_does_not_take_is_the_operators_to_mend_and_is_not_shown(stripe, capfd):
    payments = billing.Payments("sk_test_wrong", stripe.url, {})

    with pytest.raises(billing.BillingIsMisconfigured) as refused:
        payments.add_customer("acme", "ada@acme.example", "Acme")

    out, err = capfd.readouterr()
    assert "sk_test" not in str(refused.value) + out + err
    assert "AuthenticationError" in out + err


def test_a_stripe_that_cannot_be_reached_is_away():
    payments = billing.Payments(KEY, "http://127.0.0.1:1", {})

    with pytest.raises(billing.BillingIsAway):
        payments.add_customer("acme", "ada@acme.example", "Acme")


def test_asking_twice_makes_one_customer_and_one_subscription(stripe, payments):
    customers = {payments.add_customer("acme", "ada@acme.example", "Acme") for _ in "ab"}
    (customer,) = customers
    payments.card_of_token(customer, "tok_visa")

    subscriptions = {payments.subscribe(customer, "professional", "subscription-acme") for _ in "ab"}

    assert len(subscriptions) == len(stripe.subscriptions) == len(stripe.customers) == 1


def test_ending_what_has_ended_is_harmless(stripe, payments):
    customer = payments.add_customer("acme", "ada@acme.example", "Acme")
    payments.card_of_token(customer, "tok_visa")
    subscription = payments.subscribe(customer, "professional", "subscription-acme")

    for _ in "ab":
        payments.unsubscribe(subscription)
        payments.forget_customer(customer)

    assert stripe.subscriptions_of_customer(customer) == [("price_pro", "canceled")]
    assert stripe.customers == {}


def test_a_customer_goes_again_when_what_follows_does_not_work_out(stripe, payments):
    with pytest.raises(billing.BillingIsAway), payments.new_customer("acme", "a@acme.example", "Acme") as customer:
        stripe.away = "/v1/setup_intents"
        payments.begin_card(customer, "sign-up-acme")

    stripe.away = EVERYTHING_IS_THERE
    assert stripe.customers == {}


def test_an_unknown_intent_is_none(payments):
    assert payments.find_intent("seti_none") is None
