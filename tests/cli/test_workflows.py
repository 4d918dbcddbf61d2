"""What can an operator see of jobs at a shell, and do about them, while the server works on them?"""

from __future__ import annotations

import threading
import time

import httpx
import pytest
import sqlalchemy as sa

from fairlead.base.database import Database
from fairlead.domain import workflows
from fairlead.parts import bring_up_to_date, prepare
from fairlead.settings import Settings
from house.outside import Outside
from house.people import prepare_data
from house.program import Server, run, run_many

SECRET = "hush-hush"
NOBODY = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def outside():
    with Outside() as outside:
        yield outside


class Office:
    """A server that works on jobs, and the options of a shell beside it."""

    def __init__(self, engine, folder, outside: Outside) -> None:
        data, where = prepare_data(engine, folder)
        self.where = ("--data", data, *where)
        self.server = Server(data, *where, "--allow-outgoing", "127.0.0.1", "--workflow-threads", 1)
        tasks = [self._task("ask", f"{outside.url}/ask"), self._task("pay", f"{outside.url}/pay")]
        names = ["password", "customer"]
        reply = httpx.post(
            f"{self.server.internal_url}/api/v1/metadata/workflows",
            json={"name": "order", "version": 1, "tasks": tasks, "inputParameters": names},
        )
        assert reply.status_code == 201, reply.text

    def _task(self, name: str, uri: str) -> dict:
        headers = {"Authorization": "Bearer ${workflow.input.password}"}
        return {"name": name, "type": "http", "http": {"uri": uri, "method": "POST", "headers": headers}}

    def start(self, workflow: str = "order") -> str:
        inputs = {"password": SECRET, "customer": "Ada"}
        reply = httpx.post(f"{self.server.internal_url}/api/v1/workflow/{workflow}", json=inputs)
        assert reply.status_code == 201, reply.text
        return reply.json()["id"]

    def ask(self, job_id: str) -> dict:
        """The job as the API tells of it."""
        return httpx.get(f"{self.server.internal_url}/api/v1/workflow/order/{job_id}").json()

    def over(self, job_id: str) -> str:
        """What is shown of the job once it is done or has failed."""
        until = time.monotonic() + 20
        while (job := self.ask(job_id))["status"] not in ("done", "failed"):
            assert time.monotonic() < until, job
            time.sleep(0.05)
        return self.run("show", job_id).out

    def run(self, *arguments: object):
        [finished] = self.run_all(arguments)
        return finished

    def run_all(self, *commands: tuple[object, ...]):
        return run_many([("workflows", *command, *self.where) for command in commands])


@pytest.fixture
def office(engine, tmp_path, outside):
    office = Office(engine, tmp_path, outside)
    with office.server:
        yield office


def test_a_job_that_failed_is_found_shown_and_tried_again(office, outside):
    outside.answers("/pay", 503, times=1)
    job_id = office.start()
    shown = office.over(job_id)

    listed, failed, done, of_another, newest = office.run_all(
        ("list",),
        ("list", "--status", "failed", "--workflow", "order"),
        ("list", "--status", "done"),
        ("list", "--workflow", "provision_device"),
        ("list", "--limit", 1),
    )

    lines = shown.splitlines()
    assert lines[0].startswith(f"order {job_id}: failed, started 2")
    assert lines[1:] == [
        "inputs: password, customer",
        "step 0 ask (http): done",
        "step 1 pay (http): failed",
        "    503",
        f"problem: POST {outside.url}/pay was answered with 503",
    ]
    assert [job_id in each.out for each in (listed, failed, done, of_another, newest)] == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert all(word in " ".join(listed.out.split()) for word in ("order", "failed", "503")), listed.out
    assert SECRET not in shown + listed.out + failed.out

    retried = office.run("retry", job_id)
    shown = office.over(job_id)

    assert (retried.code, retried.err) == (0, "")
    assert retried.out == f"{job_id} is tried again as soon as a worker is free.\n"
    assert shown.splitlines()[0].startswith(f"order {job_id}: done")
    assert "problem" not in shown
    assert outside.told() == {f"{job_id}:0": 1, f"{job_id}:1": 2}
    again, cancelled = office.run_all(("retry", job_id), ("cancel", job_id))
    assert [each.code for each in (again, cancelled)] == [2, 2]
    assert again.err == "fairlead: only a job that has failed or was cancelled can be tried again; this one is done\n"
    assert cancelled.err == "fairlead: the job is done already\n"
    assert SECRET not in office.server.out + office.server.err


