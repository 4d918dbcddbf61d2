"""Plans are charged for through Stripe: with a verified card, never twice, and never for nothing."""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass
from datetime import timedelta

import pytest
import sqlalchemy as sa
from operations import TENANTADM, TENANTADM_V2

from fairlead.base import clock
from fairlead.base.scope import system_scope
from fairlead.domain import audit, billing, identity
from fairlead.domain.identity.store import tenants
from fairlead.settings import Settings
from house.server import RunningServer
from house.stripe import DECLINED, EVERYTHING_IS_THERE, GOOD, KEY, PRICES, RECAPTCHA_SECRET, WITHOUT_MONEY, StandIn
from house.world import ADA, BEN, LOGIN, PASSWORD, USERADM, ZOE, Mender, Person, settle

V1, V2, TRIAL = f"{TENANTADM}/tenants", f"{TENANTADM_V2}/tenants", f"{TENANTADM_V2}/tenants/trial"
BILLING = f"{TENANTADM_V2}/billing"
_numbers = itertools.count(1)


@pytest.fixture
def stripe(stripe_for_all):
    yield stripe_for_all
    stripe_for_all.away = EVERYTHING_IS_THERE


@pytest.fixture(scope="module")
def stripe_for_all():
    with StandIn() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def charging(engine, tmp_path_factory, stripe_for_all):
    """A server that charges, and makes sure that people sign up."""
    settings = Settings(
        data=tmp_path_factory.mktemp("charging"),
        database=engine.url("charging"),
        multitenant=True,
        stripe_key=KEY,
        stripe_url=stripe_for_all.url,
        stripe_prices=PRICES,
        recaptcha_secret=RECAPTCHA_SECRET,
        recaptcha_url=f"{stripe_for_all.url}/siteverify",
    )
    with RunningServer(settings) as server:
        yield server


@pytest.fixture
def world(charging):
    with Mender(charging) as client:
        yield client


@dataclass
class Founder:
    """Someone with a filled in form."""

    mender: Mender
    form: dict

    def sign_up(self, path=V2, **changes):
        return self.mender.client.post(path, data=self.form | changes)

    def log_in(self):
        return self.mender.client.post(LOGIN, auth=(self.form["email"], PASSWORD))

    @property
    def person(self) -> Person:
        return Person(self.mender.client, self.log_in().text)

    @property
    def tenant(self) -> dict:
        return self.person.get(f"{TENANTADM}/user/tenant").json()

    def activate(self, tenant_id):
        return self.mender.client.put(f"{V2}/{tenant_id}/status", json={"status": "active"})


@pytest.fixture
def fay(world):
    email = f"fay{next(_numbers)}@founders.example"
    said = {"organization": "Founders", "email": email, "password": PASSWORD, "g-recaptcha-response": "human"}
    return Founder(world, said | {"plan": "professional"})


@pytest.fixture
def trial(fay):
    """Fay, in a trial."""
    assert fay.sign_up(TRIAL).status_code == 202
    return fay


def test_a_new_organization_pays_once_its_card_is_verified(stripe, fay):
    signed_up = fay.sign_up().json()
    tenant_id = signed_up["id"]
    assert fay.log_in().status_code == 401

    unverified = fay.activate(tenant_id)
    assert unverified.status_code == 500
    assert "card has not been verified" in unverified.json()["error"]
    assert fay.log_in().status_code == 401
    assert stripe.subscriptions_of(tenant_id) == []

    card = stripe.leave_card(signed_up["secret"])
    assert [fay.activate(tenant_id).status_code for _ in "ab"] == [202, 202]

    assert fay.log_in().status_code == 200
    customer = stripe.customer_of(tenant_id)
    assert (customer["email"], customer["name"]) == (fay.form["email"], "Founders")
    assert customer["invoice_settings"]["default_payment_method"] == card
    assert stripe.subscriptions_of(tenant_id) == [("price_pro", "active")]


