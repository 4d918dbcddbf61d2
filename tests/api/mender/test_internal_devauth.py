"""What do gateways and other services ask and tell devauth? `/api/internal/v1/devauth`."""

import time

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from test_strangers import claims_of

from fairlead.base.keys import KeyFolder
from fairlead.domain import identity
from house.devices import Device
from house.world import ADA, DEVAUTH, ZOE

INTERNAL = "/api/internal/v1/devauth"
SERVICES = ("devauth", "inventory", "deployments", "useradm")


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def expired(server, token: str) -> str:
    """The same token, as it would be if it had been issued long ago."""
    key = RSAKey.import_key(KeyFolder(server.settings.keys_folder).rsa("tokens"))
    return jwt.encode({"alg": "RS256", "typ": "JWT"}, claims_of(token) | {"exp": int(time.time()) - 1}, key)


def verified(internal, token: str) -> int:
    return internal.post(f"{INTERNAL}/tokens/verify", headers=bearer(token)).status_code


def test_the_token_of_a_device_that_is_in_is_good(internal, acme):
    door = acme.device("door")

    assert [verified(internal, door.token) for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"Authorization": "Basic YTpi"}])
def test_without_a_token_there_is_nothing_to_verify(internal, headers):
    reply = internal.post(f"{INTERNAL}/tokens/verify", headers=headers)

    assert reply.status_code == 400
    assert set(reply.json()) == {"error", "request_id"}


def test_a_token_that_is_not_a_devices_is_no_good(internal, mender, acme):
    assert verified(internal, mender.tokens[ADA]) == 401
    assert verified(internal, acme.tenant.token) == 401
    assert verified(internal, "garbage") == 401


def test_a_token_that_has_expired_is_told_from_a_bad_one(server, internal, acme):
    token = expired(server, acme.device("door").token)

    assert verified(internal, token) == 403
    assert verified(internal, token[:-8] + "AAAAAAAA") == 401


def test_a_token_is_worth_nothing_once_its_device_is_out(internal, acme):
    rejected, decommissioned = acme.device("door"), acme.device("gate")
    assert verified(internal, rejected.token) == verified(internal, decommissioned.token) == 200

    acme.change_status(rejected, "rejected")
    acme.mender.as_(ADA).delete(f"{DEVAUTH}/devices/{decommissioned.id}")

    assert verified(internal, rejected.token) == verified(internal, decommissioned.token) == 401


def test_the_tokens_of_one_device_can_be_revoked(internal, acme):
    door, gate = acme.device("door"), acme.device("gate")
    said = {"tenant_id": acme.tenant.id, "device_id": door.id}

    assert internal.delete(f"{INTERNAL}/tokens", params=said).status_code == 204

    assert (verified(internal, door.token), verified(internal, gate.token)) == (401, 200)
    assert (door.report({"a": 1}).status_code, gate.report({"a": 1}).status_code) == (401, 200)
    assert door.ask().status_code == 200
    assert door.report({"a": 1}).status_code == 200


def test_the_tokens_of_all_devices_of_a_tenant_can_be_revoked(internal, mender, acme, zenith):
    door, gate, theirs = acme.device("door"), acme.device("gate"), zenith.device("door")

    assert internal.delete(f"{INTERNAL}/tokens", params={"tenant_id": acme.tenant.id}).status_code == 204

    assert [verified(internal, each.token) for each in (door, gate, theirs)] == [401, 401, 200]
    assert door.next().status_code == 401
    assert mender.as_(ADA).get(f"{DEVAUTH}/devices").status_code == 200
    assert door.ask().status_code == gate.ask().status_code == 200


def test_a_device_of_another_tenant_keeps_its_tokens(internal, acme, zenith):
    theirs = zenith.device("door")
    said = {"tenant_id": acme.tenant.id, "device_id": theirs.id}

    assert internal.delete(f"{INTERNAL}/tokens", params=said).status_code == 204

    assert verified(internal, theirs.token) == 200


