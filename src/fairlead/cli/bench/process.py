"""How are the servers that we measure started, watched and ended?"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from fairlead.base.errors import Refusal
from fairlead.cli.bench.child import command
from fairlead.settings import PREFIX

HOST = "127.0.0.1"
ADDRESS = "{address}"
"""Stands for the address in the arguments of a server."""
START_SECONDS = 60.0
GRACE_SECONDS = 10.0
SHOWN_CHARACTERS = 2000


class ServerFailed(Refusal):
    message = "The {name} {problem}. It wrote:\n{output}"


class Server:
    """A server process in a group of its own. What it writes is kept, and shown when it fails."""

    def __init__(self, name: str, address: tuple[str, int], output: Path, process: subprocess.Popen[bytes]) -> None:
        self.name = name
        self.address = address
        self._output = output
        self._process = process

    def make_sure_it_runs(self) -> None:
        code = self._process.poll()
        if code is not None:
            raise ServerFailed(name=self.name, problem=f"has ended with {code}", output=self.said())

    def said(self) -> str:
        return self._output.read_text(errors="replace")[-SHOWN_CHARACTERS:] or "(nothing)"

    def wait_until_ready(self) -> None:
        """Return when it can be connected to."""
        until = time.monotonic() + START_SECONDS
        while True:
            self.make_sure_it_runs()
            with contextlib.suppress(OSError), socket.create_connection(self.address, timeout=1):
                return
            if time.monotonic() > until:
                problem = f"did not listen within {START_SECONDS:.0f} seconds"
                raise ServerFailed(name=self.name, problem=problem, output=self.said())
            time.sleep(0.05)

    def stop(self) -> None:
        """End the whole group: kindly, and then not."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def memory_mb(self) -> float:
        """What it holds in memory now."""
        return self._status("VmRSS")

    def peak_mb(self) -> float:
        """The most that it has held, since its start or since `forget_peak`."""
        return self._status("VmHWM")

    def forget_peak(self) -> bool:
        """Let the peak be counted anew; False where the system does not allow that."""
        try:
            Path(f"/proc/{self._process.pid}/clear_refs").write_text("5")
        except OSError:
            return False
        return True

    def worked_seconds(self) -> float:
        """How long it has worked since its start, all threads together."""
        after_name = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(after_name[11]) + int(after_name[12])) / os.sysconf("SC_CLK_TCK")

    def _status(self, name: str) -> float:
        for line in Path(f"/proc/{self._process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
        return 0.0


@contextlib.contextmanager
def running(
    name: str, core: int, folder: Path, what: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> Iterator[Server]:
    """A child that serves, from when it can be asked until the end of the block. Our own settings are not its."""
    address = (HOST, _free_port())
    filled = [f"{HOST}:{address[1]}" if each == ADDRESS else each for each in arguments]
    output = folder / f"{what}.output"
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    with output.open("wb") as file:
        process = subprocess.Popen(  # noqa: S603
            command(core, what, *filled),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**inherited, **(environment or {})},
        )
    server = Server(name, address, output, process)
    try:
        server.wait_until_ready()
        yield server
        server.make_sure_it_runs()
    finally:
        server.stop()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
