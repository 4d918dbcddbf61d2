"""Does a job use more than it may, where the kernel alone does not see to it? By looking, now and then.

Looking takes longer where there are many files, so it is done less often there; how full the disk is is always looked
at. What is written to files that have no name any more is not seen as the job's, but the disk does not fill.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any

from . import processes, waiting

LOOK_SECONDS = 0.2
_MOST_SECONDS, _TIMES_AS_LONG = 5.0, 30
_BLOCK_BYTES = 4096
_MOST_DEPTH = 64
_MEGABYTE = 1024**2


class TooDeep(Exception):
    """Folders in folders, more than anyone can use."""


class Watch:
    """Looks at one job's folders and processes."""

    def __init__(self, root: str, folders: Sequence[str], limits: Mapping[str, Any]) -> None:
        self._root, self._folders, self._limits = root, folders, limits
        self.output_bytes = 0
        self._not_before = 0.0

    def problem(self, *, now: bool = False) -> str:
        """What the job must be ended for, "" if there is nothing. With `now`, everything is looked at in any case."""
        return self._disk() or (self._everything() if now or time.monotonic() >= self._not_before else "")

    def _everything(self) -> str:
        before = time.monotonic()
        found = self._files() or self._processes()
        after = time.monotonic()
        self._not_before = after + min(_TIMES_AS_LONG * (after - before), _MOST_SECONDS)
        return found

    def _files(self) -> str:
        most = int(self._limits["output_bytes"])
        try:
            self.output_bytes = sum(size_of(folder) for folder in self._folders)
        except TooDeep:
            return "It was ended: its folders are too deep."
        if self.output_bytes > most:
            return f"It was ended: it wrote more than the {most / _MEGABYTE:.1f} MiB it may."
        return ""

    def _disk(self) -> str:
        """The operator may ask for more room while jobs run."""
        settings = waiting.settings_of(self._root)
        if waiting.has_room(self._root, settings):
            return ""
        free = waiting.free_bytes(self._root) / _MEGABYTE
        least = settings["least_free_bytes"] / _MEGABYTE
        return f"It was ended: the server's disk is nearly full, {free:.0f} MiB are free and {least:.0f} must be."

    def _processes(self) -> str:
        there, most = processes.below(os.getpid()), int(self._limits["memory_bytes"])
        if len(there) > self._limits["processes"]:
            return f"It was ended: it had {len(there)} processes, and may have {self._limits['processes']}."
        if processes.memory_of(there, most) > most:
            return f"It was ended: its processes used more than the {most / _MEGABYTE:.0f} MiB of memory they may."
        return ""


def size_of(folder: str) -> int:
    """All bytes of the files below, each a whole number of blocks, so that many empty ones are not nothing."""
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return 0
    return _size_below(opened, 0)


def _size_below(folder: int, depth: int) -> int:
    """Closes the folder. What goes away meanwhile does not count."""
    try:
        if depth > _MOST_DEPTH:
            raise TooDeep
        size, folders = 0, []
        with contextlib.suppress(FileNotFoundError), os.scandir(folder) as found:
            for entry in found:
                with contextlib.suppress(FileNotFoundError):
                    size += -(-entry.stat(follow_symlinks=False).st_size // _BLOCK_BYTES) * _BLOCK_BYTES or _BLOCK_BYTES
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.name)
        for name in folders:
            with contextlib.suppress(OSError):
                size += _size_below(_open_below(folder, name), depth + 1)
        return size
    finally:
        os.close(folder)


def _open_below(folder: int, name: str) -> int:
    return os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=folder)
