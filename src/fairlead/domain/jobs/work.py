"""How is a submitted job brought to its execution system? The steps of its workflow: each may be done again.

    build (folder, files, command) -> submit; then `watching` looks at it, until it has ended
    collect (what it has left behind)

A step looks first how the job is. Whatever goes wrong for good ends the job; what may go better later is tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.base.database import Database
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import Scope, system_scope
from fairlead.domain import workflows
from fairlead.domain.jobs import job_store
from fairlead.domain.jobs.building import Built, Sources, built, fill_folder, sources_of
from fairlead.domain.jobs.endings import end, end_with_tasks
from fairlead.domain.jobs.job_model import Job, Status, Wish
from fairlead.domain.jobs.tools import Tools
from fairlead.domain.workflows import NotYet, Step, own_step

WAIT_FOR_DATA_SECONDS = 0.5
WAIT_FOR_OTHERS_SECONDS = 2.0
KILLED = "It was killed before it ran."


def job_steps(database: Database, tools: Tools) -> Callable[[workflows.Job], Sequence[Step]]:
    """What the workflow `SCIENCE_JOB` consists of."""

    def of(job: workflows.Job) -> Sequence[Step]:
        work = Work(database, tools, system_scope(job.tenant_id), int(job.inputs["number"]))
        return [work.step("build", work.build), work.step("submit", work.submit)]

    return of


class NoSuchSystem(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "There is no execution system {name}."


@dataclass(frozen=True, slots=True)
class Work:
    """The work on one job."""

    database: Database
    tools: Tools
    scope: Scope
    number: int

    def step(self, name: str, deed: Callable[[Callable[[], bool]], None]) -> Step:
        told = {"job": self.number, "tenant": self.scope.tenant_id}
        return own_step(name, lambda run: deed(run.alive), self._fail, "jobs.step_failed", **told)

    def _fail(self, message: str) -> None:
        with self.database.begin(self.scope) as tx:
            job = job_store.find(tx, self.number, hold=True)
            if job is not None and not job.status.is_terminal:
                end_with_tasks(tx, self.tools, job, Status.ERROR, message)

    def look(self) -> Job | None:
        """The job, unless it has ended or gone."""
        with self.database.read(self.scope) as tx:
            job = job_store.find(tx, self.number)
        return None if job is None or job.status.is_terminal else job

    def build(self, alive: Callable[[], bool]) -> None:
        job = self.look()
        if job is None or job.status not in (Status.TO_BE_BUILT, Status.BUILDING) or self._is_killed(job):
            return
        sources = self._sources(job)
        awaited = sources.awaited()
        if awaited:
            raise NotYet(f"the data {awaited[0].id}", WAIT_FOR_DATA_SECONDS)
        if job.status is Status.TO_BE_BUILT and not self._change(job, Status.BUILDING, node=self.tools.node):
            return
        made = self._fill(sources, alive)
        building = self.look()
        if building is not None and building.status is Status.BUILDING:
            said = {"command_line": made.command_line, "spec": made.shown, "system": made.system}
            self._change(building, Status.TO_BE_SUBMITTED, node=self.tools.node, **said)

    def _sources(self, job: Job) -> Sources:
        with self.database.read(self.scope) as tx:
            return sources_of(tx, job)

    def _fill(self, sources: Sources, alive: Callable[[], bool]) -> Built:
        made = built(self.tools, sources)
        inputs = fill_folder(self.tools, self.scope.tenant_id, sources, made, alive)
        with self.database.begin(self.scope) as tx:
            for each in inputs:
                job_store.note_read(tx, self.number, each)
        return made

    def submit(self, alive: Callable[[], bool]) -> None:
        job = self.look()
        if job is None or job.status not in (Status.TO_BE_SUBMITTED, Status.SUBMITTING):
            return
        if job.status is Status.TO_BE_SUBMITTED:
            job = self._begin_to_submit(job, alive)
        elif job.node != self.tools.node:
            raise NotYet("the server that submits it", WAIT_FOR_OTHERS_SECONDS)
        if job is not None:
            self._hand_over(job)

    def _begin_to_submit(self, job: Job, alive: Callable[[], bool]) -> Job | None:
        if self._is_killed(job):
            return None
        if job.wish is Wish.PAUSE:
            self._change(job, Status.PAUSE)
            return None
        if job.node != self.tools.node:  # built in the folder of a server that does not go on with it
            self._fill(self._sources(job), alive)
        return self.look() if self._change(job, Status.SUBMITTING, node=self.tools.node) else None

    def _hand_over(self, job: Job) -> None:
        """Also again, if nobody knows whether it was: the same folder is the same job."""
        made = built(self.tools, self._sources(job))
        system = self.tools.systems.get(job.system)
        if system is None:
            raise NoSuchSystem(name=job.system)
        native_id = system.submit(self.tools.folder_of(self.scope.tenant_id, self.number), made.spec)
        self._change(job, Status.SUBMITTED, native_id=native_id)

    def _is_killed(self, job: Job) -> bool:
        if job.wish is not Wish.KILL:
            return False
        with self.database.begin(self.scope) as tx:
            end(tx, self.tools, job, Status.KILLED, KILLED)
        return True

    def _change(self, job: Job, status: Status, **values: Any) -> bool:
        with self.database.begin(self.scope) as tx:
            return job_store.change_status(tx, self.number, job.status, status, **values)
