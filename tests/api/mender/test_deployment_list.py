"""What is shown of deployments: lists, filters, pages, counters, devices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from fairlead.domain.deployments.tables import deployments as table
from house.world import ADA, BEN, DEPLOYMENTS, ZOE, settled

LIST = f"{DEPLOYMENTS}/deployments"
STATISTICS = {
    "success",
    "pending",
    "failure",
    "downloading",
    "installing",
    "rebooting",
    "noartifact",
    "already-installed",
    "aborted",
    "decommissioned",
}


def names(reply) -> list[str]:
    assert reply.status_code == 200, reply.text
    return [each["name"] for each in reply.json()]


@pytest.fixture
def rollouts(acme):
    """Five deployments, the first of which is the oldest."""
    acme.device("door")
    acme.artifact("release-1")
    return [acme.deploy("release-1", name=f"rollout {number}") for number in range(1, 6)]


def test_the_newest_comes_first(mender, rollouts):
    reply = mender.as_(BEN).get(LIST)

    assert [each["id"] for each in reply.json()] == rollouts[::-1]
    assert reply.headers["x-total-count"] == "5"


@pytest.mark.parametrize(
    ("query", "numbers", "relations"),
    [
        ({}, [5, 4, 3, 2, 1], ["first"]),
        ({"per_page": 2}, [5, 4], ["next", "first"]),
        ({"per_page": 2, "page": 2}, [3, 2], ["prev", "next", "first"]),
        ({"per_page": 2, "page": 3}, [1], ["prev", "first"]),
        ({"per_page": 2, "page": 4}, [], ["prev", "first"]),
        ({"per_page": 5}, [5, 4, 3, 2, 1], ["first"]),
        ({"per_page": 500, "page": 1}, [5, 4, 3, 2, 1], ["first"]),
    ],
)
def test_pages_lead_to_each_other(mender, rollouts, query, numbers, relations):
    reply = mender.as_(ADA).get(LIST, params=query)

    assert names(reply) == [f"rollout {number}" for number in numbers]
    assert reply.headers["x-total-count"] == "5"
    links = reply.headers.get_list("link")
    assert [link.partition("; ")[2] for link in links] == [f'rel="{relation}"' for relation in relations]
    assert all(link.startswith(f"<{LIST}?") for link in links)


def test_links_keep_the_filters(mender, rollouts):
    first = mender.as_(ADA).get(LIST, params={"per_page": 2, "status": "pending", "search": "rollout"})

    following = first.headers.get_list("link")[0].split(">")[0].removeprefix("<")

    assert names(mender.as_(ADA).get(following)) == ["rollout 3", "rollout 2"]


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("page=0", "Param page is out of bounds"),
        ("page=-1", "Param page is out of bounds"),
        ("page=x", "Can't parse param page"),
        ("page=1.5", "Can't parse param page"),
        ("page=99999999999999999999", "Can't parse param page"),
        ("per_page=0", "Param per_page is out of bounds"),
        ("per_page=501", "Param per_page is out of bounds"),
        ("per_page=x", "Can't parse param per_page"),
        ("status=done", "unknown status done"),
        ("status=%00", "Can't parse param status"),
        ("search=%00", "Can't parse param search"),
        ("created_after=yesterday", "Can't parse param created_after"),
        ("created_after=-1", "Can't parse param created_after"),
        ("created_before=99999999999999999", "Can't parse param created_before"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(standing, query, error):
    reply = standing.mender.as_(ADA).get(f"{LIST}?{query}")

    assert (reply.status_code, reply.json()["error"]) == (400, error)


def test_deployments_are_found_by_their_status(mender, acme):
    device = acme.device("door")
    acme.artifact("release-1")
    later = [{"start_ts": (datetime.now(UTC) + timedelta(days=1)).isoformat()}]
    finished = acme.deploy(name="finished")
    assert acme.offers(device) == finished
    device.status(finished, "failure")
    aborted = acme.deploy(name="aborted")
    mender.as_(ADA).put(f"{LIST}/{aborted}/status", json={"status": "aborted"})
    running = acme.deploy(name="inprogress")
    assert acme.offers(device) == running
    device.status(running, "installing")
    acme.deploy(name="pending")
    acme.deploy(name="scheduled", phases=later)

    found = {
        status: names(mender.as_(ADA).get(LIST, params={"status": status}))
        for status in ("pending", "inprogress", "finished", "scheduled", "aborted")
    }

    assert found == {
        "pending": ["pending"],
        "inprogress": ["inprogress"],
        "finished": ["aborted", "finished"],
        "scheduled": ["scheduled"],
        "aborted": ["aborted"],
    }
    shown = {each["name"]: each["status"] for each in mender.as_(ADA).get(LIST).json()}
    assert shown == {name: name for name in shown} | {"aborted": "finished"}
    assert mender.as_(ADA).get(LIST, params={"status": "finished"}).headers["x-total-count"] == "2"


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("", ["Spring Überholung (doors)", "spring windows", "autumn"]),
        ("spring", ["Spring Überholung (doors)", "spring windows"]),
        ("SPRING", ["Spring Überholung (doors)", "spring windows"]),
        ("überholung", ["Spring Überholung (doors)"]),
        ("doors", ["Spring Überholung (doors)"]),
        ("doors windows", ["Spring Überholung (doors)", "spring windows"]),
        ("door", []),
        ("spr", []),
        ("v2", ["autumn"]),
        ("release-v2", ["autumn"]),
        ("%", []),
        ("_", []),
        ("?!", []),
        ("' OR 1=1 --", []),
    ],
)
def test_deployments_are_found_by_any_word_of_their_names(searched, search, found):
    reply = searched.get(LIST, params={"search": search})

    assert names(reply) == found[::-1]
    assert reply.headers["x-total-count"] == str(len(found))


@pytest.fixture(scope="module")
def searched(searched_acme):
    return searched_acme.mender.as_(ADA)


@pytest.fixture(scope="module")
def searched_acme(server):
    """An Acme of its own with three deployments, for searches."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL"}) as acme:
        acme.device("door")
        acme.artifact("one")
        acme.artifact("release v2")
        acme.deploy("one", name="Spring Überholung (doors)")
        acme.deploy("one", name="spring windows")
        acme.deploy("release v2", name="autumn")
        yield acme


