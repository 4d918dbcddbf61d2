"""Which processes has a job, and how are all of them reached, wherever they have hidden?

The runner is the reaper of all that it starts: orphans become its children, so whatever a program has started is below
the runner, in whichever session or group. Linux tells all of this in /proc.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

SANDBOX = "bwrap"
MARK = "FAIRLEAD_JOB"
_MOST_ROUNDS = 1000
_SET_CHILD_SUBREAPER, _SET_PARENT_DEATH_SIGNAL = 36, 1


class Process(NamedTuple):
    """One process. Its number and the moment of its start together are never another's."""

    pid: int
    name: str
    state: str
    parent: int
    started: int


def find(pid: int) -> Process | None:
    try:
        text = _read(f"/proc/{pid}/stat")
        name, _, rest = text.partition("(")[2].rpartition(")")
        words = rest.split()
        return Process(pid, name, words[0], int(words[1]), int(words[19]))
    except (OSError, IndexError, ValueError):
        return None


def below(pid: int) -> list[Process]:
    """All processes that come from this one and live."""
    children: dict[int, list[Process]] = {}
    for number in _numbers():
        process = find(number)
        if process:
            children.setdefault(process.parent, []).append(process)
    found, next_ones = [], [pid]
    while next_ones:
        for process in children.pop(next_ones.pop(), []):
            next_ones.append(process.pid)
            if process.state not in "ZX":
                found.append(process)
    return found


def signal_all(what: int, *, spare_sandbox: bool = False) -> None:
    """Send it to everything below us, and again to what has come meanwhile, until there is nothing new.

    Parents first: a script that is told to end only after what it waits for has ended may be over, and not heed it.
    The sandbox's own processes end at once when told to end politely, and all in it with them: they may be spared.
    """
    told: set[Process] = set()
    for _ in range(_MOST_ROUNDS):
        new = [each for each in map(_identity, below(os.getpid())) if each not in told]
        if not new:
            return
        told.update(new)
        for process in new:
            if not (spare_sandbox and process.name == SANDBOX):
                with contextlib.suppress(OSError):
                    os.kill(process.pid, what)


def _identity(process: Process) -> Process:
    return Process(process.pid, process.name, "", 0, process.started)


def end_all(reap: Callable[[], bool], most_seconds: float) -> bool:
    """Kill everything below us. First all of it is stopped, so that nothing starts anything more.

    `reap` takes in what has ended and says whether anything is left. The answer is whether all of it has ended.
    """
    until = time.monotonic() + most_seconds
    while reap():
        signal_all(signal.SIGSTOP)
        signal_all(signal.SIGKILL)
        time.sleep(0.002)
        if reap() and time.monotonic() > until:
            return False
    return True


def end_all_marked(mark: str, most_seconds: float = 5.0) -> None:
    """For whoever finds that a runner was killed: end what still has the mark in its environment."""
    until = time.monotonic() + most_seconds
    found = True
    while found and time.monotonic() < until:
        found = False
        for pid in _numbers():
            with contextlib.suppress(OSError):
                process = find(pid)
                if process and process.state not in "ZX" and f"{MARK}={mark}\0" in _read(f"/proc/{pid}/environ"):
                    found = True
                    os.kill(pid, signal.SIGKILL)
        if found:
            time.sleep(0.01)


def memory_of(processes: Iterable[Process], most: int) -> int:
    """How much memory they use together; exactly only where that may be more than `most`.

    A quick sum counts what a process shares with its parent twice; the exact one is slow.
    """
    pids = [process.pid for process in processes]
    quick = sum(map(_own_pages, pids)) * os.sysconf("SC_PAGE_SIZE")
    return quick if quick <= most else sum(map(_fair_share, pids))


def _own_pages(pid: int) -> int:
    try:
        words = _read(f"/proc/{pid}/statm").split()
        return int(words[1]) - int(words[2])
    except (OSError, IndexError, ValueError):
        return 0


def _fair_share(pid: int) -> int:
    with contextlib.suppress(OSError, IndexError, ValueError):
        for line in _read(f"/proc/{pid}/smaps_rollup").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def count_of(uid: int) -> int:
    """How many threads this user has, for the kernel counts those."""
    found = 0
    for pid in _numbers():
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}").st_uid == uid:
                found += len(os.listdir(f"/proc/{pid}/task"))
    return found


def become_reaper() -> None:
    _process_control(_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    _process_control(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)


def _process_control(what: int, value: int) -> None:
    """Linux alone has it."""
    import ctypes

    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


def _numbers() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()] if os.path.isdir("/proc") else []


def _read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()
