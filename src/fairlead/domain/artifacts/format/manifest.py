"""Which checksums an artifact promises, and whether each promise was kept."""

from __future__ import annotations

import re

from .broken import BrokenArtifact, shown
from .limits import Allowance

PROMISE = re.compile(rb"([0-9a-f]{64})  (.+)")
SUFFIX = r"(?:|\.gz|\.xz|\.zst)"
DATA = r"data/[0-9]{4}/[^/]+"
MAY_PROMISE = {
    "manifest": re.compile(rf"version|header\.tar{SUFFIX}|{DATA}"),
    "manifest-augment": re.compile(rf"header-augment\.tar{SUFFIX}|{DATA}"),
}


class Manifest:
    """The promises of `manifest` and `manifest-augment`; of the header's checksums in format version 1."""

    def __init__(self, most_files: int) -> None:
        self._files = Allowance("files", most_files)
        self._promises: dict[str, str] = {}
        self._open: set[str] = set()

    def read(self, name: str, content: bytes) -> None:
        """Take up the lines of a manifest; they look as `sha256sum` writes them (mender.md §2.10)."""
        for line in content.split(b"\n"):
            if line:
                self._read_line(name, line)

    def _read_line(self, name: str, line: bytes) -> None:
        promise = PROMISE.fullmatch(line)
        path = promise[2].decode(errors="replace") if promise else ""
        if promise is None or not MAY_PROMISE[name].fullmatch(path):
            raise BrokenArtifact(
                f"{name} has a line that does not belong there: {shown(line.decode(errors='replace'))}"
            )
        self.promise(path, promise[1].decode())

    def promise(self, path: str, checksum: str) -> None:
        if path in self._promises:
            raise BrokenArtifact(f"{shown(path)} is listed twice")
        if path.startswith("data/"):
            self._files.take(1)
        self._promises[path] = checksum
        self._open.add(path)

    def promises_one_of(self, start: str) -> bool:
        return any(path.startswith(start) for path in self._promises)

    def claim(self, path: str) -> str:
        """The checksum that was promised for what is about to be read; each can be claimed once."""
        if path not in self._promises:
            raise BrokenArtifact(f"checksum missing: {shown(path)} is not listed")
        if path not in self._open:
            raise BrokenArtifact(f"{shown(path)} is there twice")
        self._open.remove(path)
        return self._promises[path]

    def finish(self) -> None:
        if self._open:
            raise BrokenArtifact(f"{shown(min(self._open))} is listed and not there")
