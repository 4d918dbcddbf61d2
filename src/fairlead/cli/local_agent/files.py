"""How does an agent keep what it must not forget, and how is a log kept from growing without end?"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

MOST_LOG_BYTES = 1024 * 1024


def write(path: Path, text: str) -> None:
    """All of it or nothing, for our own eyes only."""
    aside = path.with_name(f".{path.name}.new")
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    aside.rename(path)


class Log:
    """A file, and the one before it. Together they are never larger than twice the most."""

    def __init__(self, path: Path, most_bytes: int = MOST_LOG_BYTES) -> None:
        self._path, self._most = path, most_bytes
        self._open()

    def _open(self) -> None:
        self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._bytes = os.fstat(self._file).st_size

    def write(self, text: bytes) -> None:
        try:
            if self._bytes + len(text) > self._most:
                self._start_anew()
            self._bytes += os.write(self._file, text[: self._most])
        except OSError:
            """The disk is full, or the folder is gone: what it says is lost, and it goes on."""

    def _start_anew(self) -> None:
        os.replace(self._path, self._path.with_name(f"{self._path.name}.1"))
        os.close(self._file)
        self._open()


class Diary(Log):
    """The agent's own log. What Python says by itself goes there as well."""

    def note(self, text: str) -> None:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.write(f"{moment} {' '.join(text.split())}\n".encode(errors="replace"))

    def _open(self) -> None:
        super()._open()
        sys.stdout.flush()
        os.dup2(self._file, 1)
        os.dup2(self._file, 2)
