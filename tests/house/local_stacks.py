"""Instances of the vendor `local`, and a server that stands in for ours: it speaks the agents' API and takes notes."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fairlead.base import keeper, lasting
from fairlead.domain.stacks.templates import Template, agent_config, read
from fairlead.domain.stacks.vendors.driver import AgentBrief, Observation, Order, Plan, Progress
from fairlead.domain.stacks.vendors.local import LocalDriver

ACCOUNT, STACK, SECRET = "5447820c870e1", "mo-5447820c870e1-Abc123xyz-tk", "ThisIsTheStacksOwnSecret1234"
_SECONDS = 20.0


def wait_until(is_so: Callable[[], Any], what: str = "it", seconds: float = _SECONDS) -> Any:
    until = time.monotonic() + seconds
    while not (found := is_so()):
        assert time.monotonic() < until, f"{what} did not come about"
        time.sleep(0.02)
    return found


@dataclass
class Heard:
    """One request, as it came."""

    method: str
    path: str
    query: str
    body: str
    headers: dict[str, str]

    @property
    def fields(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body or self.query).items()}


@dataclass
class AgentApi:
    """Answers what our server would. `configs` are by flag; `refusing` paths are answered with that status.

    What is in `when_told` is done when an agent reports that.
    """

    configs: dict[str, dict] = field(default_factory=dict)
    refusing: dict[str, int] = field(default_factory=dict)
    when_told: dict[str, Callable[[], None]] = field(default_factory=dict)
    heard: list[Heard] = field(default_factory=list)
    token: str = "token-1"
    port: int = 0

    def open(self) -> AgentApi:
        api = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                """Nobody reads it."""

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                path = urlsplit(self.path)
                request = Heard(self.command, path.path, path.query, body, dict(self.headers))
                status, said = api.answer_to(request)
                content = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answer_to(self, request: Heard) -> tuple[int, Any]:
        self.heard.append(request)
        if request.path in self.refusing:
            return self.refusing[request.path], {}
        if request.path == "/v3/access_token":
            return 200, {"token_type": "Bearer", "expires_in": 43200, "access_token": self.token}
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return 401, {}
        if request.path == "/v3/alm/agent/config":
            return 200, self.configs.get(request.fields["flag"], {})
        self.when_told.get(request.fields.get("status", ""), lambda: None)()
        return (202 if request.method == "POST" else 200), {}

    def reports(self, instance: str = "", kind: str = "") -> list[str]:
        """Statuses in the order in which they were told."""
        return [
            each.fields["status"]
            for each in list(self.heard)
            if each.path.startswith(f"/v3/alm/agent/{kind}")
            and "status" in each.fields
            and instance in ("", each.fields["instance_id"])
        ]

    def errors(self) -> list[str]:
        return [each.fields["message"] for each in list(self.heard) if each.fields.get("status") == "error"]

    def times(self, path: str) -> int:
        return sum(each.path == path for each in list(self.heard))


def local_layer(flag: str = "Web01", container: Any = None, **provision: Any) -> dict:
    layer = {"role": "web", "flag": flag, "provision": provision}
    return layer if container is None else layer | {"container": container}


def local_template(*layers: dict) -> Template:
    return read(json.dumps({"version": "2017-03-03", "vendor": {"local": {}}, "configurations": list(layers)}))


@dataclass
class LocalStack:
    """A stack whose core is the test."""

    folder: Path
    api: AgentApi
    driver: LocalDriver
    plan: Plan | None = None
    stamp: int = 100

    @property
    def brief(self) -> AgentBrief:
        return AgentBrief(ACCOUNT, STACK, self.api.url, SECRET)

    def order(self, *layers: dict, retire: frozenset[str] = frozenset()) -> Order:
        """The same order makes the stand-in server tell agents of these layers."""
        template = local_template(*layers)
        self.stamp += 1
        self.api.configs = {layer.flag: agent_config(layer.container, self.stamp) for layer in template.layers}
        return Order(self.brief, template, retire=retire)

    def carry_out(self, *layers: dict, retire: frozenset[str] = frozenset()) -> Plan:
        order, before = self.order(*layers, retire=retire), self.plan
        self.plan = json.loads(json.dumps(self.driver.plan(order, before)))
        if before is None:
            self.driver.create(order, self.plan)
        else:
            self.driver.change(order, self.plan, before)
        return self.plan

    def observe(self, **more: bool) -> Observation:
        return self.driver.observe(self.brief, self.plan or {}, **more)

    def wait(self, progress: Progress = Progress.DONE) -> Observation:
        """Until this has come of it; anything else but waiting is an error of the test."""
        while (seen := wait_until(self.observe)).progress == Progress.UNDER_WAY:
            time.sleep(0.02)
        assert seen.progress == progress, seen.cause
        return seen

    def delete(self) -> None:
        self.driver.delete(self.brief, self.plan or {})
        wait_until(lambda: self.observe(deleted=True).progress == Progress.DONE, "the end of the stack")

    @property
    def ids(self) -> list[str]:
        return [each["id"] for each in self.plan["staying"]] if self.plan else []

    def at(self, instance: str) -> Path:
        return self.folder / STACK / instance

    def log(self, instance: str) -> str:
        return (self.at(instance) / "log").read_text()

    def pid(self, instance: str) -> int:
        holder = lasting.last_holder(self.at(instance))
        assert holder is not None
        return holder.pid

    def processes(self) -> list[int]:
        """All that have an instance's folder in their environment."""
        mark = f"{lasting.MARK}={self.folder}/"
        return [each for each in keeper.processes() if mark in _environment_of(each)]

    def end_at_once(self) -> None:
        """Whatever the test has left."""
        folders = [each for each in self.folder.glob("*/*") if each.is_dir()]
        wait_until(lambda: lasting.end_all(folders) or not self.processes(), "the end of all processes")


def _environment_of(process: int) -> str:
    try:
        return keeper.read(f"/proc/{process}/environ")
    except OSError:
        return ""


def is_alive(process: int) -> bool:
    try:
        return keeper.read(f"/proc/{process}/stat").rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def command_of(process: int) -> bytes:
    """Its words, each ended by a NUL; nothing if it has ended."""
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return b""


@contextmanager
def local_stack(folder: Path, **wishes: Any) -> Iterator[LocalStack]:
    """Nothing of it is left when the test is over."""
    api = AgentApi().open()
    driver = LocalDriver(folder, **({"poll_seconds": 0.1, "engine": "off"} | wishes))
    stack = LocalStack(Path(os.path.abspath(folder)), api, driver)
    try:
        yield stack
    finally:
        stack.end_at_once()
        api.close()
