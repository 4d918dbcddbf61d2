"""What does it cost to look for work when many jobs are over and many wait, and which of them come first?"""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import Database
from fairlead.base.seal import Seal
from fairlead.domain import workflows
from fairlead.domain.workflows import Bounds, Catalogue, Worker, store
from fairlead.domain.workflows.tables import workflow_jobs
from fairlead.migrations import upgrade

SEAL = Seal(os.urandom(32))


@pytest.fixture
def database(tmp_path):
    opened = Database(f"sqlite:///{tmp_path / 'jobs.db'}")
    upgrade(opened)
    yield opened
    opened.close()


def start(database: Database, workflow: str, tenant_id: str, count: int) -> list[str]:
    with database.across_tenants("jobs for a test") as tx:
        return [workflows.start_own(tx, SEAL, workflow, {}, tenant_id=tenant_id) for _ in range(count)]


def let_run(database: Database, jobs: list[str]) -> None:
    """Another worker holds them."""
    with database.across_tenants("jobs for a test") as tx:
        store.lease(tx, jobs, "other", clock.now() + timedelta(hours=1))


def taken(database: Database, most: int, **bounds: int) -> list[str]:
    """What a worker with so many free threads takes."""
    worker = Worker(database, SEAL, Catalogue(lambda job: []).steps, threads=most, bounds=Bounds(**bounds))
    return worker._take(most, look_first=True)


def test_workers_look_at_no_job_that_they_do_not_want(database):
    """SQLite reads a whole table where it does not see that an index of some rows will do."""
    asked: list[tuple[str, object]] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *said: asked.append(said[2:4]))

    with database.across_tenants("all that workers ask again and again") as tx:
        store.waiting(tx, ["a", "b"])
        store.oldest(tx, "acme", ["a"], ["1"], 4)
        store.running(tx)
        store.extend(tx, "me", ["1", "2"], clock.now())
        store.let_all_go(tx, "me")

    about_jobs = [each for each in asked if "workflow_jobs" in each[0]]
    assert len(about_jobs) == 5
    with database.outside() as connection:
        for statement, parameters in about_jobs:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            steps = [row.detail for row in plan if "workflow_jobs" in row.detail]
            assert steps, statement
            assert all(" INDEX " in step for step in steps), (statement, steps)


@pytest.mark.parametrize(("free", "whose"), [(1, "z"), (3, "zaz"), (9, "zazaaa")])
def test_the_next_job_is_the_oldest_of_the_tenant_that_has_the_fewest_running(database, free, whose):
    many, few = start(database, "tea", "a", 10), start(database, "tea", "z", 2)
    let_run(database, many[:1])

    found = taken(database, free, per_tenant=5)

    assert "".join("z" if each in few else "a" for each in found) == whose
    assert [each for each in found if each in many] == many[1 : 1 + whose.count("a")]


@pytest.mark.parametrize("free", [1, 2])
def test_a_step_that_is_still_under_way_here_holds_up_no_other_job(database, free):
    """Its lease is over, so that it is due again, and it is the oldest."""
    [under_way, *others] = start(database, "tea", "a", 4)
    worker = Worker(database, SEAL, Catalogue(lambda job: []).steps, threads=free + 1)
    assert worker._take(1, look_first=True) == [under_way]
    worker._leased_until[under_way] = 0.0
    with database.across_tenants("its lease is over") as tx:
        store.extend(tx, worker.name, [under_way], clock.now() - timedelta(seconds=1))

    assert worker._take(free, look_first=True) == others[:free]


def test_a_workflow_of_which_enough_run_hides_no_other(database):
    many, [other] = start(database, "tea", "a", 20), start(database, "coffee", "a", 1)
    let_run(database, many[:2])

    assert taken(database, 4, per_workflow=2) == [other]


@pytest.mark.parametrize("bounds", [{"per_workflow": 2}, {"per_tenant": 2}])
def test_who_finds_only_what_may_not_run_yet_keeps_no_writer_waiting(database, bounds):
    """To see that of fifty thousand jobs takes half a second, and it is looked for four times a second."""
    let_run(database, start(database, "tea", "a", 5)[:2])
    said: list[str] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *asked: said.append(asked[2]))

    assert taken(database, 4, **bounds) == []

    assert said
    assert "BEGIN IMMEDIATE" not in said


def test_old_jobs_are_forgotten_in_pieces_and_no_others_are_looked_at(database, monkeypatch):
    monkeypatch.setattr("fairlead.domain.workflows.actions.REMOVED_AT_ONCE", 2)
    old, [young] = start(database, "tea", "a", 5), start(database, "tea", "a", 1)
    long_ago = clock.now() - timedelta(days=40)
    with database.across_tenants("they are over") as tx:
        tx.run(sa.update(workflow_jobs).values(status="done"))
        times = {"created_at": long_ago, "updated_at": long_ago}
        tx.run(sa.update(workflow_jobs).where(workflow_jobs.c.id.in_(old)).values(**times))
    said: list[tuple[str, object]] = []
    sa.event.listen(database.engine, "before_cursor_execute", lambda *asked: said.append(asked[2:4]))

    workflows.remove_old(database, clock.now() - timedelta(days=30))

    assert [each[0] for each in said].count("BEGIN IMMEDIATE") == 3
    with database.across_tenants("what is left?", writing=False) as tx:
        assert [job.id for job in workflows.list_jobs(tx)] == [young]
    statement, parameters = next(each for each in said if each[0].startswith("DELETE"))
    with database.outside() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
    assert [row.detail for row in plan if "created_at" in row.detail], plan
