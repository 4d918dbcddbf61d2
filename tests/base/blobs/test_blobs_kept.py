"""What every payload store promises."""

import hashlib
import random
from datetime import UTC, datetime, timedelta

import pytest

from fairlead.base.blobs import BadBlobKey, BlobIsMissing

LONG = random.Random(7).randbytes(18 * 1024 * 1024 + 5)  # three parts of a multipart upload

A_HUNDRED_YEARS = 100 * 365 * 24 * 3600  # moto says of every upload that it began in 2010


def test_what_is_kept_is_read_back_whole(blobs, put):
    put(blobs, "acme/door.mender", LONG)

    assert hashlib.sha256(b"".join(blobs.read("acme/door.mender"))).digest() == hashlib.sha256(LONG).digest()
    assert blobs.size("acme/door.mender") == len(LONG)


@pytest.mark.parametrize(
    ("start", "length"), [(0, 1), (0, None), (3, 4), (7, None), (9, 1), (9, 50), (10, None), (5, 0), (0, 10)]
)
def test_any_part_can_be_read(blobs, put, start, length):
    put(blobs, "digits", b"0123456789")

    found = b"".join(blobs.read("digits", start, length))

    assert found == b"0123456789"[start:][:length]


def test_a_long_blob_is_read_in_chunks_of_256_kib(blobs, put):
    put(blobs, "long", LONG)

    sizes = [len(chunk) for chunk in blobs.read("long", 1000, 700_000)]

    assert sizes == [262144, 262144, 700_000 - 2 * 262144]


def test_an_empty_blob_is_a_blob(blobs, put):
    put(blobs, "nothing", b"")

    assert blobs.size("nothing") == 0
    assert list(blobs.read("nothing")) == []


@pytest.mark.parametrize("content", [b"short", LONG], ids=["short", "long"])
def test_nothing_is_seen_before_it_is_kept(blobs, content):
    with blobs.receive("door") as incoming:
        incoming.write(content)

        assert blobs.size("door") is None
        assert list(blobs.kept()) == []
        with pytest.raises(BlobIsMissing):
            next(blobs.read("door"))


@pytest.mark.parametrize("content", [b"", b"short", LONG], ids=["empty", "short", "long"])
def test_what_is_not_kept_leaves_nothing(blobs, content):
    with blobs.receive("door") as incoming:
        incoming.write(content)

    assert list(blobs.kept()) == []
    assert blobs.sweep(older_than_seconds=0) == 0


def test_what_breaks_off_leaves_nothing(blobs):
    with pytest.raises(ConnectionResetError), blobs.receive("door") as incoming:
        incoming.write(LONG)
        raise ConnectionResetError

    assert list(blobs.kept()) == []
    assert blobs.sweep(older_than_seconds=0) == 0


def test_keeping_a_key_that_is_there_is_harmless(blobs, put):
    put(blobs, "door", b"first")
    put(blobs, "door", b"second")

    assert b"".join(blobs.read("door")) == b"second"
    assert [kept.key for kept in blobs.kept()] == ["door"]


def test_removing_is_harmless_when_it_is_not_there(blobs, put):
    put(blobs, "acme/door", b"x")

    blobs.remove("acme/door")
    blobs.remove("acme/door")
    blobs.remove("nowhere/at/all")

    assert blobs.size("acme/door") is None


def test_the_list_says_name_size_and_age(blobs, put):
    put(blobs, "acme/a/1", b"one")
    put(blobs, "zenith/2", b"three")

    found = {kept.key: kept for kept in blobs.kept()}

    assert {key: kept.size_bytes for key, kept in found.items()} == {"acme/a/1": 3, "zenith/2": 5}
    assert all(abs(datetime.now(UTC) - kept.modified_at) < timedelta(minutes=1) for kept in found.values())


def test_a_folder_of_blobs_is_not_a_blob(blobs, put):
    put(blobs, "acme/door", b"x")

    assert blobs.size("acme") is None
    with pytest.raises(BlobIsMissing):
        next(blobs.read("acme"))


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "../x", "a/../b", "a//b", "a/", "a b", "a\n", "ä", ".hidden", "a/.b", "x" * 501, "a\0", "a\\b"],
)
def test_a_key_that_could_lead_elsewhere_is_refused(blobs, key):
    for use in (blobs.receive, blobs.open, blobs.size, blobs.remove, lambda key: next(blobs.read(key))):
        with pytest.raises(BadBlobKey):
            use(key)


def test_the_check_passes_and_leaves_nothing(blobs):
    blobs.check()

    assert list(blobs.kept()) == []
    assert blobs.sweep(older_than_seconds=0) == 0


def test_the_sweeper_spares_what_is_young_and_what_is_kept(blobs, put):
    put(blobs, "door", b"kept")
    with blobs.receive("slow") as incoming:
        incoming.write(LONG)

        assert blobs.sweep(older_than_seconds=A_HUNDRED_YEARS) == 0
        incoming.keep()

    assert {kept.key for kept in blobs.kept()} == {"door", "slow"}
