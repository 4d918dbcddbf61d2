"""Which version runs, which is coming up, and which are going?

A new version comes up beside the one in force, which goes once the new one is complete. Where ports are fixed both
cannot be there at once: then the old one goes first.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from functools import partial

from fairlead.base import keeper
from fairlead.cli.local_agent.reports import Reports
from fairlead.cli.local_agent.server import Server
from fairlead.cli.local_agent.told import Container, Instance
from fairlead.cli.local_agent.warden import Warden, start_warden
from fairlead.cli.local_agent.work import Place, bring_up

_FIRST_RETRY_SECONDS, _LONGEST_RETRY_SECONDS = 2.0, 60.0
_MOST_SECONDS_TO_END = 12.0


class Deployment:
    def __init__(
        self, instance: Instance, server: Server, reports: Reports, lock: int, note: Callable[[str], None]
    ) -> None:
        self._instance, self._server, self._reports, self._note = instance, server, reports, note
        self._lock = lock
        self._stamp = self._announced = -1
        self._wanted: Container | None = None
        self._active: Warden | None = None
        self._coming: Warden | None = None
        self._going: list[Warden] = []
        self._start_at: float | None = None
        self._retry_seconds = _FIRST_RETRY_SECONDS
        self._count = 0

    @property
    def voices(self) -> list[int]:
        return [each.voice for each in (self._active, self._coming) if each is not None and each.voice >= 0]

    def announce(self, container: Container | None) -> bool:
        """Say that we turn to another version, if this is one; then the server has to be asked once more.

        What it tells us after it has heard that is as new as it will think: it takes what we say from then on as said
        about that. A first version was announced by our being there.
        """
        if container is None or not self._is_news(container) or container.stamp == self._announced:
            return False
        self._announced = container.stamp
        for warden in (self._active, self._coming):
            if warden is not None:
                warden.is_outdated = True
        self._reports.begin_anew()
        if self._stamp < 0:
            return False
        self._reports.container("updating")
        return True

    def _is_news(self, container: Container) -> bool:
        """It is another version if its stamp has grown."""
        return container.stamp > self._stamp or self._wanted is None

    def want(self, container: Container | None) -> None:
        """What the server says is to run."""
        if container is None:
            self._want_nothing()
        elif self._is_news(container):
            self._stamp, self._wanted = container.stamp, container
            self._retry_seconds = _FIRST_RETRY_SECONDS
            self._start_at = time.monotonic()

    def _want_nothing(self) -> None:
        if self._wanted is not None:
            self._reports.begin_anew()
        self._wanted, self._start_at = None, None
        self._stamp, self._announced = max(self._stamp, 0), -1
        self.stop()
        self._report_complete()

    def step(self) -> None:
        """Hear what has become of the versions, and do what is next."""
        gone = self._reap()
        for warden in (self._coming, self._active):
            if warden is not None:
                for kind, text in warden.hear():
                    self._take(warden, kind, text)
                if warden.pid in gone:
                    self._has_died(warden)
        self._going = [each for each in self._going if each.pid not in gone]
        self._start_if_it_is_time()

    def _start_if_it_is_time(self) -> None:
        if self._start_at is None or self._wanted is None or time.monotonic() < self._start_at:
            return
        if self._coming is not None:
            self._let_go(self._coming)
            self._coming = None
        if self._wanted.ports:
            if self._active is not None:
                self._let_go(self._active)
                self._active = None
            if self._going:
                return
        self._start_at = None
        self._count += 1
        self._note(f"brings up version {self._wanted.stamp}")
        employer = self._server.employer
        place = Place(self._instance, employer.account, employer.stack_id, f"{self._wanted.stamp}-{self._count}")
        self._coming = start_warden(self._instance.folder, self._lock, partial(bring_up, place, self._wanted))
        self._coming.is_outdated = self._stamp != self._announced

    def _take(self, warden: Warden, kind: str, text: str) -> None:
        if warden.is_outdated:
            return
        if kind == "failed":
            self._note(f"version {self._stamp} has failed: {text}")
            self._reports.agent("error", text)
        elif kind == "complete":
            self._is_up(warden)
        else:
            self._reports.container(kind)

    def _is_up(self, warden: Warden) -> None:
        if warden is self._coming:
            if self._active is not None:
                self._let_go(self._active)
            self._active, self._coming = warden, None
            self._retry_seconds = _FIRST_RETRY_SECONDS
        self._report_complete()

    def _report_complete(self) -> None:
        self._reports.container("complete")
        self._reports.agent("uptodate")

    def _has_died(self, warden: Warden) -> None:
        """It has said why, or was killed. What it leaves behind is ended, and it is tried again later."""
        warden.let_go()
        if warden is self._coming:
            self._coming = None
        else:
            self._active = None
            if not warden.is_outdated:
                self._reports.container("restarting")
        self._end_orphans()
        if self._start_at is None and self._wanted is not None and self._coming is None:
            self._start_at = time.monotonic() + self._retry_seconds
            self._retry_seconds = min(2 * self._retry_seconds, _LONGEST_RETRY_SECONDS)

    def _end_orphans(self) -> None:
        """Whatever is ours and under no warden."""
        kept = {each.pid for each in (self._active, self._coming, *self._going) if each is not None}
        kept |= {process for warden in kept for process in keeper.descendants(warden)}
        for process in keeper.descendants(os.getpid()):
            if process not in kept:
                with contextlib.suppress(OSError):
                    os.kill(process, signal.SIGKILL)

    def _let_go(self, warden: Warden) -> None:
        warden.let_go()
        self._going.append(warden)

    def stop(self) -> None:
        """Tell all versions to end; that takes some seconds."""
        for warden in (self._active, self._coming):
            if warden is not None:
                self._let_go(warden)
        self._active = self._coming = None

    def wait_until_all_is_gone(self) -> None:
        until = time.monotonic() + _MOST_SECONDS_TO_END
        while self._going and time.monotonic() < until:
            gone = self._reap()
            self._going = [each for each in self._going if each.pid not in gone]
            time.sleep(0.02)
        for warden in self._going:
            with contextlib.suppress(OSError):
                os.kill(warden.pid, signal.SIGKILL)
        self._going = []
        self._end_orphans()

    def _reap(self) -> set[int]:
        gone = set()
        with contextlib.suppress(ChildProcessError):
            while process := os.waitpid(-1, os.WNOHANG)[0]:
                gone.add(process)
        return gone
