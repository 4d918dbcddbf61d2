"""Who works on which job, in which order, and what is left when something goes wrong?"""

import itertools
import os
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
import sqlalchemy as sa

from fairlead.base.database import Database
from fairlead.base.errors import Kind, Refusal
from fairlead.base.seal import Seal
from fairlead.domain import workflows
from fairlead.domain.workflows import Bounds, Catalogue, Result, Status, Step, StepFailed, Worker, store
from fairlead.domain.workflows.tables import workflow_jobs
from fairlead.migrations import upgrade

_numbers = itertools.count(1)
SEAL = Seal(os.urandom(32))


@pytest.fixture(scope="module")
def database(engine):
    opened = Database(engine.url(f"jobs{next(_numbers)}"))
    upgrade(opened)
    yield opened
    opened.close()


class Workshop:
    """Workflows that are Python functions, and workers for them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.catalogue = Catalogue(lambda job: [])
        self.workers: list[Worker] = []
        self.done: list[tuple[str, str]] = []

    def add(self, name: str, *deeds, retries: int = 0, delay: float = 0) -> None:
        """A workflow whose steps are these functions of the run; what they return is their data."""
        steps = [
            Step(f"step{number}", "own", self._step(f"step{number}", deed), retries, timedelta(seconds=delay))
            for number, deed in enumerate(deeds)
        ]
        self.catalogue.add(name, lambda job: steps)

    def _step(self, name, deed):
        def do(run):
            data = deed(run) or {}
            self.done.append((run.tenant_id, run.key))
            return Result(name, "own", success=True, data=data)

        return do

    def worker(self, **wishes) -> Worker:
        worker = Worker(self.database, SEAL, self.catalogue.steps, **wishes)
        worker.start()
        self.workers.append(worker)
        return worker

    def start(self, name: str, tenant_id: str = "", key: str = "", **inputs: str) -> str:
        with self.database.across_tenants("a job for a test") as tx:
            return workflows.start_own(tx, SEAL, name, inputs, tenant_id=tenant_id, key=key)

    def job(self, job_id: str) -> workflows.Job:
        with self.database.across_tenants("how far is it?", writing=False) as tx:
            return workflows.find_job(tx, SEAL, "", job_id)

    def not_before(self, job_id: str):
        with self.database.across_tenants("when is it due?", writing=False) as tx:
            return tx.scalar(sa.select(workflow_jobs.c.not_before).where(workflow_jobs.c.id == job_id))

    def over(self, job_id: str, seconds: float = 15) -> workflows.Job:
        return self.until(job_id, lambda job: job.status not in (Status.PENDING, Status.PROCESSING), seconds)

    def until(self, job_id: str, is_so, seconds: float = 15) -> workflows.Job:
        until = time.monotonic() + seconds
        while not is_so(job := self.job(job_id)):
            assert time.monotonic() < until, job
            time.sleep(0.02)
        return job


@pytest.fixture
def workshop(database):
    workshop = Workshop(database)
    yield workshop
    for worker in workshop.workers:
        worker.stop()
    with database.across_tenants("leave nothing behind") as tx:
        for job in workflows.list_jobs(tx, at_most=10_000):
            if job.status in (Status.PENDING, Status.PROCESSING):
                workflows.cancel(tx, SEAL, job.id)


def fail(*_: object) -> None:
    raise StepFailed("it rains", Result("step0", "own", success=False))


def test_steps_run_in_their_order_and_see_what_came_of_those_before(workshop):
    seen = []
    workshop.add(
        "tea", lambda run: {"water": run.inputs["cups"]}, lambda run: seen.append(dict(run.results["step0"].data))
    )
    workshop.worker()

    job = workshop.over(workshop.start("tea", cups="2"))

    assert job.status is Status.DONE
    assert [(result.step, result.success) for result in job.results] == [("step0", True), ("step1", True)]
    assert seen == [{"water": "2"}]


def test_a_job_that_was_rolled_back_was_never_started(workshop):
    workshop.add("tea", lambda run: None)
    workshop.worker()

    with pytest.raises(RuntimeError), workshop.database.across_tenants("a deed that fails") as tx:
        job_id = workflows.start_own(tx, SEAL, "tea", {})
        raise RuntimeError

    time.sleep(0.6)
    with pytest.raises(workflows.JobNotFound):
        workshop.job(job_id)
    assert workshop.done == []


def test_the_same_key_is_the_same_job_however_often_it_is_started(workshop):
    workshop.add("tea", lambda run: None)
    workshop.add("coffee", lambda run: None)
    key = f"order {time.monotonic_ns()}"

    ids = {workshop.start("tea", key=key) for _ in range(3)}
    other = workshop.start("coffee", key=key)
    workshop.worker()
    for job_id in (*ids, other):
        workshop.over(job_id)
    workshop.start("tea", key=key)
    time.sleep(0.5)

    assert len(ids) == 1
    assert Counter(job for _, job in workshop.done) == {f"{ids.pop()}:0": 1, f"{other}:0": 1}


def test_a_step_that_fails_is_tried_as_often_as_it_says_and_with_the_same_key(workshop):
    keys = []

    def third_time_lucky(run):
        keys.append(run.key)
        if len(keys) < 3:
            fail()

    workshop.add("lucky", third_time_lucky, retries=2, delay=0.05)
    workshop.worker()

    job = workshop.over(workshop.start("lucky"))

    assert job.status is Status.DONE
    assert keys == [f"{job.id}:0"] * 3
    assert [result.success for result in job.results] == [True]
    assert job.problem == ""


def test_a_step_that_keeps_failing_ends_the_job_and_what_follows_is_not_done(workshop):
    after = []
    workshop.add("unlucky", fail, after.append, retries=1)
    workshop.worker()

    job = workshop.over(workshop.start("unlucky"))

    assert (job.status, job.problem, job.step) == (Status.FAILED, "it rains", 0)
    assert [(result.step, result.success) for result in job.results] == [("step0", False)]
    assert after == []


def test_what_cannot_get_better_is_not_tried_again(workshop):
    tries = []

    def hopeless(run):
        tries.append(run.key)
        raise StepFailed("never", Result("step0", "own", success=False), for_good=True)

    workshop.add("hopeless", hopeless, retries=50)
    workshop.worker()

    assert workshop.over(workshop.start("hopeless")).status is Status.FAILED
    assert len(tries) == 1


def test_a_mistake_of_ours_fails_the_job_without_telling_more_than_that(workshop):
    workshop.add("buggy", lambda run: 1 // 0)
    workshop.worker()

    job = workshop.over(workshop.start("buggy"))

    assert (job.status, job.problem) == (Status.FAILED, "internal error")


def test_what_is_away_is_waited_for_without_counting(workshop, monkeypatch):
    class Away(Refusal):
        kind = Kind.UNAVAILABLE
        message = "it is away"

    monkeypatch.setattr("fairlead.domain.workflows.engine.WAIT_WHEN_AWAY", timedelta(seconds=0.05))
    tries = []

    def back_later(run):
        tries.append(run.key)
        if len(tries) < 4:
            raise Away

    workshop.add("away", back_later)
    workshop.worker()

    assert workshop.over(workshop.start("away")).status is Status.DONE
    assert len(tries) == 4


def test_a_failed_job_goes_on_where_it_stopped_when_it_is_tried_again(workshop):
    weather = ["rain"]
    workshop.add("picnic", lambda run: None, lambda run: fail() if weather == ["rain"] else None)
    workshop.worker()
    job = workshop.over(workshop.start("picnic"))
    assert (job.status, job.step) == (Status.FAILED, 1)

    weather[0] = "sun"
    with workshop.database.across_tenants("try again") as tx:
        workflows.retry(tx, SEAL, job.id)

    assert workshop.over(job.id).status is Status.DONE
    assert Counter(key for _, key in workshop.done) == {f"{job.id}:0": 1, f"{job.id}:1": 1}
    with workshop.database.across_tenants("try again") as tx, pytest.raises(Refusal, match="this one is done"):
        workflows.retry(tx, SEAL, job.id)


def test_a_cancelled_job_begins_no_further_step_and_the_one_under_way_is_not_written_down(workshop):
    begun, go_on = threading.Event(), threading.Event()

    def slow(run):
        begun.set()
        go_on.wait(10)

    workshop.add("slow", slow, lambda run: None)
    workshop.worker()
    job_id = workshop.start("slow")
    assert begun.wait(10)

    with workshop.database.across_tenants("stop it") as tx:
        workflows.cancel(tx, SEAL, job_id)
    go_on.set()
    time.sleep(0.5)

    job = workshop.job(job_id)
    assert (job.status, job.step, job.results) == (Status.CANCELLED, 0, [])
    with workshop.database.across_tenants("stop it") as tx, pytest.raises(Refusal, match="cancelled already"):
        workflows.cancel(tx, SEAL, job_id)


def test_a_worker_that_lost_its_lease_writes_nothing_down(workshop):
    first, second = threading.Event(), threading.Event()
    tries = []

    def slow_at_first(run):
        tries.append(run.key)
        if len(tries) == 1:
            first.wait(15)
            return {"by": "the first"}
        second.set()
        return {"by": "the second"}

    workshop.add("slow", slow_at_first)
    sleepy = workshop.worker()
    job_id = workshop.start("slow")
    workshop.until(job_id, lambda job: len(tries) == 1)
    with workshop.database.across_tenants("its lease has run out unnoticed") as tx:
        tx.run(sa.text("UPDATE workflow_jobs SET leased_until = NULL WHERE worker = :name"), {"name": sleepy.name})
    workshop.worker()
    assert second.wait(10)
    job = workshop.over(job_id)
    first.set()
    time.sleep(0.3)

    assert workshop.job(job_id).results == job.results
    assert job.results[0].data == {"by": "the second"}
    assert set(tries) == {f"{job_id}:0"}


@pytest.mark.parametrize("is_tried_again", [True, False])
def test_a_step_of_a_job_that_was_cancelled_is_told_to_stop_though_others_go_on(workshop, is_tried_again):
    go_on = threading.Event()
    begun, ended = [], {}

    def long(run):
        number = len(begun)
        begun.append(run.key)
        while run.alive() and not go_on.wait(0.02):
            """It goes on as long as it may."""
        ended[number] = run.alive()

    workshop.add("long", long)
    workshop.worker(threads=2, lease_seconds=4)
    other = workshop.start("long")
    workshop.until(other, lambda job: len(begun) == 1)
    job_id = workshop.start("long")
    workshop.until(job_id, lambda job: len(begun) == 2)
    workshop.worker(lease_seconds=4)
    with workshop.database.across_tenants("stop it") as tx:
        workflows.cancel(tx, SEAL, job_id)
        if is_tried_again:
            workflows.retry(tx, SEAL, job_id)
    workshop.until(job_id, lambda job: ended)
    workshop.until(job_id, lambda job: len(begun) == 2 + is_tried_again)
    told_to_stop = dict(ended)
    go_on.set()

    assert told_to_stop == {1: False}
    assert workshop.over(other).status is Status.DONE
    assert workshop.over(job_id).status is (Status.DONE if is_tried_again else Status.CANCELLED)
    assert ended == {0: True, 1: False} | ({2: True} if is_tried_again else {})


def test_no_more_jobs_run_at_once_than_the_bounds_allow(workshop):
    lock, now, most = threading.Lock(), Counter(), Counter()

    def busy(run):
        name = run.inputs["of"]
        with lock:
            for each in (name, run.tenant_id):
                now[each] += 1
                most[each] = max(most[each], now[each])
        time.sleep(0.03)
        with lock:
            now[name] -= 1
            now[run.tenant_id] -= 1

    workshop.add("a", busy)
    workshop.add("b", busy)
    jobs = [workshop.start(name, tenant, of=name) for name in "ab" for tenant in ("acme", "zenith") for _ in range(10)]
    for _ in range(2):
        workshop.worker(threads=8, bounds=Bounds(per_workflow=4, per_tenant=3))
    for job_id in jobs:
        workshop.over(job_id, 30)

    assert most["a"] <= 4
    assert most["b"] <= 4
    assert most["acme"] <= 3
    assert most["zenith"] <= 3


def test_one_tenants_many_jobs_do_not_hold_up_anothers_few(workshop):
    workshop.add("tea", lambda run: time.sleep(0.005))
    many = [workshop.start("tea", "acme") for _ in range(60)]
    few = [workshop.start("tea", "zenith") for _ in range(3)]

    workshop.worker(threads=2)
    for job_id in (*many, *few):
        workshop.over(job_id, 30)

    tenants = [tenant for tenant, _ in workshop.done]
    last_of_zenith = max(place for place, tenant in enumerate(tenants) if tenant == "zenith")
    assert last_of_zenith < 12, tenants


def test_a_workflow_of_another_version_waits_for_a_worker_that_knows_it(workshop):
    workshop.worker()
    job_id = workshop.start("not_there_yet")
    job = workshop.until(job_id, lambda job: "no workflow not_there_yet" in job.problem)
    assert job.status is Status.PENDING


def test_a_job_without_steps_is_done_at_once(workshop):
    workshop.add("nothing")
    workshop.worker()

    assert workshop.over(workshop.start("nothing")).status is Status.DONE


def test_a_worker_that_stops_gives_back_what_it_has_not_finished(workshop):
    begun = threading.Event()
    workshop.add("two", lambda run: begun.set() or time.sleep(0.2), lambda run: None)
    worker = workshop.worker(lease_seconds=3600)
    job_id = workshop.start("two")
    assert begun.wait(10)

    worker.stop()
    workshop.workers.remove(worker)
    assert workshop.job(job_id).step == 1
    workshop.worker()

    assert workshop.over(job_id, 5).status is Status.DONE
    assert Counter(key for _, key in workshop.done) == {f"{job_id}:0": 1, f"{job_id}:1": 1}


def test_inputs_and_results_are_sealed_in_the_database(workshop):
    workshop.add("secret", lambda run: {"said": "hush-hush"})
    workshop.worker()
    job_id = workshop.start("secret", password="hush-hush")
    workshop.over(job_id)

    with workshop.database.outside() as connection:
        rows = [
            str(row)
            for table in ("workflow_jobs", "workflow_steps")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}").all()
        ]

    assert rows
    assert not [row for row in rows if "hush-hush" in row]


def test_jobs_that_were_over_long_ago_are_forgotten_with_their_steps(workshop):
    workshop.add("tea", lambda run: None)
    workshop.worker()
    job_id = workshop.start("tea")
    job = workshop.over(job_id)

    workflows.remove_old(workshop.database, job.updated_at)
    assert workshop.job(job_id).status is Status.DONE
    workflows.remove_old(workshop.database, job.updated_at + timedelta(seconds=1))

    with pytest.raises(workflows.JobNotFound):
        workshop.job(job_id)


def test_the_same_key_of_two_tenants_is_two_jobs(workshop):
    key = f"order {time.monotonic_ns()}"

    assert workshop.start("tea", "acme", key) != workshop.start("tea", "zenith", key)


def test_a_step_that_takes_its_worker_down_again_and_again_is_given_up(workshop):
    workshop.add("deadly", lambda run: None)
    job_id = workshop.start("deadly")
    with workshop.database.across_tenants("many workers have died of it") as tx:
        tx.run(sa.text("UPDATE workflow_jobs SET takeovers = 21 WHERE id = :id"), {"id": job_id})
    workshop.worker()

    job = workshop.over(job_id)

    assert (job.status, job.problem) == (Status.FAILED, "its worker died at this step 21 times")
    assert workshop.done == []


def test_a_lease_is_pushed_forward_only_for_what_is_really_being_worked_on(workshop):
    go_on = threading.Event()
    workshop.add("slow", lambda run: {"waited": go_on.wait(10)})
    worker = workshop.worker(lease_seconds=1)
    job_id = workshop.start("slow")
    workshop.until(job_id, lambda job: job.status is Status.PROCESSING)
    with workshop.database.across_tenants("an answer of the database was lost") as tx:
        lost = workflows.start_own(tx, SEAL, "slow", {})
        taken = {"name": worker.name, "id": lost, "until": "2020-01-01 00:00:00"}
        tx.run(
            sa.text(
                "UPDATE workflow_jobs SET worker = :name, leased_until = :until, not_before = :until WHERE id = :id"
            ),
            taken,
        )
    time.sleep(2.5)
    still_held = workshop.job(job_id)
    go_on.set()

    assert still_held.status is Status.PROCESSING
    assert workshop.over(job_id).takeovers == 0
    assert workshop.over(lost).status is Status.DONE


def test_a_worker_with_other_keys_leaves_the_job_to_one_that_has_the_right_ones(workshop):
    workshop.add("tea", lambda run: None)
    stranger = Worker(workshop.database, Seal(os.urandom(32)), workshop.catalogue.steps)
    stranger.start()
    workshop.workers.append(stranger)
    job_id = workshop.start("tea")
    workshop.until(job_id, lambda job: workshop.not_before(job_id) > job.created_at)
    stranger.stop()
    workshop.workers.remove(stranger)

    workshop.worker()

    job = workshop.over(job_id)
    assert (job.status, job.takeovers) == (Status.DONE, 0)


def at_the_same_time(database, deed, another):
    """Begin another deed while the transaction of the first is open; what came of the other one.

    SQLite has it wait, PostgreSQL shows it what was there before.
    """
    came_of_it = []

    def do_another():
        try:
            came_of_it.append(another())
        except Refusal as refusal:
            came_of_it.append(refusal)

    thread = threading.Thread(target=do_another)
    with database.across_tenants("first") as tx:
        deed(tx)
        thread.start()
        time.sleep(0.5)
    thread.join(15)
    return came_of_it[0]


def test_a_job_that_is_cancelled_while_a_worker_takes_it_is_not_begun(workshop):
    worker = Worker(workshop.database, SEAL, workshop.catalogue.steps)
    job_id = workshop.start("tea")

    taken = at_the_same_time(
        workshop.database,
        lambda tx: workflows.cancel(tx, SEAL, job_id),
        lambda: worker._take(4, look_first=False),
    )

    assert taken == []
    assert workshop.job(job_id).status is Status.CANCELLED


def push(database, worker, job_id, seconds):
    """Have the lease of the worker end in so many seconds."""
    with database.across_tenants("a lease for a test") as tx:
        store.extend(tx, worker.name, [job_id], store.after(timedelta(seconds=seconds)))


def test_a_lease_that_is_pushed_forward_late_but_in_time_is_not_taken_by_another(workshop, monkeypatch):
    monkeypatch.setattr("fairlead.domain.workflows.engine.PATIENCE_SECONDS", 0)
    owner, other = (Worker(workshop.database, SEAL, workshop.catalogue.steps) for _ in range(2))
    job_id = workshop.start("tea")
    assert owner._take(1, look_first=False) == [job_id]
    push(workshop.database, owner, job_id, -1)

    taken = at_the_same_time(
        workshop.database,
        lambda tx: store.extend(tx, owner.name, [job_id], store.after(timedelta(minutes=1))),
        lambda: other._take(4, look_first=False),
    )

    assert taken == []
    assert workshop.job(job_id).takeovers == 0


@pytest.mark.parametrize("order", [workflows.cancel, workflows.retry])
def test_an_order_that_comes_while_a_job_changes_finds_it_as_it_has_become(workshop, order):
    worker = Worker(workshop.database, SEAL, workshop.catalogue.steps)
    job_id = workshop.start("tea")
    assert worker._take(1, look_first=False) == [job_id]
    if order is workflows.retry:
        with workshop.database.across_tenants("stop it") as tx:
            workflows.cancel(tx, SEAL, job_id)

    def change(tx):
        if order is workflows.retry:
            workflows.retry(tx, SEAL, job_id)
        else:
            assert store.finish(tx, job_id, worker.name, 0)

    def give_the_order():
        with workshop.database.across_tenants("an order") as tx:
            order(tx, SEAL, job_id)

    refusal = at_the_same_time(workshop.database, change, give_the_order)

    assert isinstance(refusal, Refusal)
    assert workshop.job(job_id).status is (Status.PENDING if order is workflows.retry else Status.DONE)


def test_an_owner_who_can_write_again_keeps_its_job_and_one_who_says_nothing_loses_it(workshop, monkeypatch):
    """All leases are over when the database was away, or busy with something else, for longer than one lasts."""
    monkeypatch.setattr("fairlead.domain.workflows.engine.PATIENCE_SECONDS", 0.3)
    owner, other = (Worker(workshop.database, SEAL, workshop.catalogue.steps) for _ in range(2))
    job_id = workshop.start("tea")
    assert owner._take(1, look_first=True) == [job_id]

    push(workshop.database, owner, job_id, -1)
    seen = [other._take(4, look_first=True)]
    push(workshop.database, owner, job_id, 60)
    time.sleep(0.4)
    seen.append(other._take(4, look_first=True))
    push(workshop.database, owner, job_id, -1)
    seen += [other._take(4, look_first=True) for _ in range(2)]
    time.sleep(0.4)
    seen.append(other._take(4, look_first=True))

    assert seen == [[], [], [], [], [job_id]]
    assert workshop.job(job_id).takeovers == 1