def test_whose_tokens_are_revoked_must_be_said(internal, acme):
    nobody = internal.delete(f"{INTERNAL}/tokens", params={"device_id": acme.device("door").id})
    nowhere = internal.delete(f"{INTERNAL}/tokens", params={"tenant_id": "nowhere"})

    assert (nobody.status_code, nobody.json()["error"]) == (400, "tenant_id must be provided")
    assert nowhere.status_code == 404


def test_the_device_limit_is_set_and_lifted_and_counts(internal, mender, acme):
    limit = f"{INTERNAL}/tenant/{acme.tenant.id}/limits/max_devices"
    assert internal.get(limit).json() == {"limit": 0}

    assert internal.put(limit, json={"limit": 1}).status_code == 204
    assert internal.get(limit).json() == mender.as_(ADA).get(f"{DEVAUTH}/limits/max_devices").json() == {"limit": 1}
    acme.device("door")
    gate = acme.ask("gate")
    path = f"{DEVAUTH}/devices/{gate.id}/auth/{gate.auth_set}/status"
    assert mender.as_(ADA).put(path, json={"status": "accepted"}).status_code == 422

    assert internal.delete(limit).status_code == 204
    assert internal.get(limit).json() == {"limit": 0}
    assert mender.as_(ADA).put(path, json={"status": "accepted"}).status_code == 204


@pytest.mark.parametrize(
    "body", [{"limit": -1}, {"limit": "5"}, {"limit": 1.5}, {"limit": None}, {}, [], {"limit": 2**80}]
)
def test_a_limit_that_is_none_is_refused(internal, acme, body):
    limit = f"{INTERNAL}/tenant/{acme.tenant.id}/limits/max_devices"

    assert internal.put(limit, json=body).status_code == 400
    assert internal.get(limit).json() == {"limit": 0}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_there_is_no_other_limit_and_no_other_tenant(internal, acme, method):
    body = {"json": {"limit": 1}} if method == "PUT" else {}

    other = internal.request(method, f"{INTERNAL}/tenant/{acme.tenant.id}/limits/max_boats", **body)
    nowhere = internal.request(method, f"{INTERNAL}/tenant/nowhere/limits/max_devices", **body)

    assert (other.status_code, other.json()["error"]) == (400, "unsupported limit max_boats")
    assert nowhere.status_code == 404


def test_a_devices_status_is_told(internal, acme, zenith):
    door, gate, theirs = acme.device("door"), acme.ask("gate"), zenith.device("door")
    path = f"{INTERNAL}/tenants/{acme.tenant.id}/devices"

    assert internal.get(f"{path}/{door.id}/status").json() == {"status": "accepted"}
    assert internal.get(f"{path}/{gate.id}/status").json() == {"status": "pending"}
    assert internal.get(f"{path}/{theirs.id}/status").status_code == 404
    assert internal.get(f"{path}/nowhere/status").status_code == 404
    assert internal.get(f"{INTERNAL}/tenants/nowhere/devices/{door.id}/status").status_code == 404


def test_a_tenants_devices_are_listed_and_counted(internal, mender, acme, zenith):
    zenith.device("theirs")
    for name in ("one", "two"):
        acme.device(name)
    acme.ask("three")
    path = f"{INTERNAL}/tenants/{acme.tenant.id}/devices"

    assert internal.get(path).json() == mender.as_(ADA).get(f"{DEVAUTH}/devices").json()
    assert [each["id"] for each in internal.get(path, params={"status": "pending"}).json()] == [
        acme.devices["three"].id
    ]
    assert internal.get(f"{path}/count").json() == {"count": 3}
    assert internal.get(f"{path}/count", params={"status": "accepted"}).json() == {"count": 2}
    assert internal.get(f"{INTERNAL}/tenants/nowhere/devices").status_code == 404
    assert internal.get(f"{INTERNAL}/tenants/nowhere/devices/count").status_code == 404


