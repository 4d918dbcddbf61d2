"""Other services give people accounts: under an id that they choose, and without a password."""

from __future__ import annotations

import itertools
import uuid

import httpx
import pytest
from operations import INTERNAL

from fairlead.domain import identity
from house.world import ADA, LOGIN, PASSWORD, USERADM, ZOE

TENANTS, USERS = f"{INTERNAL}/tenantadm/tenants", f"{INTERNAL}/tenantadm/users"
_numbers = itertools.count(1)


@pytest.fixture
def internal(server):
    with httpx.Client(base_url=server.internal_url, verify=False, timeout=30) as client:
        yield client


@pytest.fixture
def carl():
    return f"carl{next(_numbers)}@elsewhere.example"


def users_of(mender, who=ADA):
    return {user["email"]: user["id"] for user in mender.as_(who).get(f"{USERADM}/users").json()}


def test_an_account_has_the_id_that_it_was_given_and_everything_may_be_done_with_it(internal, mender, acme, carl):
    user_id = str(uuid.uuid4())

    reply = internal.post(USERS, json={"name": carl, "id": user_id, "tenant_id": acme.tenant.id})

    assert (reply.status_code, reply.content) == (201, b"")
    assert reply.headers["location"] == f"users/{user_id}"
    assert users_of(mender)[carl] == user_id
    assert mender.as_(ADA).get(f"{USERADM}/users/{user_id}").json()["roles"] == ["RBAC_ROLE_PERMIT_ALL"]


def test_nobody_can_log_in_to_an_account_without_a_password(server, internal, mender, acme, carl):
    user_id = internal.post(USERS, json={"name": carl, "tenant_id": acme.tenant.id}).headers["location"][6:]

    for password in ("", PASSWORD):
        assert mender.client.post(LOGIN, auth=(carl, password)).status_code == 401

    with server.fairlead.database.begin(acme.scope) as tx:
        identity.change_user(tx, user_id, identity.UserChange(password=identity.prepare_password(PASSWORD)))
    assert mender.client.post(LOGIN, auth=(carl, PASSWORD)).status_code == 200


def test_a_name_or_an_id_that_is_taken_anywhere_is_refused(internal, mender, acme, zenith, carl):
    theirs = users_of(mender, ZOE)
    ((email, user_id),) = theirs.items()
    tenant = {"tenant_id": acme.tenant.id}

    replies = [
        internal.post(USERS, json={"name": email.upper(), "id": str(uuid.uuid4()), **tenant}),
        internal.post(USERS, json={"name": carl, "id": user_id, **tenant}),
    ]

    assert [each.status_code for each in replies] == [422, 422]
    assert users_of(mender, ZOE) == theirs
    assert carl not in users_of(mender)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "carl"},
        {"name": ""},
        {"id": "a/b"},
        {"id": "x" * 65},
        {"id": "å"},
        {"id": 7},
        {"id": "me"},
        {"login": {"github": "1234"}},
        {"tenant_id": None},
    ],
)
def test_an_account_that_makes_no_sense_is_refused(internal, acme, carl, wrong):
    reply = internal.post(USERS, json={"name": carl, "id": "carl", "tenant_id": acme.tenant.id} | wrong)

    assert reply.status_code == 400, reply.text
    assert set(reply.json()) == {"error", "request_id"}


def test_an_account_needs_a_tenant_that_is_there(internal, carl):
    assert internal.post(USERS, json={"name": carl, "id": "carl", "tenant_id": "nowhere"}).status_code == 404


def test_users_are_found_across_tenants(internal, mender, acme, zenith):
    ((email, user_id),) = users_of(mender, ZOE).items()

    def found(**wanted):
        reply = internal.get(USERS, params=wanted)
        assert reply.status_code == 200
        return reply.json()

    (zoe,) = found(name=email.upper())
    assert zoe == {"id": user_id, "tenant_id": zenith.tenant.id, "name": email, "plan": "enterprise"}
    assert found(id=user_id) == found(tenant_id=zenith.tenant.id) == [zoe]
    assert {each["name"] for each in found(tenant_id=acme.tenant.id)} == set(users_of(mender))
    assert found(id=user_id, tenant_id=acme.tenant.id) == found(name=email, login="github:1234") == []


def test_users_come_in_pages(internal, acme):
    wanted = {"tenant_id": acme.tenant.id}
    first = internal.get(USERS, params={**wanted, "per_page": 1})
    second = internal.get(first.links["next"]["url"])

    assert first.json() + second.json() == internal.get(USERS, params=wanted).json()
    assert set(second.links) == {"prev", "first"}


def test_a_user_is_given_another_name(internal, mender, acme, zenith, carl):
    before = users_of(mender)
    ben_id = next(user_id for email, user_id in before.items() if email.startswith("ben"))
    (zoes_email,) = users_of(mender, ZOE)
    path = f"{TENANTS}/{acme.tenant.id}/users/{ben_id}"

    assert internal.put(path, json={"name": zoes_email}).status_code == 422
    assert internal.put(path, json={"name": "ben"}).status_code == 400
    assert internal.put(path, json={}).status_code == 400
    assert users_of(mender) == before
    assert internal.put(path, json={"name": carl}).status_code == 204

    assert users_of(mender)[carl] == ben_id


def test_a_user_of_another_tenant_is_not_there(internal, mender, acme, zenith):
    zoes = users_of(mender, ZOE)
    (zoe_id,) = zoes.values()

    for tenant_id in (acme.tenant.id, "nowhere"):
        path = f"{TENANTS}/{tenant_id}/users/{zoe_id}"
        assert internal.put(path, json={"name": "taken@example.org"}).status_code == 404
        assert internal.delete(path).status_code == 204

    assert users_of(mender, ZOE) == zoes


def test_an_account_that_is_taken_away_is_away_at_once(internal, mender, acme):
    ben_id = next(user_id for email, user_id in users_of(mender).items() if email.startswith("ben"))
    path = f"{TENANTS}/{acme.tenant.id}/users/{ben_id}"

    assert [internal.delete(path).status_code for _ in "ab"] == [204, 204]

    assert mender.as_("ben").get(f"{USERADM}/users/me").status_code == 401
    assert ben_id not in users_of(mender).values()