def test_a_plan_without_a_price_is_not_charged_for(stripe, fay):
    signed_up = fay.sign_up(plan="os").json()
    stripe.leave_card(signed_up["secret"])

    assert fay.activate(signed_up["id"]).status_code == 202

    assert stripe.subscriptions_of(signed_up["id"]) == []


def test_a_card_without_money_lets_nobody_in(stripe, fay):
    signed_up = fay.sign_up().json()
    stripe.leave_card(signed_up["secret"], WITHOUT_MONEY)

    reply = fay.activate(signed_up["id"])

    assert reply.status_code == 402
    assert reply.json()["error"] == "The card was declined: Your card has insufficient funds."
    assert fay.log_in().status_code == 401


def test_a_card_that_was_made_good_is_charged_at_the_next_try(stripe, fay):
    signed_up = fay.sign_up().json()
    card = stripe.leave_card(signed_up["secret"], WITHOUT_MONEY)
    assert [fay.activate(signed_up["id"]).status_code for _ in "ab"] == [402, 402]

    stripe.methods[card]["token"] = GOOD

    assert fay.activate(signed_up["id"]).status_code == 202
    assert stripe.subscriptions_of(signed_up["id"]) == [("price_pro", "active")]


def test_who_thinks_better_of_it_is_forgotten_by_stripe_as_well(stripe, fay):
    tenant_id = fay.sign_up().json()["id"]

    assert fay.mender.client.delete(f"{V2}/{tenant_id}").status_code == 204

    assert tenant_id not in [each["metadata"]["tenant_id"] for each in stripe.customers.values()]


def test_who_never_comes_back_is_forgotten_by_stripe_as_well(stripe, charging, fay):
    tenant_id = fay.sign_up().json()["id"]
    then = clock.now() - billing.SIGN_UP_KEPT - timedelta(minutes=1)
    with charging.fairlead.database.across_tenants("as if a day had passed") as tx:
        tx.run(sa.update(tenants).where(tenants.c.id == tenant_id).values(created_at=then))

    assert billing.remove_abandoned(charging.fairlead.office) == 1

    assert tenant_id not in [each["metadata"]["tenant_id"] for each in stripe.customers.values()]
    assert fay.sign_up().status_code == 200


def test_the_card_of_a_token_is_charged_at_once(stripe, fay):
    assert fay.sign_up(V1, token="tok_visa").status_code == 202

    tenant = fay.tenant
    assert (tenant["status"], tenant["plan"]) == ("active", "professional")
    assert stripe.subscriptions_of(tenant["id"]) == [("price_pro", "active")]


@pytest.mark.parametrize("token", [DECLINED, WITHOUT_MONEY, "tok_unknown"])
def test_a_token_of_a_bad_card_leaves_nothing_behind(stripe, fay, token):
    customers = dict(stripe.customers)

    reply = fay.sign_up(V1, token=token)

    assert reply.status_code == 402, reply.text
    assert reply.json()["error"].startswith("The card was declined: ")
    assert fay.log_in().status_code == 401
    assert stripe.customers == customers
    assert fay.sign_up(V1, token="tok_visa").status_code == 202


def test_without_a_token_nobody_is_charged(stripe, fay):
    reply = fay.sign_up(V1)

    assert reply.status_code == 400
    assert "token" in reply.json()["error"]


@pytest.mark.parametrize(
    ("path", "away"),
    [(V1, "/v1"), (V1, "/v1/payment_methods"), (V1, "/v1/subscriptions"), (V2, "/v1"), (V2, "/v1/setup_intents")],
)
def test_nothing_is_half_made_while_stripe_is_away(stripe, fay, path, away):
    customers = dict(stripe.customers)
    stripe.away = away

    reply = fay.sign_up(path, token="tok_visa")

    assert reply.status_code == 503
    assert "payment service" in reply.json()["error"]
    assert stripe.customers == customers
    assert fay.log_in().status_code == 401
    stripe.away = EVERYTHING_IS_THERE
    assert fay.sign_up(path, token="tok_visa").status_code in {200, 202}


