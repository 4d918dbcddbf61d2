"""Workers are killed before and after every step of every workflow: is it as if nothing had happened?

All workflows run at once, each against a stand-in for the outside. The stand-in keeps the answers of one step back
until every workflow has come to it, and then the plug is pulled: before any of them is answered, or right after.
"""

import itertools
import json
import stat
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from fairlead.domain import workflows
from fairlead.domain.workflows import Status
from fairlead.parts import open_seal, prepare
from fairlead.settings import Settings
from house.mail import SmtpStandIn
from house.outside import Outside
from house.program import Program

LEASE = 2
SERVICES = ("INVENTORY", "DEVICECONNECT", "USERADM", "TENANTADM", "DEVICEAUTH", "DEPLOYMENTS", "AUDITLOGS", "GATEWAY")
_numbers = itertools.count(1)

PROGRAM = """#!{python} -IS
import os, sys, urllib.request
body = " ".join(sys.argv[1:]).encode()
request = urllib.request.Request("{url}/program", body, {{"Idempotency-Key": os.environ["IDEMPOTENCY_KEY"]}})
print(urllib.request.urlopen(request).status)
"""


class Stage:
    """One database, the outside, and workers that come and go."""

    def __init__(self, engine, folder: Path, outside: Outside, smtp: SmtpStandIn) -> None:
        self.folder, self.outside, self.smtp = folder, outside, smtp
        database = "" if engine.name == "sqlite" else engine.url(f"kills{next(_numbers)}")
        self.settings = Settings(data=folder / "data", database=database)
        self.database = prepare(self.settings)
        self.seal = open_seal(self.settings)
        program = folder / "program"
        program.write_text(PROGRAM.format(python=sys.executable, url=outside.url))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        self.options = [
            *("--data", self.settings.data),
            *(("--database", database) if database else ()),
            *("--workflow-threads", 24, "--workflow-per-tenant", 500, "--workflow-lease", LEASE),
            *("--workflow-env", ",".join(f"{name}_ADDR={outside.host}" for name in SERVICES)),
            *("--allow-outgoing", "127.0.0.1", "--workflow-programs", f"create-artifact={program}"),
        ]
        self.environment = {
            "FAIRLEAD_SMTP_HOST": "127.0.0.1",
            "FAIRLEAD_SMTP_PORT": str(smtp.port),
            "FAIRLEAD_SMTP_SECURITY": "none",
            "FAIRLEAD_MAIL_FROM": "fairlead@acme.example",
        }

    def worker(self) -> Program:
        program = Program("worker", *self.options, environment=self.environment)
        program.wait_for(r"worker\.ready")
        return program

    def start(self, definition: workflows.Definition) -> str:
        said = {name: name for name in definition.input_parameters}
        said |= {"devices": "[]", "attributes": "[]", "event": "{}", "email": "ada@acme.example"}
        inputs = {name: said[name] for name in definition.input_parameters}
        with self.database.across_tenants("a job for a test") as tx:
            return workflows.start(tx, self.seal, definition.name, inputs, tenant_id="t")

    def job(self, job_id: str) -> workflows.Job:
        with self.database.across_tenants("how far is it?", writing=False) as tx:
            return workflows.find_job(tx, self.seal, "", job_id)

    def wait_until_over(self, jobs: list[str], seconds: float = 30) -> list[workflows.Job]:
        until = time.monotonic() + seconds
        while True:
            found = [self.job(job_id) for job_id in jobs]
            if all(job.status not in (Status.PENDING, Status.PROCESSING) for job in found):
                return found
            assert time.monotonic() < until, [(job.workflow, job.status, job.step, job.problem) for job in found]
            time.sleep(0.05)


@pytest.fixture
def stage(engine, tmp_path):
    with Outside() as outside, SmtpStandIn() as smtp:
        stage = Stage(engine, tmp_path, outside, smtp)
        yield stage
        stage.database.close()


class Plug:
    """Is pulled when everybody has come to where they wait for it."""

    def __init__(self, worker: Program, expected: int, moment: str) -> None:
        self.worker, self.expected, self.moment = worker, expected, moment
        self.keys: set[str] = set()
        self.all_there = threading.Event()
        self._lock = threading.Lock()

    def reached_by(self, key: str) -> None:
        with self._lock:
            self.keys.add(key)
            if len(self.keys) == self.expected:
                self.all_there.set()

    def wait(self) -> None:
        self.all_there.wait(20)

    def pull(self) -> None:
        assert self.all_there.wait(20), f"only {sorted(self.keys)} of {self.expected} came"
        if self.moment == "after":
            time.sleep(0.01)  # the answers are on their way, and perhaps some are written down
        self.worker.kill()