def test_a_tenants_devices_are_listed_in_pages(internal, acme):
    for name in ("one", "two", "three"):
        acme.ask(name)
    path = f"{INTERNAL}/tenants/{acme.tenant.id}/devices"

    second = internal.get(path, params={"page": 2, "per_page": 1, "status": "pending"})

    assert [each["id"] for each in second.json()] == [acme.devices["two"].id]
    assert [link.split("rel=")[1] for link in second.headers.get_list("link")] == ['"prev"', '"next"', '"first"']
    assert f"<{path}?page=3&per_page=1&status=pending>" in second.headers.get_list("link")[1]


@pytest.mark.parametrize("query", [{"status": "happy"}, {"page": "0"}, {"per_page": "501"}])
def test_a_list_that_makes_no_sense_is_refused(internal, acme, query):
    assert internal.get(f"{INTERNAL}/tenants/{acme.tenant.id}/devices", params=query).status_code == 400


@pytest.mark.parametrize("service", SERVICES)
def test_a_tenant_is_provisioned_once(server, internal, mender, service):
    tenant_id = f"new-{service}_{time.monotonic_ns()}"

    for _ in range(2):
        assert internal.post(f"/api/internal/v1/{service}/tenants", json={"tenant_id": tenant_id}).status_code == 201

    with server.fairlead.database.across_tenants("is it there?", writing=False) as tx:
        tenant = identity.find_tenant(tx, tenant_id)
    assert (tenant.id, tenant.name, tenant.status, tenant.plan) == (tenant_id, tenant_id, "active", "enterprise")
    assert Device(mender.client, {"mac": "first"}, tenant.token).ask().json()["error"] == "dev auth: unauthorized"
    assert internal.get(f"{INTERNAL}/tenants/{tenant_id}/devices/count").json() == {"count": 1}


def test_a_tenant_that_is_there_stays_as_it_is(internal, mender, acme):
    acme.device("door")

    assert internal.post(f"{INTERNAL}/tenants", json={"tenant_id": acme.tenant.id}).status_code == 201

    assert acme.status("door") == "accepted"
    assert mender.as_(ADA).get(f"{DEVAUTH}/devices/count").json() == {"count": 1}


@pytest.mark.parametrize("tenant_id", ["", "a b", "x" * 65, "ä", "../etc", "a/b", None, 5])
@pytest.mark.parametrize("service", SERVICES)
def test_a_tenant_needs_an_id_that_can_be_one(internal, service, tenant_id):
    reply = internal.post(f"/api/internal/v1/{service}/tenants", json={"tenant_id": tenant_id})

    assert reply.status_code == 400
    assert set(reply.json()) == {"error", "request_id"}


def test_nobody_sees_more_than_before(internal, mender, acme, zenith):
    acme.device("door")

    assert internal.get(f"{INTERNAL}/tenants/{zenith.tenant.id}/devices").json() == []
    assert mender.as_(ZOE).get(f"{DEVAUTH}/devices").json() == []


def test_the_only_tenant_is_called_default(alone):
    internal, ada, door = alone.internal, alone.ada, alone.door

    assert verified(internal, door.token) == 200
    assert internal.get(f"{INTERNAL}/tenants/default/devices/{door.id}/status").json() == {"status": "accepted"}
    assert len(internal.get(f"{INTERNAL}/tenants/default/devices").json()) == 1
    assert internal.put(f"{INTERNAL}/tenant/default/limits/max_devices", json={"limit": 7}).status_code == 204
    assert ada.get(f"{DEVAUTH}/limits/max_devices").json() == {"limit": 7}
    assert internal.delete(f"{INTERNAL}/tokens", params={"tenant_id": "default"}).status_code == 204
    assert verified(internal, door.token) == 401
    assert door.ask().status_code == 200


@pytest.mark.parametrize("service", SERVICES)
def test_the_only_tenant_stays_the_only_one(alone, service):
    internal = alone.internal
    path = f"/api/internal/v1/{service}/tenants"

    for body in ({"tenant_id": "default"}, {"tenant_id": ""}, {}):
        assert internal.post(path, json=body).status_code == 201
    refused = internal.post(path, json={"tenant_id": "acme"})

    assert refused.status_code == 400
    assert "one organization" in refused.json()["error"]
