"""Every test that takes `blobs` runs on a folder and on an S3 store."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import boto3
import pytest
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

from fairlead.base.blobs import Blobs, open_blobs

KEYS = "access_key=AKIATEST&secret_key=only-a-test"
Put = Callable[..., None]


@pytest.fixture(params=["files", "s3"])
def blobs(request: pytest.FixtureRequest) -> Blobs:
    return request.getfixturevalue(f"{request.param}_blobs")


@pytest.fixture
def files_blobs(tmp_path: Path) -> Blobs:
    return open_blobs(f"file://{tmp_path}/blobs")


@pytest.fixture
def s3_blobs(moto: str, bucket: str) -> Blobs:
    return open_blobs(f"s3://{bucket}/acme/blobs?endpoint={moto}&region=us-east-1&{KEYS}")


@pytest.fixture
def relayed_blobs(relay: Relay, bucket: str) -> Blobs:
    return open_blobs(f"s3://{bucket}/acme/blobs?endpoint={relay.url}&region=us-east-1&{KEYS}")


@pytest.fixture
def put() -> Put:
    def put(blobs: Blobs, key: str, content: bytes, piece: int = 1_000_003) -> None:
        with blobs.receive(key) as incoming:
            for at in range(0, len(content), piece):
                incoming.write(content[at : at + piece])
            incoming.keep()

    return put


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(moto: str) -> str:
    name = f"payloads-{secrets.token_hex(6)}"
    keys = {"aws_access_key_id": "AKIATEST", "aws_secret_access_key": "only-a-test"}
    boto3.client("s3", endpoint_url=moto, region_name="us-east-1", **keys).create_bucket(Bucket=name)
    return name


class Relay:
    """A wire to the store that can be cut: after so many bytes of answers, or instead of one certain answer."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut_after_bytes: int | None = None
        self.swallow_answer_to: re.Pattern[bytes] | None = None
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._target)
            threading.Thread(target=self._pump, args=(near, far, self._let_up), daemon=True).start()
            threading.Thread(target=self._pump, args=(far, near, self._let_down), daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, let: Callable[[bytes], bytes | None]) -> None:
        with suppress(OSError):
            while (heard := source.recv(65536)) and (passed := let(heard)) is not None:
                sink.sendall(passed)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _let_up(self, heard: bytes) -> bytes:
        if self.swallow_answer_to and self.swallow_answer_to.search(heard):
            self.swallow_answer_to = None
            self.cut_after_bytes = 0
        return heard

    def _let_down(self, heard: bytes) -> bytes | None:
        if self.cut_after_bytes is None:
            return heard
        self.cut_after_bytes -= len(heard)
        if self.cut_after_bytes > 0:
            return heard
        self.cut_after_bytes = None
        return None


@pytest.fixture
def relay(moto: str) -> Iterator[Relay]:
    host, port = moto.removeprefix("http://").split(":")
    relay = Relay(host, int(port))
    yield relay
    relay.stop()


@pytest.fixture(scope="session")
def strict_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a store that looks at the age of a link, which moto does not: s3rver, a program of Node's."""
    program = _s3rver()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("s3rver")
    command = [program, "-d", folder, "-a", "127.0.0.1", "-p", str(port), "-s", "--configure-bucket", "payloads"]
    server = subprocess.Popen(command, start_new_session=True)
    _wait_for(port)
    yield f"s3://payloads/acme?endpoint=http://127.0.0.1:{port}&region=us-east-1&access_key=S3RVER&secret_key=S3RVER"
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def _s3rver() -> Path:
    folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "fairlead-tests" / "s3rver"
    program = folder / "node_modules" / ".bin" / "s3rver"
    if not program.exists():
        if not shutil.which("npm"):
            pytest.skip("npm is not installed, so there is no s3rver to see signed links expire")
        folder.mkdir(parents=True, exist_ok=True)
        command = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "s3rver@3"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)
        if done.returncode:
            pytest.skip(f"npm could not install s3rver: {done.stderr[-300:]}")
    return program


def _wait_for(port: int) -> None:
    for _ in range(100):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.1)
    pytest.fail("s3rver did not start within ten seconds")