def test_an_organization_waits_while_stripe_is_away(stripe, fay):
    signed_up = fay.sign_up().json()
    stripe.leave_card(signed_up["secret"])
    stripe.away = "/v1"

    reply = fay.activate(signed_up["id"])

    assert reply.status_code == 503
    assert "payment service" in reply.json()["error"]
    assert int(reply.headers["retry-after"]) > 0
    assert fay.log_in().status_code == 401
    stripe.away = EVERYTHING_IS_THERE
    assert fay.activate(signed_up["id"]).status_code == 202


@pytest.mark.parametrize("path", [V1, V2, TRIAL])
@pytest.mark.parametrize("response", ["", "robot", "x" * 20_000])
def test_who_is_no_person_gets_no_organization(stripe, fay, path, response):
    reply = fay.sign_up(path, token="tok_visa", **{"g-recaptcha-response": response})

    assert reply.status_code == 401
    assert reply.json()["error"] == "reCAPTCHA verification failed"
    assert fay.log_in().status_code == 401


def test_who_cannot_be_told_from_a_robot_is_asked_to_try_again(stripe, fay):
    stripe.away = "/siteverify"

    reply = fay.sign_up(TRIAL)

    assert reply.status_code == 503
    assert "reCAPTCHA" in reply.json()["error"]
    stripe.away = EVERYTHING_IS_THERE
    assert fay.sign_up(TRIAL).status_code == 202


def test_a_trial_is_upgraded_with_a_verified_card(stripe, charging, trial):
    fay, before = trial.person, trial.tenant
    path = f"{V2}/{before['id']}/upgrade"
    assert fay.post(f"{path}/complete", json={"plan": "enterprise"}).status_code == 400  # not started

    started = fay.post(f"{path}/start")
    assert started.status_code == 200
    assert started.json()["id"] == before["id"]
    assert fay.post(f"{path}/start").json() == started.json()
    assert fay.post(f"{path}/complete", json={"plan": "enterprise"}).status_code == 500  # no card yet
    assert trial.tenant["trial"] is True

    stripe.leave_card(started.json()["secret"])
    assert fay.post(f"{path}/complete", json={"plan": "platinum"}).status_code == 400
    completed = fay.post(f"{path}/complete", json={"plan": "enterprise"})

    assert (completed.status_code, completed.content) == (202, b"")
    after = trial.tenant
    assert (after["plan"], after["trial"], after["status"]) == ("enterprise", False, "active")
    assert "trial_expiration" not in after
    assert stripe.subscriptions_of(before["id"]) == [("price_ent", "active")]
    assert trial.person.post(f"{path}/start").status_code == 400  # no trial any more
    with charging.fairlead.database.across_tenants("what limit?", writing=False) as tx:
        assert identity.find_tenant(tx, before["id"]).device_limit == 0


def test_an_upgrade_that_is_cancelled_leaves_the_trial_as_it_was(stripe, trial):
    fay, tenant = trial.person, trial.tenant
    path = f"{V2}/{tenant['id']}/upgrade"
    first = fay.post(f"{path}/start").json()

    assert [fay.post(f"{path}/cancel").status_code for _ in "ab"] == [202, 202]

    (intent,) = [each for each in stripe.intents.values() if each["client_secret"] == first["secret"]]
    assert intent["status"] == "canceled"
    assert fay.post(f"{path}/complete", json={"plan": "os"}).status_code == 400
    assert trial.tenant == tenant


def test_an_upgrade_that_is_started_again_waits_for_a_card_of_its_own(stripe, trial):
    fay, path = trial.person, f"{V2}/{trial.tenant['id']}/upgrade"

    secrets = []
    for _ in "abc":
        secrets.append(fay.post(f"{path}/start").json()["secret"])
        assert [fay.post(f"{path}/cancel").status_code for _ in "ab"] == [202, 202]
    secrets.append(fay.post(f"{path}/start").json()["secret"])

    assert len(set(secrets)) == 4
    stripe.leave_card(secrets[-1])
    assert fay.post(f"{path}/complete", json={"plan": "enterprise"}).status_code == 202


