"""Artifacts that Mender's own tool wrote."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from artifact_maker import Payload, make_artifact, sha256

from .reading import read

TOOL = shutil.which("mender-artifact")
OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(not TOOL, reason="mender-artifact is not installed")

CONTENT = bytes(range(256)) * 300


class Workshop:
    """A folder with the tool's ingredients, and the tool."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "a.txt").write_bytes(b"hello")
        (folder / "image.ext4").write_bytes(CONTENT)
        (folder / "meta.json").write_text('{"size": 3, "nested": {"deep": [1, 2]}}')
        (folder / "ArtifactInstall_Enter_00").write_text("#!/bin/sh\n")

    def write(self, kind: str, *arguments: str) -> bytes:
        self.run(str(TOOL), "write", kind, "-n", "release-1", "-t", "pi", "-o", "made.mender", *arguments)
        return (self.folder / "made.mender").read_bytes()

    def key(self, kind: str) -> str:
        if not OPENSSL:
            pytest.skip("openssl is not installed")
        how = {
            "rsa": ["genrsa", "-traditional", "-out", "key.pem", "2048"],
            "ec": ["ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", "key.pem"],
        }
        self.run(OPENSSL, *how[kind])
        return "key.pem"

    def run(self, *command: str) -> None:
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, timeout=60)


@pytest.fixture
def workshop(tmp_path):
    return Workshop(tmp_path)


@pytest.mark.parametrize("compression", ["none", "gzip", "lzma"])
@pytest.mark.parametrize("version", ["2", "3"])
def test_root_file_systems_are_read(workshop, version, compression):
    artifact = workshop.write(
        "rootfs-image",
        "-f",
        "image.ext4",
        "-v",
        version,
        "--compression",
        compression,
        "-s",
        "ArtifactInstall_Enter_00",
    )

    description = read(artifact, chunk_bytes=1000)

    (update,) = description.updates
    (file,) = update.files
    assert (description.name, description.version, description.signed) == ("release-1", int(version), False)
    assert (update.type, update.meta_data) == ("rootfs-image", None)
    assert (file.name, file.size_bytes, file.checksum) == ("image.ext4", len(CONTENT), sha256(CONTENT))
    assert file.modified_at.timestamp() == pytest.approx((workshop.folder / "image.ext4").stat().st_mtime, abs=1)


def test_what_a_root_file_system_provides_is_read(workshop):
    description = read(workshop.write("rootfs-image", "-f", "image.ext4"))

    assert description.provides == {
        "artifact_name": "release-1",
        "rootfs-image.version": "release-1",
        "rootfs-image.checksum": sha256(CONTENT),
    }
    assert description.depends == {"device_type": ["pi"]}
    assert "rootfs-image.*" in description.clears


def test_an_update_module_with_everything_is_read(workshop):
    everything = "-T app -f a.txt -f image.ext4 -m meta.json -g stable -G beta -N release-0 -p a:b -d c:d -t other"

    description = read(workshop.write("module-image", *everything.split(), "--software-version", "7"))

    assert description.device_types_compatible == ("pi", "other")
    assert description.group == "stable"
    assert [file.name for file in description.updates[0].files] == ["a.txt", "image.ext4"]
    assert description.updates[0].meta_data == {"size": 3, "nested": {"deep": [1, 2]}}
    assert description.provides == {
        "artifact_name": "release-1",
        "artifact_group": "stable",
        "a": "b",
        "rootfs-image.app.version": "7",
    }
    assert description.depends == {
        "device_type": ["pi", "other"],
        "artifact_name": ["release-0"],
        "artifact_group": ["beta"],
        "c": "d",
    }
    assert description.clears == ("rootfs-image.app.*",)


@pytest.mark.parametrize("key", ["rsa", "ec"])
@pytest.mark.parametrize("version", ["2", "3"])
def test_signed_artifacts_are_read(workshop, version, key):
    artifact = workshop.write("rootfs-image", "-f", "image.ext4", "-v", version, "-k", workshop.key(key))

    assert read(artifact).signed


@pytest.mark.parametrize("compression", ["none", "gzip", "lzma"])
def test_augmented_artifacts_are_read(workshop, compression):
    augments = "--augment-type delta --augment-file image.ext4 --augment-depends x:y --augment-provides p:q"

    description = read(
        workshop.write("module-image", "-T", "app", "-f", "a.txt", *augments.split(), "--compression", compression)
    )

    assert description.payload_types == ("delta",)
    assert [file.name for file in description.updates[0].files] == ["a.txt", "image.ext4"]
    assert (description.depends["x"], description.provides["p"]) == ("y", "q")


def test_an_update_module_without_files_is_read(workshop):
    description = read(workshop.write("module-image", "-T", "script"))

    assert [(update.type, update.files) for update in description.updates] == [("script", ())]


def test_bootstrap_artifacts_are_read(workshop):
    description = read(workshop.write("bootstrap-artifact", "-p", "a:b"))

    assert description.payload_types == (None,)
    assert description.provides == {"artifact_name": "release-1", "a": "b"}


@pytest.mark.parametrize("length", [99, 100, 101, 200])
def test_long_file_names_are_read(workshop, length):
    name = "n" * length
    (workshop.folder / name).write_bytes(b"x")

    description = read(workshop.write("module-image", "-T", "app", "-f", name))

    assert description.updates[0].files[0].name == name


@pytest.mark.parametrize("compression", ["none", "gzip", "xz"])
@pytest.mark.parametrize("version", [2, 3])
def test_what_our_tests_make_is_an_artifact_to_the_tool_as_well(workshop, version, compression):
    payload = Payload("rootfs-image", {"image.ext4": CONTENT}, meta_data=b"")
    artifact = make_artifact(version=version, compression=compression, payloads=[payload], signed=True)
    (workshop.folder / "ours.mender").write_bytes(artifact)

    workshop.run(str(TOOL), "read", "ours.mender")

    assert read(artifact).signed
