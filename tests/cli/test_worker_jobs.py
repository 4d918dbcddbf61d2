"""Does a worker on a machine of its own run scientific jobs to their end?"""

from __future__ import annotations

from house.laboratory import Laboratory
from house.outside import Outside
from house.program import Program


def test_a_worker_with_a_folder_of_its_own_runs_jobs_and_sees_them_end(engine, tmp_path):
    with Outside() as outside:
        laboratory = Laboratory(engine, tmp_path, outside, "--workflow-threads", 0)
        laboratory.start()
        shared = ("--database", laboratory.database_url, "--keys", laboratory.data / "keys")
        shared += ("--blobs", laboratory.data / "blobs")
        try:
            with Program("worker", "--data", tmp_path / "elsewhere", *shared) as worker:
                worker.wait_for(r"worker\.ready")
                job_id = laboratory.submit("there")
                told = laboratory.ended(job_id)
                output = laboratory.output(job_id, "stdout")
        finally:
            laboratory.close()

    assert told["status"] == "finished"
    assert output == "there is done\n"
    assert len(outside.asked) == 1
    assert (tmp_path / "elsewhere" / "jobs" / "default" / job_id).is_dir()
    assert not laboratory.folder_of(job_id).exists()
