"""Who may work on jobs besides the server, and what keeps somebody from it?"""

from __future__ import annotations

import signal

import httpx
import sqlalchemy as sa

from fairlead.parts import bring_up_to_date
from fairlead.settings import Settings
from house.crowd import Crowd, keys_of
from house.outside import Outside
from house.program import Program, Server, run_many


def test_a_worker_works_beside_a_server_that_leaves_the_jobs_to_it_and_ends_when_told(engine, tmp_path):
    with Outside() as outside:
        crowd = Crowd(engine, tmp_path, outside)
        with Server(crowd.data, *crowd.options, "--workflow-threads", 0) as server:
            address = server.internal_url.removeprefix("http://")
            inputs = {"request_id": "r", "tenant_id": "default", "status": "active"}
            started = httpx.post(f"{server.internal_url}/api/v1/workflow/update_tenant_status", json=inputs)
            assert started.status_code == 201
            jobs = crowd.start(3)
            with crowd.worker("--internal-listen", address) as worker:
                crowd.wait_until_over(20)
                worker.tell(signal.SIGINT)
                assert worker.wait() == 0
                said = worker.err
            assert "workflows.done" not in server.err
        counts, told = crowd.counts(), outside.told()
        crowd.database.close()

    assert counts == {"done": 4}
    assert told == dict.fromkeys(keys_of(jobs), 1)
    assert said.count("workflows.done") == 4
    assert "worker.stopped" in said
    assert "Traceback" not in said


def test_a_worker_founds_no_organization(tmp_path):
    """Only the server knows whether it serves many, or one that is there from the start."""
    many = Settings(data=tmp_path, multitenant=True)
    bring_up_to_date(many).close()

    with Program("worker", "--data", tmp_path) as worker:
        worker.wait_for(r"worker\.ready")
        worker.tell(signal.SIGTERM)
        assert worker.wait() == 0

    database = bring_up_to_date(many)
    with database.outside() as connection:
        assert connection.execute(sa.text("SELECT count(*) FROM tenants")).scalar_one() == 0
    database.close()


def test_what_keeps_a_worker_from_starting_is_told_in_one_line(tmp_path):
    folder = tmp_path / "definitions"
    folder.mkdir()
    (folder / "broken.json").write_text('{"name": "broken", "tasks": [{"name": "t", "type": "shell"}]}')
    wrong = {
        ("--workflow-threads", 0): "--workflow-threads: a worker with 0 threads would do nothing",
        ("--workflow-threads", 65): "--workflow-threads: 65 is not between 0 and 64",
        ("--workflow-lease", 1): "--workflow-lease: 1 is not between 2 and 3600",
        ("--workflow-per-tenant", 0): "--workflow-per-tenant: 0 is not between 1 and 10000",
        ("--workflow-per-name", 0): "--workflow-per-name: 0 is not between 1 and 10000",
        ("--workflow-programs", "make"): "--workflow-programs: 'make' is not an absolute path",
        ("--workflow-folder", tmp_path / "none"): "--workflow-folder: there is no folder",
        ("--workflow-folder", folder): "broken.json: task 't': unknown type 'shell'",
        ("--allow-outgoing", "host/path"): "'host/path' is no host, address or network that could be allowed",
        ("--database", "mysql://host/name"): "mysql://host/name",
    }

    told = run_many([("worker", "--data", tmp_path / "data", *options) for options in wrong])

    for (options, reason), finished in zip(wrong.items(), told, strict=True):
        assert (options, finished.code, finished.out) == (options, 2, "")
        assert finished.err.startswith("fairlead: ")
        assert finished.err.count("\n") == 1, finished.err
        assert reason in finished.err
