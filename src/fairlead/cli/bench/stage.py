"""Everything that the rows are measured with: a server on its core, devices and a person, and ways to ask."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import cycle
from pathlib import Path

from fairlead.cli.bench import asking, load, wrk
from fairlead.cli.bench.artifact import Artifact
from fairlead.cli.bench.cores import Cores, pinned
from fairlead.cli.bench.load import Load
from fairlead.cli.bench.person import Person
from fairlead.cli.bench.plan import Plan
from fairlead.cli.bench.prepare import Fleet
from fairlead.cli.bench.process import Server

RELEASE = "release-1"


@dataclass
class Stage:
    """What was done once (the first questions, the deployments) is done when a row first needs it, and remembered."""

    plan: Plan
    cores: Cores
    folder: Path
    fleet: Fleet
    server: Server
    say: Callable[[str], None]

    def press(self, requests: Iterable[bytes]) -> Load:
        """The requests again and again for as long as the plan says."""
        made, plan = list(requests), self.plan
        with pinned(self.cores.load):
            return self._watched(lambda: load.press(self.server.address, cycle(made), plan.connections, plan.seconds))

    def press_with_wrk(self, requests: Iterable[bytes]) -> Load:
        """The same with wrk where there is one. Only for requests without bodies that are answered with 204."""
        if not wrk.is_here():
            return self.press(requests)
        plan, queue = self.plan, wrk.Queue(self.folder, requests)
        return self._watched(
            lambda: wrk.press(self.server.address, queue, plan.connections, plan.seconds, self.cores.load)
        )

    def press_once(self, requests: Iterable[bytes]) -> Load:
        """Each request once."""
        made = list(requests)
        with pinned(self.cores.load):
            return self._watched(lambda: load.press(self.server.address, made, self.plan.connections))

    def _watched(self, press: Callable[[], Load]) -> Load:
        before = self.server.worked_seconds()
        done = press()
        return replace(done, server_seconds=self.server.worked_seconds() - before)

    @cached_property
    def person(self) -> Person:
        return Person(self.server.address)

    @cached_property
    def first_questions(self) -> Load:
        """Every device asks once: from then on the server remembers its token."""
        self.say(f"{len(self.fleet.tokens):,} devices ask for the first time")
        return self.press_once(asking.next_by_get(self.fleet.tokens))

    @cached_property
    def release(self) -> str:
        with pinned(self.cores.load):
            self.person.upload(Artifact(RELEASE, 1))
        return RELEASE

    @cached_property
    def deployment_seconds(self) -> float:
        """A deployment for the whole fleet, device by device: from now on every device has something to do."""
        with pinned(self.cores.load):
            return self.person.deploy(self.release, self.fleet.ids)
