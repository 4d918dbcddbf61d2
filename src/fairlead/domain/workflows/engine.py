"""Who does the work? Any number of workers, in any number of processes.

A worker takes jobs that are due by noting itself and a time in their rows: the lease. As long as it lives it pushes
that time forward. If it dies, the time runs out, and another worker goes on at the step whose result is not written
down yet. A worker that was only slow finds at the end of its step that the job is no longer its own, and leaves
its result unwritten. So a finished step is never done again, and one that was interrupted is, with the same key.
"""

from __future__ import annotations

import contextlib
import heapq
import math
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import sqlalchemy as sa
import structlog

from fairlead.base.database import Database, Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.seal import Seal
from fairlead.domain.workflows import store
from fairlead.domain.workflows.model import Job, NotYet, Result, Run, Status, Step, StepFailed

LEASE_SECONDS = 15
POLL_SECONDS = 0.25
LONGEST_POLL_SECONDS = 5.0
PATIENCE_SECONDS = 1.0
"""So long a job is left to its owner after somebody else could have taken it."""
FORGOTTEN_AFTER_SECONDS = 60.0
GRACE_SECONDS = 10.0
MOST_TAKEOVERS = 20
WAIT_WHEN_AWAY = timedelta(seconds=5)
LONGEST_PROBLEM = 2000

log = structlog.get_logger()

Steps = Callable[[Job], Sequence[Step]]
"""What a job consists of. Refuses (with any `Refusal`) a job that this version knows nothing about."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many jobs run at the same time, in all processes together: of one workflow, and for one tenant."""

    per_workflow: int = 32
    per_tenant: int = 8


