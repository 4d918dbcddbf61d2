"""However an artifact arrives and whatever happened to it on the way: it is read as it is, or refused."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artifact_maker import Payload, make_artifact, plan
from fairlead.domain.artifacts.format import ArtifactReader, BrokenArtifact, Description

from .reading import read

KINDS = {
    "version 1": {"version": 1},
    "version 2, signed": {"version": 2, "signed": True, "compression": "none"},
    "gzip": {"compression": "gzip"},
    "xz": {"compression": "xz"},
    "zst": {"compression": "zst"},
    "augmented": {
        "payloads": [Payload("a", {"x": b"1" * 700}, {"k": [1]}), Payload("b", {"y": b"2" * 512})],
        "augments": [Payload("c", {"z": b"3"})],
        "compression": "none",
    },
}
ARTIFACTS = {kind: make_artifact(**wishes) for kind, wishes in KINDS.items()}
ANY_KIND = st.sampled_from(sorted(ARTIFACTS))
quickly = settings(max_examples=150, deadline=None)


def read_in_pieces(artifact: bytes, cuts: list[int]) -> Description:
    reader = ArtifactReader()
    edges = [0, *sorted(cuts), len(artifact)]
    for start, end in pairwise(edges):
        reader.feed(artifact[start:end])
    return reader.finish()


def read_or_refuse(artifact: bytes) -> Description | None:
    """Any exception that is not a refusal fails the test."""
    try:
        return read(artifact)
    except BrokenArtifact:
        return None


@pytest.mark.parametrize("kind", ARTIFACTS)
def test_byte_by_byte_is_as_good_as_all_at_once(kind):
    artifact = ARTIFACTS[kind]

    assert read(artifact, chunk_bytes=1) == read(artifact)


@quickly
@given(ANY_KIND, st.data())
def test_it_does_not_matter_how_the_bytes_are_cut(kind, data):
    artifact = ARTIFACTS[kind]
    cuts = data.draw(st.lists(st.integers(0, len(artifact)), max_size=20))

    assert read_in_pieces(artifact, cuts) == read(artifact)


@quickly
@given(ANY_KIND, st.data())
def test_what_is_cut_off_is_refused(kind, data):
    artifact = ARTIFACTS[kind]
    needed = len(artifact.rstrip(b"\0")) + 1024  # the end itself is 1024 zeros, and tar programs add more of them
    cut = data.draw(st.integers(0, needed - 512))

    assert read_or_refuse(artifact[:cut]) is None


@quickly
@given(ANY_KIND, st.data())
def test_a_changed_byte_is_refused_or_changes_nothing_that_counts(kind, data):
    artifact = bytearray(ARTIFACTS[kind])
    position = data.draw(st.integers(0, len(artifact) - 1))
    artifact[position] ^= data.draw(st.integers(1, 255))

    description = read_or_refuse(bytes(artifact))

    if description is not None:
        untouched = read(ARTIFACTS[kind])
        assert description.sha256 != untouched.sha256
        assert description == replace(untouched, sha256=description.sha256)


@quickly
@given(st.sampled_from(["version", "manifest", "manifest-augment", "header.tar", "header-augment.tar"]), st.data())
def test_a_changed_byte_in_what_has_a_checksum_is_always_refused(member, data):
    artifact = plan(**KINDS["augmented"])
    content = bytearray(artifact.members[member])
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    artifact.members[member] = bytes(content)

    assert read_or_refuse(artifact.pack()) is None


@quickly
@given(st.integers(0, 699), st.integers(1, 255))
def test_a_changed_byte_in_a_payload_is_always_refused(position, change):
    artifact = plan(**KINDS["augmented"])
    content = bytearray(artifact.members["data/0000.tar"])
    content[512 + position] ^= change
    artifact.members["data/0000.tar"] = bytes(content)

    assert read_or_refuse(artifact.pack()) is None


@quickly
@given(ANY_KIND, st.data())
def test_bytes_put_in_left_out_or_repeated_are_never_more_than_refused(kind, data):
    artifact = ARTIFACTS[kind]
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(artifact))] * 2)))
    middle = data.draw(st.sampled_from([b"", artifact[start:end] * 2, b"\0" * 512]) | st.binary(max_size=2000))

    read_or_refuse(artifact[:start] + middle + artifact[end:])


@quickly
@given(st.binary(max_size=3000))
def test_mere_noise_is_refused(noise):
    assert read_or_refuse(noise) is None


@quickly
@given(
    st.sampled_from(["version", "manifest", "manifest.sig", "header.tar.gz", "data/0000.tar.gz"]),
    st.binary(max_size=1500),
)
def test_noise_in_place_of_a_member_is_refused(member, noise):
    artifact = plan(signed=True)
    artifact.members[member] = noise

    assert read_or_refuse(artifact.pack()) is None or member == "manifest.sig"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@quickly
@given(JSON, st.sampled_from([1, 2, 3]))
def test_any_json_may_stand_where_meta_data_is_expected(document, version):
    meta_data = json.dumps(document).encode()
    artifact = make_artifact(version=version, payloads=[Payload(files={"a": b"1"}, meta_data=meta_data)])

    description = read_or_refuse(artifact)

    assert description is None or description.updates[0].meta_data == (document or None)
