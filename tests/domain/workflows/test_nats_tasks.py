"""A message is published where the definition says, on a real NATS server."""

from __future__ import annotations

import asyncio
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import nats
import pytest

from house.debian import fetch

from .running import JOB_ID, carry_out, definition, failure_of, tools


def find_program() -> str | None:
    return shutil.which("nats-server", path="/usr/sbin:/usr/local/bin:/usr/bin:/bin")


@contextmanager
def running(*options: str) -> Iterator[str]:
    program = find_program()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [program, "-a", "127.0.0.1", "-p", str(port), *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 20
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            assert time.monotonic() < until
            time.sleep(0.02)
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    reason = "" if find_program() else fetch("nats-server")
    if reason or find_program() is None:
        pytest.skip(reason or "apt-get did not bring a nats-server")
    with running() as address:
        yield address


class Listener:
    """Who hears what is published on any subject, from `with` on."""

    def __init__(self, address: str) -> None:
        self._address = address
        self.heard: list[tuple[str, object, dict[str, str]]] = []
        self._ready, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._listen()))

    async def _listen(self) -> None:
        client = await nats.connect(self._address)

        async def hear(message) -> None:
            self.heard.append((message.subject, json.loads(message.data), dict(message.headers or {})))

        await client.subscribe(">", cb=hear)
        await client.flush()
        self._ready.set()
        while not self._stop.is_set():
            await asyncio.sleep(0.01)
        await client.close()

    def __enter__(self) -> Listener:
        self._thread.start()
        assert self._ready.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for(self, number: int) -> list[tuple[str, object, dict[str, str]]]:
        until = time.monotonic() + 20
        while len(self.heard) < number:
            assert time.monotonic() < until, self.heard
            time.sleep(0.01)
        return self.heard


def tell(subject: str, data: object = None, **more) -> dict:
    return definition({"name": "tell", "type": "nats", "nats": {"subject": subject, "data": data}, **more})


def test_a_message_arrives_as_it_is_said(server, tmp_path):
    said = tell("devices.${workflow.input.id}", {"id": "${workflow.input.id}", "n": [1, None]})

    with Listener(server) as listener:
        result = carry_out(said, tools(tmp_path, nats_server=server), {"id": "door"})["tell"]
        (message,) = listener.wait_for(1)

    assert message == ("devices.door", {"id": "door", "n": [1, None]}, {"Nats-Msg-Id": f"{JOB_ID}:0"})
    assert (result.success, result.data) == (True, {"nats": {"subject": "devices.door"}})


@pytest.mark.parametrize(
    "subject",
    ["", "a b", "a..b", ".a", "a.", "a.*", "a.>", "*", ">", "a\r\nPUB b 0", "$SYS.REQ.x", "$JS.API.x", "x" * 1001],
)
def test_no_input_is_another_order_to_the_server(server, tmp_path, subject):
    failed = failure_of(tell("${workflow.input.s}", 1), tools(tmp_path, nats_server=server), {"s": subject})

    assert str(failed) == "what '…' stands for is no subject to publish on"
    assert failed.for_good


def test_without_a_server_the_reason_names_the_setting(tmp_path):
    failed = failure_of(tell("a.b"), tools(tmp_path))

    assert (str(failed), failed.for_good) == (
        "there is no NATS server: the operator can name one with --nats-url",
        True,
    )


def test_a_server_that_is_away_is_worth_another_attempt(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"

    failed = failure_of(tell("a.b"), tools(tmp_path, nats_server=address))

    assert "Connect call failed" in str(failed)
    assert not failed.for_good


def test_a_server_that_does_not_let_us_in_is_told_without_the_password(server, tmp_path):
    with running("--user", "fairlead", "--pass", "right") as address:
        carry_out(tell("a.b"), tools(tmp_path, nats_server=f"nats://fairlead:right@{address}"))
        failed = failure_of(tell("a.b"), tools(tmp_path, nats_server=f"nats://fairlead:hunter2@{address}"))

    assert "Authorization" in str(failed)
    assert "hunter2" not in str(failed)


def test_a_message_that_is_too_large_for_the_server_is_told(server, tmp_path):
    failed = failure_of(tell("a.b", "${workflow.input.v}"), tools(tmp_path, nats_server=server), {"v": "x" * 1_100_000})

    assert str(failed).startswith("NATS: MaxPayload")
