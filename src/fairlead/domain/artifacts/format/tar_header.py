"""What one header of a tar archive says: POSIX ustar, the pax additions and GNU's, as Go and Python write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from .broken import BrokenArtifact, shown

BLOCK_BYTES = 512
MOST_NAME_BYTES = 512
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
PAX_RECORD = re.compile(rb"([1-9][0-9]{0,6}) ([^=\0]+)=")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Member:
    """A file or a folder in an archive. Links, devices and the rest are no business of an artifact."""

    name: str
    size_bytes: int
    modified_at: datetime
    is_folder: bool


@dataclass(frozen=True, slots=True)
class Header:
    """A header as it stands, before the extensions in front of it were laid over it."""

    name: bytes
    size_bytes: int
    modified_seconds: float
    kind: bytes

    def overlaid(self, extensions: dict[str, bytes]) -> Header:
        changes: dict[str, Any] = {}
        if name := extensions.get("path"):
            changes["name"] = name
        if size := extensions.get("size"):
            changes["size_bytes"] = decimal(size)
        if seconds := extensions.get("mtime"):
            changes["modified_seconds"] = fraction(seconds)
        return replace(self, **changes)

    def member(self) -> Member:
        name = safe_name(self.name)
        is_folder = self.kind == b"5"
        if is_folder and self.size_bytes:
            raise BrokenArtifact(f"{shown(name)} is a folder with content")
        if not is_folder and (self.kind not in (b"0", b"\0") or name.endswith("/")):
            raise BrokenArtifact(f"{shown(name)} is neither a file nor a folder")
        return Member(name.rstrip("/"), self.size_bytes, moment(self.modified_seconds), is_folder)


def parse(block: bytes) -> Header:
    """Read a block that is not all zero; ustar as in POSIX.1-2017, pax, "ustar Interchange Format"."""
    if number(block[148:156]) != sum(block) - sum(block[148:156]) + 8 * ord(" "):
        raise BrokenArtifact("invalid checksum of a tar header")
    name = text(block[:100])
    if block[257:263] == b"ustar\0" and (prefix := text(block[345:500])):
        name = prefix + b"/" + name
    size_bytes = number(block[124:136])
    if size_bytes < 0:
        raise BrokenArtifact("a tar header has a negative size")
    return Header(name, size_bytes, number(block[136:148]), block[156:157])


def text(field: bytes) -> bytes:
    return field.partition(b"\0")[0]


def number(field: bytes) -> int:
    """Octal digits, or GNU's binary form (first bit set), which is how sizes over 8 GiB are written."""
    if field[0] & 0x80:
        bits = 8 * len(field) - 1
        value = int.from_bytes(field, "big") & ((1 << bits) - 1)
        return value - (1 << bits) if field[0] & 0x40 else value
    digits = text(field).strip(b" ")
    if not re.fullmatch(rb"[0-7]*", digits):
        raise BrokenArtifact("a tar header has a field that is not a number")
    return int(digits or b"0", 8)


def pax_extensions(content: bytes) -> dict[str, bytes]:
    """Read the records of a pax header; what is not about name, size or time is of no interest."""
    extensions = {}
    for key, value in pax_records(content):
        if key.startswith(b"GNU.sparse."):
            raise BrokenArtifact("sparse files are not supported")
        if key in (b"path", b"size", b"mtime"):
            extensions[key.decode()] = value
    return extensions


def pax_records(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    start = 0
    while start < len(content):
        counted = PAX_RECORD.match(content, start)
        end = start + int(counted[1]) if counted else 0
        if counted is None or not counted.end() < end <= len(content) or content[end - 1 : end] != b"\n":
            raise BrokenArtifact("a pax header cannot be read")
        yield counted[2], content[counted.end() : end - 1]
        start = end


def decimal(digits: bytes) -> int:
    if not re.fullmatch(rb"[0-9]{1,18}", digits):
        raise BrokenArtifact("a pax header has a size that is not a number")
    return int(digits)


def fraction(digits: bytes) -> float:
    if not re.fullmatch(rb"-?[0-9]{1,18}(\.[0-9]{0,18})?", digits):
        raise BrokenArtifact("a pax header has a time that is not a number")
    return float(digits)


def moment(seconds: float) -> datetime:
    try:
        return EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        raise BrokenArtifact("a tar header has a time that no calendar knows") from None


def safe_name(raw: bytes) -> str:
    """A relative path that stays where it is put. Nothing is ever extracted by it; nobody else shall stumble either."""
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise BrokenArtifact("a member has a name that is not UTF-8") from None
    if not name or len(raw) > MOST_NAME_BYTES or CONTROL.search(name):
        raise BrokenArtifact(f"{shown(name)} is not a name for a member")
    if {"", ".", ".."} & set(name.removesuffix("/").split("/")) or "\\" in name:
        raise BrokenArtifact(f"{shown(name)} leads out of the archive")
    return name
