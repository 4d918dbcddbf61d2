"""What comes over the wire when a signed link is followed."""

import hashlib
import http.client
import os
import random
import threading
from datetime import UTC, datetime, timedelta

import pytest

from fairlead.base.http.download import LARGEST_CHUNK, SMALLEST_CHUNK, next_chunk_bytes

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)  # on the host's clock
CONTENT = random.Random(3).randbytes(3_000_001)


def test_a_device_gets_the_whole_artifact_and_is_told_its_length(host):
    link = host.hold("acme/door", CONTENT)

    reply = host.ask("GET", link, Accept_Encoding="gzip, br")

    assert (reply.status, reply.body == CONTENT) == (200, True)
    assert reply.headers["content-length"] == str(len(CONTENT))
    assert reply.headers["content-type"] == "application/vnd.mender-artifact"
    assert reply.headers["content-disposition"] == 'attachment; filename="door.mender"'
    assert reply.headers["accept-ranges"] == "bytes"
    assert reply.headers["last-modified"] == "Sun, 01 Feb 2026 08:30:00 GMT"
    assert reply.headers["etag"].startswith('"')
    assert not {"transfer-encoding", "content-encoding"} & reply.headers.keys()


def test_head_says_the_same_without_the_bytes(host):
    link = host.hold("acme/door", CONTENT)

    head, get = host.ask("HEAD", link, Range="bytes=5-"), host.ask("GET", link)

    assert head.status == 200
    assert head.body == b""
    assert {**head.headers, "date": ""} == {**get.headers, "date": ""}
    assert host.read_bytes == len(CONTENT)


def test_an_interrupted_download_goes_on_where_it_stopped(host):
    link = host.hold("acme/door", CONTENT)
    etag = host.ask("HEAD", link).headers["etag"]

    reply = host.ask("GET", link, Range="bytes=1000000-", If_Range=etag)

    assert reply.status == 206
    assert reply.headers["content-range"] == f"bytes 1000000-{len(CONTENT) - 1}/{len(CONTENT)}"
    assert reply.headers["content-length"] == str(len(CONTENT) - 1_000_000)
    assert reply.body == CONTENT[1_000_000:]


@pytest.mark.parametrize(("value", "body"), [("bytes=3-9", CONTENT[3:10]), ("bytes=-7", CONTENT[-7:])])
def test_any_one_range_is_answered_to_the_byte(host, value, body):
    reply = host.ask("GET", host.hold("acme/door", CONTENT), Range=value)

    assert (reply.status, reply.body) == (206, body)


def test_a_range_beyond_the_end_is_refused_with_the_length(host):
    reply = host.ask("GET", host.hold("acme/door", CONTENT), Range=f"bytes={len(CONTENT)}-")

    assert (reply.status, reply.body) == (416, b"")
    assert reply.headers["content-range"] == f"bytes */{len(CONTENT)}"
    assert reply.headers["content-length"] == "0"


def test_several_ranges_are_answered_with_the_whole(host):
    reply = host.ask("GET", host.hold("acme/door", CONTENT), Range="bytes=0-1,5-6")

    assert (reply.status, reply.body == CONTENT) == (200, True)


def test_who_has_it_already_is_told_so(host):
    link = host.hold("acme/door", CONTENT)
    etag = host.ask("HEAD", link).headers["etag"]

    reply = host.ask("GET", link, If_None_Match=etag)

    assert (reply.status, reply.body, reply.headers["etag"]) == (304, b"", etag)
    assert host.ask("GET", link, If_Match='"other"').status == 412


def test_an_empty_blob_is_an_empty_download(host):
    reply = host.ask("GET", host.hold("acme/empty", b"", "empty.txt"))

    assert (reply.status, reply.body, reply.headers["content-length"]) == (200, b"", "0")
    assert reply.headers["content-type"] == "application/octet-stream"


def test_a_changed_link_is_forbidden(host):
    link = host.hold("acme/door", CONTENT)

    reply = host.ask("GET", link.replace("door.mender", "other.mender"))

    assert (reply.status, reply.headers["content-type"]) == (403, "text/plain; charset=utf-8")
    assert reply.body == b"This download link was not made here, or it has been changed: ask for a new one."


