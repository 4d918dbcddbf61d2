"""How are payloads kept in a folder, so that a power cut never shows half of one?

A blob is written aside in `incoming/`, made durable, and renamed into `kept/`. Whoever writes holds a lock on what
is being written, which ends with the process: so the sweeper can tell an abandoned file from a slow one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from fairlead.base.blobs.model import (
    BlobIsMissing,
    Kept,
    StoreCannotBeUsed,
    StoreIsFull,
    checked,
    in_chunks,
)

FLUSH_EVERY_BYTES = 64 * 1024 * 1024
_FULL = {errno.ENOSPC, errno.EDQUOT}
_NOT_THERE = (FileNotFoundError, NotADirectoryError)


class FileBlobs:
    """Payloads as files of one folder, which is made when the first one comes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._incoming = folder / "incoming"
        self._kept = folder / "kept"

    def describe(self) -> str:
        return f"files in {self._folder}"

    def receive(self, key: str) -> FileIncoming:
        return FileIncoming(self._folder, self._incoming, self._kept / checked(key))

    def open(self, key: str, start: int = 0, length: int | None = None) -> FileReading:
        return FileReading(self._kept / checked(key), key, start, length)

    def read(self, key: str, start: int = 0, length: int | None = None) -> Iterator[bytes]:
        yield from in_chunks(self.open(key, start, length))

    def size(self, key: str) -> int | None:
        try:
            found = os.stat(self._kept / checked(key))
        except _NOT_THERE:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def remove(self, key: str) -> None:
        with suppress(*_NOT_THERE, IsADirectoryError):
            os.unlink(self._kept / checked(key))

    def kept(self) -> Iterator[Kept]:
        for folder, _, names in os.walk(self._kept):
            for name in names:
                path = Path(folder, name)
                with suppress(FileNotFoundError):
                    found = path.stat()
                    modified_at = datetime.fromtimestamp(found.st_mtime, UTC)
                    yield Kept(str(path.relative_to(self._kept)), found.st_size, modified_at)

    def sweep(self, older_than_seconds: float) -> int:
        begun_before = time.time() - older_than_seconds
        with suppress(FileNotFoundError), os.scandir(self._incoming) as entries:
            return sum(_remove_if_abandoned(entry.path, begun_before) for entry in entries)
        return 0

    def check(self) -> None:
        key = f"check/{secrets.token_hex(8)}"
        with self.receive(key) as incoming:
            incoming.write(b"can this be written?")
            incoming.keep()
        self.remove(key)

    def link(self, key: str, file_name: str, seconds: int) -> None:
        return None


class FileIncoming:
    """A file written aside. The lock is let go of when the file is closed, by us or by the end of the process."""

    def __init__(self, folder: Path, aside: Path, target: Path) -> None:
        self._folder = folder
        self._path = aside / secrets.token_hex(16)
        self._target = target
        self._file = -1
        self._unflushed_bytes = 0
        with self._all_or_nothing():
            _make_folder(aside)
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)

    def write(self, chunk: bytes | bytearray | memoryview) -> None:
        with self._all_or_nothing():
            rest = memoryview(chunk)
            while rest:
                rest = rest[os.write(self._file, rest) :]
            self._flush_now_and_then(len(chunk))

    def keep(self) -> None:
        with self._all_or_nothing():
            os.fsync(self._file)
            _make_folder(self._target.parent)
            os.rename(self._path, self._target)
            _sync_folder(self._target.parent)
        self._close()

    def discard(self) -> None:
        if self._file >= 0:
            with suppress(FileNotFoundError):
                os.unlink(self._path)
            self._close()

    def _flush_now_and_then(self, written_bytes: int) -> None:
        """Spread the wait for a slow disk over the upload, so that the answer after its last byte comes soon.

        What is on the disk is let go of: a large payload must not push the database out of the system's memory, and
        pages used again and again are far cheaper than new ones (2 GiB took 0.5 s of kernel time instead of 4.3 s).
        """
        self._unflushed_bytes += written_bytes
        if self._unflushed_bytes >= FLUSH_EVERY_BYTES:
            os.fdatasync(self._file)
            os.posix_fadvise(self._file, 0, 0, os.POSIX_FADV_DONTNEED)
            self._unflushed_bytes = 0

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.discard()
            raise _refusal(error, f"files in {self._folder}") from error

    def _close(self) -> None:
        os.close(self._file)
        self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()


class FileReading:
    def __init__(self, path: Path, key: str, start: int, length: int | None) -> None:
        try:
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except _NOT_THERE as error:
            raise BlobIsMissing(key=key) from error
        if not stat.S_ISREG(os.fstat(self._file).st_mode):
            self.close()
            raise BlobIsMissing(key=key)
        self._at = start
        self._end = None if length is None else start + length

    def read(self, size_bytes: int) -> bytes:
        wanted = size_bytes if self._end is None else min(size_bytes, self._end - self._at)
        chunk = os.pread(self._file, wanted, self._at)
        self._at += len(chunk)
        return chunk

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _refusal(error: OSError, store: str) -> Exception:
    if error.errno in _FULL:
        return StoreIsFull(store=store)
    reason = (
        f"{error.strerror}; see that the folder exists, is on a healthy disk and belongs to the user of this process"
    )
    return StoreCannotBeUsed(store=store, reason=reason)


def _remove_if_abandoned(path: str, begun_before: float) -> bool:
    with suppress(FileNotFoundError):
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(file).st_mtime <= begun_before:
                os.unlink(path)
                return True
        except BlockingIOError:
            return False
        finally:
            os.close(file)
    return False


def _make_folder(folder: Path) -> None:
    """With its parents, so that a power cut right after does not take the name of a new folder away."""
    if folder.is_dir():
        return
    _make_folder(folder.parent)
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    _sync_folder(folder.parent)


def _sync_folder(folder: Path) -> None:
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
