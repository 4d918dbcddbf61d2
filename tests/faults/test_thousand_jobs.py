"""A thousand jobs, and several workers: is every step of every job done, and done once?"""

from __future__ import annotations

import signal
import threading
import time

import pytest

from house.crowd import THREADS, Crowd, keys_of
from house.outside import Outside
from house.program import Server

JOBS = 1000


@pytest.fixture
def outside():
    with Outside() as outside:
        yield outside


@pytest.fixture
def crowd(engine, tmp_path, outside):
    crowd = Crowd(engine, tmp_path, outside)
    yield crowd
    crowd.database.close()


def test_a_thousand_jobs_by_two_workers_are_all_done_and_each_step_once(crowd, outside):
    jobs = crowd.start(JOBS)

    with crowd.worker() as first, crowd.worker() as second:
        crowd.wait_until_over()
        shares = [len(each.wait_for(r"workflows\.done")) for each in (first, second)]

    assert crowd.counts() == {"done": JOBS}
    assert crowd.written_down() == keys_of(jobs)
    assert outside.told() == dict.fromkeys(keys_of(jobs), 1)
    assert sum(shares) == JOBS
    assert min(shares) > 0, shares


def test_all_processes_of_a_server_take_part(crowd, outside):
    outside.answers("/0", seconds=0.2)

    with Server(crowd.data, *crowd.options, workers=2) as server:
        jobs = crowd.start(60)
        processes = set()
        while crowd.is_at_work():
            processes |= {int(name.split("-")[-2]) for name in crowd.holders()}
            time.sleep(0.02)
        assert processes == set(server.worker_pids()), server.err[-4000:]
        assert server.stop() == 0

    assert crowd.counts() == {"done": 60}
    assert outside.told() == dict.fromkeys(keys_of(jobs), 1)


def test_who_stops_in_good_order_gives_its_jobs_back_at_once(crowd, outside):
    stopping = threading.Event()
    outside.answers("/0", times=THREADS, before=lambda: stopping.wait(20))
    jobs = crowd.start(40)
    with crowd.worker("--workflow-lease", 3600) as first:
        outside.wait_for(THREADS)
        first.tell(signal.SIGTERM)
        stopping.set()
        assert first.wait() == 0
        assert "Traceback" not in first.err
    assert crowd.holders() == {}
    assert crowd.counts() == {"processing": THREADS, "pending": 40 - THREADS}

    with crowd.worker("--workflow-lease", 3600):
        began_at = time.monotonic()
        crowd.wait_until_over(30)

    assert time.monotonic() - began_at < 30
    assert crowd.counts() == {"done": 40}
    assert outside.told() == dict.fromkeys(keys_of(jobs), 1)
