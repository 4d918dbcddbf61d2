"""What the reader tells about artifacts that are whole."""

from __future__ import annotations

import hashlib
import tarfile
from datetime import UTC, datetime

import pytest

from artifact_maker import Payload, make_artifact, plan, sha256, tar
from fairlead.domain.artifacts.format import File, Update

from .reading import read

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HELLO = File("a.txt", sha256(b"hello"), 5, EPOCH)


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("compression", ["none", "gzip", "xz", "zst"])
def test_every_version_is_read_in_every_compression(version, compression):
    artifact = make_artifact(version=version, compression=compression)

    description = read(artifact)

    assert (description.format, description.version) == ("mender", version)
    assert description.name == "release-1"
    assert description.device_types_compatible == ("qemux86-64",)
    assert description.updates == (Update("single-file", (HELLO,), None),)
    assert description.provides == {"artifact_name": "release-1"}
    assert description.depends == {"device_type": ["qemux86-64"]}


def test_header_and_payload_may_be_compressed_in_different_ways():
    artifact = make_artifact(compression="none", header_compression="zst")

    assert read(artifact).updates[0].files == (HELLO,)


def test_size_and_checksum_are_those_of_the_whole_file():
    artifact = make_artifact()

    description = read(artifact)

    assert description.size_bytes == len(artifact)
    assert description.sha256 == hashlib.sha256(artifact).hexdigest()


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("signed", [True, False])
def test_a_signature_is_noticed(version, signed):
    assert read(make_artifact(version=version, signed=signed)).signed is signed


def test_provides_and_depends_of_header_and_payloads_come_together():
    artifact = make_artifact(
        group="stable",
        header_depends={"artifact_name": ["release-0"], "artifact_group": "stable"},
        payloads=[
            Payload("app", {"a": b"1"}, provides={"app.version": "2"}, depends={"app.version": ["1", "1.5"]}),
            Payload("os", {"a": b"2"}, provides={"os.version": "7"}, depends={"os.checksum": "ab"}, clears=["os.*"]),
        ],
        clears=["app.*", "os.*"],
    )

    description = read(artifact)

    assert description.group == "stable"
    assert description.payload_types == ("app", "os")
    assert description.clears == ("app.*", "os.*")
    assert description.provides == {
        "artifact_name": "release-1",
        "artifact_group": "stable",
        "app.version": "2",
        "os.version": "7",
    }
    assert description.depends == {
        "device_type": ["qemux86-64"],
        "artifact_name": ["release-0"],
        "artifact_group": "stable",
        "app.version": ["1", "1.5"],
        "os.checksum": "ab",
    }


def test_a_single_device_type_becomes_a_list():
    description = read(make_artifact(header_depends={"device_type": "pi"}))

    assert description.depends["device_type"] == ["pi"]
    assert description.device_types_compatible == ("pi",)


@pytest.mark.parametrize("empty", [None, b"", b" \n", b"{}"])
def test_empty_meta_data_is_no_meta_data(empty):
    artifact = make_artifact(payloads=[Payload(files={"a": b"1"}, meta_data=empty)])

    assert read(artifact).updates[0].meta_data is None


def test_meta_data_is_passed_on_as_it_is():
    meta_data = {"a": [1, None, {"b": "ü"}], "c": 1.5}

    artifact = make_artifact(payloads=[Payload(files={"a": b"1"}, meta_data=meta_data)])

    assert read(artifact).updates[0].meta_data == meta_data


@pytest.mark.parametrize("version", [1, 2, 3])
def test_files_may_be_named_as_the_manifest_names_them(version):
    artifact = make_artifact(version=version, long_names_inside=True)

    assert read(artifact).updates[0].files == (HELLO,)


@pytest.mark.parametrize("version", [2, 3])
def test_scripts_in_the_header_are_passed_over(version):
    artifact = make_artifact(version=version, scripts={"ArtifactInstall_Enter_00": b"#!/bin/sh\n"})

    assert read(artifact).name == "release-1"


