"""How does a server speak that serves one organization only? No tenant is named anywhere."""

import base64
import json

import pytest

from fairlead.base.scope import system_scope
from fairlead.domain import identity
from fairlead.settings import Settings
from house.devices import Device
from house.server import RunningServer
from house.world import DEVAUTH, LOGIN, PASSWORD, Mender, Person


def claims_of(token: str) -> dict:
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


@pytest.fixture(scope="module")
def alone(engine, tmp_path_factory):
    """A client of a server of its own, with Ada as its only user."""
    settings = Settings(data=tmp_path_factory.mktemp("alone"), database=engine.url("alone"))
    with RunningServer(settings) as server, Mender(server) as client:
        with server.fairlead.database.begin(system_scope(identity.DEFAULT_TENANT_ID)) as tx:
            identity.add_user(tx, "ada@example.org", identity.prepare_password(PASSWORD))
        client.tokens["ada"] = client.client.post(LOGIN, auth=("ada@example.org", PASSWORD)).text
        yield client


def test_a_device_needs_no_tenant_token_and_neither_token_names_a_tenant(alone):
    ada, door = alone.as_("ada"), Device(alone.client, {"mac": "door"})
    assert door.ask().status_code == 401
    (found,) = ada.get(f"{DEVAUTH}/devices").json()
    ada.put(f"{DEVAUTH}/devices/{found['id']}/auth/{found['auth_sets'][0]['id']}/status", json={"status": "accepted"})

    assert door.ask().status_code == 200

    assert door.report({"a": 1}).status_code == 200
    for token in (door.token, alone.tokens["ada"]):
        said = claims_of(token)
        assert "mender.tenant" not in said
        assert said["mender.plan"] == "enterprise"


@pytest.mark.parametrize("tenant_token", ["", "garbage", "a.b.c"])
def test_whatever_tenant_token_a_device_brings_is_ignored(alone, tenant_token):
    device = Device(alone.client, {"mac": f"with {tenant_token}"}, tenant_token)

    assert device.ask().json()["error"] == "dev auth: unauthorized"
    known = alone.as_("ada").get(f"{DEVAUTH}/devices").json()
    assert device.identity in [each["identity_data"] for each in known]


def test_a_token_that_names_a_tenant_is_refused(alone, standing):
    assert Person(alone.client, standing.mender.tokens["ada"]).get(f"{DEVAUTH}/devices").status_code == 401
