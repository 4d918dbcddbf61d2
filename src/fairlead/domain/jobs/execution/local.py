"""How do jobs run on this machine? Each beside a runner of its own, as many at a time as there are slots.

All that is known about them is in files, so that any number of server processes share the work, and a server that was
killed finds its jobs as they are. A job that was started is never started again: if its runner is killed, or the
machine stops, it has failed. Jobs wait in order of submission; one that needs several processors waits for as many
slots, and those behind it wait as well.

Whoever stops the server must leave its runners alone (systemd: `KillMode=process`) if jobs are to go on.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from fairlead.domain.jobs.execution.runner import processes, records, tidying, waiting
from fairlead.domain.jobs.execution.runner.running import KILLED
from fairlead.domain.jobs.execution.sandboxes import Way, way_of_running
from fairlead.domain.jobs.execution.spec import JobSpec
from fairlead.domain.jobs.execution.system import NotSubmitted, Observation, State, Usage, WrongFolder

LEAST_FREE_BYTES = 1024**3
_SECONDS_TO_HEED_A_KILL = 20.0
_LOG_BYTES = 500


class LocalSystem:
    """Jobs on this machine. Their folders are below `folder`, which is ours alone, and their paths there are their ids.

    `least_free_bytes` must always be free on its disk: no job is started with less, and those that run are ended.
    `readable` are folders that programs may read besides the system's, such as databanks.
    """

    def __init__(
        self,
        folder: Path,
        slots: int | None = None,
        *,
        least_free_bytes: int = LEAST_FREE_BYTES,
        readable: Sequence[Path] = (),
        sandbox: bool = True,
    ) -> None:
        self._slots = _as_many_as(slots)
        self._way = way_of_running(sandbox)
        self._runners: list[waiting.Started] = []
        self._runners_lock = threading.Lock()
        Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
        Path(folder).chmod(0o700)
        self._root = os.path.realpath(folder)
        shown = [os.path.abspath(each) for each in readable]
        settings = {"slots": self._slots, "least_free_bytes": least_free_bytes, **self._way.as_settings(shown)}
        waiting.make(self._root, settings)

    def submit(self, folder: Path, spec: JobSpec) -> str:
        """Put the job into the queue, if it never was, and start it if it is its turn."""
        native_id = self._id_of(folder)
        at = os.path.join(self._root, native_id)
        os.makedirs(os.path.join(at, records.WORK), mode=0o700, exist_ok=True)
        with waiting.at_the_queue(self._root):
            if not (records.is_there(at, records.STARTED) or records.is_there(at, records.RESULT)):
                if not records.is_there(at, records.SPEC):
                    records.write(at, records.SPEC, spec.as_document())
                waiting.add(self._root, native_id)
        self._start_what_fits()
        return native_id

    def poll(self, native_ids: Iterable[str]) -> dict[str, Observation]:
        """Start what fits, and say how these are."""
        self._start_what_fits()
        queued = {entry.native_id for entry in waiting.entries(self._root)}
        return {native_id: self._observe(native_id, native_id in queued) for native_id in native_ids}

    def kill(self, native_id: str) -> None:
        folder = self._folder_of(native_id)
        if records.is_there(folder, records.RESULT):
            return
        records.touch(folder, records.KILL)
        with waiting.at_the_queue(self._root):
            self._end_one_that_waits(native_id, folder)
        _wake(folder)

    def pause(self, native_id: str) -> None:
        """One that waits keeps its place, and lets others pass."""
        folder = self._folder_of(native_id)
        if not records.is_there(folder, records.RESULT):
            records.touch(folder, records.PAUSE)
            _wake(folder)

    def resume(self, native_id: str) -> None:
        folder = self._folder_of(native_id)
        records.remove(folder, records.PAUSE)
        _wake(folder)
        self._start_what_fits()

    def describe(self) -> str:
        return _described(self._slots, self._way)

    def _id_of(self, folder: Path) -> str:
        path = os.path.realpath(folder)
        native_id = os.path.relpath(path, self._root)
        if native_id.split(os.sep)[0] in (os.curdir, os.pardir, waiting.QUEUE):
            raise WrongFolder(folder=folder, reason="it is not below the folder of all jobs")
        if not waiting.fits(native_id):
            raise WrongFolder(folder=folder, reason="its path is too long")
        return native_id

    def _folder_of(self, native_id: str) -> str:
        folder = os.path.join(self._root, native_id)
        if "\0" in native_id or os.path.relpath(folder, self._root) != native_id or native_id.startswith(os.pardir):
            raise NotSubmitted(native_id=native_id)
        if not records.is_there(folder, records.SPEC):
            raise NotSubmitted(native_id=native_id)
        return folder

    def _end_one_that_waits(self, native_id: str, folder: str) -> None:
        """Nobody starts it meanwhile: we are at the queue. Whoever holds its lock runs it, and heeds the request."""
        lock = records.hold_if_nobody_runs(folder)
        if lock is None:
            return
        try:
            if not (records.is_there(folder, records.STARTED) or records.is_there(folder, records.RESULT)):
                records.write(folder, records.RESULT, records.result("killed", None, KILLED, ended_at=time.time()))
                self._take_out(native_id)
        finally:
            os.close(lock)

    def _take_out(self, native_id: str) -> None:
        for entry in waiting.entries(self._root):
            if entry.native_id == native_id:
                waiting.leave(self._root, entry.name)

    def _start_what_fits(self) -> None:
        self._take_note_of_runners()
        started = waiting.start_what_fits(self._root)
        with self._runners_lock:
            self._runners += started

    def _take_note_of_runners(self) -> None:
        with self._runners_lock:
            ended = [each for each in self._runners if each.process.poll() is not None]
            self._runners = [each for each in self._runners if each not in ended]
        for each in ended:
            if each.process.returncode:
                self._note_that_it_never_ran(each)

    def _note_that_it_never_ran(self, runner: waiting.Started) -> None:
        """A runner that ends before it runs anything would be started again and again."""
        folder = os.path.join(self._root, runner.native_id)
        with waiting.at_the_queue(self._root):
            lock = records.hold_if_nobody_runs(folder)
            if lock is None:
                return
            try:
                if not (records.is_there(folder, records.STARTED) or records.is_there(folder, records.RESULT)):
                    message = f"Its runner could not be started: {_end_of_log(folder)}"
                    records.write(folder, records.RESULT, records.result("failed", None, message))
                    self._take_out(runner.native_id)
            finally:
                os.close(lock)

    def _observe(self, native_id: str, is_queued: bool) -> Observation:
        try:
            folder = self._folder_of(native_id)
            return _outcome(folder) or self._observe_unended(folder, is_queued)
        except (NotSubmitted, FileNotFoundError):
            return Observation(State.UNKNOWN, message="There is no such job on this machine.")

    def _observe_unended(self, folder: str, is_queued: bool) -> Observation:
        is_held = records.is_there(folder, records.PAUSE)
        lock = records.hold(os.path.join(folder, records.LOCK), shared=True)
        if lock is None:
            _insist_on_a_kill(folder)
            return Observation(State.PAUSED if is_held else State.RUNNING, usage=_usage_so_far(folder))
        os.close(lock)
        if records.is_there(folder, records.STARTED):
            return _conclude(folder)
        if not is_queued:
            return Observation(State.UNKNOWN, message="It was not submitted to the end: submit it again.")
        return self._observe_one_that_waits(is_held)

    def _observe_one_that_waits(self, is_held: bool) -> Observation:
        if is_held:
            return Observation(State.PAUSED)
        if not waiting.has_room(self._root, waiting.settings_of(self._root)):
            return Observation(State.PENDING, message="It waits until there is room on the server's disk.")
        return Observation(State.PENDING)


def describe_local(slots: int | None = None) -> str:
    """What a `LocalSystem` would say of itself, for whoever makes none: it would make its folder."""
    return _described(_as_many_as(slots), way_of_running())


def _as_many_as(slots: int | None) -> int:
    return slots or os.cpu_count() or 1


def _described(slots: int, way: Way) -> str:
    return f"{slots} at a time on this machine, {way.describe()}"


def _outcome(folder: str) -> Observation | None:
    """How it ended, nothing if it did not yet."""
    result = records.read(folder, records.RESULT)
    if result is None:
        return None
    return Observation(State(result["state"]), result["exit_code"], result["message"], Usage(**result["usage"]))


def _usage_so_far(folder: str) -> Usage:
    started = records.read(folder, records.STARTED)
    return Usage(started_at=started["at"]) if started else Usage()


def _conclude(folder: str) -> Observation:
    """Its runner has gone: it left a result just now, or it was killed, and we say what became of the job."""
    lock = records.hold_if_nobody_runs(folder)
    if lock is None:
        return Observation(State.RUNNING, usage=_usage_so_far(folder))
    try:
        outcome = _outcome(folder)
        if outcome is None:
            _end_in_place_of_the_runner(folder)
            outcome = _outcome(folder)
        assert outcome is not None
        return outcome
    finally:
        os.close(lock)


def _end_in_place_of_the_runner(folder: str) -> None:
    started = records.read(folder, records.STARTED)
    assert started is not None
    processes.end_all_marked(started["mark"])
    tidying.tidy(os.path.join(folder, records.WORK))
    tidying.remove(os.path.join(folder, records.TEMPORARY))
    usage = {"started_at": started["at"], "ended_at": time.time()}
    if records.is_there(folder, records.KILL):
        result = records.result("killed", None, KILLED, **usage)
    else:
        message = "It was lost: what ran it was ended from outside, or the machine was stopped."
        result = records.result("failed", None, message, **usage)
    records.write(folder, records.RESULT, result)


def _wake(folder: str) -> None:
    """Have the runner look what is asked of it, also if somebody has stopped it."""
    _signal_runner(folder, signal.SIGCONT)


def _insist_on_a_kill(folder: str) -> None:
    """A runner that does not heed a request for so long is ended itself, and the rest is ours to do."""
    try:
        asked_at = os.stat(os.path.join(folder, records.KILL)).st_mtime
    except FileNotFoundError:
        return
    _wake(folder)
    if time.time() - asked_at > _SECONDS_TO_HEED_A_KILL:
        _signal_runner(folder, signal.SIGKILL)


def _signal_runner(folder: str, what: int) -> None:
    """Only if it is the one that was started: its number may be another's by now."""
    started = records.read(folder, records.STARTED)
    if started is None:
        return
    there = processes.find(started["pid"])
    if there and there.started == started["started"]:
        try:
            os.kill(there.pid, what)
        except ProcessLookupError:
            return


def _end_of_log(folder: str) -> str:
    with open(os.path.join(folder, records.LOG), "rb") as log:
        size = os.fstat(log.fileno()).st_size
        log.seek(max(0, size - _LOG_BYTES))
        return log.read().decode("utf-8", "replace").strip()