def test_an_upgrade_that_was_cancelled_with_a_card_left_charges_nobody(stripe, trial):
    fay, tenant = trial.person, trial.tenant
    path = f"{V2}/{tenant['id']}/upgrade"
    stripe.leave_card(fay.post(f"{path}/start").json()["secret"])

    assert fay.post(f"{path}/cancel").status_code == 202

    assert fay.post(f"{path}/complete", json={"plan": "enterprise"}).status_code == 400
    assert stripe.subscriptions_of(tenant["id"]) == []


def test_an_upgrade_is_paid_with_the_same_card_once_there_is_money(stripe, trial):
    fay, path = trial.person, f"{V2}/{trial.tenant['id']}/upgrade"
    card = stripe.leave_card(fay.post(f"{path}/start").json()["secret"], WITHOUT_MONEY)
    assert fay.post(f"{path}/complete", json={"plan": "professional"}).status_code == 402

    stripe.methods[card]["token"] = GOOD

    assert fay.post(f"{path}/complete", json={"plan": "professional"}).status_code == 202
    assert stripe.subscriptions_of(trial.tenant["id"]) == [("price_pro", "active")]


def test_who_upgrades_to_two_plans_at_once_pays_for_the_one_they_get(stripe, trial):
    fay, tenant_id = trial.person, trial.tenant["id"]
    path = f"{V2}/{tenant_id}/upgrade"
    stripe.leave_card(fay.post(f"{path}/start").json()["secret"])
    quicker = []
    stripe.meanwhile["POST /v1/subscriptions"] = lambda: quicker.append(
        fay.post(f"{path}/complete", json={"plan": "enterprise"})
    )

    slower = fay.post(f"{path}/complete", json={"plan": "professional"})

    assert (quicker[0].status_code, slower.status_code) == (202, 400)
    assert sorted(stripe.subscriptions_of(tenant_id)) == [("price_ent", "active"), ("price_pro", "canceled")]
    assert trial.tenant["plan"] == "enterprise"
    assert fay.get(BILLING).json()["subscription"]["items"]["data"][0]["price"]["id"] == "price_ent"


def test_who_upgrades_twice_at_once_to_one_plan_keeps_it(stripe, trial):
    fay, tenant_id = trial.person, trial.tenant["id"]
    path = f"{V2}/{tenant_id}/upgrade"
    stripe.leave_card(fay.post(f"{path}/start").json()["secret"])
    again = lambda: fay.post(f"{path}/complete", json={"plan": "professional"})  # noqa: E731
    stripe.meanwhile["POST /v1/subscriptions"] = again

    assert again().status_code == 400

    assert stripe.subscriptions_of(tenant_id) == [("price_pro", "active")]
    assert trial.tenant["plan"] == "professional"


def test_who_leaves_while_an_upgrade_is_under_way_pays_for_nothing(stripe, trial):
    fay, tenant_id = trial.person, trial.tenant["id"]
    stripe.leave_card(fay.post(f"{V2}/{tenant_id}/upgrade/start").json()["secret"])
    left = []
    stripe.meanwhile["POST /v1/subscriptions"] = lambda: left.append(
        fay.post(f"{V2}/{tenant_id}/cancel", json={"reason": "the boats are sold"})
    )

    upgraded = fay.post(f"{V2}/{tenant_id}/upgrade/complete", json={"plan": "professional"})

    assert (left[0].status_code, upgraded.status_code) == (202, 409)
    assert stripe.subscriptions_of(tenant_id) == [("price_pro", "canceled")]


