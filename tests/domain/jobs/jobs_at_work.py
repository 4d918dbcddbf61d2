"""What tests of running jobs share: small limits, waiting, and the certainty that nothing is left running."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Callable
from pathlib import Path

from fairlead.domain.jobs.execution import WORK, JobSpec, Limits, LocalSystem, Observation, State, one

MEGABYTE = 1024**2
PATIENCE_SECONDS = 200
_numbers = itertools.count(int(time.time()) % 100_000 * 1000)


def small(**more) -> Limits:
    """Nothing in a test may write or use much."""
    return Limits(
        **{
            "seconds": 60,
            "memory_bytes": 1024 * MEGABYTE,
            "file_bytes": 8 * MEGABYTE,
            "output_bytes": 16 * MEGABYTE,
            "processes": 60,
            **more,
        }
    )


def script(text: str, *arguments: str, limits: Limits | None = None, **more) -> JobSpec:
    """A job that is a small script."""
    return JobSpec(one("sh", "-c", text, "sh", *arguments), limits=limits or small(), **more)


def long_sleep() -> str:
    """A number of seconds to sleep that no other process sleeps, by which it can be found."""
    return f"{200_000_000 + next(_numbers)}"


def processes_with(word: str) -> list[int]:
    """Those that have it as an argument and are alive."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                arguments = (folder / "cmdline").read_bytes().split(b"\0")
                state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            if word.encode() in arguments and state not in "ZX":
                found.append(int(folder.name))
    return found


def wait_until(holds: Callable[[], object], what: str = "it") -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < until, f"{what} did not come true"
        time.sleep(0.02)


class Jobs:
    """A system in a folder of its own, and the jobs that a test gives to it."""

    def __init__(self, root: Path, system: LocalSystem) -> None:
        self.root, self.system = root, system
        self.ids: list[str] = []

    def folder(self, name: str) -> Path:
        return self.root / name

    def work(self, name: str) -> Path:
        return self.root / name / WORK

    def put(self, name: str, file: str, text: str) -> None:
        self.work(name).mkdir(parents=True, exist_ok=True)
        (self.work(name) / file).write_text(text)

    def submit(self, spec: JobSpec, name: str = "job") -> str:
        native_id = self.system.submit(self.folder(name), spec)
        self.ids.append(native_id)
        return native_id

    def look(self, name: str = "job") -> Observation:
        return self.system.poll([name])[name]

    def wait_for(self, state: State, name: str = "job") -> Observation:
        wait_until(lambda: self.look(name).state is state, f"{name} being {state.value}")
        return self.look(name)

    def end_of(self, name: str = "job") -> Observation:
        wait_until(lambda: self.look(name).state.is_over, f"the end of {name}")
        return self.look(name)

    def run(self, spec: JobSpec, name: str = "job") -> Observation:
        self.submit(spec, name)
        return self.end_of(name)

    def text(self, file: str = "job.out", name: str = "job") -> str:
        return (self.work(name) / file).read_text()

    def lines_of(self, file: str, name: str = "job") -> list[str]:
        path = self.work(name) / file
        return path.read_text().splitlines() if path.exists() else []

    def end_everything(self) -> None:
        for native_id in self.ids:
            self.system.kill(native_id)
        wait_until(
            lambda: all(each.state.is_over for each in self.system.poll(self.ids).values()), "the end of all jobs"
        )
        wait_until(lambda: not processes_with(str(self.root)), "the end of all runners")


def is_root() -> bool:
    return os.getuid() == 0
