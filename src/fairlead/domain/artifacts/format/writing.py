"""How is an artifact written? Format version 3, unsigned, with one payload, as mender-artifact writes it."""

from __future__ import annotations

import hashlib
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO

import msgspec

from fairlead.base.errors import Refusal

from .tar_header import BLOCK_BYTES

DATA = "data/0000.tar.gz"
HEADER = "header.tar.gz"
VERSION = b'{"format":"mender","version":3}'
_GZIP = 31  # what zlib calls a gzip stream; the time in its header is zero
_PIECE_BYTES = 256 * 1024
_OF_THE_FORMAT = 0o600
_OF_THE_PAYLOAD = 0o644
_SHA256_DIGITS = 64


class ContentChanged(Refusal):
    """The content is not as long as was said when it was begun with."""

    message = "{name} has {actual} bytes, and {expected} were announced"


@dataclass(frozen=True, slots=True)
class Content:
    """A file for a payload. Its bytes are asked for once, and piece by piece."""

    name: str
    size_bytes: int
    pieces: Iterable[bytes | memoryview]

    @classmethod
    def of(cls, name: str, content: bytes) -> Content:
        return cls(name, len(content), [content])


@dataclass(frozen=True, slots=True)
class Heading:
    """What an artifact says about itself. `provides` and `clears` are those of its payload."""

    name: str
    device_types: Sequence[str]
    payload_type: str
    provides: dict[str, str]
    clears: Sequence[str]


def write_artifact(into: IO[bytes], heading: Heading, files: Sequence[Content], modified_at: datetime) -> None:
    """Write the artifact in one pass over its files, however large they are.

    The checksums come first in an artifact and are known last, like the size of the compressed payload: room is left
    for them, and filled in the end. So `into` must be a file in which one can go back. The same input gives the same
    bytes: the files are dated as given, everything else is dated zero.
    """
    header = _header(heading)
    sums = {f"data/0000/{file.name}": "0" * _SHA256_DIGITS for file in files}
    sums |= {HEADER: _sha256(header), "version": _sha256(VERSION)}
    _write_member(into, "version", VERSION)
    manifest_at = into.tell()
    _write_member(into, "manifest", _manifest(sums))
    _write_member(into, HEADER, header)
    data_at = into.tell()
    into.write(bytes(BLOCK_BYTES))
    data = _Payload(into)
    for file in files:
        sums[f"data/0000/{file.name}"] = data.add(file, modified_at)
    data.finish()
    into.write(_padding(data.size_bytes) + bytes(2 * BLOCK_BYTES))
    end = into.tell()
    into.seek(data_at)
    into.write(_tar_header(DATA, data.size_bytes, _OF_THE_FORMAT))
    into.seek(manifest_at)
    _write_member(into, "manifest", _manifest(sums))
    into.seek(end)


class _Payload:
    """`data/0000.tar.gz`, compressed while it is written."""

    def __init__(self, into: IO[bytes]) -> None:
        self.size_bytes = 0
        self._into = into
        self._gzip = zlib.compressobj(wbits=_GZIP)

    def add(self, file: Content, modified_at: datetime) -> str:
        """The file's SHA-256."""
        self._write(_tar_header(file.name, file.size_bytes, _OF_THE_PAYLOAD, max(0, int(modified_at.timestamp()))))
        sha256, size_bytes = hashlib.sha256(), 0
        for piece in _small(file.pieces):
            size_bytes += len(piece)
            if size_bytes > file.size_bytes:
                break
            sha256.update(piece)
            self._write(piece)
        if size_bytes != file.size_bytes:
            raise ContentChanged(name=file.name, actual=size_bytes, expected=file.size_bytes)
        self._write(_padding(size_bytes))
        return sha256.hexdigest()

    def finish(self) -> None:
        self._write(bytes(2 * BLOCK_BYTES))
        self._keep(self._gzip.flush())

    def _write(self, piece: bytes | memoryview) -> None:
        self._keep(self._gzip.compress(piece))

    def _keep(self, compressed: bytes) -> None:
        self._into.write(compressed)
        self.size_bytes += len(compressed)


def _small(pieces: Iterable[bytes | memoryview]) -> Iterator[memoryview]:
    """The same in pieces of which none is large once compressed, whatever size they come in."""
    for piece in pieces:
        view = memoryview(piece)
        for start in range(0, len(view), _PIECE_BYTES):
            yield view[start : start + _PIECE_BYTES]


def _header(heading: Heading) -> bytes:
    """`header.tar.gz`: what the artifact says, and what its payload says."""
    info = {
        "payloads": [{"type": heading.payload_type}],
        "artifact_provides": {"artifact_name": heading.name},
        "artifact_depends": {"device_type": list(heading.device_types)},
    }
    type_info = {
        "type": heading.payload_type,
        "artifact_provides": heading.provides,
        "clears_artifact_provides": list(heading.clears),
    }
    packed = b"".join(
        _tar_header(name, len(content), _OF_THE_FORMAT) + content + _padding(len(content))
        for name, content in (
            ("header-info", msgspec.json.encode(info)),
            ("headers/0000/type-info", msgspec.json.encode(type_info)),
        )
    )
    gzip = zlib.compressobj(wbits=_GZIP)
    return gzip.compress(packed + bytes(2 * BLOCK_BYTES)) + gzip.flush()


def _manifest(sums: dict[str, str]) -> bytes:
    return "".join(f"{checksum}  {path}\n" for path, checksum in sums.items()).encode()


def _write_member(into: IO[bytes], name: str, content: bytes) -> None:
    into.write(_tar_header(name, len(content), _OF_THE_FORMAT) + content + _padding(len(content)))


def _tar_header(name: str, size_bytes: int, mode: int, modified_seconds: int = 0) -> bytes:
    """In GNU's dialect, whose headers have the same length for any size: one block, unless the name is long."""
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size_bytes, mode, modified_seconds
    return member.tobuf(tarfile.GNU_FORMAT)


def _padding(size_bytes: int) -> bytes:
    return bytes(-size_bytes % BLOCK_BYTES)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
