"""How is a pipe of programs started, without a shell? Files are opened here, and only in the job's own folder."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from . import caps, processes
from .sandbox import INSIDE_TMP, INSIDE_WORK, Sandbox

NOT_FOUND, NOT_STARTED = 127, 126
_DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_BACK_TO_NORMAL = (
    *(signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGCHLD, signal.SIGCONT),
    *(signal.SIGPIPE, signal.SIGXFSZ),
)


class CannotOpen(Exception):
    """A file that a program was to read or write is none, or not the job's."""


class Place(NamedTuple):
    """Where programs run, and as whom. `uid` is set where they are another user than we are."""

    work: str
    temporary: str
    sandbox: Sandbox | None
    uid: int | None
    cpus: Sequence[int]
    mark: str

    def environment(self, given: Mapping[str, str]) -> dict[str, str]:
        """What every program finds, and what its description adds."""
        home, temporary = self._folders()
        return {"PATH": _DEFAULT_PATH, "HOME": home, "TMPDIR": temporary, "LANG": "C.UTF-8", **given}

    def _folders(self) -> tuple[str, str]:
        if self.sandbox:
            return INSIDE_WORK, INSIDE_TMP
        if self.uid is not None:  # another user cannot walk here from the root folder
            return ".", os.path.relpath(self.temporary, self.work)
        return self.work, self.temporary


class Streams(NamedTuple):
    stdin: int
    stdout: int
    stderr: int


class Starter:
    """Starts the programs of one job, whose output goes to the two files of the job unless a stage says otherwise."""

    def __init__(self, place: Place, spec: Mapping[str, Any]) -> None:
        self._place, self._spec = place, spec
        self._work = os.open(place.work, os.O_RDONLY | os.O_DIRECTORY)
        self._output = self._open_to_write(spec["stdout"], append=False)
        self._errors = self._open_to_write(spec["stderr"], append=False)

    def start(self, stages: Sequence[Mapping[str, Any]]) -> list[int]:
        """The processes, in order. If a file cannot be opened, those before it run: the caller ends them."""
        pids = []
        with contextlib.ExitStack() as opened:
            read = _kept(opened, os.open(os.devnull, os.O_RDONLY))
            for stage in stages:
                next_read, write = (_kept(opened, end) for end in os.pipe())
                streams = self._streams(stage, read, self._output if stage is stages[-1] else write, opened)
                pids.append(self._start_one(stage["argv"], streams))
                read = next_read
        return pids

    def _streams(self, stage: Mapping[str, Any], stdin: int, stdout: int, opened: contextlib.ExitStack) -> Streams:
        errors = self._errors
        if stage["stdin"] is not None:
            stdin = _kept(opened, self._open_to_read(stage["stdin"]))
        if stage["stdout"] is not None:
            stdout = _kept(opened, self._open_to_write(stage["stdout"], append=stage["append"]))
        if stage["merge"]:
            errors = stdout
        elif stage["stderr"] is not None:
            errors = _kept(opened, self._open_to_write(stage["stderr"], append=False))
        return Streams(stdin, stdout, errors)

    def _start_one(self, argv: list[str], streams: Streams) -> int:
        pid = os.fork()
        if pid == 0:
            try:
                self._become(argv, streams)
            finally:
                os._exit(NOT_STARTED)
        return pid

    def _become(self, argv: list[str], streams: Streams) -> None:
        """Turn into the program. Comes back only if that cannot be done, and has said so."""
        place, parent = self._place, os.getppid()
        signal.set_wakeup_fd(-1)
        for each in _BACK_TO_NORMAL:
            signal.signal(each, signal.SIG_DFL)
        os.setsid()
        os.umask(0o077)
        for number, stream in enumerate((streams.stdin, streams.stdout, streams.stderr)):
            os.dup2(stream, number)
        try:
            os.fchdir(self._work)
            caps.set_caps(self._spec["limits"], place.cpus, place.uid, place.sandbox is not None)
            if place.uid is not None and place.sandbox is None:
                caps.become(place.uid)
            processes.die_with_parent()
            if os.getppid() == parent:
                self._exec(argv)
        except (OSError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else str(problem)
            os.write(2, f"{argv[0]}: {reason}\n".encode(errors="replace"))
            os._exit(NOT_FOUND if isinstance(problem, FileNotFoundError) else NOT_STARTED)

    def _exec(self, argv: list[str]) -> None:
        place, spec = self._place, self._spec
        environment = place.environment(spec["environment"])
        if place.sandbox:
            argv = place.sandbox.wrap(
                argv, place.work, place.temporary, environment, spec["network"], spec["limits"]["processes"]
            )
            environment = {"PATH": _DEFAULT_PATH}
        os.execvpe(argv[0], argv, {**environment, processes.MARK: place.mark})  # noqa: S606 - that is what this is for

    def _open_to_read(self, name: str) -> int:
        return self._open(name, os.O_RDONLY)

    def _open_to_write(self, name: str, *, append: bool) -> int:
        file = self._open(name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            if os.fstat(file).st_nlink != 1:
                raise CannotOpen(f"{name} is a file that has another name as well.")
            if not append:
                os.ftruncate(file, 0)
            if self._place.uid is not None:
                os.fchown(file, self._place.uid, self._place.uid)
        except BaseException:
            os.close(file)
            raise
        return file

    def _open(self, name: str, flags: int) -> int:
        """Open a file below the working folder. A program that ran before may have put links or pipes in its place."""
        *folders, last = name.split("/")
        flags |= os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
        with contextlib.ExitStack() as opened:
            at = self._work
            try:
                for folder in folders:
                    at = _kept(opened, os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at))
                file = os.open(last, flags, 0o600, dir_fd=at)
            except OSError as problem:
                raise CannotOpen(f"{name} cannot be opened: {problem.strerror}.") from problem
        if not stat.S_ISREG(os.fstat(file).st_mode):
            os.close(file)
            raise CannotOpen(f"{name} is not a file.")
        os.set_blocking(file, True)
        return file


def _kept(opened: contextlib.ExitStack, file: int) -> int:
    """The file, which is closed with all others."""
    opened.callback(os.close, file)
    return file
