"""What a device wrote while it installed."""

from __future__ import annotations

from uuid import uuid4

import pytest

from house.devices import DEPLOYMENTS as REPORTS
from house.world import ADA, BEN, DEPLOYMENTS, ZOE, settled

WHEN = "2021-01-20T10:00:00Z"


def line(message="text", timestamp=WHEN, level="info"):
    return {"timestamp": timestamp, "level": level, "message": message}


@pytest.fixture(scope="module")
def acme_of_logs(server):
    """An Acme for all tests here that only write logs."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL", BEN: "RBAC_ROLE_OBSERVER"}) as acme:
        acme.device("door")
        acme.artifact()
        acme.deploy()
        yield acme


@pytest.fixture(scope="module")
def begun(acme_of_logs):
    """A device that has begun a deployment, and the deployment."""
    device = acme_of_logs.devices["door"]
    return device, acme_of_logs.offers(device)


def read(person, device, deployment):
    return person.get(f"{DEPLOYMENTS}/deployments/{deployment}/devices/{device.id}/log")


def write(device, deployment, *messages, **arguments):
    body = arguments or {"json": {"messages": list(messages)}}
    return device.request("PUT", f"{REPORTS}/{deployment}/log", **body)


def test_a_log_is_given_back_line_by_line(acme_of_logs, begun):
    device, deployment = begun

    reply = write(device, deployment, line("début"), line("end", "2021-01-20T10:00:01.500Z", "error"))

    assert (reply.status_code, reply.content) == (204, b"")
    shown = read(acme_of_logs.mender.as_(BEN), *begun)
    assert shown.headers["content-type"].startswith("text/plain")
    assert shown.text == ("2021-01-20 10:00:00 +0000 UTC info: début\n2021-01-20 10:00:01.5 +0000 UTC error: end\n")


@pytest.mark.parametrize(
    ("timestamp", "shown"),
    [
        ("2021-01-20T10:00:00Z", "2021-01-20 10:00:00 +0000 UTC"),
        ("2021-01-20t10:00:00z", "2021-01-20 10:00:00 +0000 UTC"),
        ("2021-01-20T10:00:00+00:00", "2021-01-20 10:00:00 +0000 UTC"),
        ("2021-01-20T10:00:00+02:00", "2021-01-20 10:00:00 +0200 +0200"),
        ("2016-03-11T13:03:17.063493443Z", "2016-03-11 13:03:17.063493443 +0000 UTC"),
        ("2021-01-20T10:00:00.100-07:30", "2021-01-20 10:00:00.1 -0730 -0730"),
        ("2021-01-20T10:00:00.000Z", "2021-01-20 10:00:00 +0000 UTC"),
    ],
)
def test_times_are_written_as_go_writes_them(acme_of_logs, begun, timestamp, shown):
    assert write(begun[0], begun[1], line("text", timestamp)).status_code == 204

    assert read(acme_of_logs.mender.as_(ADA), *begun).text == f"{shown} info: text\n"


def test_a_newer_log_takes_the_place_of_the_older_one(acme_of_logs, begun):
    write(*begun, line("first"))

    write(*begun, line("second"))

    assert read(acme_of_logs.mender.as_(ADA), *begun).text.endswith(" info: second\n")
    assert "first" not in read(acme_of_logs.mender.as_(ADA), *begun).text


@pytest.mark.parametrize(
    "arguments",
    [
        {"json": {}},
        {"json": {"messages": None}},
        {"json": {"messages": "text"}},
        {"json": {"messages": ["text"]}},
        {"json": {"messages": [{}]}},
        {"json": {"messages": [{"timestamp": WHEN, "level": "info"}]}},
        {"json": {"messages": [{"timestamp": WHEN, "message": "text"}]}},
        {"json": {"messages": [{"level": "info", "message": "text"}]}},
        {"json": {"messages": [line(message="")]}},
        {"json": {"messages": [line(level="")]}},
        {"json": {"messages": [line(timestamp="")]}},
        {"json": {"messages": [line(timestamp="yesterday")]}},
        {"json": {"messages": [line(timestamp="2021-01-20")]}},
        {"json": {"messages": [line(timestamp="2021-13-20T10:00:00Z")]}},
        {"json": {"messages": [line(timestamp="2021-02-30T25:00:00Z")]}},
        {"json": {"messages": [line(timestamp="2021-01-20T10:00:00")]}},
        {"json": {"messages": [line(timestamp=1611136800)]}},
        {"content": b""},
        {"content": b"text"},
    ],
)
def test_a_log_that_is_none_is_refused(begun, arguments):
    reply = write(*begun, **arguments)

    assert reply.status_code == 400, reply.text
    assert reply.json()["request_id"]


def test_a_log_of_ten_megabytes_is_the_longest(begun):
    long = [line("x" * 100_000)]

    assert write(*begun, *long * 90).status_code == 204
    assert write(*begun, *long * 110).status_code == 413


def test_a_log_may_come_after_the_outcome(mender, acme):
    device = acme.device("door")
    acme.artifact()
    deployment = acme.deploy()
    acme.offers(device)
    device.status(deployment, "failure")

    assert device.log(deployment, "it broke").status_code == 204

    assert "it broke" in read(mender.as_(ADA), device, deployment).text


def test_what_is_not_there_is_not_found(mender, acme, zenith):
    silent, outside = acme.device("door"), acme.device("outside")
    acme.artifact()
    deployment = acme.deploy(devices=[silent.id])
    acme.offers(silent)
    ada = mender.as_(ADA)

    assert read(ada, silent, deployment).json()["error"] == "Log not found"
    assert read(ada, outside, deployment).json()["error"] == "Device not found in deployment"
    assert read(ada, silent, uuid4()).json()["error"] == "Deployment not found"
    silent.log(deployment, "secret")
    assert [read(ada, silent, deployment).status_code, read(ada, outside, deployment).status_code] == [200, 404]
    assert read(mender.as_(ZOE), silent, deployment).status_code == 404
