"""Do many jobs at once all end, and is the server there for others meanwhile? The soak tests have more of them."""

from __future__ import annotations

from house.laboratory import Laboratory, many_jobs_run_and_a_device_is_answered
from house.outside import Outside

JOBS = 20


def test_jobs_that_are_submitted_at_once_all_finish_and_a_device_is_answered_meanwhile(engine, tmp_path):
    with Outside() as outside:
        laboratory = Laboratory(engine, tmp_path, outside)
        try:
            many_jobs_run_and_a_device_is_answered(laboratory, outside, JOBS)
        finally:
            laboratory.close()