def test_the_oldest_artifacts_carry_signatures_and_scripts_for_each_payload():
    old = plan(version=1, compression="none")
    header = {
        "header-info": b'{"artifact_name":"old","updates":[{"type":"rootfs-image"}],"device_types_compatible":["pi"]}',
        "headers/": b"",
        "headers/0000/": b"",
        "headers/0000/files": b'{"files":["a.txt"]}',
        "headers/0000/type-info": b'{"type":"rootfs-image"}',
        "headers/0000/meta-data": b"",
        "headers/0000/checksums/a.sha256sum": f"{sha256(b'hello')}\n".encode(),
        "headers/0000/signatures/a.sig": b"signature",
        "headers/0000/scripts/pre/01_do_this": b"#!/bin/sh\n",
        "headers/0000/scripts/check/01_check_this": b"#!/bin/sh\n",
    }
    old.members["header.tar"] = tar(header)

    description = read(old.pack())

    assert (description.name, description.signed) == ("old", False)
    assert description.updates[0].files == (HELLO,)


def test_a_bootstrap_artifact_has_a_payload_without_a_type():
    artifact = make_artifact(payloads=[Payload(type=None)], provides={"os.version": "1"})

    description = read(artifact)

    assert description.updates == (Update(None, (), None),)
    assert description.provides == {"artifact_name": "release-1", "os.version": "1"}


def test_a_payload_may_do_without_files_and_even_without_an_archive_for_them():
    without_archive = plan(payloads=[Payload("script")])
    del without_archive.members["data/0000.tar.gz"]

    assert read(make_artifact(payloads=[Payload("script")])).updates == (Update("script", (), None),)
    assert read(without_archive.pack()).updates == (Update("script", (), None),)


def test_an_artifact_may_have_no_payload_at_all():
    assert read(make_artifact(payloads=[])).updates == ()


def test_the_augmented_header_lies_over_the_signed_one():
    artifact = make_artifact(
        payloads=[
            Payload("delta", {"a": b"1"}, meta_data={"x": 1, "y": {"z": 1}}, provides={"p": "1"}, depends={"d": "1"}),
            Payload("plain", {"b": b"2"}, clears=["plain.*"]),
        ],
        augments=[Payload("delta-2", {"c": b"3"}, meta_data={"y": {"w": 2}}, provides={"p": "2"}, depends={"e": "2"})],
        signed=True,
    )

    description = read(artifact)

    assert description.payload_types == ("delta-2", "plain")
    assert [file.name for file in description.updates[0].files] == ["a", "c"]
    assert description.updates[0].meta_data == {"x": 1, "y": {"z": 1, "w": 2}}
    assert description.provides == {"artifact_name": "release-1", "p": "2"}
    assert description.depends == {"device_type": ["qemux86-64"], "d": "1", "e": "2"}
    assert description.clears == ("plain.*",)


def test_an_empty_type_in_the_augmented_header_changes_nothing():
    artifact = make_artifact(augments=[Payload("", {"b": b"1"})])

    assert read(artifact).payload_types == ("single-file",)


@pytest.mark.parametrize("tar_format", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_names_longer_than_a_tar_header_are_read_in_every_dialect(tar_format):
    folder_and_name = 90  # so that ustar can still split it
    name = "n" * (folder_and_name if tar_format == tarfile.USTAR_FORMAT else 250)
    artifact = make_artifact(payloads=[Payload(files={name: b"x"})], tar_format=tar_format, long_names_inside=True)

    assert read(artifact).updates[0].files[0].name == name


def test_pax_times_are_read():
    entry = tarfile.TarInfo("a.txt")
    entry.size, entry.mtime = 5, 1_600_000_000.5
    data = entry.tobuf(tarfile.PAX_FORMAT) + b"hello".ljust(512, b"\0") + bytes(1024)
    artifact = plan(compression="none")
    artifact.members["data/0000.tar"] = data

    modified_at = read(artifact.pack()).updates[0].files[0].modified_at

    assert modified_at == datetime.fromtimestamp(1_600_000_000.5, tz=UTC)