def test_deployments_are_found_by_their_age(mender, acme, server, rollouts):
    began = datetime(2026, 1, 20, 10, tzinfo=UTC)
    with server.fairlead.database.across_tenants("make them of known age") as tx:
        for number, deployment in enumerate(rollouts):
            at = began + timedelta(seconds=10 * number)
            tx.run(table.update().where(table.c.id == deployment).values(created_at=at))
    epoch = int(began.timestamp())

    def found(**query: int) -> list[str]:
        return [name[-1] for name in names(mender.as_(ADA).get(LIST, params=query))]

    assert found(created_after=epoch + 20) == ["5", "4", "3"]
    assert found(created_before=epoch + 20) == ["3", "2", "1"]
    assert found(created_after=epoch + 10, created_before=epoch + 30) == ["4", "3", "2"]
    assert found(created_after=epoch + 41) == []
    assert found(created_before=0) == []


@pytest.mark.parametrize("tail", ["", "/statistics", "/devices", "/device_list", "/devices/x/log"])
@pytest.mark.parametrize("deployment_id", [str(uuid4()), "rollout", "%ff", "a" * 2000])
def test_a_deployment_that_is_not_there_is_not_found(standing, tail, deployment_id):
    reply = standing.mender.as_(ADA).get(f"{LIST}/{deployment_id}{tail}")

    assert (reply.status_code, reply.json()["error"]) == (404, "Deployment not found")


def test_nobody_sees_another_tenants_deployments(mender, rollouts, zenith):
    zoe = mender.as_(ZOE)

    assert (zoe.get(LIST).json(), zoe.get(LIST).headers["x-total-count"]) == ([], "0")
    for tail in ("", "/statistics", "/devices", "/device_list"):
        assert zoe.get(f"{LIST}/{rollouts[0]}{tail}").status_code == 404


def test_statistics_name_every_status(mender, acme, rollouts):
    found = mender.as_(BEN).get(f"{LIST}/{rollouts[0]}/statistics").json()

    assert found == dict.fromkeys(STATISTICS, 0)


def test_devices_are_counted_once_they_ask(mender, acme):
    front, back = acme.device("front"), acme.device("back")
    acme.artifact("release-1")
    deployment = acme.deploy()
    listed = f"{LIST}/{deployment}/devices"
    assert mender.as_(BEN).get(listed).json() == []
    assert acme.deployment(deployment)["device_count"] == 0

    assert acme.offers(front) == deployment

    assert (acme.deployment(deployment)["device_count"], acme.deployment(deployment)["status"]) == (1, "pending")
    assert acme.statistics(deployment) == {"pending": 1}
    [shown] = mender.as_(BEN).get(listed).json()
    assert shown == {
        "id": front.id,
        "status": "pending",
        "created": shown["created"],
        "device_type": "door-lock",
        "log": False,
    }
    front.status(deployment, "installing", "installing.enter;script:foo-bar")
    [shown] = mender.as_(BEN).get(listed).json()
    assert (shown["status"], shown["state"], shown["substate"]) == (
        "installing",
        "installing",
        "installing.enter;script:foo-bar",
    )
    assert "finished" not in shown
    front.status(deployment, "success")
    front.log(deployment, "all is well")
    [shown] = mender.as_(BEN).get(listed).json()
    assert (shown["status"], shown["log"]) == ("success", True)
    assert shown["finished"] >= shown["created"]
    assert (acme.deployment(deployment)["device_count"], acme.deployment(deployment)["status"]) == (1, "inprogress")
    assert sorted(mender.as_(BEN).get(f"{LIST}/{deployment}/device_list").json()) == sorted([front.id, back.id])


def test_a_deployment_is_finished_when_all_its_devices_are(mender, acme):
    fleet = [acme.device(name) for name in ("one", "two", "three")]
    acme.artifact("release-1")
    deployment = acme.deploy()

    for device, outcome in zip(fleet, ("success", "failure", "already-installed"), strict=True):
        assert "finished" not in acme.deployment(deployment)
        assert acme.offers(device) == deployment
        assert device.status(deployment, outcome).status_code == 204

    shown = acme.deployment(deployment)
    assert (shown["status"], shown["device_count"], shown["max_devices"]) == ("finished", 3, 3)
    assert shown["finished"] > shown["created"]
    assert acme.statistics(deployment) == {"success": 1, "failure": 1, "already-installed": 1}
