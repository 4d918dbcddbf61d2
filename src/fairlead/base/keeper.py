"""Who stays beside somebody else's program, and sees to it that nothing of it is left? See `fenced`, which runs this.

A process of its own between us and the program. It sets the caps, starts the program in a session of its own, and
waits for one of two things: the program ends, or the pipe on standard input is closed, which happens when we want it
to, and also when we die. Then it ends whatever the program has started, wherever that has hidden: orphans become
children of the keeper. It is started for each program, so it imports little, and nothing of ours.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import sys
import time

MOST_SECONDS_TO_END = 5.0
NOT_FOUND, NOT_STARTED = 127, 126
KILLED = 128
SET_CHILD_SUBREAPER, SET_PARENT_DEATH_SIGNAL = 36, 1


def keep(limits: str, folder: str, command: list[str]) -> int:
    """Run the command to its end; the answer is its exit code, or 128 and the signal that ended it."""
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    with contextlib.suppress(OSError):  # when memory runs out, let it be this that goes
        _write("/proc/self/oom_score_adj", "500")
    process_control(SET_CHILD_SUBREAPER, 1)
    ended, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    program = os.fork()
    if program == 0:
        _become(limits, command)
    for stream in (1, 2):  # only the program's own ends are left open: when they are closed, all is said
        os.close(stream)
    code = _wait_for(program, ended)
    _end_all(program)
    _remove(folder)
    return code


def _wait_for(program: int, ended: int) -> int:
    """Until the program ends, or nobody wants it any more."""
    while True:
        ready, _, _ = select.select([0, ended], [], [])
        if 0 in ready:
            with contextlib.suppress(ProcessLookupError):
                os.kill(program, signal.SIGKILL)
            return _code(os.waitpid(program, 0)[1])
        os.read(ended, 4096)
        while True:  # orphans that end are told of as well
            process, status = os.waitpid(-1, os.WNOHANG)
            if process == program:
                return _code(status)
            if process == 0:
                break


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else KILLED - code


def _end_all(program: int) -> None:
    """Kill what is left, the descendants of descendants included, until there is none."""
    with contextlib.suppress(OSError):
        os.killpg(program, signal.SIGKILL)
    until = time.monotonic() + MOST_SECONDS_TO_END
    while time.monotonic() < until:
        for process in descendants(os.getpid()):
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                """One more that has ended."""
        except ChildProcessError:
            return
        time.sleep(0.01)


def descendants(of: int) -> list[int]:
    """All processes below this one."""
    children: dict[int, list[int]] = {}
    for process in processes():
        with contextlib.suppress(OSError, IndexError, ValueError):
            parent = int(read(f"/proc/{process}/stat").rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(process)
    found, next_ones = [], [of]
    while next_ones:
        below = children.pop(next_ones.pop(), [])
        found += below
        next_ones += below
    return found


def end_all_in(folder: str) -> None:
    """For whoever started a keeper that was killed: end what still has the folder in its environment."""
    mark = f"TMPDIR={folder}\0"
    until = time.monotonic() + MOST_SECONDS_TO_END
    found = True
    while found and time.monotonic() < until:
        found = False
        for process in processes():
            with contextlib.suppress(OSError):
                if mark in read(f"/proc/{process}/environ"):
                    found = True
                    os.kill(process, signal.SIGKILL)
        if found:
            time.sleep(0.01)


def processes() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()] if os.path.isdir("/proc") else []


def _remove(folder: str) -> None:
    import shutil

    os.chdir("/")
    shutil.rmtree(folder, ignore_errors=True)


def _become(limits: str, command: list[str]) -> None:
    """Turn into the program. Never comes back."""
    signal.set_wakeup_fd(-1)
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(each, signal.SIG_DFL)
    os.setsid()
    keeper_was = os.getppid()
    process_control(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != keeper_was:
        os._exit(NOT_STARTED)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    try:
        _set_caps(limits)
        os.execvp(command[0], command)  # noqa: S606 - that is what this is for
    except (OSError, ValueError) as problem:
        reason = problem.strerror if isinstance(problem, OSError) else str(problem)
        os.write(2, f"{command[0]}: {reason}\n".encode(errors="replace"))
        os._exit(NOT_FOUND if isinstance(problem, FileNotFoundError) else NOT_STARTED)


def _set_caps(limits: str) -> None:
    memory, file_size, cpu = (int(each) for each in limits.split(","))
    for what, most in (
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, file_size),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_CORE, 0),
    ):
        already = resource.getrlimit(what)[1]
        lower = most if already == resource.RLIM_INFINITY else min(most, already)
        resource.setrlimit(what, (lower, lower))


def process_control(what: int, value: int) -> None:
    """Linux alone has it. Elsewhere the program's session is ended, and what left that is not."""
    import ctypes

    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(what, value, 0, 0, 0)


def read(path: str) -> str:
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


if __name__ == "__main__":
    os._exit(keep(sys.argv[1], sys.argv[2], sys.argv[3:]))
