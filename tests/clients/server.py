"""What is a server here? The installed program `fairlead`, started like anyone would, on free ports."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from .process import RealProcess
from .waiting import wait_until

# Point FAIRLEAD_PROGRAM at another build to try the same clients against it.
PROGRAM = os.environ.get("FAIRLEAD_PROGRAM", str(Path(sys.prefix) / "bin" / "fairlead"))
ADA = ("ada@acme.example", "correct horse battery staple")


class RealServer:
    def __init__(self, home: Path, certificate: Path | None = None, key: Path | None = None) -> None:
        self.home = home
        self.certificate = certificate
        self._key = key
        self._port, self._internal_port = free_ports(2)
        self._process: RealProcess | None = None
        self.home.mkdir(parents=True, exist_ok=True)
        create_user(self.home / "data", *ADA)

    @property
    def url(self) -> str:
        return f"{'https' if self.certificate else 'http'}://127.0.0.1:{self._port}"

    @property
    def output(self) -> str:
        output = self.home / "output"
        return output.read_text(errors="replace") if output.exists() else ""

    def start(self) -> None:
        command = [PROGRAM, "serve", "--data", str(self.home / "data"), "--log-format", "text"]
        command += ["--listen", f"127.0.0.1:{self._port}", "--internal-listen", f"127.0.0.1:{self._internal_port}"]
        if self.certificate:
            command += ["--tls-cert", str(self.certificate), "--tls-key", str(self._key)]
        self._process = RealProcess(command, self.home / "output")
        wait_until("the server answers", self._answers, seconds=30)

    def stop(self) -> None:
        """Ask it to end, and insist that it does so by itself."""
        if self._process:
            self._process.tell(signal.SIGTERM)
            assert self._process.wait(30) == 0, self.output[-2000:]
            self._process = None

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process = None

    def _answers(self) -> bool:
        assert self._process
        assert self._process.running, f"the server ended: {self.output[-2000:]}"
        try:
            reply = httpx.get(f"{self.url}/api/management/v2/devauth/devices", verify=False)
        except httpx.TransportError:
            return False
        return reply.status_code == 401


def create_user(data: Path, email: str, password: str) -> None:
    command = [PROGRAM, "user", "create", "--email", email, "--password", password, "--data", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
