"""Many jobs, and workers that die again and again at any moment: is nothing lost, and nothing done that was done?"""

from __future__ import annotations

import random
import time

import pytest

from house.crowd import THREADS, Crowd, keys_of
from house.outside import Asked, Outside, Reply

pytestmark = pytest.mark.soak

JOBS = 4000
LEASE_SECONDS = 2
LONGEST_ANSWER_SECONDS = 0.1


class Slow(Outside):
    """Takes its time, so that death comes before, during and after what it is told."""

    def reply_to(self, asked: Asked) -> Reply:
        reply = super().reply_to(asked)
        reply.seconds = random.uniform(0, LONGEST_ANSWER_SECONDS)
        return reply


@pytest.mark.timeout(3600)
def test_workers_may_die_at_random_while_they_work_on_many_jobs(engine, tmp_path):
    with Slow() as outside:
        crowd = Crowd(engine, tmp_path, outside)
        jobs = crowd.start(JOBS)
        workers = [crowd.worker("--workflow-lease", LEASE_SECONDS) for _ in range(2)]
        interrupted = set()
        deaths = 0
        while crowd.is_at_work():
            time.sleep(random.uniform(0, 1))
            with workers.pop(random.randrange(len(workers))) as victim:
                victim.kill()
            deaths += 1
            owed = crowd.held_by(victim.process.pid)
            done, told = crowd.written_down(), outside.told()
            workers.append(crowd.worker("--workflow-lease", LEASE_SECONDS))
            wait_until_written_down(crowd, owed)
            interrupted |= owed
            now = outside.told()
            assert [key for key in done if now[key] > told[key]] == [], "what was done was done again"
        for worker in workers:
            worker.__exit__()
        counts, written = crowd.counts(), crowd.written_down()
        crowd.database.close()

    assert counts == {"done": JOBS}
    assert written == set(outside.told()) == keys_of(jobs)
    again = {key: times for key, times in outside.told().items() if times > 1}
    assert set(again) <= interrupted
    assert set(again.values()) == {2}
    assert deaths >= 5
    assert len(again) <= deaths * THREADS


def wait_until_written_down(crowd: Crowd, keys: set[str]) -> None:
    """Until what the dead have left is done: so no step is interrupted twice."""
    until = time.monotonic() + 60
    while left := keys - crowd.written_down():
        assert time.monotonic() < until, left
        time.sleep(0.05)
