"""Through a signed link on our own host: every header that Mender's clients and the reference name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from artifact_maker import Payload, make_artifact
from house.world import ADA, BEN, DEPLOYMENTS, Mender

CONTENT = make_artifact(payloads=[Payload(files={"a": bytes(range(256)) * 2000})], compression="none")
SIZE = len(CONTENT)


@pytest.fixture(scope="module")
def link(standing):
    """A link to an artifact that all tests here download."""
    with Mender(standing.server) as anyone:
        ada = standing.mender.as_(ADA)
        location = ada.upload(CONTENT).headers["location"]
        artifact = f"{DEPLOYMENTS}/artifacts/{location.rsplit('/', 1)[1]}"
        yield anyone, ada.get(f"{artifact}/download").json()
        ada.delete(artifact)


def date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


NOW = datetime.now(UTC)
YESTERDAY, TOMORROW = date(NOW - timedelta(days=1)), date(NOW + timedelta(days=1))


def test_a_link_is_absolute_and_good_for_a_quarter_of_an_hour(standing, link):
    _, said = link

    assert said["uri"].startswith(f"{standing.server.url}/")
    assert said["uri"].endswith("/release-1.mender")
    left = datetime.fromisoformat(said["expire"]) - datetime.now(UTC)
    assert timedelta(minutes=14) < left <= timedelta(minutes=15)


def test_a_download_has_its_length_and_comes_as_it_is(link):
    anyone, said = link

    reply = anyone.client.get(said["uri"], headers={"Accept-Encoding": "gzip"})

    assert reply.status_code == 200
    assert reply.content == CONTENT
    assert reply.headers["content-length"] == str(SIZE)
    assert reply.headers["accept-ranges"] == "bytes"
    assert reply.headers["content-type"] == "application/vnd.mender-artifact"
    assert "release-1.mender" in reply.headers["content-disposition"]
    assert not {"transfer-encoding", "content-encoding"} & set(reply.headers)


def test_a_head_says_the_same_without_the_bytes(link):
    anyone, said = link

    head, get = anyone.client.head(said["uri"]), anyone.client.get(said["uri"])

    assert (head.status_code, head.content) == (200, b"")
    names = ("content-length", "content-type", "etag", "last-modified", "accept-ranges")
    assert [head.headers[name] for name in names] == [get.headers[name] for name in names]


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=100-199", 100, 200),
        ("bytes=1000-", 1000, SIZE),
        (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
        ("bytes=-500", SIZE - 500, SIZE),
        (f"bytes=0-{SIZE * 2}", 0, SIZE),
        (f"bytes=-{SIZE * 2}", 0, SIZE),
    ],
)
def test_a_range_is_answered_to_the_byte(link, asked, start, end):
    anyone, said = link

    reply = anyone.client.get(said["uri"], headers={"Range": asked})

    assert reply.status_code == 206
    assert reply.content == CONTENT[start:end]
    assert reply.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert reply.headers["content-length"] == str(end - start)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Range": f"bytes={SIZE}-"}, 416),
        ({"Range": "bytes=-0"}, 416),
        ({"Range": "bytes=5-1"}, 200),
        ({"Range": "lines=1-2"}, 200),
        ({"Range": "bytes=0-1,5-6"}, 200),
        ({"If-Modified-Since": TOMORROW}, 304),
        ({"If-Modified-Since": YESTERDAY}, 200),
        ({"If-Modified-Since": "last week"}, 200),
        ({"If-Unmodified-Since": TOMORROW}, 200),
        ({"If-Unmodified-Since": YESTERDAY}, 412),
        ({"If-Unmodified-Since": YESTERDAY, "Range": "bytes=0-9"}, 412),
        ({"If-Unmodified-Since": TOMORROW, "Range": "bytes=0-9"}, 206),
        ({"If-Range": YESTERDAY, "Range": "bytes=0-9"}, 200),
        ({"If-None-Match": "*"}, 304),
        ({"If-Match": '"another"'}, 412),
    ],
)
def test_conditions_and_odd_ranges(link, headers, status):
    anyone, said = link

    reply = anyone.client.get(said["uri"], headers=headers)

    assert reply.status_code == status
    if status == 416:
        assert reply.headers["content-range"] == f"bytes */{SIZE}"
    if status in {304, 412, 416}:
        assert reply.content == b""


def test_the_tag_and_the_date_can_be_given_back(link):
    anyone, said = link
    first = anyone.client.get(said["uri"], headers={"Range": "bytes=0-99"})

    rest = {"Range": "bytes=100-", "If-Range": first.headers["etag"]}
    reply = anyone.client.get(said["uri"], headers=rest)

    assert (reply.status_code, first.content + reply.content) == (206, CONTENT)
    known = {"If-Modified-Since": first.headers["last-modified"]}
    assert anyone.client.get(said["uri"], headers=known).status_code == 304
    assert anyone.client.get(said["uri"], headers={"If-None-Match": first.headers["etag"]}).status_code == 304


@pytest.mark.parametrize(
    "tamper",
    [
        lambda uri: uri[:-8] + "x.mender",
        lambda uri: uri.replace("/api/downloads/", "/api/downloads/A", 1),
        lambda uri: uri.replace("release-1", "release-2"),
        lambda uri: uri.rsplit("/", 2)[0] + "/" + uri.rsplit("/", 2)[1][:-4] + "AAAA/release-1.mender",
        lambda uri: uri.rsplit("/", 2)[0] + "/" + "A" * 200 + "/release-1.mender",
        lambda uri: uri.rsplit("/", 1)[0],
    ],
)
def test_a_link_that_was_changed_opens_nothing(link, tamper):
    anyone, said = link

    reply = anyone.client.get(tamper(said["uri"]))

    assert reply.status_code == 403
    assert CONTENT[:100] not in reply.content


def test_a_link_that_has_expired_opens_nothing(standing, link):
    anyone, said = link
    links = standing.server.fairlead.front_door._context.links
    good = links.verify(said["uri"].removeprefix(standing.server.url), datetime.now(UTC))
    a_second_ago = datetime.now(UTC) - timedelta(seconds=1)
    path = links.sign(
        good.blob_key, good.file_name, expires_at=a_second_ago, modified_at=good.modified_at, size_bytes=SIZE
    )

    reply = anyone.client.get(path)

    assert reply.status_code == 403
    assert b"good until" in reply.content


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_a_link_only_gives(link, method):
    anyone, said = link

    reply = anyone.client.request(method, said["uri"])

    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD")
    assert anyone.client.get(said["uri"]).status_code == 200


def test_who_may_look_at_artifacts_may_download_them(mender, acme):
    artifact = acme.artifact()

    said = mender.as_(BEN).get(f"{DEPLOYMENTS}/artifacts/{artifact}/download").json()

    assert mender.client.get(said["uri"]).status_code == 200


def test_a_devices_link_is_good_for_a_day_and_needs_no_token(mender, acme):
    device = acme.device("door")
    acme.artifact()
    acme.deploy()

    source = device.next().json()["artifact"]["source"]

    left = datetime.fromisoformat(source["expire"]) - datetime.now(UTC)
    assert timedelta(hours=23, minutes=59) < left <= timedelta(hours=24)
    assert mender.client.get(source["uri"]).status_code == 200


def test_a_link_names_the_host_by_which_the_client_came(mender, acme):
    path = f"{DEPLOYMENTS}/artifacts/{acme.artifact()}/download"

    said = mender.as_(ADA).get(path, headers={"Host": "updates.example:4433"}).json()

    assert said["uri"].startswith("http://updates.example:4433/")


def test_a_download_may_break_off_and_go_on_under_a_newer_link(mender, acme):
    device = acme.device("door")
    mender.as_(ADA).upload(make_artifact(device_types=["door-lock"], payloads=[Payload(files={"a": bytes(900_000)})]))
    acme.deploy()
    first, second = (device.next().json()["artifact"]["source"]["uri"] for _ in range(2))
    whole = mender.client.get(first)
    half = len(whole.content) // 2

    with mender.client.stream("GET", first) as broken_off:
        next(broken_off.iter_raw(1000))
    rest = mender.client.get(second, headers={"Range": f"bytes={half}-", "If-Range": whole.headers["etag"]})

    assert (rest.status_code, whole.content[:half] + rest.content) == (206, whole.content)
