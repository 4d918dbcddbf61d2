"""Who stands between an agent and the programs that it runs, and sees to it that nothing of a version is left over?

A process of its own for each version. It runs what brings the version up, keeps its command going, and reads what all
of that says into a log. When the agent lets go of it (or dies) it ends everything that the version has started,
wherever that has hidden: orphans become children of the warden.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from fairlead.base import keeper
from fairlead.cli.local_agent.files import Log

WORKLOAD_LOG = "workload.log"
LIVED_SECONDS = 0.3
"""A command that has not ended after so long is up."""
SECONDS_TO_END = 3.0
"""So long may programs take to end when they are asked to; then they are killed."""
MOST_FILE_BYTES = 10 * 1024**3
NICE = 5
_SETTLED_SECONDS = 10.0
_QUICK_FAILURES = 3
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 30.0
_LAST_LINES = 3
_LONGEST_WORDS = 600
_TAIL_BYTES = 16 * 1024


class Failed(Exception):
    """The version cannot be brought up; the text is told to people."""


class _Told(Exception):
    """The agent has let go of us."""


class Warden:
    """The agent's side: it hears the warden's voice, and ends it by letting go.

    `is_outdated`: the server has told of another version since, and what becomes of this one is no news to it.
    """

    def __init__(self, pid: int, voice: int, leash: int) -> None:
        self.pid, self.voice, self._leash = pid, voice, leash
        self.is_outdated = False
        self._unread = b""

    def hear(self) -> list[tuple[str, str]]:
        """What it has said since: `installing`, `complete`, `restarting`, or `failed` with the reason."""
        with contextlib.suppress(BlockingIOError):
            while self.voice >= 0 and (more := os.read(self.voice, 65536)):
                self._unread += more
        *lines, self._unread = self._unread.split(b"\n")
        return [(kind, text) for kind, text in map(json.loads, lines)]

    def let_go(self) -> None:
        for end in (self.voice, self._leash):
            if end >= 0:
                os.close(end)
        self.voice = self._leash = -1


def start_warden(folder: Path, lock: int, work: Callable[[Ward], None]) -> Warden:
    """`lock` is kept by the warden too: while anything of a version may be there, the instance counts as running."""
    voice, mouth = os.pipe()
    held, leash = os.pipe()
    os.set_blocking(voice, False)
    pid = os.fork()
    if pid == 0:
        _become(folder, work, mouth=mouth, leash=held, kept={lock})
    os.close(mouth)
    os.close(held)
    return Warden(pid, voice, leash)


def _become(folder: Path, work: Callable[[Ward], None], mouth: int, leash: int, kept: set[int]) -> NoReturn:
    try:
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
            signal.signal(each, signal.SIG_IGN)
        _close_all_but({0, 1, 2, mouth, leash, *kept})
        os.setpgid(0, 0)
        keeper.process_control(keeper.SET_CHILD_SUBREAPER, 1)
        Ward(folder, mouth, leash).live(work)
    finally:
        os._exit(0)


def _close_all_but(kept: set[int]) -> None:
    """Ends of other wardens' pipes above all: these must feel when the agent dies."""
    for name in os.listdir("/proc/self/fd"):
        if int(name) not in kept:
            with contextlib.suppress(OSError):
                os.close(int(name))


