"""What can be asked of a payload store, wherever it keeps the bytes?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from fairlead.base.errors import Kind, Refusal

CHUNK_BYTES = 256 * 1024
LONGEST_KEY = 500
_KEY = re.compile(r"[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")


class BadBlobKey(Refusal):
    kind = Kind.INVALID
    message = (
        "{key!r} cannot name a blob: use letters, digits, dots, dashes and underscores between single slashes, no '..'."
    )


class BlobIsMissing(Refusal):
    kind = Kind.NOT_FOUND
    message = "There is no blob named {key}."


class StoreIsFull(Refusal):
    kind = Kind.UNAVAILABLE
    message = "The payload store ({store}) is full: free some space or raise its quota, then send this again."


class StoreIsAway(Refusal):
    kind = Kind.UNAVAILABLE
    message = "The payload store ({store}) does not answer as it should ({reason}): check that it runs, then try again."


class StoreCannotBeUsed(Refusal):
    kind = Kind.UNAVAILABLE
    message = "The payload store ({store}) cannot be used: {reason}."


@dataclass(frozen=True)
class Kept:
    """One blob of the store, as the sweeper and the doctor see it."""

    key: str
    size_bytes: int
    modified_at: datetime


class Incoming(Protocol):
    """A blob on its way in. Nobody sees any of it before `keep` returns; leaving the `with` without it leaves nothing.

    Belongs to one thread at a time.
    """

    def write(self, chunk: bytes | bytearray | memoryview) -> None: ...

    def keep(self) -> None:
        """Make it durable and visible, all at once. A blob of that key is replaced: who reads it goes on reading it."""

    def discard(self) -> None:
        """Leave nothing behind. Harmless after `keep`, and harmless twice."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Reading(Protocol):
    """A blob being read from front to back. Belongs to one thread at a time."""

    def read(self, size_bytes: int) -> bytes:
        """The next bytes, at most so many; none at the end."""

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Blobs(Protocol):
    """A store of payloads by key. Plain `def`, for worker threads; any number of them at once.

    The key is chosen before the first byte. A name that is only known at the end (the hash of the content) would cost
    a server-side copy on S3, in parts beyond 5 GiB, of something that a power cut can orphan; and blobs shared by hash
    would have to be counted before one may be removed. With a key of its own, made up by who receives it, a blob
    belongs to one artifact: it comes and goes with it, on files and on S3 in the same way.
    """

    def describe(self) -> str:
        """Where this is, in words that may be printed: no secret is in them."""

    def receive(self, key: str) -> Incoming: ...

    def open(self, key: str, start: int = 0, length: int | None = None) -> Reading: ...

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        """The same in chunks of 256 KiB. Nothing is opened before the first is asked for."""

    def size(self, key: str) -> int | None: ...

    def remove(self, key: str) -> None:
        """Harmless when it is not there."""

    def kept(self) -> Iterator[Kept]: ...

    def sweep(self, older_than_seconds: float) -> int:
        """Remove what was begun and never kept, as a power cut leaves it, and say how many there were."""

    def check(self) -> None:
        """Refuse, with a sentence for people, when nothing can be written here."""

    def link(self, key: str, file_name: str, seconds: int) -> str | None:
        """A signed address at which the store itself hands the blob out, when it can do that."""


def checked(key: str) -> str:
    """The key, when it may be one: it becomes a path and part of an address."""
    fits = len(key) <= LONGEST_KEY and _KEY.fullmatch(key)
    if not fits or any(part.startswith(".") for part in key.split("/")):
        raise BadBlobKey(key=key[:LONGEST_KEY])
    return key


def in_chunks(reading: Reading) -> Iterator[bytes]:
    with reading:
        while chunk := reading.read(CHUNK_BYTES):
            yield chunk
