"""What can be done with the bytes of one member of an archive while they pass by."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Protocol

from .broken import BrokenArtifact, shown
from .limits import Allowance


class Part(Protocol):
    """Takes a stretch of bytes piece by piece. A piece is only valid during the call."""

    def feed(self, piece: memoryview) -> None: ...

    def finish(self) -> None:
        """All bytes were there."""


class Skipped:
    """Content that nobody looks at."""

    def feed(self, piece: memoryview) -> None:
        pass

    def finish(self) -> None:
        pass


class Document:
    """Content small enough to be kept, handed over whole when it is complete."""

    def __init__(self, name: str, most_bytes: int, then: Callable[[bytes], None]) -> None:
        self._name = name
        self._most_bytes = most_bytes
        self._then = then
        self._content = bytearray()

    def feed(self, piece: memoryview) -> None:
        if len(self._content) + len(piece) > self._most_bytes:
            raise BrokenArtifact(f"{shown(self._name)} is larger than {self._most_bytes} bytes")
        self._content += piece

    def finish(self) -> None:
        self._then(bytes(self._content))


class Checked:
    """Content whose SHA-256 must be the one that the manifest promised."""

    def __init__(self, name: str, checksum: str, into: Part) -> None:
        self._name = name
        self._expected = checksum
        self._sum = hashlib.sha256()
        self._into = into

    def feed(self, piece: memoryview) -> None:
        self._sum.update(piece)
        self._into.feed(piece)

    def finish(self) -> None:
        check(self._name, self._expected, self._sum.hexdigest())
        self._into.finish()


class Metered:
    """Content that uses up an allowance, so that a small archive cannot unfold into an endless one."""

    def __init__(self, allowance: Allowance, into: Part) -> None:
        self._allowance = allowance
        self._into = into

    def feed(self, piece: memoryview) -> None:
        self._allowance.take(len(piece))
        self._into.feed(piece)

    def finish(self) -> None:
        self._into.finish()


class Followed:
    """Content after which something else is to be done."""

    def __init__(self, into: Part, then: Callable[[], None]) -> None:
        self._into = into
        self._then = then

    def feed(self, piece: memoryview) -> None:
        self._into.feed(piece)

    def finish(self) -> None:
        self._into.finish()
        self._then()


def check(name: str, expected: str, actual: str) -> None:
    if actual != expected:
        raise BrokenArtifact(f"invalid checksum of {shown(name)}; expected {expected}, actual {actual}")