class Worker:
    """Works on jobs in `threads` threads of this process until it is stopped."""

    def __init__(
        self,
        database: Database,
        seal: Seal,
        steps: Steps,
        *,
        threads: int = 4,
        bounds: Bounds | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> None:
        self.name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._database = database
        self._seal = seal
        self._steps = steps
        self._bounds = bounds or Bounds()
        self._lease = timedelta(seconds=lease_seconds)
        self._free = threads
        self._free_changed = threading.Condition()
        self._leased_until: dict[str, float] = {}
        self._overdue_since: dict[tuple[str, datetime], float] = {}
        self._stop = threading.Event()
        self._stopped = threading.Event()
        self._hurry_at = math.inf
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="workflow")
        self._followers = [
            threading.Thread(target=self._take_jobs, name="workflow-taker", daemon=True),
            threading.Thread(target=self._stay_alive, name="workflow-lease", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._followers:
            thread.start()

    def stop(self) -> None:
        """Take no more jobs, finish the steps that are under way, and give back what is left.

        Steps that ask whether to go on are told no after some seconds: another worker does them from the beginning.
        """
        self._hurry_at = time.monotonic() + GRACE_SECONDS
        self._stop.set()
        with self._free_changed:
            self._free_changed.notify_all()
        self._followers[0].join()
        self._pool.shutdown(wait=True)
        self._stopped.set()
        try:
            with self._database.across_tenants("a worker stops") as tx:
                store.let_all_go(tx, self.name)
        except Refusal as problem:
            log.warning("workflows.not_given_back", worker=self.name, reason=str(problem))

    def _take_jobs(self) -> None:
        taken, found_enough = list[str](), False
        while not self._stop.is_set():
            free, began = self._wait_for_room(), time.monotonic()
            leased_until = self._lease_from_now()
            try:
                taken = self._take(free, look_first=not found_enough) if free else []
            except Exception as problem:  # the database may be away: try again soon, and for as long as it takes
                log.warning("workflows.not_taken", problem=str(problem))
                taken = []
            found_enough = len(taken) == free
            for job_id in taken:
                with self._free_changed:
                    self._free -= 1
                    self._leased_until[job_id] = leased_until
                self._pool.submit(self._work_on, job_id)
            if not taken:
                took = time.monotonic() - began
                self._stop.wait(min(max(POLL_SECONDS, 4 * took), LONGEST_POLL_SECONDS))

    def _wait_for_room(self) -> int:
        with self._free_changed:
            self._free_changed.wait_for(lambda: self._free > 0 or self._stop.is_set())
            return 0 if self._stop.is_set() else self._free

    def _take(self, most: int, *, look_first: bool) -> list[str]:
        """Who found all that were wanted will find more. Others look first, and keep no writer waiting for nothing."""
        if look_first:
            with self._database.across_tenants("is a job due?", writing=False) as tx:
                if not self._choose(tx, most):
                    return []
        with self._database.across_tenants("take jobs that are due") as tx:
            tx.one_at_a_time("take jobs")
            chosen = [row.id for row in self._choose(tx, most) if not self._has_to_wait(row)]
            leased = store.lease(tx, chosen, self.name, store.after(self._lease)) if chosen else set()
        return [job_id for job_id in chosen if job_id in leased]

    def _has_to_wait(self, row: sa.Row[Any]) -> bool:
        """May its owner still be there? Then it can push its lease forward now that the database can be written to."""
        if row.leased_until is None:
            return False
        lease = (row.id, row.leased_until)
        since = self._overdue_since.setdefault(lease, time.monotonic())
        if time.monotonic() - since < PATIENCE_SECONDS:
            return True
        del self._overdue_since[lease]
        return False

    def _left_to_others(self) -> list[str]:
        """Jobs that a thread of ours is still at, though their lease may be over, and those of owners who may be."""
        now = time.monotonic()
        self._overdue_since = {
            lease: since for lease, since in self._overdue_since.items() if now - since < FORGOTTEN_AFTER_SECONDS
        }
        waiting = {job_id for (job_id, _), since in self._overdue_since.items() if now - since < PATIENCE_SECONDS}
        return [*self._held(), *waiting]

    def _choose(self, tx: Tx, most: int) -> list[sa.Row[Any]]:
        """Each time the oldest job of the tenant that has the fewest running: nobody's ten thousand hold up one."""
        by_workflow, by_tenant = store.running(tx)
        full = [name for name, number in by_workflow.items() if number >= self._bounds.per_workflow]
        turns = [(by_tenant[tenant], since, tenant) for tenant, since in store.waiting(tx, full).items()]
        heapq.heapify(turns)
        held = self._left_to_others()
        lines: dict[str, Iterator[Any]] = {}
        chosen: list[sa.Row[Any]] = []
        while turns and len(chosen) < most:
            number, _, tenant = heapq.heappop(turns)
            if tenant and number >= self._bounds.per_tenant:
                continue
            if tenant not in lines:
                lines[tenant] = iter(store.oldest(tx, tenant, full, held, most))
            bound = self._bounds.per_workflow
            job = next((row for row in lines[tenant] if by_workflow[row.workflow] < bound), None)
            if job is not None:
                chosen.append(job)
                by_workflow[job.workflow] += 1
                by_tenant[tenant] += 1
                heapq.heappush(turns, (by_tenant[tenant], job.not_before, tenant))
        return chosen

    def _held(self) -> dict[str, float]:
        """Until when each job is ours that is being worked on here."""
        with self._free_changed:
            return dict(self._leased_until)

    def _lease_from_now(self) -> float:
        return time.monotonic() + self._lease.total_seconds()

    def _stay_alive(self) -> None:
        """Push forward the leases of the jobs that are being worked on here, and of no others."""
        pause = between = self._lease.total_seconds() / 4
        while not self._stopped.wait(pause):
            pause = between
            leased_until, held = self._lease_from_now(), self._held()
            if not held:
                continue
            try:
                with self._database.across_tenants("these jobs are still being worked on") as tx:
                    ours = store.extend(tx, self.name, list(held), store.after(self._lease))
            except Exception as problem:
                log.warning("workflows.lease_not_extended", worker=self.name, problem=str(problem))
                pause = min(between, POLL_SECONDS)
                continue
            with self._free_changed:
                for job_id, before in held.items():
                    if self._leased_until.get(job_id) == before:  # it was not given back and taken again meanwhile
                        self._leased_until[job_id] = leased_until if job_id in ours else 0.0

    def _is_alive(self, job_id: str) -> bool:
        """Is the job certainly still ours? Long steps look here, and stop when it is not."""
        return time.monotonic() < min(self._leased_until.get(job_id, 0.0), self._hurry_at)

    def _work_on(self, job_id: str) -> None:
        try:
            self._go_on(job_id)
        except Refusal as problem:  # the database is away, or the job was sealed with keys that we do not have
            log.warning("workflows.interrupted", job=job_id, reason=str(problem))
            self._give_back(job_id)
        except Exception as problem:
            log.error("workflows.failed", job=job_id, exc_info=problem)
        finally:
            with self._free_changed:
                self._free += 1
                self._leased_until.pop(job_id, None)
                self._free_changed.notify_all()

    def _give_back(self, job_id: str) -> None:
        """Leave the job to whoever can do it. If not even that is possible, its lease runs out."""
        with contextlib.suppress(Refusal), self._database.across_tenants("a job is given back") as tx:
            if store.still_held(tx, job_id, self.name):
                store.let_go(tx, job_id, Status.PENDING, not_before=store.after(WAIT_WHEN_AWAY))

    def _go_on(self, job_id: str) -> None:
        with self._database.across_tenants("what is there to do?", writing=False) as tx:
            job = store.find_job(tx, self._seal, job_id)
        if job is None:
            return
        if job.takeovers > MOST_TAKEOVERS:
            self._give_up(job, job.step, None, f"its worker died at this step {job.takeovers} times")
            return
        try:
            steps = self._steps(job)
        except Refusal as problem:
            if problem.kind is Kind.UNAVAILABLE:
                self._try_later(job, job.step, None, str(problem), job.attempts, WAIT_WHEN_AWAY)
            else:
                self._give_up(job, job.step, None, str(problem))
            return
        results = {result.step: result for result in job.results[: job.step]}
        attempts = job.attempts
        for number in range(job.step, len(steps)):
            step = steps[number]
            alive = partial(self._is_alive, job.id)
            run = Run(job.id, job.tenant_id, job.inputs, results, f"{job.id}:{number}", alive)
            result = self._attempt(job, number, step, run, attempts, is_last=number + 1 == len(steps))
            if result is None or self._stop.is_set():
                return
            results[step.name] = result
            attempts = 0
        if not steps:
            self._finish_empty(job)

    def _attempt(self, job: Job, number: int, step: Step, run: Run, attempts: int, *, is_last: bool) -> Result | None:
        """Do the step and write down what came of it; None if the job does not go on from here."""
        try:
            result = step.do(run)
        except StepFailed as failed:
            if failed.for_good or attempts >= step.retries:
                self._give_up(job, number, failed.result, str(failed))
            else:
                self._try_later(job, number, failed.result, str(failed), attempts + 1, step.retry_delay)
            return None
        except NotYet as waiting:
            look_again = store.after(waiting.delay)
            self._let_go(job, number, None, Status.PENDING, str(waiting), attempts=attempts, not_before=look_again)
            return None
        except Refusal as refusal:
            if refusal.kind is not Kind.UNAVAILABLE:
                self._give_up(job, number, Result(step.name, step.type, success=False), str(refusal))
                return None
            self._try_later(job, number, None, str(refusal), attempts, WAIT_WHEN_AWAY)
            return None
        except Exception as bug:
            log.error("workflows.step_failed", job=job.id, workflow=job.workflow, step=step.name, exc_info=bug)
            self._give_up(job, number, Result(step.name, step.type, success=False), "internal error")
            return None
        again = len(job.results) > number
        return result if self._keep(job, number, result, again=again, is_last=is_last) else None

    def _keep(self, job: Job, number: int, result: Result, *, again: bool, is_last: bool) -> bool:
        go_on = store.finish if is_last else store.advance

        def write(tx: Tx) -> bool:
            if not go_on(tx, job.id, self.name, number):
                return False
            store.keep_result(tx, self._seal, job.id, number, result, again=again)
            return True

        is_kept = self._write_down(job, "a step is done", write)
        if is_kept and is_last:
            log.info("workflows.done", job=job.id, workflow=job.workflow)
        return is_kept

    def _write_down(self, job: Job, why: str, write: Callable[[Tx], bool]) -> bool:
        """Write what came of a step, however long the database is away: it would all be done again otherwise.

        Who takes the job meanwhile, because its lease is over, is the one who goes on with it: `write` looks.
        """
        is_told = False
        while True:
            try:
                with self._database.across_tenants(why) as tx:
                    return write(tx)
            except Refusal as problem:
                if problem.kind is not Kind.UNAVAILABLE or not self._may_wait():
                    raise
                if not is_told:
                    log.warning("workflows.not_written_down", job=job.id, reason=str(problem))
                is_told = True

    def _may_wait(self) -> bool:
        """Wait a moment, unless this worker stops and has no time left."""
        if not self._stop.wait(POLL_SECONDS):
            return True
        time.sleep(POLL_SECONDS)
        return time.monotonic() < self._hurry_at

    def _finish_empty(self, job: Job) -> None:
        with self._database.across_tenants("a job without steps is done") as tx:
            if store.still_held(tx, job.id, self.name):
                store.let_go(tx, job.id, Status.DONE)

    def _give_up(self, job: Job, number: int, result: Result | None, problem: str) -> None:
        log.error(
            "workflows.given_up", job=job.id, workflow=job.workflow, step=number, reason=problem[:LONGEST_PROBLEM]
        )
        self._let_go(job, number, result, Status.FAILED, problem)

    def _try_later(
        self, job: Job, number: int, result: Result | None, problem: str, attempts: int, delay: timedelta
    ) -> None:
        log.warning("workflows.tried_later", job=job.id, workflow=job.workflow, step=number, attempts=attempts)
        self._let_go(job, number, result, Status.PENDING, problem, attempts=attempts, not_before=store.after(delay))

    def _let_go(
        self, job: Job, number: int, result: Result | None, status: Status, problem: str, **values: object
    ) -> None:
        def write(tx: Tx) -> bool:
            if not store.still_held(tx, job.id, self.name):
                return False
            if result is not None:
                store.keep_result(tx, self._seal, job.id, number, result, again=len(job.results) > number)
            store.let_go(tx, job.id, status, step=number, problem=problem[:LONGEST_PROBLEM], **values)  # type: ignore[arg-type]
            return True

        self._write_down(job, "a step has failed", write)
