"""Many jobs, and programs that work on them: each job tells the outside three times, with a key for each time.

with Outside() as outside:
    crowd = Crowd(engine, folder, outside)
    jobs = crowd.start(1000)
    with crowd.worker(), crowd.worker():
        crowd.wait_until_over()
"""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from pathlib import Path

import sqlalchemy as sa

from fairlead.domain import workflows
from fairlead.parts import open_seal, prepare
from fairlead.settings import Settings
from house.outside import Outside
from house.program import Program

STEPS = 3
TENANTS = 10
THREADS = 8
_numbers = itertools.count(1)


class Crowd:
    """Jobs of many tenants in a database of their own."""

    def __init__(self, engine, folder: Path, outside: Outside) -> None:
        database = "" if engine.name == "sqlite" else engine.url(f"crowd{next(_numbers)}")
        settings = Settings(data=folder / "data", database=database)
        self.data = settings.data
        self.database = prepare(settings)
        self.seal = open_seal(settings)
        where = ("--database", database) if database else ()
        self.options = (*where, "--workflow-threads", THREADS, "--workflow-per-name", 100)
        self.options += ("--allow-outgoing", "127.0.0.1")
        tasks = [_told(f"{outside.url}/{number}") for number in range(STEPS)]
        definition = workflows.read(json.dumps({"name": "tell", "tasks": tasks}))
        with self.database.across_tenants("a workflow for a test") as tx:
            workflows.register(tx, definition)

    def start(self, jobs: int) -> list[str]:
        with self.database.across_tenants("jobs for a test") as tx:
            return [
                workflows.start(tx, self.seal, "tell", {"n": str(number)}, tenant_id=f"t{number % TENANTS}")
                for number in range(jobs)
            ]

    def worker(self, *options: object) -> Program:
        """A worker that is ready."""
        worker = Program("worker", "--data", self.data, *self.options, *options)
        try:
            worker.wait_for(r"worker\.ready")
        except BaseException:
            worker.__exit__()
            raise
        return worker

    def counts(self) -> Counter[str]:
        """How many jobs there are, by status."""
        return Counter(dict(self._ask("SELECT status, count(*) FROM workflow_jobs GROUP BY status")))

    def wait_until_over(self, seconds: float = 120) -> None:
        until = time.monotonic() + seconds
        while self.is_at_work():
            assert time.monotonic() < until, self.counts()
            time.sleep(0.1)

    def is_at_work(self) -> bool:
        counts = self.counts()
        return bool(counts["pending"] or counts["processing"])

    def holders(self) -> Counter[str]:
        """Who holds how many jobs: the names of workers."""
        return Counter(dict(self._ask("SELECT worker, count(*) FROM workflow_jobs WHERE worker <> '' GROUP BY worker")))

    def held_by(self, process: int) -> set[str]:
        """The keys of the steps that a process has taken on and not got past."""
        names = [name for name in self.holders() if name.split("-")[-2] == str(process)]
        rows = self._ask("SELECT id, step, worker FROM workflow_jobs WHERE worker <> ''")
        return {f"{row.id}:{row.step}" for row in rows if row.worker in names}

    def written_down(self) -> set[str]:
        """The keys of the steps whose results are there."""
        return {f"{row.job_id}:{row.number}" for row in self._ask("SELECT job_id, number FROM workflow_steps")}

    def _ask(self, statement: str) -> list[sa.Row]:
        with self.database.outside() as connection:
            return list(connection.execute(sa.text(statement)))


def _told(uri: str) -> dict:
    said = {"uri": uri, "method": "POST", "json": {"n": "${workflow.input.n}"}}
    return {"name": uri[-1], "type": "http", "http": said}


def keys_of(jobs: list[str]) -> set[str]:
    """What the outside is told in all."""
    return {f"{job_id}:{step}" for job_id in jobs for step in range(STEPS)}