class Ward:
    """The warden's own side, handed to the work: it runs programs to their end, or keeps one going."""

    def __init__(self, folder: Path, mouth: int, leash: int) -> None:
        self.folder = folder
        self._mouth, self._leash = mouth, leash
        self._log = Log(folder / WORKLOAD_LOG)
        self._output, self._input = os.pipe()
        os.set_blocking(self._output, False)
        self._ended, tell = os.pipe()
        for end in (self._ended, tell):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
        self._codes: dict[int, int] = {}
        self._tail = b""
        self._secrets: tuple[str, ...] = ()
        self._at_the_end: list[Callable[[], None]] = []
        self._is_ending = False

    def live(self, work: Callable[[Ward], None]) -> None:
        try:
            work(self)
            self.say("complete")
            self._wait(None, None)
        except _Told:
            """It is over."""
        except Failed as problem:
            self.say("failed", str(problem))
        except OSError as problem:
            self.say("failed", f"the workload cannot be brought up: {problem.strerror}")
        finally:
            self._end()

    def hide(self, secrets: Sequence[str]) -> None:
        """Nothing that is told may hold one of these."""
        self._secrets = tuple(secrets)

    def at_the_end(self, deed: Callable[[], None]) -> None:
        self._at_the_end.insert(0, deed)

    def say(self, kind: str, text: str = "") -> None:
        with contextlib.suppress(OSError):  # the agent is gone, which the leash will tell
            os.write(self._mouth, json.dumps([kind, self._without_secrets(text)]).encode() + b"\n")

    def run(self, command: Sequence[str], what: str, environment: Mapping[str, str], folder: Path) -> None:
        """Run a program to its end, which must be a good one."""
        code = self.code_of(command, what, environment, folder)
        if code:
            raise Failed(f"{what} {_ending(code)}{self._words}")

    def code_of(self, command: Sequence[str], what: str, environment: Mapping[str, str], folder: Path) -> int:
        code = self._wait(self._start(command, what, environment, folder), None)
        assert code is not None
        return code

    def keep(self, command: Sequence[str], what: str, environment: Mapping[str, str], folder: Path) -> None:
        """Keep a command going until it ends by itself and well, or the agent lets go of us."""
        pause, failures = _FIRST_PAUSE_SECONDS, 0
        while True:
            began = time.monotonic()
            child = self._start(command, what, environment, folder)
            code = self._wait(child, LIVED_SECONDS)
            if code is None:
                self.say("complete")
                code = self._wait(child, None)
            if code == 0:
                return
            if time.monotonic() - began > _SETTLED_SECONDS:
                pause, failures = _FIRST_PAUSE_SECONDS, 0
            failures += 1
            if failures == _QUICK_FAILURES:
                self.say("failed", f"{what} {_ending(code or 0)}, {failures} times in a row{self._words}")
            else:
                self.say("restarting")
            self._wait(None, pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _start(self, command: Sequence[str], what: str, environment: Mapping[str, str], folder: Path) -> int:
        self._tail = b""
        try:
            child = subprocess.Popen(  # noqa: S603 - that is what this is for, and no shell
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=self._input,
                stderr=self._input,
                cwd=folder,
                env=dict(environment),
                start_new_session=True,
                preexec_fn=_fence(os.getpid()),
            )
        except (OSError, ValueError) as problem:  # there is none, it is no program, there is a NUL in its environment
            reason = problem.strerror if isinstance(problem, OSError) else str(problem)
            raise Failed(f"{what} cannot be started: {reason}") from problem
        child.returncode = 0  # it is waited for here, not by subprocess
        return child.pid

    def _wait(self, child: int | None, seconds: float | None) -> int | None:
        """Until the child has ended (its exit code), or the time is over."""
        until = None if seconds is None else time.monotonic() + seconds
        while True:
            self._reap()
            if child in self._codes:
                self._read_output()
                return self._codes.pop(child)
            left = None if until is None else until - time.monotonic()
            if left is not None and left <= 0:
                return None
            self._listen(left)

    def _listen(self, seconds: float | None) -> None:
        heard = [self._output, self._ended] if self._is_ending else [self._output, self._ended, self._leash]
        ready, _, _ = select.select(heard, [], [], seconds)
        if self._leash in ready:
            raise _Told
        if self._ended in ready:
            with contextlib.suppress(BlockingIOError):
                os.read(self._ended, 4096)
        if self._output in ready:
            self._read_output(once=True)

    def _read_output(self, once: bool = False) -> None:
        with contextlib.suppress(BlockingIOError):
            while said := os.read(self._output, 65536):
                self._log.write(said)
                self._tail = (self._tail + said)[-_TAIL_BYTES:]
                if once:
                    return

    def _reap(self) -> bool:
        """Are there children left?"""
        try:
            while True:
                process, status = os.waitpid(-1, os.WNOHANG)
                if process == 0:
                    return True
                self._codes[process] = os.waitstatus_to_exitcode(status)
        except ChildProcessError:
            return False

    def _end(self) -> None:
        """Do what was left for the end, then ask all that is below us to end, and kill what does not."""
        self._is_ending = True
        with contextlib.suppress(OSError):
            os.close(self._leash)
        for deed in self._at_the_end:
            with contextlib.suppress(Failed, OSError):
                deed()
        for how, seconds in ((signal.SIGTERM, SECONDS_TO_END), (signal.SIGKILL, keeper.MOST_SECONDS_TO_END)):
            until = time.monotonic() + seconds
            asked: set[int] = set()
            while self._reap() and time.monotonic() < until:
                for process in keeper.descendants(os.getpid()):
                    if process not in asked or how == signal.SIGKILL:
                        asked.add(process)
                        with contextlib.suppress(OSError):
                            os.kill(process, how)
                self._listen(0.05)

    @property
    def _words(self) -> str:
        """The last that the program has said. Secrets go before anything is cut, which could leave half of one."""
        lines = self._without_secrets(self._tail.decode(errors="replace")).split("\n")
        words = " / ".join([line.strip() for line in lines if line.strip()][-_LAST_LINES:])[-_LONGEST_WORDS:]
        return f": {words}" if words else ""

    def _without_secrets(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return text


def _ending(code: int) -> str:
    return f"ended with exit code {code}" if code >= 0 else f"was ended by signal {-code}"


def _fence(warden: int) -> Callable[[], None]:
    """What the child does before it becomes the program: caps, and an end when the warden ends."""

    def fence() -> None:
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGPIPE):
            signal.signal(each, signal.SIG_DFL)
        keeper.process_control(keeper.SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != warden:
            os._exit(keeper.NOT_STARTED)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        file_bytes = MOST_FILE_BYTES if most == resource.RLIM_INFINITY else min(most, MOST_FILE_BYTES)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
        os.nice(NICE)

    return fence
