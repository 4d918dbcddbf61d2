"""A server is killed at every moment of a job's life: does the job end right, once, and was it run once?

The programs of jobs are real, and tell the outside when they begin. They go on while there is no server.
"""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress

import httpx
import pytest

from house.laboratory import ENDED, Laboratory
from house.outside import Outside

ORDER = (
    *("to be built", "building", "to be submitted", "submitting", "submitted"),
    *("pending", "updating", "running", "collecting", "finished"),
)
MOMENTS = ("to be built", "building", "submitting", "submitted", "running", "collecting")
JOB_SECONDS = 0.5


@pytest.fixture
def outside():
    with Outside() as outside:
        yield outside


@pytest.fixture
def laboratory(engine, tmp_path, outside):
    laboratory = Laboratory(engine, tmp_path, outside)
    yield laboratory
    laboratory.close()


def wait_for_moment(laboratory: Laboratory, job_id: str, moment: str) -> None:
    """Until the job has come so far, or farther: moments pass quickly."""
    until = time.monotonic() + 30
    while ORDER.index(laboratory.moment(job_id)) < ORDER.index(moment):
        assert time.monotonic() < until, laboratory.moment(job_id)


def assert_ran_once(laboratory: Laboratory, outside: Outside, word: str, job_id: str) -> None:
    told = laboratory.ended(job_id)
    assert (told["status"], told.get("exit_code")) == ("finished", 0), told
    assert laboratory.output(job_id, "stdout") == f"{word} is done\n"
    assert laboratory.output(job_id, "ran") == f"{word} ran\n"
    assert len(outside.wait_for(1, f"/{word}")) == 1
    statuses = laboratory.statuses(job_id)
    assert [each for each in statuses if each in ENDED] == ["finished"]
    assert statuses[-1] == "finished"
    assert statuses.count("submitted") == 1


def test_a_job_whose_server_dies_at_any_moment_ends_right_and_runs_once(laboratory, outside):
    laboratory.start()
    jobs: dict[str, str] = {}
    died_at: set[str] = set()
    for moment in MOMENTS:
        word = moment.replace(" ", "-")
        jobs[word] = laboratory.submit(word, JOB_SECONDS)
        wait_for_moment(laboratory, jobs[word], moment)
        laboratory.kill()
        died_at.add(laboratory.moment(jobs[word]))
        laboratory.start()

    for word, job_id in jobs.items():
        assert_ran_once(laboratory, outside, word, job_id)
    assert laboratory.counts() == {"finished": len(jobs)}
    notes = [note["about"] for note in laboratory.told("/notifications/")]
    assert sorted(notes) == sorted(jobs.values())
    assert len(died_at - {"finished"}) >= 3, died_at


def test_a_kill_that_was_asked_for_comes_about_though_the_server_dies(laboratory, outside):
    laboratory.start()
    job_id = laboratory.submit("endless", 3600)
    outside.wait_for(1, "/endless")
    wait_for_moment(laboratory, job_id, "running")
    assert laboratory.ask("POST", f"/jobs/{job_id}/kill").status_code == 200
    laboratory.kill()

    laboratory.start()

    assert laboratory.ended(job_id)["status"] == "killed"
    assert laboratory.runners() == []
    assert laboratory.output(job_id, "ran") == "endless ran\n"


def test_what_was_asked_for_with_a_key_is_one_job_though_the_server_dies_meanwhile(laboratory, outside):
    laboratory.start()
    jobs = {}
    for number in range(2):
        word = f"word{number}"
        asking = threading.Thread(target=submit_and_ignore, args=(laboratory, word))
        asking.start()
        time.sleep(random.uniform(0, 0.06))
        laboratory.kill()
        asking.join()
        laboratory.start()
        jobs[word] = laboratory.submit(word, JOB_SECONDS)

    for word, job_id in jobs.items():
        assert_ran_once(laboratory, outside, word, job_id)
    assert laboratory.counts() == {"finished": len(jobs)}


def submit_and_ignore(laboratory: Laboratory, word: str) -> None:
    """The answer may never come."""
    with suppress(httpx.TransportError):
        laboratory.submit(word, JOB_SECONDS)
