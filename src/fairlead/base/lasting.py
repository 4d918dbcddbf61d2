"""How does a program of ours go on when we end, and how does anybody see whether it runs?

Such a program has a folder to itself, and holds a lock on a file in it from its beginning to its end: the kernel lets
go of it however the program ends, and a number that another process has got since says nothing. All that it starts has
the folder in its environment, by which what is left of a program that was killed is found.

Both sides are here: what starts and ends such programs, and what they do themselves when they begin. Each program
imports this, so it imports little.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from fairlead.base import keeper

LOCK = "lock"
LOG = "log"
MARK = "FAIRLEAD_LASTING"
_AT_A_TIME = 8
_START_SECONDS = 30.0
_LOOK_SECONDS = 0.02
_MOST_LOOKED_AT_SECONDS = 1.0
_NOT_OURS = (errno.EPERM, errno.EACCES, errno.EROFS, errno.EBUSY)


@dataclass(frozen=True, slots=True)
class Holder:
    """Which process began in a folder. `started` is the kernel's time of its start, `round` the caller's own."""

    pid: int
    started: str
    boot: str
    round: int
    began_at: float

    @property
    def is_alive(self) -> bool:
        return self.boot == boot() and self.started == _started(self.pid)


def boot() -> str:
    """Changes whenever the machine is started."""
    try:
        return keeper.read("/proc/sys/kernel/random/boot_id").strip()
    except OSError:
        return ""


def _started(pid: int) -> str:
    """When a process was started, in the kernel's words; "" if there is none, or only its exit code is left."""
    try:
        said = keeper.read(f"/proc/{pid}/stat").rpartition(")")[2].split()
    except OSError:
        return ""
    return "" if said[0] in "ZX" else said[19]


# What somebody else does.


def start(folders: Sequence[Path], command: Sequence[str], environment: Mapping[str, str]) -> None:
    """Start the command with each of the folders. Where it runs already, it is left alone.

    When this returns, each has its lock, or has failed: its log says why.
    """
    for first in range(0, len(folders), _AT_A_TIME):
        begun = [_started_in(folder, command, environment) for folder in folders[first : first + _AT_A_TIME]]
        for process in begun:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_START_SECONDS)


def _started_in(folder: Path, command: Sequence[str], environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    with os.fdopen(os.open(folder / LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab") as log:
        os.utime(log.fileno())  # tells when it was started, also of what never comes to write a word
        return subprocess.Popen(  # noqa: S603 - no shell, and the command is our own
            [*command, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=folder,
            env={**environment, MARK: str(folder)},
            start_new_session=True,
        )


def is_running(folder: Path) -> bool:
    """Does anybody hold the folder's lock?"""
    lock = _taken(folder, fcntl.LOCK_SH, os.O_RDONLY)
    if lock is None:
        return (folder / LOCK).exists()
    os.close(lock)
    return False


def _taken(folder: Path, how: int, flags: int) -> int | None:
    try:
        lock = os.open(folder / LOCK, flags | os.O_CLOEXEC, 0o600)
    except OSError:
        return None
    try:
        fcntl.flock(lock, how | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        return None
    return lock


def last_holder(folder: Path) -> Holder | None:
    """Who has begun in the folder, whether it still runs or not; nobody if nothing ever has."""
    try:
        return Holder(**json.loads((folder / LOCK).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def ask_to_end(folder: Path) -> None:
    """Tell the program, and what is in its group, that it is time to end."""
    holder = last_holder(folder)
    if holder is not None and holder.is_alive:
        with contextlib.suppress(OSError):
            os.killpg(holder.pid, signal.SIGTERM)


def end_all(folders: Iterable[Path]) -> None:
    """Kill the programs of these folders with all that they have started. They are gone soon after, not at once."""
    marks = {str(folder) for folder in folders}
    for folder in marks:
        _kill_with_all_below(Path(folder))
    for process in keeper.processes():
        if process != os.getpid() and _mark_of(process) in marks:
            _kill(process)


def _kill_with_all_below(folder: Path) -> None:
    holder = last_holder(folder)
    if holder is not None and holder.is_alive:
        for process in (*keeper.descendants(holder.pid), holder.pid):
            _kill(process)
    if holder is not None:
        with contextlib.suppress(OSError):  # where we are the first process of a container, it is our child
            os.waitpid(holder.pid, os.WNOHANG)


def _kill(process: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(process, signal.SIGKILL)


def _mark_of(process: int) -> str:
    start = f"{MARK}="
    try:
        variables = keeper.read(f"/proc/{process}/environ").split("\0")
    except OSError:
        return ""
    return next((each.removeprefix(start) for each in variables if each.startswith(start)), "")


def is_cleared_away(folder: Path) -> bool:
    """Remove the folder, unless its program runs. Who is about to begin in it finds that it is gone.

    Raises `OSError` for what we may not remove: there is no use in trying that again.
    """
    lock = _taken(folder, fcntl.LOCK_EX, os.O_RDWR | os.O_CREAT)
    if lock is None:
        return not folder.exists()
    try:
        shutil.rmtree(folder, onerror=_once_more)
    except OSError as problem:
        if problem.errno in _NOT_OURS:
            raise
        return False  # somebody wrote into it meanwhile: there is a next time
    finally:
        os.close(lock)
    return True


def _once_more(remove: object, path: str, _: object) -> None:
    """What the program has made read-only is still ours."""
    os.chmod(os.path.dirname(path), 0o700)
    if os.path.isdir(path) and not os.path.islink(path):
        os.chmod(path, 0o700)
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)


# What the program itself does.


def begin(folder: Path, round_: int) -> int | None:
    """Become the one program of the folder, with a session of our own; the lock, or None if there is another already.

    Returns in a child: whoever started us sees us end as soon as the child has the lock, and has no child to wait for.
    """
    heard, tell = os.pipe()
    if os.fork():
        os.close(tell)
        os._exit(0 if os.read(heard, 1) else 1)
    os.close(heard)
    os.setsid()
    lock = _lock_of_our_own(folder)
    if lock is not None:
        me = Holder(os.getpid(), _started(os.getpid()), boot(), round_, time.time())
        os.ftruncate(lock, 0)
        os.pwrite(lock, json.dumps(asdict(me)).encode(), 0)
    os.write(tell, b".")
    os.close(tell)
    return lock


def _lock_of_our_own(folder: Path) -> int | None:
    """Somebody who only looks whether we run holds the lock for a moment, so there is more than one attempt."""
    until = time.monotonic() + _MOST_LOOKED_AT_SECONDS
    while (lock := _taken(folder, fcntl.LOCK_EX, os.O_RDWR | os.O_CREAT)) is None:
        if time.monotonic() > until or not folder.exists():
            return None
        time.sleep(_LOOK_SECONDS)
    if not is_ours(folder, lock):
        os.close(lock)
        return None
    return lock


def is_ours(folder: Path, lock: int) -> bool:
    """Is the lock that we hold still the one in the folder? If not, the folder was removed."""
    try:
        return os.path.samestat(os.stat(folder / LOCK), os.fstat(lock))
    except OSError:
        return False
