"""Artifacts whose parts are wrong, missing, too many or in the wrong order."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from artifact_maker import Artifact, Payload, as_json, make_artifact, manifest, plan, sha256, tar
from fairlead.base.errors import Kind
from fairlead.domain.artifacts.format import ArtifactReader, BrokenArtifact

from .reading import reason

INFO = {
    "payloads": [{"type": "app"}],
    "artifact_provides": {"artifact_name": "release-1"},
    "artifact_depends": {"device_type": ["pi"]},
}


def test_a_payload_that_differs_from_its_manifest_is_refused():
    artifact = plan(compression="none")
    artifact.members["data/0000.tar"] = artifact.members["data/0000.tar"].replace(b"hello", b"hellO")

    assert reason(artifact.pack()).startswith(
        f"invalid checksum of 'data/0000/a.txt'; expected {sha256(b'hello')}, actual {sha256(b'hellO')}"
    )


def test_a_version_1_payload_that_differs_from_its_header_is_refused():
    artifact = plan(version=1, compression="none")
    artifact.members["data/0000.tar"] = artifact.members["data/0000.tar"].replace(b"hello", b"hellO")

    assert reason(artifact.pack()).startswith("invalid checksum of 'data/0000/a.txt'")


@pytest.mark.parametrize("name", ["version", "header.tar.gz"])
def test_version_and_header_must_be_what_the_manifest_says(name):
    artifact = plan()
    other = plan(name="release-2").members["header.tar.gz"]
    artifact.members[name] = other if name != "version" else b'{"format":"mender", "version":3}'

    assert reason(artifact.pack()).startswith(f"invalid checksum of '{name}'")


def test_a_refusal_is_the_askers_fault_and_stays_the_same():
    reader = ArtifactReader()
    with pytest.raises(BrokenArtifact) as first:
        reader.feed(b"x" * 512)
    with pytest.raises(BrokenArtifact) as second:
        reader.feed(make_artifact())
    with pytest.raises(BrokenArtifact) as third:
        reader.finish()

    assert first.value.kind is Kind.INVALID
    assert str(first.value) == str(second.value) == str(third.value)


@pytest.mark.parametrize("version", [0, 4, -1])
def test_a_version_from_the_future_is_refused_with_those_that_are_known(version):
    artifact = tar({"version": as_json({"format": "mender", "version": version})})

    assert reason(artifact) == f"unsupported version: {version}; supported versions are: 1, 2, 3"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "'version' is not JSON"),
        (b"[]", "'version' does not say what it must"),
        (b'{"version":3}', "'version' does not say what it must"),
        (b'{"format":"mender","version":"3"}', "'version' does not say what it must"),
        (b'{"format":"mender","version":3.5}', "'version' does not say what it must"),
        (b'{"format":"tender","version":3}', "unsupported format: 'tender'"),
    ],
)
def test_a_version_that_makes_no_sense_is_refused(content, why):
    assert reason(tar({"version": content})).startswith(why)


@pytest.mark.parametrize("member", ["version", "manifest", "header.tar.gz", "data/0000.tar.gz"])
@pytest.mark.parametrize("version", [2, 3])
def test_nothing_may_be_missing(version, member):
    artifact = plan(version=version)
    del artifact.members[member]

    why = reason(artifact.pack())
    assert "expected" in why or "listed and not there" in why


@pytest.mark.parametrize("member", ["version", "header.tar.gz", "data/0000.tar.gz"])
def test_nothing_may_be_missing_in_version_1(member):
    artifact = plan(version=1)
    del artifact.members[member]

    why = reason(artifact.pack())
    assert "expected" in why or "listed and not there" in why


@pytest.mark.parametrize("last", ["version", "manifest"])
def test_an_artifact_that_ends_before_its_header_is_refused(last):
    artifact = plan()
    names = list(artifact.members)
    kept = names[: names.index(last) + 1]

    assert reason(Artifact({name: artifact.members[name] for name in kept}).pack()).endswith("is missing")


@pytest.mark.parametrize("version", [1, 2, 3])
def test_members_in_any_other_order_are_refused(version):
    artifact = plan(version=version, signed=version > 1)
    names = list(artifact.members)

    for first, second in pairwise(names):
        swapped = [{first: second, second: first}.get(name, name) for name in names]
        assert reason(Artifact({name: artifact.members[name] for name in swapped}).pack())


@pytest.mark.parametrize("member", ["version", "manifest", "manifest.sig", "header.tar.gz", "data/0000.tar.gz"])
def test_nothing_may_be_there_twice(member):
    members = plan(signed=True).members
    packed = b"".join(alone(name, content) * (2 if name == member else 1) for name, content in members.items())

    assert reason(packed + bytes(1024))


def alone(name: str, content: bytes) -> bytes:
    """A member as it stands in an archive, without the end of the archive."""
    return tar({name: content})[: 512 + len(content) + -len(content) % 512]


@pytest.mark.parametrize(
    "name", ["readme", "header.tar.bz2", "data/0000.tar.lzma", "data/0.tar.gz", "data/", "./version"]
)
def test_unknown_members_are_refused(name):
    artifact = plan()
    artifact.put(name, b"", before="data/0000.tar.gz")

    assert reason(artifact.pack())


def test_a_payload_without_a_place_in_the_header_is_refused():
    artifact = plan()
    artifact.members["data/0001.tar.gz"] = artifact.members["data/0000.tar.gz"]

    assert reason(artifact.pack()) == "'data/0001.tar.gz' belongs to no payload"


def test_payloads_must_come_in_order():
    artifact = plan(payloads=[Payload(files={"a": b"1"}), Payload(files={"b": b"2"})])
    artifact.members["data/0000.tar.gz"] = artifact.members.pop("data/0000.tar.gz")

    assert reason(artifact.pack()) == "'data/0000.tar.gz' comes too late or twice"


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_file_that_is_not_listed_is_refused(version):
    artifact = plan(version=version, compression="none")
    artifact.members["data/0000.tar"] = tar({"a.txt": b"hello", "b.txt": b"more"})

    assert reason(artifact.pack()) == "checksum missing: 'data/0000/b.txt' is not listed"


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_file_that_is_listed_and_not_there_is_refused(version):
    artifact = plan(version=version, compression="none")
    artifact.members["data/0000.tar"] = tar({})

    assert reason(artifact.pack()) == "'data/0000/a.txt' is listed and not there"


def test_a_file_may_be_there_only_once_even_under_its_other_name():
    artifact = plan(compression="none")
    artifact.members["data/0000.tar"] = tar({"a.txt": b"hello", "data/0000/a.txt": b"hello"})

    assert reason(artifact.pack()) == "'data/0000/a.txt' is there twice"


@pytest.mark.parametrize(
    "line",
    [
        "no line",
        f"{'a' * 64} data/0000/b",
        f"{'A' * 64}  data/0000/b",
        f"{'a' * 63}  data/0000/b",
        f"{'a' * 64}  data/0000/../b",
        f"{'a' * 64}  /data/0000/b",
        f"{'a' * 64}  data/00000/b",
        f"{'a' * 64}  header-augment.tar",
        f"{'a' * 64}  data/0000/a.txt",
        f"{'a' * 64}  data/0000/b.txt",
        f"{'a' * 64}  version\r",
    ],
)
def test_a_manifest_may_list_only_what_is_there_and_only_once(line):
    artifact = plan()
    artifact.members["manifest"] += f"{line}\n".encode()

    assert reason(artifact.pack())


@pytest.mark.parametrize("path", ["version", "header.tar.gz", "data/0000/a.txt"])
def test_everything_must_be_in_the_manifest(path):
    artifact = plan()
    lines = artifact.members["manifest"].splitlines(keepends=True)
    artifact.members["manifest"] = b"".join(line for line in lines if path.encode() not in line)

    assert reason(artifact.pack()) == f"checksum missing: '{path}' is not listed"


def test_version_2_files_must_be_those_of_the_header():
    artifact = plan(version=2, compression="none")
    other = plan(version=2, compression="none", payloads=[Payload(files={"a.txt": b"hello", "b.txt": b""})])
    artifact.members["header.tar"] = other.members["header.tar"]
    artifact.promise_again()

    assert reason(artifact.pack()) == "headers/0000/files does not list the files that are there"


def with_header(members: dict[str, bytes], version: int = 3) -> bytes:
    artifact = plan(version=version, compression="none", payloads=[Payload("app")])
    artifact.members["header.tar"] = tar(members)
    if version > 1:
        artifact.promise_again()
    return artifact.pack()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"artifact_provides": None}, "'header-info' does not say what it must"),
        ({"artifact_provides": {"artifact_name": ""}}, "the artifact's name is empty or too long"),
        ({"artifact_provides": {"artifact_name": "n" * 4097}}, "the artifact's name is empty or too long"),
        ({"artifact_provides": {"artifact_name": "zero\0"}}, "'header-info' has a zero byte"),
        ({"artifact_depends": None}, "no compatible device type"),
        ({"artifact_depends": {"device_type": []}}, "no compatible device type"),
        ({"artifact_depends": {"device_type": [""]}}, "a device type is empty or too long"),
        ({"artifact_depends": {"device_type": [1]}}, "'header-info' does not say what it must"),
        ({"payloads": [{"type": ""}]}, "a payload has no type"),
        ({"payloads": "app"}, "'header-info' does not say what it must"),
        ({"payloads": [{"type": "app"}] * 1025}, "too many payloads"),
    ],
)
def test_a_header_info_that_makes_no_sense_is_refused(changes, why):
    header = {"header-info": as_json(INFO | changes), "headers/0000/type-info": b'{"type":"app"}'}

    assert reason(with_header(header)).startswith(why)


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({}, "header-info is missing"),
        ({"headers/0000/type-info": b"{}"}, "'headers/0000/type-info' found where header-info was expected"),
        ({"header-info": b""}, "'header-info' is not JSON"),
        ({"header-info": as_json(INFO)}, "headers/0000/type-info is missing"),
        ({"header-info": as_json(INFO), "headers/0001/type-info": b"{}"}, "unexpected 'headers/0001/type-info'"),
        ({"header-info": as_json(INFO), "headers/0000/files": b"{}"}, "unexpected 'headers/0000/files'"),
        ({"header-info": as_json(INFO), "headers/0000/meta-data": b"[]"}, "'headers/0000/meta-data' does not say"),
        ({"header-info": as_json(INFO), "headers/0000/meta-data": b"null"}, "'headers/0000/meta-data' does not say"),
        (
            {"header-info": as_json(INFO), "headers/0000/type-info": b"{}", "scripts/late": b""},
            "unexpected 'scripts/late'",
        ),
        ({"header-info": as_json(INFO), "scripts/deep/er": b""}, "unexpected 'scripts/deep/er'"),
        ({"header-info": as_json(INFO), "anything": b""}, "unexpected 'anything'"),
    ],
)
def test_a_header_with_wrong_members_is_refused(members, why):
    assert reason(with_header(members)).startswith(why)


@pytest.mark.parametrize(
    ("type_info", "why"),
    [
        ({"artifact_provides": {"a": 1}}, "'headers/0000/type-info' does not say what it must"),
        ({"artifact_depends": {"a": {"b": "c"}}}, "'headers/0000/type-info' does not say what it must"),
        ({"artifact_provides": {"artifact_name": "other"}}, "conflicting keys are not allowed: 'artifact_name'"),
        ({"artifact_depends": {"device_type": ["other"]}}, "conflicting keys are not allowed: 'device_type'"),
        ({"clears_artifact_provides": "a"}, "'headers/0000/type-info' does not say what it must"),
    ],
)
def test_a_type_info_that_makes_no_sense_is_refused(type_info, why):
    header = {"header-info": as_json(INFO), "headers/0000/type-info": as_json({"type": "app", **type_info})}

    assert reason(with_header(header)).startswith(why)


def test_two_payloads_cannot_provide_the_same_thing():
    artifact = make_artifact(payloads=[Payload("a", provides={"x": "1"}), Payload("b", provides={"x": "2"})])

    assert reason(artifact) == "conflicting keys are not allowed: 'x'"


def test_a_payload_without_a_type_has_no_files():
    assert reason(make_artifact(payloads=[Payload(None, {"a": b"1"})])) == "a payload without a type has files"
    assert reason(make_artifact(version=2, payloads=[Payload(None)])) == "a payload has no type"


def test_the_augmented_header_and_its_manifest_need_each_other():
    without_header = plan(augments=[Payload("app")])
    del without_header.members["header-augment.tar.gz"]
    without_manifest = plan(augments=[Payload("app")])
    del without_manifest.members["manifest-augment"]
    unlisted = plan(augments=[Payload("app")])
    unlisted.members["manifest-augment"] = b""

    assert reason(without_header.pack()) == "'header-augment.tar.gz' is listed and not there"
    assert reason(without_manifest.pack()) == "checksum missing: 'header-augment.tar.gz' is not listed"
    assert reason(unlisted.pack()) == "manifest-augment does not list header-augment.tar"


def test_the_augmented_header_may_not_carry_scripts_or_more_payloads():
    scripted = plan(compression="none", augments=[Payload("app")])
    scripted.members["header-augment.tar"] = tar({"header-info": b'{"payloads":[]}', "scripts/x": b""})
    scripted.members["manifest-augment"] = manifest({"header-augment.tar": scripted.members["header-augment.tar"]})

    assert reason(scripted.pack()) == "unexpected 'scripts/x' in the header"
    assert reason(make_artifact(augments=[Payload("a"), Payload("b")])).startswith("the augmented header has more")


def test_augmented_meta_data_may_not_turn_one_sort_of_thing_into_another():
    artifact = make_artifact(
        payloads=[Payload("app", {"a": b"1"}, meta_data={"x": {"y": 1}})],
        augments=[Payload("app", meta_data={"x": [1]})],
    )

    assert reason(artifact) == "the augmented meta-data makes something else of 'x'"


def test_an_augmented_header_is_no_part_of_version_2():
    artifact = plan(version=2)
    augmented = plan(augments=[Payload("app")])
    artifact.put("manifest-augment", augmented.members["manifest-augment"], before="header.tar.gz")

    assert reason(artifact.pack()) == "manifest-augment found where header was expected"


def test_a_checksum_for_a_file_that_version_1_does_not_list_is_refused():
    info = {"artifact_name": "a", "updates": [{"type": "app"}], "device_types_compatible": ["pi"]}
    header = {
        "header-info": as_json(info),
        "headers/0000/files": b'{"files":[]}',
        "headers/0000/type-info": b'{"type":"app"}',
        "headers/0000/checksums/b.sha256sum": b"a" * 64,
    }

    assert reason(with_header(header, version=1)) == "a checksum for 'b', which is not listed"
    header["headers/0000/files"] = json.dumps({"files": ["c"]}).encode()
    assert reason(with_header(header, version=1)) == "checksum missing for 'c'"
    header["headers/0000/checksums/b.sha256sum"] = b"short"
    assert reason(with_header(header, version=1)) == "the checksum of 'b' is not one"
