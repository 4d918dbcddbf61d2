"""Two hundred scientific jobs at once: do all finish, once each, and is the server there for others meanwhile?"""

from __future__ import annotations

import pytest

from house.laboratory import Laboratory, many_jobs_run_and_a_device_is_answered
from house.outside import Outside

pytestmark = pytest.mark.soak

JOBS = 200


@pytest.mark.timeout(1800)
def test_two_hundred_jobs_all_finish_and_a_device_is_answered_meanwhile(engine, tmp_path):
    with Outside() as outside:
        laboratory = Laboratory(engine, tmp_path, outside)
        try:
            many_jobs_run_and_a_device_is_answered(laboratory, outside, JOBS)
        finally:
            laboratory.close()
