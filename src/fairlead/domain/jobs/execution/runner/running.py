"""How does a job run, from its first program to its result? This is the runner, alone with one job.

It is told what to do by files in the job's folder, and looks when a signal wakes it. The result decides how the job
ended; it is written when nothing of the job runs any more.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
import traceback
from collections.abc import Sequence
from typing import Any

from . import caps, processes, records, stages, tidying, waiting
from .sandbox import Sandbox
from .watching import LOOK_SECONDS, Watch

MOST_SECONDS_TO_END = 10.0
GRACE_SECONDS = 5.0
"""Between being asked to end and being ended. Jobs are the last to be given a processor: they may need it."""
KILLED = "It was killed."
_PAUSED_LOOK_SECONDS = 2.0
_SIGNALLED = 128


def main(arguments: Sequence[str]) -> None:
    """Run the job to its end; then let those who wait have the slots."""
    root, native_id, entry, lock, *slots = arguments
    folder = os.path.join(root, native_id)
    numbers = [int(each) for each in slots]
    locks = [int(lock), *numbers[1::2]]
    for each in locks:  # a program of the job must not hold them any longer than we do
        os.set_inheritable(each, False)
    _settle()
    mark = os.urandom(16).hex()
    me = processes.find(os.getpid())
    records.write(
        folder,
        records.STARTED,
        {"pid": os.getpid(), "started": me.started if me else 0, "mark": mark, "at": time.time()},
    )
    waiting.leave(root, entry)
    try:
        result = _Job(root, native_id, numbers[::2], mark).run()
    except Exception as problem:
        traceback.print_exc()
        result = records.result("failed", None, f"It could not be run: {problem}", ended_at=time.time())
    records.write(folder, records.RESULT, result)
    for each in locks:
        os.close(each)
    waiting.start_what_fits(root)


def _settle() -> None:
    for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(each, signal.SIG_IGN)
    with (
        contextlib.suppress(OSError),
        open("/proc/self/oom_score_adj", "w", encoding="ascii") as file,
    ):  # when memory runs out, let it be this that goes
        file.write("500")
    processes.become_reaper()


class _Bell:
    """Rings when a child ends, and when somebody has left a request."""

    def __init__(self) -> None:
        self._heard, rings = os.pipe()
        for end in (self._heard, rings):
            os.set_blocking(end, False)
        for each in (signal.SIGCHLD, signal.SIGCONT):
            signal.signal(each, lambda *_: None)
        signal.set_wakeup_fd(rings, warn_on_full_buffer=False)

    def wait(self, seconds: float) -> None:
        if select.select([self._heard], [], [], max(seconds, 0))[0]:
            os.read(self._heard, 4096)


class _Stopped(Exception):
    """The job is to be ended."""

    def __init__(self, state: str, reason: str, grace_seconds: float = 0.0) -> None:
        super().__init__(reason)
        self.state, self.reason, self.grace_seconds = state, reason, grace_seconds


class _Job:
    def __init__(self, root: str, native_id: str, slots: Sequence[int], mark: str) -> None:
        spec = records.read(os.path.join(root, native_id), records.SPEC)
        assert spec is not None
        self._folder, self._spec, self._limits = os.path.join(root, native_id), spec, spec["limits"]
        self._place = _place(root, self._folder, slots, mark)
        self._watch = Watch(root, (self._place.work, self._place.temporary), self._limits)
        self._bell = _Bell()
        self._codes: dict[int, int] = {}
        self._cpu_seconds, self._memory_bytes = 0.0, 0
        self._seconds, self._since, self._paused = 0.0, time.monotonic(), False

    def run(self) -> dict[str, Any]:
        """Nothing of the job runs afterwards, and its files are in order, also when this goes wrong."""
        started_at = time.time()
        try:
            result = self._run_all()
        except _Stopped as stopped:
            self._ask_to_end(stopped.grace_seconds)
            result = records.result(stopped.state, None, stopped.reason)
        except stages.CannotOpen as problem:
            result = records.result("failed", None, str(problem))
        finally:
            self._count_time()
            all_ended = processes.end_all(self._reap, MOST_SECONDS_TO_END)
            tidying.tidy(self._place.work)
            tidying.remove(self._place.temporary)
        if not all_ended:
            result["message"] += " Some of its processes could not be ended."
        result["usage"] = {
            "started_at": started_at,
            "ended_at": time.time(),
            "seconds": self._seconds,
            "cpu_seconds": self._cpu_seconds,
            "memory_bytes": self._memory_bytes,
            "output_bytes": self._watch.output_bytes,
        }
        return result

    def _run_all(self) -> dict[str, Any]:
        self._heed_requests()
        self._prepare()
        starter = stages.Starter(self._place, self._spec)
        code = 0
        for pipe in self._spec["pipes"]:
            if pipe["when"] == "always" or (pipe["when"] == "success") == (code == 0):
                self._look()
                self._codes.clear()
                code = self._wait_for(starter.start(pipe["stages"]))
                processes.end_all(self._reap, MOST_SECONDS_TO_END)
        problem = self._watch.problem(now=True)
        if problem:
            return records.result("failed", None, problem)
        return records.result("failed" if code else "finished", code, self._meaning_of(code))

    def _prepare(self) -> None:
        place = self._place
        os.makedirs(place.temporary, mode=0o700, exist_ok=True)
        if place.uid is not None:
            os.chmod(self._folder, 0o711)  # noqa: S103 - to pass, not to look: the way from its files to its temporary ones
            os.chmod(place.work, 0o700)
            tidying.hand_over(place.work, place.uid)
            tidying.hand_over(place.temporary, place.uid)

    def _wait_for(self, pids: Sequence[int]) -> int:
        """Until all of them have ended; the code is what that means for the pipe."""
        next_look = time.monotonic() + LOOK_SECONDS
        while not all(pid in self._codes for pid in pids):
            self._bell.wait(self._seconds_to_wait(next_look))
            self._reap()
            self._heed_requests()
            self._check_time()
            if not self._paused and time.monotonic() >= next_look:
                self._look()
                next_look = time.monotonic() + LOOK_SECONDS
        return _code_of_pipe([self._codes[pid] for pid in pids])

    def _seconds_to_wait(self, next_look: float) -> float:
        if self._paused:
            return _PAUSED_LOOK_SECONDS
        return min(next_look - time.monotonic(), float(self._limits["seconds"]) - self._seconds)

    def _check_time(self) -> None:
        self._count_time()
        if self._seconds >= self._limits["seconds"]:
            reason = f"It was ended: it ran longer than the {self._limits['seconds']:g} seconds it may."
            raise _Stopped("failed", reason, GRACE_SECONDS)

    def _look(self) -> None:
        problem = self._watch.problem()
        if problem:
            raise _Stopped("failed", problem)

    def _heed_requests(self) -> None:
        if records.is_there(self._folder, records.KILL):
            raise _Stopped("killed", KILLED, GRACE_SECONDS)
        wanted = records.is_there(self._folder, records.PAUSE)
        if wanted != self._paused:
            self._count_time()
            self._paused = wanted
            processes.signal_all(signal.SIGSTOP if wanted else signal.SIGCONT)

    def _count_time(self) -> None:
        """A pause does not count."""
        now = time.monotonic()
        if not self._paused:
            self._seconds += now - self._since
        self._since = now

    def _ask_to_end(self, grace_seconds: float) -> None:
        """Give the programs a moment to end by themselves, if that harms nobody."""
        if not grace_seconds:
            return
        processes.signal_all(signal.SIGTERM, spare_sandbox=True)
        processes.signal_all(signal.SIGCONT)
        until = time.monotonic() + grace_seconds
        while self._reap() and time.monotonic() < until:
            self._bell.wait(until - time.monotonic())

    def _reap(self) -> bool:
        """Take in what has ended. Is anything left?"""
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status, used = os.wait4(-1, os.WNOHANG)
                if pid == 0:
                    return True
                code = os.waitstatus_to_exitcode(status)
                self._codes.setdefault(pid, code if code >= 0 else _SIGNALLED - code)
                self._cpu_seconds += used.ru_utime + used.ru_stime
                self._memory_bytes = max(self._memory_bytes, used.ru_maxrss * 1024)
        return False

    def _meaning_of(self, code: int) -> str:
        if code == 0:
            return ""
        if code == _SIGNALLED + signal.SIGXFSZ:
            most = min(self._limits["file_bytes"], self._limits["output_bytes"])
            return f"It was ended: it wrote a file larger than the {most / 1024**2:.1f} MiB it may."
        if code == _SIGNALLED + signal.SIGXCPU:
            return "It was ended: it used more of the processor's time than it may."
        if code > _SIGNALLED:
            with contextlib.suppress(ValueError):
                return f"It was ended by the signal {signal.Signals(code - _SIGNALLED).name}."
        return f"It ended with the exit code {code}."


def _place(root: str, folder: str, slots: Sequence[int], mark: str) -> stages.Place:
    """Each slot has a user of its own, so that jobs which run at the same time cannot touch each other."""
    settings = waiting.settings_of(root)
    uid = None if settings["first_uid"] is None else settings["first_uid"] + min(slots)
    sandbox = None
    if settings["sandbox"] is not None:
        sandbox = Sandbox(settings["sandbox"]["program"], uid, settings["sandbox"]["readable"])
    work, temporary = os.path.join(folder, records.WORK), os.path.join(folder, records.TEMPORARY)
    return stages.Place(work, temporary, sandbox, uid, caps.processors(slots), mark)


def _code_of_pipe(codes: Sequence[int]) -> int:
    """That of the last program that went wrong. One whose reader has gone may end of that: nothing is wrong with it."""
    *before, last = codes
    wrong = [code for code in before if code not in (0, _SIGNALLED + signal.SIGPIPE)]
    return last or (wrong[-1] if wrong else 0)
