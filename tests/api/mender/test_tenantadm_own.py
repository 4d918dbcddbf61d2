"""What people see of their own organization, and how they end it. This server does no billing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from operations import TENANTADM, TENANTADM_V2

from fairlead.domain import audit, identity
from house.devices import ATTRIBUTES
from house.world import ADA, BEN, LOGIN, USERADM, ZOE, Person, settle

OWN = f"{TENANTADM}/user/tenant"
BILLING = f"{TENANTADM_V2}/billing"


def upgrade(organization, step):
    return f"{TENANTADM_V2}/tenants/{organization.tenant.id}/upgrade/{step}"


def cancel(organization):
    return f"{TENANTADM_V2}/tenants/{organization.tenant.id}/cancel"


@pytest.fixture
def trial(server, acme):
    """Acme, in a trial of the plan os."""
    with server.fairlead.database.begin(acme.scope) as tx:
        until = datetime.now(UTC) + timedelta(days=1)
        identity.change_organization(tx, identity.TenantChange(plan="os", trial_ends_at=until))
    return acme


@pytest.mark.parametrize("who", [ADA, BEN])
def test_everyone_may_see_the_own_organization(mender, acme, who):
    reply = mender.as_(who).get(OWN)

    assert reply.status_code == 200
    assert reply.json() == {
        "id": acme.tenant.id,
        "name": "acme",
        "tenant_token": acme.tenant.token,
        "status": "active",
        "plan": "enterprise",
        "trial": False,
        "api_limits": {
            "management": {"bursts": [], "quota": {"max_calls": 0, "interval_sec": 0}},
            "devices": {"bursts": [], "quota": {"max_calls": 0, "interval_sec": 0}},
        },
        "features": {"rbac": True, "audit_logs": True, "dynamic_groups": True},
    }


def test_a_smaller_plan_has_fewer_features(server, mender):
    settle(server, mender, "small", {ZOE: "RBAC_ROLE_PERMIT_ALL"}, plan="os")

    assert mender.as_(ZOE).get(OWN).json()["features"] == {"rbac": False, "audit_logs": False, "dynamic_groups": False}


def test_an_organization_that_is_cancelled_is_locked_out_with_its_devices_and_keeps_its_reason(server, mender, acme):
    door = acme.device("door")

    reply = mender.as_(ADA).post(cancel(acme), json={"reason": "the boats are sold"})

    assert (reply.status_code, reply.content) == (202, b"")
    assert mender.as_(ADA).get(OWN).status_code == 401
    assert door.request("PATCH", ATTRIBUTES, json=[]).status_code == 401
    with server.fairlead.database.across_tenants("was it noted?", writing=False) as tx:
        tenant = identity.find_tenant(tx, acme.tenant.id)
    assert (tenant.status, tenant.cancelled_at is not None) == ("suspended", True)
    with server.fairlead.database.read(acme.scope) as tx:
        last = audit.recent(tx, 1)[0]
    assert (last.action, last.actor_name.split("@")[0], last.details) == (
        "tenant.cancel",
        ADA,
        {"reason": "the boats are sold"},
    )


def test_who_is_limited_to_device_groups_does_not_lock_out_all_other_devices(server, mender, acme):
    ada, email = mender.as_(ADA), f"gil@{acme.tenant.id}.example"
    doors = {"action": "VIEW_DEVICE", "object": {"type": "DEVICE_GROUP", "value": "doors"}}
    assert ada.post(f"{USERADM}/roles", json={"name": "doors", "permissions": [doors]}).status_code == 201
    gil = {"email": email, "password": "long enough", "roles": ["RBAC_ROLE_PERMIT_ALL", "doors"]}
    assert ada.post(f"{USERADM}/users", json=gil).status_code == 201
    token = mender.client.post(LOGIN, auth=(email, "long enough")).text

    reply = Person(mender.client, token).post(cancel(acme), json={"reason": "the doors are sold"})

    assert reply.status_code == 403, reply.text
    assert ada.get(OWN).json()["status"] == "active"


def test_the_operator_can_take_a_cancellation_back(server, mender, acme):
    mender.as_(ADA).post(cancel(acme), json={"reason": "the boats are sold"})

    with server.fairlead.database.across_tenants("the operator") as tx:
        identity.activate_tenant(tx, acme.tenant.id)

    assert mender.as_(ADA).get(OWN).json()["status"] == "active"
    with server.fairlead.database.across_tenants("is it forgotten?", writing=False) as tx:
        assert identity.find_tenant(tx, acme.tenant.id).cancelled_at is None


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": " "}, {"reason": 1}, {"reason": "x" * 5000}, []])
def test_who_leaves_says_why(mender, acme, body):
    assert mender.as_(ADA).post(cancel(acme), json=body).status_code == 400
    assert mender.as_(ADA).get(OWN).status_code == 200


def test_an_organization_that_is_not_active_cannot_be_cancelled(server, acme):
    with server.fairlead.database.across_tenants("the operator") as tx:
        identity.suspend_tenant(tx, acme.tenant.id)

    with pytest.raises(identity.TenantNotActive), server.fairlead.database.begin(acme.scope) as tx:
        identity.cancel_organization(tx, "bored")


def test_nobody_cancels_or_upgrades_someone_elses_organization(mender, acme, zenith):
    zoe, body = mender.as_(ZOE), {"plan": "os"}

    replies = [zoe.post(cancel(acme), json={"reason": "envy"})]
    replies += [zoe.post(upgrade(acme, step), json=body) for step in ("start", "complete", "cancel")]

    assert [each.status_code for each in replies] == [404] * 4
    assert mender.as_(ADA).get(OWN).json()["status"] == "active"


def test_without_billing_a_trial_is_upgraded_without_a_card(server, mender, trial):
    started = mender.as_(ADA).post(upgrade(trial, "start"))
    assert started.json() == {"id": trial.tenant.id, "secret": ""}

    assert mender.as_(ADA).post(upgrade(trial, "cancel")).status_code == 202
    assert mender.as_(ADA).get(OWN).json()["trial"] is True
    assert mender.as_(ADA).post(upgrade(trial, "complete"), json={"plan": "professional"}).status_code == 202

    after = mender.as_(ADA).get(OWN).json()
    assert (after["plan"], after["trial"]) == ("professional", False)
    assert trial.log()[-1] == "ada tenant.upgrade"


def test_what_is_no_trial_is_not_upgraded(mender, acme):
    bodies = {"start": None, "complete": {"plan": "os"}, "cancel": None}

    replies = [mender.as_(ADA).post(upgrade(acme, step), json=body) for step, body in bodies.items()]

    assert [each.status_code for each in replies] == [400] * 3
    assert mender.as_(ADA).get(OWN).json()["plan"] == "enterprise"


@pytest.mark.parametrize("body", [{}, {"plan": ""}, {"plan": "platinum"}, {"plan": 1}])
def test_a_trial_is_upgraded_to_a_plan_that_there_is(mender, trial, body):
    assert mender.as_(ADA).post(upgrade(trial, "complete"), json=body).status_code == 400
    assert mender.as_(ADA).get(OWN).json()["trial"] is True


@pytest.mark.parametrize(
    ("method", "path"), [("GET", ""), ("POST", "/secret"), ("POST", "/card"), ("POST", "/card/seti_1/confirm")]
)
def test_a_server_without_billing_says_what_it_takes(mender, acme, method, path):
    reply = mender.as_(ADA).request(method, BILLING + path)

    assert reply.status_code == 409
    assert "--stripe-key" in reply.json()["error"]
