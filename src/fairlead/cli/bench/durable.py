"""How many workflows a second does the engine carry out, of how many that the database would let it?

In a process of its own on the server's core. The steps do nothing, so what is measured is what it costs to write down
what was done. The floor are bare transactions that write one row, by as many threads: a job takes a worker three of
them for its steps, and one to be taken; a fifth stands for what is read.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from fairlead.base.database import Database
from fairlead.base.seal import Seal
from fairlead.cli.bench.child import command
from fairlead.cli.bench.load import percentiles
from fairlead.cli.bench.process import ServerFailed
from fairlead.domain import workflows
from fairlead.domain.workflows import Catalogue, Job, Result, Run, Step, Worker
from fairlead.logs import set_up_logs
from fairlead.parts import open_database, open_seal
from fairlead.settings import PREFIX, Settings

NAME = "bench"
STEPS = 3
TRANSACTIONS_OF_A_JOB = STEPS + 2
JOBS_A_SECOND = 200
TENANTS = 10
LONGEST_SECONDS = 600.0


@dataclass(frozen=True, slots=True)
class Pace:
    """So many in so many seconds; how long each took, and how long the process worked on them."""

    count: int
    seconds: float
    p50_ms: float
    p99_ms: float
    worked_seconds: float
    missing: int = 0

    @property
    def per_second(self) -> float:
        return self.count / self.seconds


def measured(core: int, folder: Path, database: str, seconds: float) -> tuple[Pace, Pace]:
    """The pace of bare transactions, and that of workflows. The database is told by the environment."""
    settings = Settings(data=folder / "data", database=database)
    told = {f"{PREFIX}DATA": str(settings.data), f"{PREFIX}DATABASE": settings.database_url}
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    output = folder / "workflows.output"
    with output.open("wb") as log:
        ended = subprocess.run(  # noqa: S603
            command(core, "workflows", str(seconds)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            env={**inherited, **told},
            check=False,
        )
    if ended.returncode:
        said = output.read_text(errors="replace")[-2000:]
        raise ServerFailed(name="worker", problem=f"has ended with {ended.returncode}", output=said)
    floor, jobs = json.loads(ended.stdout)
    return Pace(**floor), Pace(**jobs)


def main(seconds: float) -> None:
    """The child: measure, and print both paces."""
    settings = Settings(data=Path(os.environ[f"{PREFIX}DATA"]), database=os.environ[f"{PREFIX}DATABASE"])
    set_up_logs(settings.log_level, settings.log_format)
    database = open_database(settings)
    before = _bare_transactions(database, settings.workflow_threads, seconds / 2)
    jobs = _workflows(database, open_seal(settings), settings, int(JOBS_A_SECOND * seconds))
    after = _bare_transactions(database, settings.workflow_threads, seconds / 2)
    database.close()
    floor = max(before, after, key=lambda pace: pace.per_second)  # what else a machine does only slows
    json.dump([asdict(floor), asdict(jobs)], sys.stdout)


def _bare_transactions(database: Database, threads: int, seconds: float) -> Pace:
    """Each writes a row and is committed before the next one of the same thread begins."""
    until = time.perf_counter() + seconds
    took: list[float] = []

    def write(thread: int) -> None:
        began_at = time.perf_counter()
        while began_at < until:
            with database.across_tenants("a bare transaction for the bench") as tx:
                tx.once(f"bench {thread} {began_at}")
            ended_at = time.perf_counter()
            took.append(ended_at - began_at)
            began_at = ended_at

    def write_all() -> None:
        all_threads = [threading.Thread(target=write, args=(thread,)) for thread in range(threads)]
        for each in all_threads:
            each.start()
        for each in all_threads:
            each.join()

    return _pace(took, write_all)


def _workflows(database: Database, seal: Seal, settings: Settings, count: int) -> Pace:
    """From the first to the last job of a heap of them. Each is timed from its first step to its last one."""
    work = _Work(count)
    catalogue = Catalogue(lambda job: ())
    catalogue.add(NAME, work.steps)
    with database.across_tenants("jobs for the bench") as tx:
        for number in range(count):
            workflows.start_own(tx, seal, NAME, {}, tenant_id=f"bench{number % TENANTS}")
    worker = Worker(database, seal, catalogue.steps, threads=settings.workflow_threads)

    def work_all() -> None:
        worker.start()
        work.over.wait(LONGEST_SECONDS)
        worker.stop()

    pace = _pace(work.took, work_all)
    with database.across_tenants("is everything done?", writing=False) as tx:
        done = workflows.list_jobs(tx, workflows.Status.DONE, NAME, count)
    return Pace(len(done), pace.seconds, pace.p50_ms, pace.p99_ms, pace.worked_seconds, count - len(done))


class _Work:
    """Steps that do nothing but look at the clock."""

    def __init__(self, jobs: int) -> None:
        self.took: list[float] = []
        self.over = threading.Event()
        self._jobs = jobs
        self._began_at: dict[str, float] = {}
        self._steps = [Step(f"step{number}", "own", self._do(number)) for number in range(STEPS)]

    def steps(self, _: Job) -> list[Step]:
        return self._steps

    def _do(self, number: int) -> Callable[[Run], Result]:
        def do(run: Run) -> Result:
            if number == 0:
                self._began_at[run.job_id] = time.perf_counter()
            if number == STEPS - 1:
                self.took.append(time.perf_counter() - self._began_at.pop(run.job_id))
                if len(self.took) == self._jobs:
                    self.over.set()
            return Result(f"step{number}", "own", success=True)

        return do


def _pace(took: list[float], do: Callable[[], None]) -> Pace:
    """How it went; `took` holds how long each has taken, once all is done."""
    worked, began_at = time.process_time(), time.perf_counter()
    do()
    seconds, worked = time.perf_counter() - began_at, time.process_time() - worked
    p50, p99 = percentiles(took)
    return Pace(len(took), seconds, p50 * 1000, p99 * 1000, worked)
