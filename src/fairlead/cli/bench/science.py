"""How many scientific jobs a second does a server carry out, and how much later does it answer devices meanwhile?

All are submitted at once, and run on the server's own core beside it, as many at a time as there are slots. A device
asks for work a hundred times a second, first without jobs and then until the last of them has ended. The jobs
themselves do next to nothing, so what is measured is what it costs to run a program: its folder, its sandbox, its
runner, and what is written down and kept of it.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fairlead.base.errors import Refusal
from fairlead.base.scope import system_scope
from fairlead.cli.bench.load import percentiles
from fairlead.cli.bench.person import EMAIL, PASSWORD
from fairlead.cli.bench.process import ADDRESS, running
from fairlead.cli.bench.scanner import scan
from fairlead.domain import catalog, identity
from fairlead.parts import open_database, own_server
from fairlead.settings import PREFIX, Settings

PAUSE_SECONDS = 0.01
LONGEST_SECONDS = 1200.0
_LOOK_SECONDS = 0.2
_TIMEOUT_SECONDS = 30.0
_NAME = "bench"
_NUMBER = {
    "_type": "InputProgramParameter",
    "name": "number",
    "prompt": "Number",
    "mandatory": True,
    "type": {"_type": "IntegerType"},
    "format": '" " + str(value)',
    "argpos": 1,
}
_SERVICE = {"_type": "Program", "name": _NAME, "command": "echo", "inputs": {"children": [_NUMBER]}}


class PortalRefused(Refusal):
    message = "The portal answered {status} to {method} {path}: {answer}"


class ServerHungUp(Refusal):
    message = "The server closed the connection of a device that asked for work."


@dataclass(frozen=True, slots=True)
class Answers:
    """How long a device waited for them, and how many were not 204."""

    p50_ms: float
    p99_ms: float
    wrong: int


@dataclass(frozen=True, slots=True)
class Busy:
    """What came of the jobs, and of a device's questions without them and meanwhile."""

    jobs: int
    seconds: float
    missing: int
    quiet: Answers
    meanwhile: Answers


def measured(core: int, folder: Path, database: str, question: bytes, jobs: int, seconds: float) -> Busy:
    """By a server of its own on the same data, which runs jobs. The database is told by the environment."""
    settings = Settings(data=folder / "data", database=database)
    _register(settings)
    told = {"DATA": str(settings.data), "DATABASE": settings.database_url, "LOCAL_JOBS": "on", "JOBS_PER_USER": "0"}
    environment = {PREFIX + name: value for name, value in told.items()}
    output = folder / "jobs.output"
    output.mkdir()
    arguments = ("serve", "--listen", ADDRESS, "--internal-listen", "")
    with (
        running("server of jobs", core, output, *arguments, environment=environment) as server,
        _asking(server.address, question) as device,
    ):
        time.sleep(seconds)
        quiet = device.answers()
        portal = _Portal(server.address)
        device.forget()
        began_at = time.perf_counter()
        for number in range(jobs):
            portal.submit(number)
        finished = portal.wait_for(jobs)
        took = time.perf_counter() - began_at
        return Busy(finished, took, jobs - finished, quiet, device.answers())


def _register(settings: Settings) -> None:
    database = open_database(settings)
    service = catalog.read_json(json.dumps(_SERVICE).encode())
    with database.begin(system_scope(identity.DEFAULT_TENANT_ID)) as tx:
        catalog.register_service(tx, own_server(settings, identity.DEFAULT_TENANT_ID), service)
    database.close()


class _Portal:
    """Someone who is logged in there."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._connection = http.client.HTTPConnection(*address, timeout=_TIMEOUT_SECONDS)
        self._headers = {"Content-Type": "application/json"}
        told = self._ask("POST", "/session", {"username": EMAIL, "password": PASSWORD})
        self._headers["Authorization"] = f"Bearer {told['token']}"
        self._project = told["default_project"]

    def submit(self, number: int) -> None:
        asked = {"project": self._project, "service": f"{_NAME}::local", "inputs": {"number": number}}
        self._ask("POST", "/jobs/", asked)

    def wait_for(self, jobs: int) -> int:
        """Until so many have ended; how many of them have finished."""
        until = time.monotonic() + LONGEST_SECONDS
        while True:
            counts = self._ask("GET", "/statistics/")["jobs"].get(f"{_NAME}::public::local", {})
            finished = int(counts.get("finished", 0))
            ended = finished + sum(counts.get(each, 0) for each in ("error", "killed", "unknown"))
            if ended >= jobs or time.monotonic() > until:
                return finished
            time.sleep(_LOOK_SECONDS)

    def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        self._connection.request(method, f"/mobyle{path}", sent, self._headers)
        reply = self._connection.getresponse()
        answer = reply.read()
        if reply.status not in (HTTPStatus.OK, HTTPStatus.CREATED):
            raise PortalRefused(status=reply.status, method=method, path=path, answer=answer.decode(errors="replace"))
        return json.loads(answer)


class _Device:
    """Asks the same again and again, from a thread of its own."""

    def __init__(self, connection: socket.socket, question: bytes) -> None:
        self._connection, self._question = connection, question
        self._took: list[float] = []
        self._wrong = 0
        self._problem: Exception | None = None
        self._over = threading.Event()
        self._ask()  # the first question, which finds out who it is
        self._thread = threading.Thread(target=self._keep_asking)
        self._thread.start()

    def forget(self) -> None:
        self._took, self._wrong = [], 0

    def answers(self) -> Answers:
        if self._problem is not None:
            raise ServerHungUp from self._problem
        p50, p99 = percentiles(self._took)
        return Answers(p50 * 1000, p99 * 1000, self._wrong)

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _keep_asking(self) -> None:
        try:
            while not self._over.wait(PAUSE_SECONDS):
                asked_at = time.perf_counter()
                self._wrong += self._ask() != HTTPStatus.NO_CONTENT
                self._took.append(time.perf_counter() - asked_at)
        except (OSError, Refusal) as problem:
            self._problem = problem

    def _ask(self) -> int:
        self._connection.sendall(self._question)
        data = b""
        while (answer := scan(data)) is None or len(data) < answer[1]:
            arrived = self._connection.recv(64 * 1024)
            if not arrived:
                raise ServerHungUp
            data += arrived
        return answer[0]


@contextlib.contextmanager
def _asking(address: tuple[str, int], question: bytes) -> Iterator[_Device]:
    with socket.create_connection(address, timeout=_TIMEOUT_SECONDS) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        device = _Device(connection, question)
        try:
            yield device
        finally:
            device.stop()