def test_who_upgrades_while_they_leave_is_told_to_leave_again(stripe, charging, fay):
    fay.sign_up(V1, token="tok_visa")
    person, tenant_id = fay.person, fay.tenant["id"]
    with charging.fairlead.database.begin(system_scope(tenant_id)) as tx:
        identity.change_organization(tx, identity.TenantChange(trial_ends_at=clock.now() + timedelta(days=1)))
    stripe.leave_card(person.post(f"{V2}/{tenant_id}/upgrade/start").json()["secret"])
    (running,) = [
        each["id"]
        for each in stripe.subscriptions.values()
        if each["status"] == "active" and each["customer"] == stripe.customer_of(tenant_id)["id"]
    ]
    upgraded = []
    stripe.meanwhile[f"DELETE /v1/subscriptions/{running}"] = lambda: upgraded.append(
        person.post(f"{V2}/{tenant_id}/upgrade/complete", json={"plan": "enterprise"})
    )
    leave = lambda: person.post(f"{V2}/{tenant_id}/cancel", json={"reason": "bored"})  # noqa: E731

    early = leave()
    assert (upgraded[0].status_code, early.status_code) == (202, 409)
    assert "try again" in early.json()["error"]
    assert leave().status_code == 202

    assert sorted(stripe.subscriptions_of(tenant_id)) == [("price_ent", "canceled"), ("price_pro", "canceled")]


def test_what_cannot_be_ended_at_stripe_is_named_in_the_log(stripe, trial, capfd):
    fay, tenant_id = trial.person, trial.tenant["id"]
    path = f"{V2}/{tenant_id}/upgrade"
    stripe.leave_card(fay.post(f"{path}/start").json()["secret"])

    def be_quicker_and_go_away():
        assert fay.post(f"{path}/complete", json={"plan": "enterprise"}).status_code == 202
        stripe.away = "/v1/subscriptions/"

    stripe.meanwhile["POST /v1/subscriptions"] = be_quicker_and_go_away

    assert fay.post(f"{path}/complete", json={"plan": "professional"}).status_code == 400

    (left,) = [
        id_
        for id_, each in stripe.subscriptions.items()
        if each["items"]["data"][0]["price"]["id"] == "price_pro"
        and each["customer"] == stripe.customer_of(tenant_id)["id"]
    ]
    said = "".join(capfd.readouterr())
    assert "billing.subscription_left_behind" in said
    assert left in said


def test_an_organization_that_leaves_is_not_charged_any_more(stripe, fay):
    fay.sign_up(V1, token="tok_visa")
    person, tenant = fay.person, fay.tenant

    reply = person.post(f"{V2}/{tenant['id']}/cancel", json={"reason": "the boats are sold"})

    assert (reply.status_code, reply.content) == (202, b"")
    assert stripe.subscriptions_of(tenant["id"]) == [("price_pro", "canceled")]
    assert person.get(f"{USERADM}/users").status_code == 401
    assert fay.activate(tenant["id"]).status_code == 409


def test_nobody_leaves_while_stripe_is_away(stripe, fay):
    fay.sign_up(V1, token="tok_visa")
    tenant = fay.tenant
    stripe.away = "/v1"

    assert fay.person.post(f"{V2}/{tenant['id']}/cancel", json={"reason": "bored"}).status_code == 503

    assert fay.tenant["status"] == "active"


def test_the_bill_shows_the_card_and_the_subscription_as_stripe_says_them(stripe, fay):
    fay.sign_up(V1, token="tok_visa")

    reply = fay.person.get(BILLING)

    assert reply.status_code == 200
    bill = reply.json()
    assert set(bill) == {"card", "subscription"}
    assert (bill["card"]["brand"], bill["card"]["last4"], bill["card"]["exp_year"]) == ("visa", "4242", 2030)
    assert (bill["subscription"]["object"], bill["subscription"]["status"]) == ("subscription", "active")
    assert bill["subscription"]["items"]["data"][0]["price"]["id"] == "price_pro"


def test_the_bill_of_who_has_left_no_card_is_empty(stripe, trial):
    assert trial.person.get(BILLING).json() == {}

    trial.person.post(f"{BILLING}/secret")

    assert trial.person.get(BILLING).json() == {}


