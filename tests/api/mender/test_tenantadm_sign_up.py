"""Who wants an organization gets one: at once, after it was activated, or for the time of a trial."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from operations import TENANTADM, TENANTADM_V2

from fairlead.base import clock
from fairlead.base.database import metadata
from fairlead.base.scope import system_scope
from fairlead.domain import billing, identity
from fairlead.domain.identity.store import tenants
from fairlead.settings import Settings
from house.server import RunningServer
from house.world import ADA, LOGIN, PASSWORD, USERADM, Mender, Person

V1, V2, TRIAL = f"{TENANTADM}/tenants", f"{TENANTADM_V2}/tenants", f"{TENANTADM_V2}/tenants/trial"
WAYS = {"v1": V1, "v2": V2, "trial": TRIAL}
_numbers = itertools.count(1)


def wish(**changes):
    """A form that is good, with these changes; None leaves a field out."""
    said = {
        "organization": "Founders",
        "email": f"fay{next(_numbers)}@founders.example",
        "password": PASSWORD,
        "g-recaptcha-response": "human",
        "name": "Fay Founder",
        "plan": "professional",
    }
    return {name: value for name, value in (said | changes).items() if value is not None}


def log_in(mender, email):
    return mender.client.post(LOGIN, auth=(email, PASSWORD))


def own_tenant(mender, email):
    reply = log_in(mender, email)
    assert reply.status_code == 200, reply.text
    return Person(mender.client, reply.text).get(f"{TENANTADM}/user/tenant").json()


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
def test_who_signs_up_may_do_everything_at_once(mender, encoding):
    form = wish()
    files = {"files": {name: (None, value) for name, value in form.items()}}

    reply = mender.client.post(V1, **(files if encoding == "multipart" else {"data": form}))

    assert (reply.status_code, reply.content) == (202, b"")
    fay = Person(mender.client, log_in(mender, form["email"]).text)
    (me,) = fay.get(f"{USERADM}/users").json()
    assert (me["email"], me["roles"]) == (form["email"], ["RBAC_ROLE_PERMIT_ALL"])
    tenant = fay.get(f"{TENANTADM}/user/tenant").json()
    assert (tenant["name"], tenant["status"], tenant["plan"]) == ("Founders", "active", "professional")
    assert "trial_expiration" not in tenant


@pytest.mark.parametrize(("plan", "limit"), [("os", 50), ("professional", 250), ("enterprise", 0), (None, 50)])
def test_a_plan_brings_its_device_limit(server, mender, plan, limit):
    form = wish(plan=plan)

    assert mender.client.post(V1, data=form).status_code == 202

    tenant = own_tenant(mender, form["email"])
    with server.fairlead.database.read(system_scope(tenant["id"])) as tx:
        assert identity.own_tenant(tx).device_limit == limit


def test_two_organizations_may_have_one_name(mender):
    first, second = wish(), wish()

    assert [mender.client.post(V1, data=form).status_code for form in (first, second)] == [202, 202]

    assert own_tenant(mender, first["email"])["id"] != own_tenant(mender, second["email"])["id"]


@pytest.mark.parametrize("way", WAYS)
def test_an_email_that_someone_has_anywhere_is_a_conflict(mender, acme, way):
    (taken,) = [user["email"] for user in mender.as_(ADA).get(f"{USERADM}/users").json() if "ada" in user["email"]]

    reply = mender.client.post(WAYS[way], data=wish(email=taken.upper()))

    assert reply.status_code == 409
    assert reply.json()["error"] == "user with a given email already exists"


BAD = {
    "no organization": {"organization": None},
    "a blank organization": {"organization": "  "},
    "an organization that is not ASCII": {"organization": "Blåbær"},
    "an organization of control characters": {"organization": "a\x07b"},
    "a long organization": {"organization": "a" * 257},
    "no e-mail": {"email": None},
    "an e-mail that is none": {"email": "fay"},
    "an e-mail that is not ASCII": {"email": "fåy@founders.example"},
    "no password": {"password": None},
    "a short password": {"password": "short"},
    "a long password": {"password": "x" * 1025},
    "an unknown plan": {"plan": "platinum"},
    "a NUL": {"name": "Fay\0"},
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("what", BAD)
def test_a_form_that_makes_no_sense_is_refused_and_says_why(mender, way, what):
    form = wish(**BAD[what])

    reply = mender.client.post(WAYS[way], data=form)

    assert reply.status_code == 400, reply.text
    assert set(reply.json()) == {"error", "request_id"}
    if "email" in form:
        assert log_in(mender, form["email"]).status_code == 401


BODIES = {
    "nothing": ("", b""),
    "JSON": ("application/json", b'{"organization": "Founders"}'),
    "a multipart form without a boundary": ("multipart/form-data", b"x"),
    "half a multipart form": ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"'),
    "no UTF-8": ("application/x-www-form-urlencoded", b"organization=%ff"),
    "another charset": ("application/x-www-form-urlencoded; charset=hex", b"organization=%ff"),
    "a thousand fields": ("application/x-www-form-urlencoded", b"&".join(b"a=1" for _ in range(1000))),
}


@pytest.mark.parametrize("what", BODIES)
def test_what_is_no_form_is_refused(mender, what):
    kind, body = BODIES[what]

    reply = mender.client.post(V1, content=body, headers={"Content-Type": kind} if kind else {})

    assert reply.status_code == 400, reply.text
    assert set(reply.json()) == {"error", "request_id"}


def test_a_form_that_is_too_large_is_refused(mender):
    assert mender.client.post(V1, data=wish(name="x" * 70_000)).status_code == 413


def test_an_organization_that_is_not_activated_lets_nobody_in(mender):
    form = wish()

    signed_up = mender.client.post(V2, data=form)

    assert signed_up.status_code == 200
    assert set(signed_up.json()) == {"id", "secret"}
    assert signed_up.json()["secret"] == ""  # nothing is charged for here, so there is no card to leave
    assert log_in(mender, form["email"]).status_code == 401

    activated = mender.client.put(f"{V2}/{signed_up.json()['id']}/status", json={"status": "active"})

    assert (activated.status_code, activated.content) == (202, b"")
    assert own_tenant(mender, form["email"])["id"] == signed_up.json()["id"]


def test_activating_twice_is_harmless(mender):
    tenant_id = mender.client.post(V2, data=wish()).json()["id"]

    again = [mender.client.put(f"{V2}/{tenant_id}/status", json={"status": "active"}).status_code for _ in "ab"]

    assert again == [202, 202]


def test_only_the_operator_lets_a_suspended_organization_in_again(server, mender, acme):
    with server.fairlead.database.across_tenants("the operator") as tx:
        identity.suspend_tenant(tx, acme.tenant.id)

    reply = mender.client.put(f"{V2}/{acme.tenant.id}/status", json={"status": "active"})

    assert reply.status_code == 409
    assert mender.as_(ADA).get(f"{USERADM}/users").status_code == 401


@pytest.mark.parametrize("body", [{"status": "suspended"}, {"status": "inactive"}, {"status": ""}, {}, []])
def test_the_only_status_that_anyone_may_ask_for_is_active(mender, body):
    tenant_id = mender.client.post(V2, data=wish()).json()["id"]

    assert mender.client.put(f"{V2}/{tenant_id}/status", json=body).status_code == 400


def test_an_unknown_organization_cannot_be_activated(mender):
    assert mender.client.put(f"{V2}/nowhere/status", json={"status": "active"}).status_code == 404


def test_an_organization_that_was_never_activated_can_be_taken_back_whole(server, mender):
    form = wish()
    tenant_id = mender.client.post(V2, data=form).json()["id"]

    assert mender.client.delete(f"{V2}/{tenant_id}").status_code == 204

    with server.fairlead.database.across_tenants("is anything left?", writing=False) as tx:
        assert rows_of(tx, tenant_id) == {}
    assert mender.client.delete(f"{V2}/{tenant_id}").status_code == 405
    assert mender.client.post(V2, data=form).status_code == 200  # the e-mail is free again


@pytest.fixture
def founded_long_ago(server):
    """Make organizations older than the time that sign-ups are kept for."""

    def age(*tenant_ids):
        then = clock.now() - billing.SIGN_UP_KEPT - timedelta(minutes=1)
        with server.fairlead.database.across_tenants("as if a day had passed") as tx:
            tx.run(sa.update(tenants).where(tenants.c.id.in_(tenant_ids)).values(created_at=then))

    return age


def test_a_sign_up_that_nobody_came_back_for_is_taken_back_after_a_day(server, mender, founded_long_ago):
    old, new = wish(), wish()
    old_id, new_id = (mender.client.post(V2, data=form).json()["id"] for form in (old, new))
    founded_long_ago(old_id)
    assert mender.client.post(V2, data=old).status_code == 409

    assert billing.remove_abandoned(server.fairlead.office) == 1
    assert billing.remove_abandoned(server.fairlead.office) == 0

    with server.fairlead.database.across_tenants("is anything left?", writing=False) as tx:
        assert rows_of(tx, old_id) == {}
    assert mender.client.post(V2, data=old).status_code == 200
    assert mender.client.put(f"{V2}/{new_id}/status", json={"status": "active"}).status_code == 202


def test_an_organization_that_was_ever_let_in_or_locked_out_is_never_taken_back(server, mender, founded_long_ago):
    let_in, locked_out, shut = (mender.client.post(V2, data=wish()).json()["id"] for _ in "abc")
    for tenant_id in (let_in, locked_out):
        assert mender.client.put(f"{V2}/{tenant_id}/status", json={"status": "active"}).status_code == 202
    with server.fairlead.database.across_tenants("the operator") as tx:
        identity.suspend_tenant(tx, locked_out)
        identity.suspend_tenant(tx, shut)  # it was inactive until now
    founded_long_ago(let_in, locked_out, shut)

    assert billing.remove_abandoned(server.fairlead.office) == 0

    with server.fairlead.database.across_tenants("are they there?", writing=False) as tx:
        found = [identity.find_tenant(tx, each).status for each in (let_in, locked_out, shut)]
    assert found == ["active", "suspended", "suspended"]


def rows_of(tx, tenant_id):
    """How many rows of each table name the tenant."""
    counts = {}
    for table in metadata.sorted_tables:
        column = table.c.get("tenant_id", table.c.id if table.name == "tenants" else None)
        if column is not None:
            counts[table.name] = tx.scalar(sa.select(sa.func.count()).select_from(table).where(column == tenant_id))
    return {name: count for name, count in counts.items() if count}


def test_any_other_organization_cannot_be_taken_back_and_none_looks_the_same(mender, acme):
    theirs, nobodys = mender.client.delete(f"{V2}/{acme.tenant.id}"), mender.client.delete(f"{V2}/nowhere")

    assert (theirs.status_code, nobodys.status_code) == (405, 405)
    assert theirs.json()["error"] == nobodys.json()["error"]
    assert mender.as_(ADA).get(f"{USERADM}/users").status_code == 200


def test_a_trial_is_active_at_once_and_ends_after_two_weeks(mender):
    form = wish(plan=None)

    reply = mender.client.post(TRIAL, data=form)

    assert (reply.status_code, reply.content) == (202, b"")
    tenant = own_tenant(mender, form["email"])
    assert (tenant["plan"], tenant["trial"], tenant["status"]) == ("enterprise", True, "active")
    left = datetime.fromisoformat(tenant["trial_expiration"]) - datetime.now(UTC)
    assert timedelta(days=13, hours=23) < left <= timedelta(days=14)


def test_a_trial_that_is_over_is_suspended_and_others_are_not(server, mender):
    identity.suspend_ended_trials(server.fairlead.database)  # those of other tests
    over, running = wish(), wish()
    for form in (over, running):
        assert mender.client.post(TRIAL, data=form).status_code == 202
    token, ended = log_in(mender, over["email"]).text, own_tenant(mender, over["email"])
    with server.fairlead.database.begin(system_scope(ended["id"])) as tx:
        past = datetime.now(UTC) - timedelta(seconds=1)
        identity.change_organization(tx, identity.TenantChange(trial_ends_at=past))

    assert identity.suspend_ended_trials(server.fairlead.database) == 1
    assert identity.suspend_ended_trials(server.fairlead.database) == 0

    assert log_in(mender, over["email"]).status_code == 401
    assert Person(mender.client, token).get(f"{USERADM}/users").status_code == 401
    assert log_in(mender, running["email"]).status_code == 200


@pytest.fixture(scope="module")
def alone(engine, tmp_path_factory):
    """A server that serves one organization."""
    settings = Settings(data=tmp_path_factory.mktemp("alone"), database=engine.url("alone_tenantadm"))
    with RunningServer(settings) as server, Mender(server) as client:
        with server.fairlead.database.begin(system_scope(identity.DEFAULT_TENANT_ID)) as tx:
            identity.add_user(tx, "ada@example.org", identity.prepare_password(PASSWORD))
        client.tokens[ADA] = client.client.post(LOGIN, auth=("ada@example.org", PASSWORD)).text
        yield client


@pytest.mark.parametrize("way", WAYS)
def test_a_server_of_one_organization_makes_no_other_and_says_how_it_would(alone, way):
    reply = alone.client.post(WAYS[way], data=wish())

    assert reply.status_code == 403
    assert "--multitenant" in reply.json()["error"]


def test_the_one_organization_is_shown_and_cannot_be_cancelled_or_removed(alone):
    tenant = alone.as_(ADA).get(f"{TENANTADM}/user/tenant").json()
    assert (tenant["id"], tenant["name"], tenant["plan"]) == ("default", "default", "enterprise")

    assert alone.as_(ADA).post(f"{V2}/default/cancel", json={"reason": "enough"}).status_code == 403
    assert alone.client.delete(f"{V2}/default").status_code == 405
    assert alone.as_(ADA).get(f"{USERADM}/users").status_code == 200
