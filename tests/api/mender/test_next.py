"""What a device is told when it asks for its next deployment."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from artifact_maker import Payload, make_artifact
from house.devices import NEXT, NEXT_V2
from house.world import ADA, DEPLOYMENTS, ZOE, settled

ABOUT = {"artifact_name": "old", "device_type": "door-lock"}


def deploy_release(acme, name="release-1", **wishes):
    return acme.artifact(name, **wishes), acme.deploy(name)


def by_get(device, **said):
    return device.request("GET", NEXT, params=ABOUT | said)


def by_post(device, **said):
    return device.request("POST", NEXT, json=ABOUT | said)


def by_v2(device, **said):
    return device.request("POST", NEXT_V2, json={"device_provides": ABOUT | said, "update_control_map": True})


ASKING = pytest.mark.parametrize("ask", [by_get, by_post, by_v2])


@ASKING
def test_who_has_nothing_to_do_is_told_204(mender, acme, ask):
    reply = ask(acme.device("door"))

    assert (reply.status_code, reply.content) == (204, b"")
    assert reply.headers["x-men-requestid"]


@ASKING
def test_the_instructions_name_the_artifact_and_its_source(mender, acme, ask):
    device = acme.device("door")
    artifact, deployment = deploy_release(acme, device_types=("door-lock", "door-bell"))

    reply = ask(device)

    assert reply.status_code == 200
    assert reply.headers["content-type"] == "application/json"
    said = reply.json()
    source = said["artifact"].pop("source")
    assert said == {
        "id": deployment,
        "artifact": {
            "id": artifact,
            "artifact_name": "release-1",
            "device_types_compatible": ["door-lock", "door-bell"],
        },
    }
    assert source["uri"].startswith(acme.server.url)
    assert source["expire"].endswith("Z")


@pytest.mark.parametrize(
    ("method", "path", "arguments"),
    [
        ("GET", NEXT, {}),
        ("GET", NEXT, {"params": {"artifact_name": "old"}}),
        ("GET", NEXT, {"params": {"device_type": "door-lock"}}),
        ("GET", NEXT, {"params": {"artifact_name": "", "device_type": "door-lock"}}),
        ("POST", NEXT, {}),
        ("POST", NEXT, {"json": {}}),
        ("POST", NEXT, {"json": {"artifact_name": "old"}}),
        ("POST", NEXT, {"json": {"artifact_name": "old", "device_type": ""}}),
        ("POST", NEXT, {"json": [ABOUT]}),
        ("POST", NEXT_V2, {"json": ABOUT}),
        ("POST", NEXT_V2, {"json": {"device_provides": {"artifact_name": "old"}}}),
    ],
)
@pytest.mark.parametrize("busy", [False, True])
def test_a_device_must_say_what_it_is_and_runs(asked, busy, method, path, arguments):
    reply = asked[busy].request(method, path, **arguments)

    assert reply.status_code == 400, reply.text
    assert reply.json()["error"]
    assert reply.json()["request_id"] == reply.headers["x-men-requestid"]


@pytest.mark.parametrize("more", [{"checksum": 5}, {"story": "x" * 5000}, {str(n): "" for n in range(1000)}])
def test_what_a_device_tells_besides_is_looked_at_when_it_matters(asked, more):
    """A device without work is told so before anyone reads on: at the door, as soon as that is sure of its memory."""
    until = time.monotonic() + 10
    while asked[False].request("POST", NEXT, json=ABOUT | more).status_code != 204:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert asked[True].request("POST", NEXT, json=ABOUT | more).status_code == 400


@pytest.fixture(scope="module")
def asked(server):
    """Two devices: one has nothing to do and is answered at the door, the other has."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL"}) as acme:
        idle, busy = acme.device("idle"), acme.device("busy")
        acme.artifact("release-1")
        acme.deploy("release-1", devices=[busy.id])
        assert idle.next().status_code == 204  # from now on its token is known at the door
        yield {False: idle, True: busy}


@pytest.mark.parametrize("path", ["/api/devices/v2/deployments/device/deployments/x/update_control_map", "/nothing"])
def test_what_newer_clients_try_first_is_not_found(mender, acme, path):
    assert acme.device("door").request("GET", path).status_code == 404


def test_the_same_question_gets_the_same_instructions(mender, acme):
    device = acme.device("door")
    _, deployment = deploy_release(acme)

    first, second = device.next().json(), device.next().json()

    assert first["id"] == second["id"] == deployment
    assert acme.statistics(deployment) == {"pending": 1}
    device.status(deployment, "downloading")
    assert acme.offers(device) == deployment
    assert acme.statistics(deployment) == {"downloading": 1}


def test_what_was_begun_stays_what_it_was_though_the_device_changes(mender, acme):
    device = acme.device("door")
    small = acme.artifact(device_types=("door-lock",), depends={"rootfs": "1"})
    acme.artifact(device_types=("door-lock",), depends={"rootfs": "2"}, payloads=[Payload(files={"a": bytes(9000)})])
    deployment = acme.deploy()
    assert device.next(rootfs="1").json()["artifact"]["id"] == small

    device.status(deployment, "rebooting")
    reply = device.next(rootfs="2")

    assert reply.json()["artifact"]["id"] == small


def test_the_oldest_deployment_comes_first(mender, acme):
    device = acme.device("door")
    _, first = deploy_release(acme, "release-1")
    _, second = deploy_release(acme, "release-2")

    assert acme.offers(device) == first
    device.status(first, "failure")
    assert acme.offers(device) == second
    device.status(second, "success")
    assert acme.offers(device) == ""