def test_a_job_that_is_cancelled_begins_no_further_step_until_it_is_tried_again(office, outside):
    go_on = threading.Event()
    outside.answers("/ask", times=1, before=lambda: go_on.wait(20))
    running, waiting = office.start(), office.start()
    outside.wait_for(1)

    early, *cancelled, twice, shown = office.run_all(
        ("retry", waiting), ("cancel", waiting), ("cancel", running), ("cancel", waiting), ("show", waiting)
    )
    go_on.set()
    after = office.start()
    office.over(after)

    assert [each.code for each in (early, *cancelled, twice)] == [2, 0, 0, 2]
    assert early.err.endswith("this one is pending\n")
    assert [each.out for each in cancelled] == [f"{waiting} is cancelled.\n", f"{running} is cancelled.\n"]
    assert twice.err == "fairlead: the job is cancelled already\n"
    assert shown.out.startswith(f"order {waiting}: cancelled")
    told = office.ask(waiting)
    assert (told["status"], told["error"]) == ("failed", "cancelled")
    assert outside.told() == {f"{running}:0": 1, f"{after}:0": 1, f"{after}:1": 1}

    assert office.run("retry", waiting).code == 0
    assert office.over(waiting).startswith(f"order {waiting}: done")


def test_what_is_not_there_and_what_makes_no_sense_is_refused_in_one_line(engine, tmp_path):
    data, options = prepare_data(engine, tmp_path)
    where = ("--data", data, *options)

    *unknown, status = run_many(
        [("workflows", command, NOBODY, *where) for command in ("show", "retry", "cancel")]
        + [("workflows", "list", "--status", "lost", *where)],
    )

    assert [(each.code, each.out, each.err) for each in unknown] == [(2, "", "fairlead: Workflow job not found\n")] * 3
    assert status.code == 2
    assert status.err.startswith("fairlead: --status: 'lost' is not one of: pending, processing")
    assert status.err.count("\n") == 1


def test_what_was_sealed_with_other_keys_is_not_shown(office, tmp_path):
    job_id = office.start("order")

    [shown] = run_many([("workflows", "show", job_id, *office.where, "--keys", tmp_path / "other")])

    assert (shown.code, shown.out) == (2, "")
    assert "restore the keys folder" in shown.err


def test_looking_at_jobs_founds_no_organization(tmp_path):
    """Only the server knows whether it serves many, or one that is there from the start."""
    data = tmp_path / "data"
    bring_up_to_date(Settings(data=data, multitenant=True)).close()

    listed = run("workflows", "list", "--data", data)

    assert listed.code == 0
    database = bring_up_to_date(Settings(data=data, multitenant=True))
    with database.outside() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM tenants")).scalar_one() == 0
    database.close()


def test_a_file_that_is_no_definition_keeps_nobody_from_looking_at_jobs(tmp_path):
    """The server goes on with those that it read when it was started."""
    data, folder = tmp_path / "data", tmp_path / "workflows"
    prepare(Settings(data=data)).close()
    folder.mkdir()
    (folder / "new.json").write_text('{"name": "new", "version": 1, "tasks": []}')
    told = {"FAIRLEAD_WORKFLOW_FOLDER": str(folder)}

    listed = run("workflows", "list", "--data", data, environment=told)
    database = Database(Settings(data=data).database_url)
    with database.across_tenants("which are there?", writing=False) as tx:
        names = {each.name for each in workflows.definitions(tx)}
    database.close()
    (folder / "half.json").write_text("{")
    again = run("workflows", "list", "--data", data, environment=told)
    worker = run("worker", "--data", data, environment=told)

    assert (listed.code, again.code, again.err) == (0, 0, "")
    assert "new" not in names
    assert worker.code == 2
    assert "half.json" in worker.err
