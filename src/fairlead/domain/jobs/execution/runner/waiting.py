"""Who waits, and whose turn is it? A folder with a file for each job that waits, and a lock for each slot.

A job that waits costs no process. Whoever comes by starts what fits - a server that looks how jobs are, a runner that
is done - and holds the queue's lock meanwhile. The runner inherits the locks of its job and its slots, so that they are
held without a gap; when it has noted that it runs, it takes the job out of the queue.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from . import records

QUEUE = ".queue"
SETTINGS = "settings.json"
_LOCK, _WAITING, _SLOTS = "lock", "waiting", "slots"
_MOST_ID_BYTES = 200


class Entry(NamedTuple):
    """A job in the queue; the numbers say who came first."""

    number: int
    native_id: str

    @property
    def name(self) -> str:
        return f"{self.number:020d} {quote(self.native_id, safe='')}"


class Started(NamedTuple):
    """A runner that has been started. It is a child of this process, which should take note when it ends."""

    native_id: str
    process: subprocess.Popen[bytes]


def make(root: str, settings: dict[str, Any]) -> None:
    """Make a queue in the folder, where there is none, with these settings from now on."""
    for folder in (root, _path(root), _path(root, _WAITING), _path(root, _SLOTS)):
        os.makedirs(folder, mode=0o700, exist_ok=True)
    if records.read(_path(root), SETTINGS) != settings:
        records.write(_path(root), SETTINGS, settings)


def settings_of(root: str) -> dict[str, Any]:
    settings = records.read(_path(root), SETTINGS)
    assert settings is not None
    return settings


@contextlib.contextmanager
def at_the_queue(root: str) -> Iterator[None]:
    """Nobody else changes the queue or starts anything meanwhile."""
    lock = records.hold_when_free(_path(root, _LOCK))
    try:
        yield
    finally:
        os.close(lock)


def fits(native_id: str) -> bool:
    """Can there be a file for it?"""
    return len(quote(native_id, safe="")) <= _MOST_ID_BYTES


def add(root: str, native_id: str) -> None:
    """Queue up at the end. To be called at the queue."""
    there = entries(root)
    if any(each.native_id == native_id for each in there):
        return
    entry = Entry(max([time.time_ns(), *(each.number + 1 for each in there[-1:])]), native_id)
    records.touch(_path(root, _WAITING), entry.name)
    records.flush(_path(root, _WAITING))


def entries(root: str) -> list[Entry]:
    """All that wait, in order."""
    split = [name.partition(" ") for name in os.listdir(_path(root, _WAITING))]
    return sorted((Entry(int(number), unquote(quoted)) for number, _, quoted in split), key=lambda entry: entry.number)


def leave(root: str, entry: str) -> None:
    records.remove(_path(root, _WAITING), entry)


def has_room(root: str, settings: dict[str, Any]) -> bool:
    """Is there as much of the disk left as must always be?"""
    return free_bytes(root) >= int(settings["least_free_bytes"])


def free_bytes(folder: str) -> int:
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def start_what_fits(root: str) -> list[Started]:
    """Start those whose turn it is, as long as there are slots for them."""
    started: list[Started] = []
    with at_the_queue(root):
        waiting, settings = entries(root), settings_of(root)
        if not waiting or not has_room(root, settings):
            return started
        free = _free_slots(root, settings["slots"])
        try:
            for entry in waiting:
                wanted = _slots_for(root, entry, settings["slots"])
                if wanted > len(free):
                    break
                if wanted and (runner := _start(root, entry, dict(sorted(free.items())[:wanted]))):
                    started.append(runner)
                    for slot in sorted(free)[:wanted]:
                        os.close(free.pop(slot))
        finally:
            for lock in free.values():
                os.close(lock)
    return started


def _slots_for(root: str, entry: Entry, slots: int) -> int:
    """How many it needs; none if it is not to be started: it is held, or it has gone."""
    folder = os.path.join(root, entry.native_id)
    if records.is_there(folder, records.PAUSE):
        return 0
    spec = records.read(folder, records.SPEC)
    if spec is None:
        leave(root, entry.name)
        return 0
    return min(int(spec["cpus"]), slots)


def _free_slots(root: str, slots: int) -> dict[int, int]:
    """The locks of the slots that nobody had, which are now ours."""
    locks = {slot: records.hold(_path(root, _SLOTS, str(slot))) for slot in range(slots)}
    return {slot: lock for slot, lock in locks.items() if lock is not None}


def _start(root: str, entry: Entry, slots: dict[int, int]) -> Started | None:
    """Start the job's runner, if nobody runs or ever ran the job: then it is only taken out of the queue."""
    folder = os.path.join(root, entry.native_id)
    lock = records.hold_if_nobody_runs(folder)
    if lock is None:
        return None
    try:
        if records.is_there(folder, records.RESULT) or records.is_there(folder, records.STARTED):
            leave(root, entry.name)
            return None
        return Started(entry.native_id, _spawn(root, entry, lock, slots))
    finally:
        os.close(lock)


def _spawn(root: str, entry: Entry, lock: int, slots: dict[int, int]) -> subprocess.Popen[bytes]:
    """A process that shares with us the locks and nothing else, and stays when we go."""
    folder = os.path.join(root, entry.native_id)
    numbers: Sequence[int] = [lock, *(number for pair in slots.items() for number in pair)]
    program = [sys.executable, "-I", "-S", os.path.dirname(os.path.abspath(__file__))]
    with open(os.path.join(folder, records.LOG), "ab", opener=_private) as log:
        return subprocess.Popen(  # noqa: S603 - it is our own program
            [*program, root, entry.native_id, entry.name, *map(str, numbers)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            env={"PATH": os.defpath, "LANG": "C.UTF-8"},
            pass_fds=[lock, *slots.values()],
            start_new_session=True,
        )


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _path(root: str, *names: str) -> str:
    return os.path.join(root, QUEUE, *names)
