"""Does an artifact of one file hold what the update module single-file needs, and nothing that it cannot install?"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import tarfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fairlead.domain.artifacts import BadArguments, read_single_file, write_single_file

from .format.reading import read

TOOL = shutil.which("mender-artifact")
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
CONTENT = b"Be quick, but not in a hurry.\n" * 500


def args(**said: object) -> str:
    return json.dumps({"filename": "motto.txt", "dest_dir": "/etc/motto", **said})


def made(content: bytes = CONTENT, name: str = "release-1", device_types=("pi",), **said: object) -> bytes:
    into = io.BytesIO()
    write_single_file(into, name, device_types, read_single_file(args(**said)), [content], len(content), AT)
    return into.getvalue()


def payload_of(artifact: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(artifact)) as outer:
        packed = outer.extractfile("data/0000.tar.gz").read()
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as payload:
        return {member.name: payload.extractfile(member).read() for member in payload}


def test_the_module_is_told_where_the_file_goes():
    assert payload_of(made()) == {
        "dest_dir": b"/etc/motto\n",
        "filename": b"motto.txt\n",
        "permissions": b"644\n",
        "motto.txt": CONTENT,
    }
    assert read(made()).payload_types == ("single-file",)


@pytest.mark.parametrize(
    ("said", "provided", "cleared"),
    [
        ({}, {"rootfs-image.single-file.version": "release-1"}, "rootfs-image.single-file.*"),
        ({"software_name": "motto"}, {"rootfs-image.motto.version": "release-1"}, "rootfs-image.motto.*"),
        ({"software_filesystem": "data"}, {"data.single-file.version": "release-1"}, "data.single-file.*"),
        ({"software_version": "7"}, {"rootfs-image.single-file.version": "7"}, "rootfs-image.single-file.*"),
        (
            {"software_filesystem": "data", "software_name": "motto", "software_version": "7"},
            {"data.motto.version": "7"},
            "data.motto.*",
        ),
        (
            {"software_filesystem": "", "software_name": None, "software_version": ""},
            {"rootfs-image.single-file.version": "release-1"},
            "rootfs-image.single-file.*",
        ),
    ],
)
def test_the_device_notes_the_version_under_the_name_of_the_software(said, provided, cleared):
    found = read(made(**said))

    assert found.provides == {"artifact_name": "release-1", **provided}
    assert found.clears == (cleared,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Input data was truncated"),
        ("nothing", "JSON is malformed"),
        ("[]", "Expected `object`"),
        ("{}", "missing required field `filename`"),
        ("[" * 100_000, ""),
        ('{"filename": "a"}', "missing required field `dest_dir`"),
        (args(filename=7), "Expected `str`"),
        (args(software_name=["a"]), "Expected `str | null`"),
        (args(filename=""), "filename may have letters"),
        (args(filename="."), "filename may have letters"),
        (args(filename=".."), "filename may have letters"),
        (args(filename="a/b"), "filename may have letters"),
        (args(filename="../../etc/passwd"), "filename may have letters"),
        (args(filename="grün.txt"), "filename may have letters"),
        (args(filename="a b"), "filename may have letters"),
        (args(filename="a\n"), "filename may have letters"),
        (args(filename="n" * 256), "filename may have letters"),
        (args(filename="dest_dir"), "filename must not be dest_dir"),
        (args(filename="filename"), "filename must not be filename"),
        (args(filename="permissions"), "filename must not be permissions"),
        (args(dest_dir=""), "dest_dir must be an absolute path"),
        (args(dest_dir="etc"), "dest_dir must be an absolute path"),
        (args(dest_dir="/etc\n/usr"), "dest_dir must not contain line breaks"),
        (args(dest_dir="/etc\0"), "dest_dir must not contain line breaks"),
        (args(dest_dir="/" + "d" * 4096), "dest_dir may have at most 4096"),
        (args(software_version="1\r"), "software_version must not contain"),
        (args(software_name="s" * 1025), "software_name may have at most 1024"),
    ],
)
def test_what_could_not_be_installed_is_refused(text, reason):
    with pytest.raises(BadArguments, match=f"^args: .*{re.escape(reason)}"):
        read_single_file(text)


def test_what_is_kept_of_the_arguments_says_the_same():
    said = read_single_file(args(software_name="motto", colour="blue"))

    assert read_single_file(said.as_json()) == said
    assert json.loads(said.as_json()) == json.loads(args(software_name="motto"))


class Tool:
    """mender-artifact in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *command: str) -> str:
        done = subprocess.run(
            [str(TOOL), *command], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def told(self, artifact: bytes) -> str:
        """What it reads, without the dates."""
        (self.folder / "read.mender").write_bytes(artifact)
        self.run("validate", "read.mender")
        return re.sub(r"modified: .*", "", self.run("read", "read.mender"))


@pytest.fixture
def tool(tmp_path) -> Tool:
    if not TOOL:
        pytest.skip("mender-artifact is not installed")
    return Tool(tmp_path)


@pytest.mark.parametrize("content", [b"", b"x", CONTENT, bytes(3_000_000)], ids=len)
@pytest.mark.parametrize("name", ["release-1", "Für Türen №1", "{braces} & <brackets>"])
def test_menders_own_tool_finds_in_it_what_it_would_have_put_there(tool, name, content):
    for file, text in {"dest_dir": "/etc/motto\n", "filename": "motto.txt\n", "permissions": "644\n"}.items():
        (tool.folder / file).write_text(text)
    (tool.folder / "motto.txt").write_bytes(content)
    files = [part for file in ("dest_dir", "filename", "permissions", "motto.txt") for part in ("-f", file)]
    types = ["-t", "pi", "-t", "Türe"]
    tool.run("write", "module-image", "-T", "single-file", "-n", name, *types, *files, "-o", "theirs.mender")

    ours, theirs = made(content, name, ("pi", "Türe")), (tool.folder / "theirs.mender").read_bytes()

    assert tool.told(ours) == tool.told(theirs)
    assert payload_of(ours) == payload_of(theirs)


@pytest.mark.parametrize("length", [1, 100, 101, 255])
def test_menders_own_tool_reads_file_names_of_any_length(tool, length):
    assert f"name:     {'n' * length}\n" in tool.told(made(filename="n" * length))
