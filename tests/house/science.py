"""A portal where jobs are run by an execution system that does what the test says, and by workers of the test."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fairlead.base.blobs import open_blobs
from fairlead.base.database import Database
from fairlead.base.http.outgoing import Outgoing
from fairlead.base.scope import Scope, system_scope
from fairlead.base.seal import Seal
from fairlead.domain import audit, catalog, identity, jobs, workflows
from fairlead.domain.identity import portal
from fairlead.domain.jobs.durable import own_workflows
from fairlead.domain.jobs.execution import WORK, JobSpec, Observation, State, Usage
from house.world import HASH

SEAL = Seal(os.urandom(32))
PATIENCE_SECONDS = 20.0
SEQUENCE = ">one\nACGT\n"


@dataclass
class Scripted:
    """An execution system. What it has been given waits until the test says what becomes of it."""

    jobs: dict[str, tuple[Path, JobSpec]] = field(default_factory=dict)
    states: dict[str, Observation] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    by_itself: Callable[[Path, JobSpec], Observation] | None = None
    when_submitted: Callable[[str], None] = lambda native_id: None

    def submit(self, folder: Path, spec: JobSpec) -> str:
        native_id = f"{folder.parent.name}/{folder.name}"
        self.calls.append(f"submit {folder.name}")
        if native_id not in self.jobs:
            self.jobs[native_id] = (folder, spec)
            self.states[native_id] = Observation(State.PENDING)
        self.when_submitted(native_id)
        return native_id

    def poll(self, native_ids: Iterable[str]) -> Mapping[str, Observation]:
        if self.by_itself is not None:
            for native_id in [each for each in native_ids if not self.states[each].state.is_over]:
                self.states[native_id] = self.by_itself(*self.jobs[native_id])
        return {each: self.states.get(each, Observation(State.UNKNOWN, message="lost")) for each in native_ids}

    def kill(self, native_id: str) -> None:
        self.calls.append(f"kill {native_id.split('/')[1]}")
        self.states[native_id] = Observation(State.KILLED, message="It was killed.")

    def pause(self, native_id: str) -> None:
        self.calls.append(f"pause {native_id.split('/')[1]}")
        self.states[native_id] = Observation(State.PAUSED)

    def resume(self, native_id: str) -> None:
        self.calls.append(f"resume {native_id.split('/')[1]}")
        self.states[native_id] = Observation(State.RUNNING)

    def describe(self) -> str:
        return "as the test says"


class PowerCut(BaseException):
    """Nothing handles it, as nothing handles a real one."""


class Cutting:
    """A database whose power is cut at the so-manieth transaction that writes."""

    def __init__(self, database: Database, at: int, after: bool) -> None:
        self._database, self._at, self._after, self._count = database, at, after, 0

    def __getattr__(self, name):
        return getattr(self._database, name)

    @contextlib.contextmanager
    def begin(self, scope):
        self._count += 1
        with self._database.begin(scope) as tx:
            yield tx
            if self._count == self._at and not self._after:
                raise PowerCut
        if self._count == self._at and self._after:
            raise PowerCut


def program(name: str, **said: Any) -> catalog.Service:
    """Takes a sequence and a number, and leaves a report and what it prints."""
    inputs = [
        {
            "_type": "InputProgramParameter",
            "name": "sequence",
            "mandatory": True,
            "format": '" -s=" + str(value)',
            "type": {"_type": "FormattedType", "data_terms": ["EDAM_data:2044"]},
        },
        {
            "_type": "InputProgramParameter",
            "name": "gap",
            "format": '("", " -gap=" + str(value))[value is not None]',
            "type": {"_type": "IntegerType", "min": 0, "max": 100},
        },
    ]
    outputs = [
        {
            "_type": "OutputProgramParameter",
            "name": "report",
            "filenames": '"*.report"',
            "output_type": "file",
            "type": {"_type": "FormattedType", "data_terms": ["EDAM_data:2044"]},
        }
    ]
    document = {"_type": "Program", "name": name, "version": "1.0", "command": name}
    return catalog.read_json(json.dumps(document | {"inputs": inputs, "outputs": outputs} | said))


def does(**files: str) -> Callable[[Path, JobSpec], Observation]:
    """What a program does: it writes these files (`report` stands for `out.report`), and ends well."""

    def do(folder: Path, spec: JobSpec) -> Observation:
        for name, text in files.items():
            (folder / WORK / {"stdout": spec.stdout, "stderr": spec.stderr}.get(name, f"out.{name}")).write_text(text)
        return ended()

    return do


def ended(state: State = State.FINISHED, exit_code: int | None = 0, message: str = "") -> Observation:
    now = time.time()
    return Observation(state, exit_code, message, Usage(started_at=now - 1, ended_at=now, seconds=1.0))


def tools_in(folder: Path, system: Scripted, **wishes: Any) -> jobs.Tools:
    wishes.setdefault("outgoing", Outgoing(["127.0.0.1"]))
    return jobs.Tools(
        seal=SEAL,
        blobs=open_blobs(f"file://{folder / 'blobs'}"),
        folder=folder / "jobs",
        systems={"local": system},
        own=lambda tenant_id: Lab.own,
        **wishes,
    )


class Lab:
    """A portal of an organization of its own."""

    own = catalog.OwnServer("here", "https://here.example/mobyle")

    def __init__(self, database: Database, tokens: identity.Tokens, system: Scripted, tools: jobs.Tools) -> None:
        self.database = database
        self.system = system
        self.tools = tools
        with database.across_tenants("a portal for science") as tx:
            self.tenant_id = identity.add_tenant(tx, tokens, f"science {uuid.uuid4()}").id
        self.workers: list[workflows.Worker] = []
        self._stop = threading.Event()
        self._watcher: threading.Thread | None = None

    @property
    def system_scope(self) -> Scope:
        return system_scope(self.tenant_id)

    def user(self, who: str, **wishes: Any) -> portal.User:
        with self.database.begin(self.system_scope) as tx:
            added = portal.add_user(tx, f"{who}@{self.tenant_id}.example", HASH, **wishes)
        return self.look(portal.find_user, added.number)

    def anonymous(self) -> portal.User:
        opened = portal.enter_anonymously(self.database, self.tenant_id, allowed=True, address=str(uuid.uuid4()))
        return opened.signed_in.user

    def as_(self, user: portal.User, **wishes: Any) -> Scope:
        """What a session of theirs is at this moment."""
        with self.database.read(self.system_scope) as tx:
            user = portal.find_user(tx, user.number)
            return portal.scope_of(user, portal.roles_of(tx, user), **wishes)

    def do(self, scope: Scope, verb: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        with self.database.begin(scope) as tx:
            return verb(tx, *arguments, **named)

    def look(self, verb: Callable[..., Any], *arguments: Any, by: Scope | None = None, **named: Any) -> Any:
        with self.database.read(by or self.system_scope) as tx:
            return verb(tx, *arguments, **named)

    def register(self, *services: catalog.Service, project: int = 0) -> None:
        with self.database.begin(self.system_scope) as tx:
            for each in services:
                catalog.register_service(tx, self.own, each, project)

    def submit(self, scope: Scope, project: int, service: str, **wishes: Any) -> jobs.Job:
        inputs = wishes.pop("inputs", {"sequence": {"content": SEQUENCE}})
        asked = jobs.Submission(project, f"{service}::here", inputs, **wishes)
        return self.do(scope, jobs.submit, self.tools, asked)

    def text(self, scope: Scope, project: int, text: str = SEQUENCE, **said: Any) -> jobs.Data:
        return self.do(scope, jobs.add_text, self.tools, project, jobs.Draft(**{"name": "seq.fa"} | said), text)

    def job(self, number: int) -> jobs.Job:
        return self.look(jobs.find_job, number)

    def data(self, number: int) -> jobs.Data:
        return self.look(jobs.find_data, number)

    def work(self, tools: jobs.Tools | None = None, *, watching: bool = True) -> workflows.Worker:
        """Carry out what is durable, and look after running jobs, as a server does."""
        catalogue = workflows.Catalogue(lambda job: [])
        for name, steps in own_workflows(self.database, tools or self.tools).items():
            catalogue.add(name, steps)
        worker = workflows.Worker(self.database, SEAL, catalogue.steps, lease_seconds=2)
        worker.start()
        self.workers.append(worker)
        if watching and self._watcher is None:
            self._watcher = threading.Thread(target=self._watch, daemon=True)
            self._watcher.start()
        return worker

    def _watch(self) -> None:
        while not self._stop.wait(0.05):
            jobs.watch(self.database, self.tools)

    def until(self, is_so: Callable[[], Any], what: str) -> Any:
        until = time.monotonic() + PATIENCE_SECONDS
        while not (found := is_so()):
            assert time.monotonic() < until, f"waited for {what}"
            time.sleep(0.02)
        return found

    def becomes(self, job: jobs.Job, status: jobs.Status) -> jobs.Job:
        def found() -> jobs.Job | None:
            there = self.job(job.number)
            assert there.status is status or not there.status.is_terminal, there
            return there if there.status is status else None

        return self.until(found, f"{job.id} to be {status.value}")

    def run(self, scope: Scope, project: int, service: str, **wishes: Any) -> jobs.Job:
        return self.becomes(self.submit(scope, project, service, **wishes), jobs.Status.FINISHED)

    def native(self, job: jobs.Job) -> str:
        return self.until(lambda: self.job(job.number).native_id, f"{job.id} to be submitted")

    def say(self, job: jobs.Job, seen: Observation) -> None:
        self.system.states[self.native(job)] = seen

    def statuses(self, job: jobs.Job) -> list[str]:
        return [each.status.value for each in self.look(jobs.events, job.number)]

    def bytes_of(self, content: jobs.Content) -> bytes:
        return b"".join(self.tools.blobs.read(content.key))

    def kept(self) -> set[str]:
        """The payloads that there are."""
        return {each.key for each in self.tools.blobs.kept()}

    def notes(self, user: portal.User) -> list[tuple[str, str]]:
        found = self.look(jobs.list_notifications, by=self.as_(user))
        return [(each.type.name.lower(), each.message) for each in found]

    def log(self) -> list[str]:
        """What is on record of projects, data and jobs, oldest first."""
        with self.database.read(self.system_scope) as tx:
            entries = list(reversed(audit.recent(tx, 500)))
        ours = ("project.", "data.", "job.")
        return [f"{e.actor_name.split('@')[0]} {e.action}" for e in entries if e.action.startswith(ours)]

    def close(self) -> None:
        self._stop.set()
        if self._watcher is not None:
            self._watcher.join()
        for worker in self.workers:
            worker.stop()
        with self.database.across_tenants("leave nothing behind") as tx:
            for job in workflows.list_jobs(tx, at_most=10_000):
                if job.status in (workflows.Status.PENDING, workflows.Status.PROCESSING):
                    workflows.cancel(tx, SEAL, job.id)
