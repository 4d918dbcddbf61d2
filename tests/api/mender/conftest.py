"""What the tests of this API share: an Acme that nobody changes, and calls from the table of operations."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from operations import unknown_ids

from fairlead.base.scope import system_scope
from fairlead.domain import identity
from fairlead.settings import Settings
from house.devices import Device
from house.server import RunningServer
from house.world import (
    ADA,
    BEN,
    DEVAUTH,
    HASH,
    INVENTORY,
    LOGIN,
    PASSWORD,
    USERADM,
    Mender,
    Organization,
    Person,
    settled,
)


@pytest.fixture(scope="session")
def standing(server) -> Iterator[Organization]:
    """An Acme with a device, `door`, for tests of refusals: they leave it as it was, so they may share it."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL", BEN: "RBAC_ROLE_OBSERVER"}) as organization:
        organization.device("door")
        yield organization


@pytest.fixture
def ids(mender, acme) -> dict[str, str]:
    """One of everything that Acme has, by what it is."""
    device = acme.device("door")
    device.report({"device_type": "door-lock"})
    ada = mender.as_(ADA)
    assert ada.put(f"{INVENTORY}/devices/{device.id}/group", json={"group": "doors"}).status_code == 204
    ben = next(user for user in ada.get(f"{USERADM}/users").json() if user["email"].startswith(BEN))
    role = {"name": "watchers", "permissions": [{"action": "VIEW_DEVICE", "object": {"type": "any", "value": "any"}}]}
    assert ada.post(f"{USERADM}/roles", json=role).status_code == 201
    return unknown_ids() | {
        "device": device.id,
        "auth_set": device.auth_set,
        "artifact": acme.artifact("release-1"),
        "deployment": acme.deploy("release-1"),
        "user": ben["id"],
        "group": "doors",
        "role": "watchers",
        "tenant": acme.tenant.id,
    }


@pytest.fixture
def internal(server) -> Iterator[httpx.Client]:
    """A client of the internal listener, which asks nobody for a token."""
    with httpx.Client(base_url=server.internal_url, verify=False, timeout=30) as client:
        yield client


@dataclass
class Alone:
    """A server that serves one organization only: its internal listener, its administrator, a device that is in."""

    internal: httpx.Client
    ada: Person
    door: Device


@pytest.fixture(scope="module")
def alone(engine, tmp_path_factory) -> Iterator[Alone]:
    """A server of its own for the tests of a file."""
    settings = Settings(
        data=tmp_path_factory.mktemp("alone"), database=engine.url(f"alone_{os.urandom(4).hex()}"), multitenant=False
    )
    with RunningServer(settings) as server, Mender(server) as client:
        with server.fairlead.database.begin(system_scope(identity.DEFAULT_TENANT_ID)) as tx:
            identity.add_user(tx, "ada@example.org", HASH)
        client.tokens[ADA] = client.client.post(LOGIN, auth=("ada@example.org", PASSWORD)).text
        with server.fairlead.database.across_tenants("the only one", writing=False) as tx:
            tenant = identity.find_tenant(tx, identity.DEFAULT_TENANT_ID)
        door = Organization(server, client, tenant, ADA).device("door")
        with httpx.Client(base_url=server.internal_url, verify=False, timeout=30) as internal:
            yield Alone(internal, client.as_(ADA), door)


@pytest.fixture
def ask_for(mender):
    """What Ada is told about a device by devauth: `ask_for(device)["status"]`."""
    return lambda device: mender.as_(ADA).get(f"{DEVAUTH}/devices/{device.id}").json()
