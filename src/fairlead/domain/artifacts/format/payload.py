"""What stands in one `data/NNNN.tar`."""

from __future__ import annotations

import re

from .broken import BrokenArtifact, shown
from .description import File
from .manifest import Manifest
from .parts import Checked, Part, Skipped
from .tar_header import Member

# mender-artifact, on the device as well as off it, refuses every other name.
FILE_NAME = re.compile(r"[A-Za-z0-9_\-.,]+")


class PayloadReader:
    """Opens the files of one payload, each of which must be in the manifest.

    The files may be named as the manifest does (`data/0000/a.txt`) or bare (`a.txt`): mender.md §2.10.
    """

    def __init__(self, index: int, manifest: Manifest) -> None:
        self.files: list[File] = []
        self._folder = f"data/{index:04}/"
        self._manifest = manifest

    def open(self, member: Member) -> Part:
        name = member.name.removeprefix(self._folder)
        if member.is_folder or not FILE_NAME.fullmatch(name):
            raise BrokenArtifact(f"{shown(member.name)} is not a name for a file of a payload")
        path = self._folder + name
        checksum = self._manifest.claim(path)
        self.files.append(File(name, checksum, member.size_bytes, member.modified_at))
        return Checked(path, checksum, Skipped())
