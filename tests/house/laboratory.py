"""A portal whose server dies and comes back at the same address, and jobs that tell the outside when they run.

with Outside() as outside:
    laboratory = Laboratory(engine, folder, outside)
    laboratory.start()
    job = laboratory.submit("hello")
    laboratory.kill()
    laboratory.start()
    assert laboratory.ended(job)["status"] == "finished"
    assert outside.told("/hello") …
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import sqlalchemy as sa

from fairlead.base.database import Database
from fairlead.base.scope import system_scope
from fairlead.domain import catalog, identity
from fairlead.domain.identity import portal
from fairlead.domain.jobs.execution.runner import processes, records
from fairlead.settings import Settings
from house.outside import Outside
from house.people import EMAIL, Administrator, prepare_data, talk
from house.program import Program
from house.world import PASSWORD

LEASE = 2
ENDED = frozenset({"finished", "error", "killed", "unknown"})
WORK = """
echo "$1 ran" >> ran
exec 3<>/dev/tcp/127.0.0.1/{port}
printf 'POST /%s HTTP/1.0\\r\\nContent-Length: 0\\r\\n\\r\\n' "$1" >&3
read -r answer <&3
sleep "$2"
echo "$1 is done"
"""
FILE, WORD, NUMBER = {"_type": "FormattedType"}, {"_type": "StringType"}, {"_type": "FloatType"}


def _input(name: str, kind: dict, place: int) -> dict:
    said = {"name": name, "prompt": name, "mandatory": True, "type": kind}
    return {"_type": "InputProgramParameter", **said, "format": '" " + str(value)', "argpos": place}


TELL = {
    "_type": "Program",
    "name": "tell",
    "version": "1.0",
    "command": "bash",
    "network": True,
    "inputs": {"children": [_input("script", FILE, 1), _input("word", WORD, 2), _input("seconds", NUMBER, 3)]},
    "outputs": {
        "_type": "OutputParagraph",
        "children": [{"_type": "OutputProgramParameter", "name": "ran", "type": FILE, "filenames": '"ran"'}],
    },
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Laboratory:
    """One installation with the service `tell`, and its first user, who may do everything."""

    def __init__(self, engine, folder: Path, outside: Outside, *options: object) -> None:
        self.data, where = prepare_data(engine, folder)
        self.url = f"http://127.0.0.1:{free_port()}"
        self.options = ["--listen", self.url.removeprefix("http://"), "--internal-listen", "", *where]
        self.options += ["--workflow-lease", LEASE, *options]
        self.database_url = Settings(data=self.data, database=where[1] if where else "").database_url
        self.database = Database(self.database_url)
        self.script = WORK.format(port=outside.port)
        with self.database.begin(system_scope(identity.DEFAULT_TENANT_ID)) as tx:
            own = catalog.OwnServer("local", f"{self.url}/mobyle")
            catalog.register_service(tx, own, catalog.read_json(json.dumps(TELL).encode()))
        self.server: Program | None = None
        self.token = self.project = ""

    def start(self) -> None:
        self.server = Program("serve", "--data", self.data, *self.options)
        self.server.wait_for(r"server\.ready")
        if not self.token:
            told = self.ask("POST", "/session", json={"username": EMAIL, "password": PASSWORD}).json()
            self.token, self.project = told["token"], told["default_project"]

    def kill(self) -> None:
        """As a power cut would, but for the programs of jobs, which go on."""
        assert self.server is not None
        self.server.kill()
        self.server.__exit__()
        self.server = None

    def ask(self, method: str, path: str, **arguments) -> httpx.Response:
        shown = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        with talk(self.url) as client:
            headers = {**shown, **arguments.pop("headers", {})}
            return client.request(method, f"/mobyle{path}", headers=headers, **arguments)

    def told(self, path: str):
        reply = self.ask("GET", path)
        assert reply.status_code == 200, reply.text
        return reply.json()

    def asked_for(self, word: str, seconds: float = 0.3) -> dict:
        inputs = {"script": {"content": self.script, "filename": "work.sh"}, "word": word, "seconds": seconds}
        return {"project": self.project, "service": "tell::local", "inputs": inputs}

    def submit(self, word: str, seconds: float = 0.3) -> str:
        reply = self.ask("POST", "/jobs/", json=self.asked_for(word, seconds), headers={"Idempotency-Key": word})
        assert reply.status_code == 201, reply.text
        return reply.json()["id"]

    def ended(self, job_id: str, seconds: float = 60) -> dict:
        """The job, once it has ended."""
        until = time.monotonic() + seconds
        while (told := self.told(f"/jobs/{job_id}"))["status"] not in ENDED:
            assert time.monotonic() < until, told
            time.sleep(0.1)
        return told

    def submit_all(self, words: Sequence[str], seconds: float) -> dict[str, str]:
        """At once, as many as the server takes; their ids by their words."""
        with ThreadPoolExecutor(8) as pool:
            return dict(zip(words, pool.map(lambda word: self.submit(word, seconds), words), strict=True))

    def output(self, job_id: str, name: str) -> str:
        reply = self.ask("GET", f"/jobs/{job_id}/outputs/{name}")
        assert reply.status_code == 200, reply.text
        return reply.text

    def moment(self, job_id: str) -> str:
        """Where the job is, by what is written down, whether or not there is a server."""
        job = self._row(job_id)
        return "collecting" if job.status == "updating" and job.is_over else str(job.status)

    def _row(self, job_id: str) -> sa.Row:
        columns = "status, ended_at IS NOT NULL AS is_over"
        with self.database.outside() as connection:
            found = sa.text(f"SELECT {columns} FROM portal_jobs WHERE number = :number")
            return connection.execute(found, {"number": portal.number_of(job_id)}).one()

    def statuses(self, job_id: str) -> list[str]:
        """What is on record of the job, oldest first."""
        asked = sa.text("SELECT status FROM portal_job_events WHERE job = :number ORDER BY number")
        with self.database.outside() as connection:
            return [row.status for row in connection.execute(asked, {"number": portal.number_of(job_id)})]

    def counts(self) -> Counter[str]:
        """How many jobs there are, by status."""
        with self.database.outside() as connection:
            return Counter(connection.execute(sa.text("SELECT status FROM portal_jobs")).scalars())

    def folder_of(self, job_id: str) -> Path:
        return self.data / "jobs" / identity.DEFAULT_TENANT_ID / job_id

    def runners(self) -> list[dict]:
        """What is known of the processes that run jobs of this installation now."""
        folders = [str(each.parent) for each in (self.data / "jobs").glob(f"*/*/{records.STARTED}")]
        return [records.read(each, records.STARTED) for each in folders if _is_held(each)]

    def close(self) -> None:
        if self.server is not None:
            self.kill()
        while runners := self.runners():
            for each in runners:
                with suppress(ProcessLookupError):
                    os.kill(each["pid"], signal.SIGKILL)
                processes.end_all_marked(each["mark"])
            time.sleep(0.01)
        self.database.close()


def waits(ask: Callable[[], httpx.Response], goes_on: Callable[[], bool]) -> list[float]:
    """How long somebody waits for each answer who asks again and again; all of them must be 204."""
    took = []
    while goes_on():
        asked_at = time.perf_counter()
        assert ask().status_code == 204
        took.append(time.perf_counter() - asked_at)
        time.sleep(0.02)
    return sorted(took)


def many_jobs_run_and_a_device_is_answered(laboratory: Laboratory, outside: Outside, count: int) -> None:
    """They are submitted at once, each runs once and finishes, and meanwhile the server is there for others."""
    laboratory.start()
    words = [f"word{number}" for number in range(count)]
    with talk(laboratory.url) as client:
        device = Administrator(client).log_in().device("door")
        until = time.monotonic() + 2
        quiet = waits(device.next, lambda: time.monotonic() < until)
        with ThreadPoolExecutor(1) as pool:
            submitted = pool.submit(laboratory.submit_all, words, 0.1)
            meanwhile = waits(device.next, lambda: not submitted.done() or laboratory.counts()["finished"] < count)
        jobs = submitted.result()

    assert laboratory.counts() == {"finished": count}
    assert Counter(asked.path for asked in outside.asked) == dict.fromkeys((f"/{word}" for word in words), 1)
    assert [word for word, job_id in jobs.items() if laboratory.output(job_id, "stdout") != f"{word} is done\n"] == []
    assert meanwhile[len(meanwhile) // 2] < max(0.05, 20 * quiet[len(quiet) // 2])
    assert meanwhile[len(meanwhile) * 99 // 100] < 2


def _is_held(folder: str) -> bool:
    lock = records.hold(os.path.join(folder, records.LOCK), shared=True)
    if lock is not None:
        os.close(lock)
    return lock is None
