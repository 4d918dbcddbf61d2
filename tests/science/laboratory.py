"""A portal whose services run the programs of this machine, and somebody who uses it as anyone would: over HTTP."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fairlead.domain.jobs.execution import WORK
from house.mobyle import Place, Visitor

from .by_hand import content

PATIENCE_SECONDS = 120.0
MOST_MEGABYTES = 32
"""What a job may write here."""


def file(name: str) -> dict[str, str]:
    """One of the made up inputs, as a job is given it."""
    return {"content": content(name), "filename": name}


def command_lines() -> Iterator[str]:
    """Of everything that runs on this machine."""
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                yield (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue


@dataclass(frozen=True)
class Laboratory:
    """`librarian` looks after the services, `ada` runs them."""

    place: Place
    librarian: Visitor
    ada: Visitor
    project: str

    def register(self, description: bytes) -> str:
        """A service of the whole server; its full name."""
        reply = self.librarian.post("/services/import", content=description)
        assert reply.status_code in {200, 201}, reply.text
        return str(reply.json()["service"])

    def send(self, service: str, inputs: Mapping[str, Any]) -> Any:
        """What the server answers to whoever wants to run it."""
        full_name = service if "::" in service else self.place.service(service)
        return self.ada.post("/jobs/", json={"project": self.project, "service": full_name, "inputs": dict(inputs)})

    def submit(self, service: str, inputs: Mapping[str, Any]) -> str:
        reply = self.send(service, inputs)
        assert reply.status_code == 201, reply.text
        return str(reply.json()["id"])

    def run(self, service: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The job, when it has ended."""
        job = self.submit(service, inputs)
        return self.wait([job])[job] | {"id": job}

    def wait(self, jobs: Iterable[str]) -> dict[str, dict[str, Any]]:
        """All of them, when all have ended."""
        waiting, ended = list(jobs), dict[str, dict[str, Any]]()
        until = time.monotonic() + PATIENCE_SECONDS
        while waiting:
            assert time.monotonic() < until, f"these do not end: {[self.ada.told(f'/jobs/{job}') for job in waiting]}"
            time.sleep(0.1)
            over = self.ada.told("/jobs/", params={"group": "finished", "limit": "500"})
            ended |= {job: self.ada.told(f"/jobs/{job}") for job in waiting if job in over}
            waiting = [job for job in waiting if job not in ended]
        return ended

    def output(self, job: str, output: str, position: int = 0) -> bytes:
        reply = self.ada.get(f"/jobs/{job}/outputs/{output}/{position}")
        assert reply.status_code == 200, reply.text
        return reply.content

    def outputs(self, job: str) -> dict[str, bytes]:
        """The content of every file that it has left behind, by its name."""
        told = self.ada.told(f"/jobs/{job}/outputs/")
        return {
            file["name"]: self.output(job, output, position)
            for output, files in told.items()
            for position, file in enumerate(files)
        }

    def folder(self, job: str) -> Path:
        """Where its programs ran."""
        return self.place.server.fairlead.jobs.folder_of(self.place.tenant_id, int(job)) / WORK