def test_an_expired_link_is_forbidden(host, links):
    yesterday = datetime(2026, 2, 28, tzinfo=UTC)
    link = links.sign("acme/door", "door", expires_at=yesterday, modified_at=yesterday, size_bytes=1)

    reply = host.ask("GET", link)

    assert (reply.status, b"good until 2026-02-28 00:00:00 UTC" in reply.body) == (403, True)


def test_what_has_been_removed_is_not_found(host):
    link = host.hold("acme/door", CONTENT)
    host.blobs.remove("acme/door")

    for method in ("GET", "HEAD"):
        assert host.ask(method, link).status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_a_link_can_only_be_read(host, method):
    reply = host.ask(method, host.hold("acme/door", b"x"))

    assert (reply.status, reply.headers["allow"]) == (405, "GET, HEAD")


def test_a_link_for_removing_removes_and_does_nothing_else(host):
    link = host.hold("acme/door", b"x")
    removal = host.links.sign_removal("acme/door", expires_at=NOW + timedelta(hours=1))

    assert [host.ask(method, removal).status for method in ("GET", "HEAD", "POST")] == [403, 403, 405]
    assert host.ask("GET", link).body == b"x"
    assert (host.ask("DELETE", removal).status, host.ask("DELETE", removal).status) == (204, 204)
    assert host.ask("GET", link).status == 404


def test_a_link_for_removing_ends(host, links):
    host.hold("acme/door", b"x")

    reply = host.ask("DELETE", host.links.sign_removal("acme/door", expires_at=NOW))

    assert reply.status == 403
    assert b"good until" in reply.body


def test_one_connection_serves_one_download_after_the_other(host):
    link = host.hold("acme/door", CONTENT)
    connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=20)
    wires = set()

    for _ in range(3):
        connection.request("GET", link)
        wires.add(connection.sock)
        assert connection.getresponse().read() == CONTENT

    connection.close()
    assert len(wires) == 1


def test_reading_stops_when_the_client_leaves(host, until):
    link = host.hold("acme/long", CONTENT * 10)
    wire = host.call(link)
    wire.recv(1000)
    until(lambda: host.open_readings == 1)

    wire.close()

    until(lambda: host.open_readings == 0)
    assert host.read_bytes < len(CONTENT) * 10


def test_what_breaks_off_in_the_store_ends_short_of_its_length(host, tmp_path):
    link = host.hold("acme/long", CONTENT * 5)
    wire = host.call(link)
    wire.recv(1000)
    os.truncate(next(tmp_path.rglob("long")), len(CONTENT))

    received = sum(iter(lambda: len(wire.recv(65536)), 0))

    assert received < len(CONTENT) * 5


def test_two_hundred_slow_clients_leave_room_for_a_quick_one(host, until):
    content = CONTENT * 2
    link = host.hold("acme/long", content)
    threads = threading.active_count()
    slow = [host.call(link) for _ in range(200)]
    until(lambda: host.open_readings == 200)

    assert host.ask("GET", link).body == content
    assert threading.active_count() < threads + 40
    for wire in slow[:3]:
        assert hashlib.sha256(_body(wire)).digest() == hashlib.sha256(content).digest()
    for wire in slow[3:]:
        wire.close()
    until(lambda: host.open_readings == 0)


def _body(wire):
    received = bytearray()
    while heard := wire.recv(1 << 20):
        received += heard
    return received.split(b"\r\n\r\n", 1)[1]


def test_a_quick_client_is_given_more_at_a_time_and_a_slow_one_less():
    assert next_chunk_bytes(SMALLEST_CHUNK, 0.001) == 2 * SMALLEST_CHUNK
    assert next_chunk_bytes(LARGEST_CHUNK, 0.001) == LARGEST_CHUNK
    assert next_chunk_bytes(LARGEST_CHUNK, 1) == LARGEST_CHUNK // 2
    assert next_chunk_bytes(SMALLEST_CHUNK, 1) == SMALLEST_CHUNK