def test_a_release_that_is_installed_already_is_noted_and_passed_over(mender, acme):
    device = acme.device("door")
    _, deployment = deploy_release(acme)

    assert acme.offers(device, artifact_name="release-1") == ""

    assert acme.statistics(deployment) == {"already-installed": 1}
    shown = acme.deployment(deployment)
    assert (shown["status"], shown["device_count"]) == ("finished", 1)


def test_a_release_without_anything_for_the_type_is_noted_and_passed_over(mender, acme):
    device = acme.device("door")
    _, deployment = deploy_release(acme, device_types=("window",))
    _, following = deploy_release(acme, "release-2")

    assert acme.offers(device) == ""

    assert acme.statistics(deployment) == {"noartifact": 1}
    assert acme.deployment(deployment)["status"] == "finished"
    assert acme.offers(device) == following


def test_the_smallest_artifact_that_fits_wins(mender, acme):
    device = acme.device("door")

    def upload(size, **depends):
        content = {"payloads": [Payload(files={"a": bytes(size)})], "compression": "none", "depends": depends}
        return acme.artifact(device_types=("door-lock",), **content)

    upload(9000)
    small = upload(5000, bootloader="2")
    upload(1000, bootloader="3")
    acme.deploy()

    assert device.next(bootloader="2").json()["artifact"]["id"] == small


@pytest.mark.parametrize(
    ("depends", "provides", "fits"),
    [
        ({}, {}, True),
        ({"rootfs": "1"}, {"rootfs": "1"}, True),
        ({"rootfs": "1"}, {"rootfs": "2"}, False),
        ({"rootfs": "1"}, {}, False),
        ({"rootfs": ["1", "2"]}, {"rootfs": "2"}, True),
        ({"rootfs": ["1", "2"]}, {"rootfs": "3"}, False),
        ({"rootfs": "1", "boot": "1"}, {"rootfs": "1", "boot": "1", "more": "x"}, True),
        ({"rootfs": "1", "boot": "1"}, {"rootfs": "1", "boot": "2"}, False),
        ({"artifact_name": ["old", "older"]}, {}, True),
        ({"artifact_name": "other"}, {}, False),
        ({"artifact_group": "beta"}, {"artifact_group": "beta"}, True),
        ({"artifact_group": "beta"}, {"artifact_group": "stable"}, False),
    ],
)
@pytest.mark.parametrize(("plan", "minds"), [("enterprise", True), ("professional", False), ("os", False)])
def test_only_the_enterprise_plan_minds_what_artifacts_depend_on(plans, plan, minds, depends, provides, fits):
    organization = plans[plan]
    device = organization.devices["door"]
    name = f"release-{len(organization.mender.as_(ZOE).get(f'{DEPLOYMENTS}/artifacts').json())}"
    header = {key: value for key, value in depends.items() if key.startswith("artifact_")}
    own = {key: value for key, value in depends.items() if key not in header}
    organization.artifact(name, depends=own, header_depends=header)
    deployment = organization.deploy(name)

    offered = organization.offers(device, **provides)

    assert offered == (deployment if fits or not minds else "")
    assert organization.statistics(deployment) == ({"pending": 1} if offered else {"noartifact": 1})
    device.status(deployment, "success")


@pytest.fixture(scope="module")
def plans(server):
    """Zenith on each plan, with a door."""
    with ExitStack() as stack:
        organizations = {}
        for plan in ("os", "professional", "enterprise"):
            zenith = settled(server, "zenith", {ZOE: "RBAC_ROLE_PERMIT_ALL"}, plan)
            organizations[plan] = stack.enter_context(zenith)
            organizations[plan].device("door")
        yield organizations


def test_a_device_accepted_after_the_creation_is_not_part_of_it(mender, acme):
    acme.device("door")
    deploy_release(acme)

    assert acme.offers(acme.device("late")) == ""


def test_what_is_older_than_what_a_device_has_finished_is_not_offered_any_more(mender, acme):
    device = acme.device("door")
    acme.artifact("release-1")
    acme.artifact("release-2")
    soon = (datetime.now(UTC) + timedelta(seconds=4)).isoformat()
    older = acme.deploy("release-1", phases=[{"start_ts": soon}])
    newer = acme.deploy("release-2")
    assert acme.offers(device) == newer
    device.status(newer, "success")

    while acme.deployment(older)["status"] == "scheduled":
        assert acme.offers(device, artifact_name="release-2") == ""

    assert acme.offers(device, artifact_name="release-2") == ""
    assert acme.deployment(older)["status"] == "pending"


def test_an_idle_device_hears_of_a_new_deployment_within_a_second(mender, acme):
    device = acme.device("door")
    assert [acme.offers(device) for _ in range(3)] == ["", "", ""]
    acme.artifact("release-1")

    deployment = acme.deploy()

    until = time.monotonic() + 1
    while not (offered := acme.offers(device)):
        assert time.monotonic() < until
    assert offered == deployment


def test_a_device_of_another_tenant_gets_nothing(mender, acme, zenith):
    acme.device("door")
    deploy_release(acme)

    assert zenith.offers(zenith.device("door")) == ""


def test_questions_at_the_same_time_count_the_device_once(mender, acme):
    device = acme.device("door")
    _, deployment = deploy_release(acme)

    with ThreadPoolExecutor(8) as pool:
        answers = set(pool.map(lambda _: acme.offers(device), range(24)))

    assert answers == {deployment}
    assert acme.statistics(deployment) == {"pending": 1}


def test_a_signed_artifact_is_offered_like_any_other(mender, acme):
    device = acme.device("door")
    mender.as_(ADA).upload(make_artifact(device_types=["door-lock"], signed=True))

    assert acme.offers(device) == "" and acme.deploy()
    assert device.next().status_code == 200
