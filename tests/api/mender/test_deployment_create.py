"""Rolling a release out: to whom, what is refused, and in which words."""

from __future__ import annotations

import re

import pytest

from house.world import ADA, BEN, DEPLOYMENTS, INVENTORY, ZOE, settled

CREATE = f"{DEPLOYMENTS}/deployments"
LOCATION = re.compile(r"\./management/v1/deployments/deployments/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
NEW = {"name": "rollout", "artifact_name": "release-1"}
WHOLE = "Validating request body: "
DEFINITION = f"{WHOLE}Invalid deployments definition: "


def put_into(mender, device, group):
    reply = mender.as_(ADA).put(f"{INVENTORY}/devices/{device.id}/group", json={"group": group})
    assert reply.status_code == 204


def test_a_deployment_is_answered_with_where_it_is(mender, acme):
    device, artifact = acme.device("door"), acme.artifact("release-1")

    reply = mender.as_(ADA).post(CREATE, json=NEW | {"devices": [device.id]})

    assert (reply.status_code, reply.content) == (201, b"")
    assert LOCATION.fullmatch(reply.headers["location"])
    shown = acme.deployment(reply.headers["location"].rsplit("/", 1)[1])
    assert shown == {
        "id": shown["id"],
        "name": "rollout",
        "artifact_name": "release-1",
        "created": shown["created"],
        "status": "pending",
        "device_count": 0,
        "artifacts": [artifact],
        "retries": 0,
        "max_devices": 1,
    }
    assert acme.log()[-1] == "ada deployment.create"


def test_all_devices_are_those_that_are_accepted_now(mender, acme):
    front, back = acme.device("front"), acme.device("back")
    acme.ask("pending")
    acme.change_status(acme.device("rejected"), "rejected")
    acme.artifact("release-1")

    deployment = acme.deploy("release-1", all_devices=True)
    late = acme.device("late")

    assert acme.deployment(deployment)["max_devices"] == 2
    members = mender.as_(BEN).get(f"{CREATE}/{deployment}/device_list").json()
    assert sorted(members) == sorted([front.id, back.id])
    assert acme.offers(late) == ""


def test_a_group_is_its_accepted_members(mender, acme):
    inside, rejected, outside = acme.device("inside"), acme.device("rejected"), acme.device("outside")
    put_into(mender, inside, "doors")
    put_into(mender, rejected, "doors")
    put_into(mender, outside, "windows")
    acme.change_status(rejected, "rejected")
    acme.artifact("release-1")

    reply = mender.as_(ADA).post(f"{CREATE}/group/doors", json=NEW)

    assert reply.status_code == 201
    deployment = reply.headers["location"].rsplit("/", 1)[1]
    assert mender.as_(ADA).get(f"{CREATE}/{deployment}/device_list").json() == [inside.id]
    assert acme.offers(outside) == ""
    assert acme.offers(inside) == deployment


def test_a_device_named_twice_counts_once(mender, acme):
    device, _ = acme.device("door"), acme.artifact("release-1")

    deployment = acme.deploy("release-1", devices=[device.id, device.id])

    assert acme.deployment(deployment)["max_devices"] == 1


def test_a_device_of_another_tenant_is_never_reached(mender, acme, zenith):
    stranger, _ = zenith.device("safe"), acme.artifact("release-1")

    deployment = acme.deploy("release-1", devices=[stranger.id])

    assert zenith.offers(stranger) == ""
    assert acme.deployment(deployment)["status"] == "pending"


@pytest.mark.parametrize(
    ("path", "body", "status", "error"),
    [
        ("", {}, 400, f"{WHOLE}name: cannot be blank."),
        ("", {"name": "", "artifact_name": "a"}, 400, f"{WHOLE}name: cannot be blank."),
        ("", {"name": "a", "devices": ["x"]}, 400, f"{WHOLE}artifact_name: cannot be blank."),
        ("", {"name": "n" * 4097}, 400, f"{WHOLE}name: the length must be between 1 and 4096."),
        ("", NEW, 400, f"{DEFINITION}provide list of devices or set all_devices flag"),
        ("", NEW | {"devices": []}, 400, f"{DEFINITION}provide list of devices or set all_devices flag"),
        ("", NEW | {"devices": None}, 400, f"{DEFINITION}provide list of devices or set all_devices flag"),
        ("", NEW | {"all_devices": False}, 400, f"{DEFINITION}provide list of devices or set all_devices flag"),
        (
            "",
            NEW | {"devices": ["x"], "all_devices": True},
            400,
            f"{DEFINITION}list of devices provided togheter with all_devices flag",
        ),
        ("", NEW | {"devices": [""]}, 400, f"{WHOLE}devices: every entry must be a device id."),
        ("", NEW | {"devices": ["x" * 257]}, 400, f"{WHOLE}devices: every entry must be a device id."),
        (
            "/group/doors",
            NEW | {"devices": ["x"]},
            400,
            f"{WHOLE}The deployment for group constructor should have neither list of devices nor all_devices flag set",
        ),
        (
            "/group/doors",
            NEW | {"all_devices": True},
            400,
            f"{WHOLE}The deployment for group constructor should have neither list of devices nor all_devices flag set",
        ),
        ("/group/nobody", NEW, 400, "No devices for the deployment"),
        ("/group/nobody", {"name": "a"}, 400, f"{WHOLE}artifact_name: cannot be blank."),
        ("", NEW | {"artifact_name": "none", "devices": ["x"]}, 422, "No artifact for the deployment"),
        ("/group/doors", NEW | {"artifact_name": "none"}, 422, "No artifact for the deployment"),
        ("", NEW | {"devices": ["x"], "retries": -1}, 400, f"{WHOLE}retries: must be between 0 and 100."),
        ("", NEW | {"devices": ["x"], "retries": 101}, 400, f"{WHOLE}retries: must be between 0 and 100."),
    ],
)
def test_what_makes_no_sense_is_refused_in_the_words_of_the_reference(released, path, body, status, error):
    reply = released.mender.as_(ADA).post(f"{CREATE}{path}", json=body)

    assert (reply.status_code, reply.json()["error"]) == (status, error)
    assert reply.json()["request_id"]
    assert released.mender.as_(ADA).get(CREATE).json() == []


@pytest.fixture(scope="module")
def released(server):
    """An Acme with a release that is never rolled out."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL"}) as acme:
        acme.artifact("release-1")
        yield acme


def test_all_devices_of_nobody_are_none(mender, acme):
    acme.artifact("release-1")
    acme.ask("pending")

    reply = mender.as_(ADA).post(CREATE, json=NEW | {"all_devices": True})

    assert (reply.status_code, reply.json()["error"]) == (400, "No devices for the deployment")


def test_someone_who_may_only_look_is_refused(mender, acme):
    device, _ = acme.device("door"), acme.artifact("release-1")

    for path, more in (("", {"devices": [device.id]}), ("/group/doors", {})):
        assert mender.as_(BEN).post(f"{CREATE}{path}", json=NEW | more).status_code == 403

    assert acme.offers(device) == ""


def test_another_tenants_release_is_none(mender, acme, zenith):
    acme.artifact("release-1")
    device = zenith.device("safe")

    reply = mender.as_(ZOE).post(CREATE, json=NEW | {"devices": [device.id]})

    assert (reply.status_code, reply.json()["error"]) == (422, "No artifact for the deployment")


def test_artifacts_that_come_later_are_not_part_of_it(mender, acme):
    device = acme.device("door")
    first = acme.artifact("release-1", ("window",))
    deployment = acme.deploy("release-1")
    acme.artifact("release-1", ("door-lock",))

    assert acme.offers(device) == ""
    assert acme.deployment(deployment)["artifacts"] == [first]
    assert acme.statistics(deployment) == {"noartifact": 1}


def test_a_hundred_thousand_devices_fit_into_one_request(mender, acme):
    acme.artifact("release-1")
    ids = [f"00000000-0000-4000-8000-{number:012}" for number in range(100_000)]

    deployment = acme.deploy("release-1", devices=ids)

    assert acme.deployment(deployment)["max_devices"] == 100_000
    assert acme.deployment(deployment)["device_count"] == 0
