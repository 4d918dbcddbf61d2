"""What the tests of this API share: an Acme that nobody changes, and calls from the table of operations."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from operations import unknown_ids

from house.world import ADA, BEN, DEVAUTH, INVENTORY, USERADM, Organization, settled


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
    return unknown_ids() | {
        "device": device.id,
        "auth_set": device.auth_set,
        "artifact": acme.artifact("release-1"),
        "deployment": acme.deploy("release-1"),
        "user": ben["id"],
        "group": "doors",
    }


@pytest.fixture
def ask_for(mender):
    """What Ada is told about a device by devauth: `ask_for(device)["status"]`."""
    return lambda device: mender.as_(ADA).get(f"{DEVAUTH}/devices/{device.id}").json()