def test_a_secret_is_the_same_until_a_card_is_left_with_it(stripe, trial):
    secrets = [trial.person.post(f"{BILLING}/secret") for _ in "ab"]
    assert [each.status_code for each in secrets] == [200, 200]
    assert secrets[0].json() == secrets[1].json()

    stripe.leave_card(secrets[0].json()["secret"])

    assert trial.person.post(f"{BILLING}/secret").json() != secrets[0].json()


def test_another_card_is_charged_once_it_is_verified(stripe, charging, fay):
    fay.sign_up(V1, token="tok_visa")
    person, tenant = fay.person, fay.tenant

    begun = person.post(f"{BILLING}/card")
    assert begun.status_code == 200
    assert set(begun.json()) == {"intent_id", "secret"}
    confirm = f"{BILLING}/card/{begun.json()['intent_id']}/confirm"
    early = person.post(confirm)
    assert early.status_code == 409
    assert "requires_payment_method" in early.json()["error"]

    card = stripe.leave_card(begun.json()["secret"])
    assert person.post(confirm).status_code == 204

    assert stripe.customer_of(tenant["id"])["invoice_settings"]["default_payment_method"] == card
    with charging.fairlead.database.across_tenants("what was done?", writing=False) as tx:
        scope = identity.scope_of(identity.find_user_by_email(tx, fay.form["email"]), identity.Policy.NOBODY)
        done = [entry.action for entry in audit.recent(tx.within(scope), 3)]
    assert "tenant.change_card" in done


def test_who_never_left_a_card_begins_with_a_secret(stripe, trial):
    assert trial.person.post(f"{BILLING}/card").status_code == 409


def test_someone_elses_intent_looks_like_none(stripe, world, fay):
    settle(world.server, world, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL"})
    ada = world.as_(ADA)
    assert ada.post(f"{BILLING}/secret").status_code == 200
    fay.sign_up(V1, token="tok_visa")
    begun = fay.person.post(f"{BILLING}/card").json()
    stripe.leave_card(begun["secret"])

    replies = [ada.post(f"{BILLING}/card/{id_}/confirm") for id_ in (begun["intent_id"], "seti_none", "a%2Fb", "%00")]

    assert [each.status_code for each in replies] == [404] * 4
    assert len({each.json()["error"] for each in replies[:2]}) == 1


def test_who_may_only_look_has_nothing_to_do_with_money(stripe, world):
    people = {ADA: "RBAC_ROLE_PERMIT_ALL", BEN: "RBAC_ROLE_OBSERVER"}
    acme = settle(world.server, world, "acme", people)
    settle(world.server, world, "zenith", {ZOE: "RBAC_ROLE_PERMIT_ALL"})
    asked = list(stripe.asked)
    ben = world.as_(BEN)
    upgrade = f"{V2}/{acme.tenant.id}/upgrade"

    replies = [
        ben.get(BILLING),
        ben.post(f"{BILLING}/secret"),
        ben.post(f"{BILLING}/card"),
        ben.post(f"{BILLING}/card/seti_1/confirm"),
        ben.post(f"{upgrade}/start"),
        ben.post(f"{upgrade}/complete", json={"plan": "os"}),
        ben.post(f"{upgrade}/cancel"),
        ben.post(f"{V2}/{acme.tenant.id}/cancel", json={"reason": "bored"}),
    ]

    assert [each.status_code for each in replies] == [403] * len(replies)
    assert world.as_(ZOE).post(f"{upgrade}/start").status_code == 404
    assert stripe.asked == asked


def test_what_makes_something_carries_a_key_so_that_it_is_made_once(stripe, fay):
    before = len(stripe.keys)

    fay.sign_up(V1, token="tok_visa")

    assert len(stripe.keys) > before
    assert all(stripe.keys[before:])


def test_the_key_is_never_written_to_the_log(stripe, fay, caplog, capfd):
    with caplog.at_level(logging.DEBUG):
        fay.sign_up(V1, token=DECLINED)
        stripe.away = "/v1"
        fay.sign_up(V2)

    assert KEY not in caplog.text + "".join(capfd.readouterr())
    assert KEY not in repr(fay.mender.server.settings)
