"""A server is killed at every step of what is done with a stack: does it end right, and does everything run once?

The stack is brought up, changed and removed by the vendor `local`, so that what is started are real processes. Each
writes down that it was started, where the test sees it.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import socket
import time
from collections import Counter
from pathlib import Path

import httpx
import pytest
import sqlalchemy as sa

from fairlead.base import keeper, lasting
from fairlead.base.database import Database
from fairlead.base.scope import system_scope
from fairlead.domain import identity
from fairlead.settings import Settings
from house.people import EMAIL, prepare_data, talk
from house.program import Program
from house.world import PASSWORD

LEASE = 2
STEPS = {"create": 4, "update": 4, "delete": 3}
_numbers = itertools.count(1)
COMMAND = 'echo "$GREETING $MO_INSTANCE_ID" >> "$STARTS"; exec sleep 3600'


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Harbor:
    """One installation whose server dies and comes back at the same address, as agents expect of it."""

    def __init__(self, engine, folder: Path) -> None:
        self.data, options = prepare_data(engine, folder)
        self.starts = folder / "starts"
        self.starts.touch()
        self.port = free_port()
        self.options = [
            *("--listen", f"127.0.0.1:{self.port}", "--internal-listen", ""),
            *("--workflow-lease", LEASE, *options),
        ]
        self.database = Database(
            Settings(data=self.data, database=dict([options] if options else []).get("--database", "")).database_url
        )
        with self.database.begin(system_scope(identity.DEFAULT_TENANT_ID)) as tx:
            program, secret = identity.add_program(tx, "a test")
        self.shown = {"client_id": program.id, "client_secret": secret}
        self.server: Program | None = None
        self.token = ""

    def start(self) -> None:
        self.server = Program("serve", "--data", self.data, *self.options)
        self.server.wait_for(r"server\.ready")

    def kill(self) -> None:
        assert self.server is not None
        self.server.kill()
        self.server.__exit__()

    def ask(self, method: str, path: str, **arguments) -> httpx.Response:
        with talk(f"http://127.0.0.1:{self.port}") as client:
            if not self.token:
                login = {**self.shown, "grant_type": "password", "username": EMAIL, "password": PASSWORD}
                self.token = client.post("/v3/access_token", json=login).json()["access_token"]
            return client.request(method, path, headers={"Authorization": f"Bearer {self.token}"}, **arguments)

    def step(self, stack_id: str) -> int | None:
        """The step at which the newest job of the stack is; None: it is over."""
        jobs = sa.text("SELECT step, status FROM workflow_jobs WHERE workflow = 'stack' ORDER BY created_at DESC")
        with self.database.across_tenants("how far is it?", writing=False) as tx:
            newest = tx.one(jobs)
        return newest.step if newest is not None and newest.status in ("pending", "processing") else None

    def kill_at_every_step(self, stack_id: str, steps: int) -> int:
        """Kill the server as soon as the job is at each step, and start it again; how often that came in time."""
        killed = 0
        for number in range(steps):
            until = time.monotonic() + 30
            while (step := self.step(stack_id)) is not None and step < number:
                assert time.monotonic() < until, f"it never came to step {number}"
            time.sleep(random.choice((0, 0, 0.005, 0.02, 0.05)))
            killed += self.step(stack_id) is not None
            self.kill()
            self.start()
        return killed

    def wait_for(self, stack_id: str, status: str) -> dict:
        until = time.monotonic() + 40
        while True:
            stack = self.ask("GET", f"/v3/alm/stack/{stack_id}").json()
            if stack["stack_status"] == status:
                return stack
            assert time.monotonic() < until, stack
            assert not stack["stack_status"].endswith("FAILED"), stack
            time.sleep(0.1)

    def running(self, stack_id: str) -> list[Path]:
        """The folders of the stack's instances whose process is alive."""
        folders = [each for each in (self.data / "stacks" / stack_id).glob("*") if each.is_dir()]
        return sorted(each for each in folders if lasting.is_running(each))

    def processes(self) -> list[int]:
        """Every process that belongs to an instance of this installation."""
        mark, found = f"{lasting.MARK}={self.data.absolute()}/", []
        for process in keeper.processes():
            try:
                found += [process] if mark in keeper.read(f"/proc/{process}/environ") else []
            except OSError:
                continue
        return found

    def close(self) -> None:
        if self.server is not None:
            self.kill()
        for process in self.processes():
            os.kill(process, signal.SIGKILL)
        self.database.close()


@pytest.fixture
def harbor(engine, tmp_path):
    harbor = Harbor(engine, tmp_path)
    yield harbor
    harbor.close()


def template(harbor: Harbor, greeting: str, count: int) -> str:
    container = {
        "command": ["/bin/sh", "-c", COMMAND],
        "environmentVariables": {"GREETING": greeting, "STARTS": str(harbor.starts.absolute())},
    }
    layer = {"role": "web", "flag": "Web01", "provision": {"instance_count": count}, "container": container}
    return json.dumps({"version": "2017-03-03", "vendor": {"local": {}}, "configurations": [layer]})


def starts(harbor: Harbor) -> Counter[str]:
    return Counter(harbor.starts.read_text().splitlines())


def test_a_server_that_dies_at_every_step_leaves_everything_right_and_nothing_twice(harbor):
    harbor.start()
    reply = harbor.ask("POST", "/v3/alm/template", content=template(harbor, "hello", 2))
    assert reply.status_code == 201, reply.text
    stack_id = reply.json()["stack_id"]
    killed = harbor.kill_at_every_step(stack_id, STEPS["create"])
    stack = harbor.wait_for(stack_id, "CREATE_COMPLETE")
    first = {each["InstanceId"] for each in stack["instances"]["Web01"]}
    assert len(first) == 2
    assert {each.name for each in harbor.running(stack_id)} == first
    assert starts(harbor) == dict.fromkeys((f"hello {each}" for each in first), 1)

    reply = harbor.ask("PUT", f"/v3/alm/template/{stack_id}", content=template(harbor, "again", 3))
    assert reply.status_code == 202, reply.text
    killed += harbor.kill_at_every_step(stack_id, STEPS["update"])
    stack = harbor.wait_for(stack_id, "UPDATE_COMPLETE")
    second = {each["InstanceId"] for each in stack["instances"]["Web01"]}
    assert first < second
    assert len(second) == 3
    assert {each.name for each in harbor.running(stack_id)} == second
    assert starts(harbor) == dict.fromkeys(
        [*(f"hello {each}" for each in first), *(f"again {each}" for each in second)], 1
    )

    assert harbor.ask("DELETE", f"/v3/alm/stack/{stack_id}").status_code == 200
    killed += harbor.kill_at_every_step(stack_id, STEPS["delete"])
    until = time.monotonic() + 40
    while harbor.ask("GET", f"/v3/alm/stack/{stack_id}").status_code != 404:
        assert time.monotonic() < until
        time.sleep(0.1)
    assert harbor.processes() == []
    assert list((harbor.data / "stacks").glob("mo-*")) == []
    assert killed >= 6, "hardly any kill came in time to matter"
