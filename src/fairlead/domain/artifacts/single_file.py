"""What is an artifact of one file, as Mender's update module `single-file` installs it?

Beside the file itself the module reads `dest_dir`, `filename` and `permissions`, each a line of text, and finds the
file by the name that `filename` says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import IO

import msgspec

from fairlead.base.errors import Refusal
from fairlead.domain.artifacts.format import FILE_NAME, Content, Heading, write_artifact

MODULE = "single-file"
PERMISSIONS = "644"
LONGEST_FILE_NAME = 255
LONGEST_FOLDER = 4096
LONGEST_WORD = 1024
_OF_THE_MODULE = frozenset({"dest_dir", "filename", "permissions"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class BadArguments(Refusal):
    message = "args: {reason}"


class SingleFile(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the file goes, and under which name the device notes its version: `FILESYSTEM.NAME.version`.

    Without a version it is the artifact's name, as mender-artifact has it.
    """

    filename: str
    dest_dir: str
    software_filesystem: str | None = None
    software_name: str | None = None
    software_version: str | None = None

    def provides(self, artifact_name: str) -> dict[str, str]:
        return {f"{self._software}.version": self.software_version or artifact_name}

    @property
    def clears(self) -> list[str]:
        return [f"{self._software}.*"]

    @property
    def _software(self) -> str:
        return f"{self.software_filesystem or 'rootfs-image'}.{self.software_name or MODULE}"

    def as_json(self) -> str:
        return msgspec.json.encode(self).decode()


def read_single_file(args: str) -> SingleFile:
    """The arguments in a JSON object; `BadArguments` says what no device could install, or no artifact hold."""
    try:
        said = msgspec.json.decode(args, type=SingleFile)
    except (msgspec.DecodeError, ValueError, RecursionError) as problem:
        raise BadArguments(reason=str(problem) or "nested too deeply") from None
    _make_sure_it_is_a_file_name(said.filename)
    if not said.dest_dir.startswith("/"):
        raise BadArguments(reason="dest_dir must be an absolute path")
    _make_sure_it_is_one_line("dest_dir", said.dest_dir, LONGEST_FOLDER)
    for name in ("software_filesystem", "software_name", "software_version"):
        _make_sure_it_is_one_line(name, getattr(said, name) or "", LONGEST_WORD)
    return said


def _make_sure_it_is_a_file_name(name: str) -> None:
    if not FILE_NAME.fullmatch(name) or name in (".", "..") or len(name) > LONGEST_FILE_NAME:
        reason = f"filename may have letters, digits, and . , _ - only, and at most {LONGEST_FILE_NAME} of them"
        raise BadArguments(reason=reason)
    if name in _OF_THE_MODULE:
        raise BadArguments(reason=f"filename must not be {name}, which the update module keeps for itself")


def _make_sure_it_is_one_line(name: str, text: str, longest: int) -> None:
    if _CONTROL.search(text):
        raise BadArguments(reason=f"{name} must not contain line breaks or other control characters")
    if len(text) > longest:
        raise BadArguments(reason=f"{name} may have at most {longest} characters")


def write_single_file(
    into: IO[bytes],
    name: str,
    device_types: Sequence[str],
    wanted: SingleFile,
    content: Iterable[bytes],
    size_bytes: int,
    modified_at: datetime,
) -> None:
    """Write an artifact that installs the content, which is read piece by piece, into a file."""
    heading = Heading(name, device_types, MODULE, wanted.provides(name), wanted.clears)
    files = [
        Content.of("dest_dir", f"{wanted.dest_dir}\n".encode()),
        Content.of("filename", f"{wanted.filename}\n".encode()),
        Content.of("permissions", f"{PERMISSIONS}\n".encode()),
        Content(wanted.filename, size_bytes, content),
    ]
    write_artifact(into, heading, files, modified_at)