class Gate(Outside):
    """The outside, which keeps back what it says about one step."""

    step = -1
    plug: Plug | None = None

    def reply_to(self, asked):
        reply = super().reply_to(asked)
        plug = self.plug
        if plug is not None and asked.key.endswith(f":{self.step}"):
            plug.reached_by(asked.key)
            reply.before = plug.wait if plug.moment == "after" else lambda: plug.all_there.wait(20) and self.pause(5)
        return reply


class Letters(list):
    """The letters that came, each held back as long as the gate is shut."""

    gate: Gate

    def append(self, letter) -> None:
        super().append(letter)
        plug = self.gate.plug
        if plug is not None and self.gate.step == 0:
            plug.reached_by(letter["Message-ID"])
            plug.wait()
            if plug.moment == "before":
                time.sleep(1)


class WellWisher(Gate):
    """Answers each step of each workflow as the real service does: by what the definition says is good."""

    def __init__(self) -> None:
        super().__init__()
        self.statuses: dict[str, int] = {}

    def reply_to(self, asked):
        reply = super().reply_to(asked)
        reply.status = self.statuses.get(asked.key, 200)
        return reply


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("step", [0, 1, 2])
def test_a_worker_may_be_killed_at_any_step_of_any_workflow(engine, tmp_path, step, moment):
    letters = Letters()
    with WellWisher() as outside, SmtpStandIn(received=letters) as smtp:
        letters.gate = outside
        stage = Stage(engine, tmp_path, outside, smtp)
        shipped = workflows.shipped()
        jobs = {stage.start(each): each for each in shipped}
        outside.statuses = {
            f"{job_id}:{number}": (task.http.status_codes or [200])[0]
            for job_id, definition in jobs.items()
            for number, task in enumerate(definition.tasks)
            if task.http
        }
        concerned = [each for each in shipped if len(each.tasks) > step]
        with stage.worker() as worker:
            outside.step, outside.plug = step, Plug(worker, len(concerned), moment)
            outside.plug.pull()
        outside.plug = None
        reached = {job_id: stage.job(job_id).step for job_id in jobs}

        with stage.worker():
            over = stage.wait_until_over(list(jobs))
        stage.database.close()

    assert {job.workflow: (job.status, job.problem) for job in over} == {
        each.name: (Status.DONE, "") for each in shipped
    }
    for job in over:
        assert [result.step for result in job.results] == [task.name for task in jobs[job.id].tasks]
        assert all(result.success and not result.skipped for result in job.results)
    told = outside.told()
    assert set(told) == {
        f"{job_id}:{number}"
        for job_id, definition in jobs.items()
        for number, task in enumerate(definition.tasks)
        if task.type != "smtp"
    }
    again = {key for key, times in told.items() if times > 1}
    assert again <= {f"{job_id}:{number}" for job_id, number in reached.items()}, "a step that was done was done again"
    assert max(told.values()) <= 2
    bodies = Counter((asked.key, asked.method, asked.target, asked.body) for asked in outside.asked)
    assert len(bodies) == len(told), "the same key said two different things"
    assert len({letter["Message-ID"] for letter in letters}) == 1


def test_a_dead_workers_jobs_are_taken_over_within_half_a_minute(stage):
    stage.outside.answers("/slow", never=True, times=1)
    definition = workflows.read(
        json.dumps(
            {"name": "slow", "tasks": [{"name": "t", "type": "http", "http": {"uri": f"{stage.outside.url}/slow"}}]}
        )
    )
    with stage.database.across_tenants("a workflow for a test") as tx:
        workflows.register(tx, definition)
    stage.options[stage.options.index("--workflow-lease") + 1] = Settings().workflow_lease
    with stage.worker() as first:
        job_id = stage.start(definition)
        stage.outside.wait_for(1)
        with stage.worker():
            first.kill()
            began = time.monotonic()
            (job,) = stage.wait_until_over([job_id], seconds=60)

    assert job.status is Status.DONE
    assert time.monotonic() - began < 30
    assert stage.outside.told() == {f"{job_id}:0": 2}
