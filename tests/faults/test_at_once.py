"""The two rules of the hot path within one process: there is no second to wait."""

import pytest

from fairlead.domain import identity
from house.world import ADA, DEPLOYMENTS, DEVAUTH, USERADM


@pytest.fixture
def door(acme):
    device = acme.device("door")
    assert [device.next().status_code for _ in range(3)] == [204, 204, 204]
    return device


def idle_answers(server) -> int:
    return server.fairlead.front_door.tally.idle


def test_an_idle_device_is_answered_at_the_door(server, door):
    before = idle_answers(server)

    assert door.next().status_code == 204

    assert idle_answers(server) == before + 1


@pytest.mark.parametrize("status", ["rejected", "pending"])
def test_a_device_that_is_put_out_is_refused_at_once(acme, door, status):
    acme.change_status(door, status)

    assert door.next().status_code == 401
    assert door.report({"a": "b"}).status_code == 401


def test_a_revoked_token_is_refused_at_once_and_a_new_one_is_good(mender, acme, door):
    old = door.token
    assert mender.as_(ADA).delete(f"{DEVAUTH}/tokens/{door.auth_set}").status_code == 204

    assert door.next().status_code == 401
    assert door.ask().status_code == 200
    assert door.token != old
    assert door.next().status_code == 204


def test_a_decommissioned_device_is_refused_at_once(mender, acme, door):
    assert mender.as_(ADA).delete(f"{DEVAUTH}/devices/{door.id}").status_code == 204

    assert door.next().status_code == 401


def test_another_key_of_the_same_device_puts_the_first_one_out(acme, door):
    first = door.token
    again = acme.ask("door again", mac="door")

    acme.change_status(again, "accepted")

    assert again.ask().status_code == 200
    assert again.next().status_code == 204
    assert (door.token, door.next().status_code) == (first, 401)


def test_a_suspended_organization_is_refused_at_once(server, mender, acme, zenith, door):
    window = zenith.device("window")
    with server.fairlead.database.across_tenants("suspend") as tx:
        identity.suspend_tenant(tx, acme.tenant.id)

    assert door.next().status_code == 401
    assert mender.as_(ADA).get(f"{DEPLOYMENTS}/artifacts").status_code == 401
    assert window.next().status_code == 204

    with server.fairlead.database.across_tenants("activate") as tx:
        identity.activate_tenant(tx, acme.tenant.id)
    assert door.next().status_code == 204


def test_someone_who_logs_out_is_refused_at_once(mender, acme):
    ada = mender.as_(ADA)
    assert ada.get(f"{DEPLOYMENTS}/artifacts").status_code == 200

    assert ada.post(f"{USERADM}/auth/logout").status_code == 202

    assert ada.get(f"{DEPLOYMENTS}/artifacts").status_code == 401


def test_a_new_deployment_is_offered_at_once(acme, door):
    acme.artifact("release-1")

    deployment = acme.deploy("release-1")

    assert door.next().json()["id"] == deployment


def test_after_a_deployment_a_device_is_idle_again_until_the_next(server, acme, door):
    acme.artifact("release-1")
    for _ in range(3):
        deployment = acme.deploy("release-1")
        assert door.next().status_code == 200
        assert door.status(deployment, "success").status_code == 204
        assert door.next().status_code == 204
        before = idle_answers(server)
        assert door.next().status_code == 204
        assert idle_answers(server) == before + 1


def test_a_mistake_of_ours_at_the_door_is_a_bare_500_and_spoils_nothing_else(server, door, monkeypatch):
    reports, gate = server.fairlead.reports, door
    write = reports._do

    def fail(items):
        if any("trouble" in each.document for each in items):
            raise ZeroDivisionError("the secret of the day")
        return write(items)

    monkeypatch.setattr(reports, "_do", fail)

    reply = door.report({"trouble": "x"})

    assert reply.status_code == 500
    assert reply.json()["error"] == "internal error"
    assert gate.report({"a": "b"}).status_code == 200
