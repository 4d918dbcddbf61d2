"""What does an agent do all its life? It registers, sees to it that the version in force runs, and says goodbye."""

from __future__ import annotations

import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fairlead.base import keeper, lasting
from fairlead.cli.local_agent import ENDINGS
from fairlead.cli.local_agent.deployment import Deployment
from fairlead.cli.local_agent.files import Diary
from fairlead.cli.local_agent.reports import Reports
from fairlead.cli.local_agent.server import Away, Server
from fairlead.cli.local_agent.told import Container, Instance, Unfurnished, read_container

TERMINATION_NOTICE = "termination-time"
"""This file stands for the address at which a cloud tells a spot instance that it will be taken away."""
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.2, 10.0
_LOOK_SECONDS = 0.25


class _Told(Exception):
    """Somebody wants us to end."""


class Agent:
    def __init__(self, instance: Instance, lock: int) -> None:
        self._instance, self._lock = instance, lock
        self._diary = Diary(instance.folder / lasting.LOG)
        self._server = Server(instance.folder)
        self._reports = Reports(instance, self._server, self._diary.note)
        self._deployment = Deployment(instance, self._server, self._reports, lock, self._diary.note)
        self._is_told = self._may_be_interrupted = False
        self._is_registered = self._has_given_notice = False
        self._pause, self._next_call = _FIRST_PAUSE_SECONDS, 0.0
        self._trouble = ""

    def live(self) -> int:
        keeper.process_control(keeper.SET_CHILD_SUBREAPER, 1)
        for each in ENDINGS:
            signal.signal(each, self._hear)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDINGS)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        self._diary.note(f"instance {self._instance.id} begins")
        self._reports.container("starting")
        try:
            while not self._is_told and lasting.is_ours(self._instance.folder, self._lock):
                self._live_on()
        except Unfurnished as problem:
            self._diary.note(f"it ends: {problem}")
        except _Told:
            """It is said below."""
        self._end()
        return 0

    def _live_on(self) -> None:
        """The disk may be full and the host out of processes: that is no reason to leave the workload alone."""
        try:
            self._deployment.step()
            self._call_if_it_is_time()
        except OSError as problem:
            self._be_patient(f"this host does not let it work: {problem.strerror}")
        self._wait()

    def _hear(self, *_: Any) -> None:
        self._is_told = True
        if self._may_be_interrupted:
            raise _Told

    def _call_if_it_is_time(self) -> None:
        """What there is to report goes at once, unless the server was away a moment ago."""
        is_time = time.monotonic() >= self._next_call
        if not is_time and (self._trouble or not self._reports.are_waiting):
            return
        try:
            self._send()
            if is_time:
                self._call()
        except Away as problem:
            self._be_patient(str(problem))

    def _be_patient(self, problem: str) -> None:
        """What runs goes on, however long the server is away."""
        if problem != self._trouble:
            self._diary.note(problem)
        self._trouble = problem
        self._next_call = time.monotonic() + self._pause
        self._pause = min(2 * self._pause, _LONGEST_PAUSE_SECONDS)

    def _call(self) -> None:
        employer = self._server.employer
        with self._interruptible():
            if not self._is_registered:
                self._server.get("/v3/alm/sts", service="logs", stack_id=employer.stack_id)
                self._is_registered = True
        try:
            container = self._asked()
            while self._deployment.announce(container):
                self._send()
                container = self._asked()
            self._deployment.want(container)
        except (AttributeError, TypeError, ValueError):
            self._reports.agent("error", "the configuration of this layer cannot be read")
        self._deployment.step()
        self._send()
        self._give_notice(employer.account, employer.stack_id)
        self._pause, self._trouble = _FIRST_PAUSE_SECONDS, ""
        self._next_call = time.monotonic() + self._instance.poll_seconds

    def _asked(self) -> Container | None:
        """What the server says that is to run."""
        employer = self._server.employer
        with self._interruptible():
            config = self._server.get("/v3/alm/agent/config", flag=employer.flag, stack_id=employer.stack_id)
        return read_container(config)

    def _send(self) -> None:
        with self._interruptible():
            self._reports.send()

    def _give_notice(self, account: str, stack_id: str) -> None:
        if self._has_given_notice or not self._instance.is_spot:
            return
        if (self._instance.folder / TERMINATION_NOTICE).exists():
            fields = {"user_id": account, "stack_id": stack_id, "instance_id": self._instance.id}
            with self._interruptible():
                self._server.post("/v3/event/spot/shutdown", fields)
            self._has_given_notice = True
            self._diary.note("told the server that this spot instance will be taken away")

    def _wait(self) -> None:
        """For what the wardens say, for somebody who wants us to end, or for the next time to look."""
        seconds = min(max(0.0, self._next_call - time.monotonic()), _LOOK_SECONDS)
        with self._interruptible():
            select.select(self._deployment.voices, [], [], seconds)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Only while it waits for others: what it does itself is done whole."""
        self._may_be_interrupted = True
        try:
            if self._is_told:
                raise _Told
            yield
        finally:
            self._may_be_interrupted = False

    def _end(self) -> None:
        """The goodbye is said while the workload ends."""
        for each in ENDINGS:
            signal.signal(each, signal.SIG_IGN)
        self._deployment.stop()
        if lasting.is_ours(self._instance.folder, self._lock):
            self._reports.goodbye()
        self._deployment.wait_until_all_is_gone()
        self._diary.note(f"instance {self._instance.id} ends")
