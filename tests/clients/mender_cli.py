"""How does a person at a terminal work? With mender-cli, in a home of their own."""

import os
import subprocess
from pathlib import Path

from .server import RealServer


class MenderCli:
    def __init__(self, server: RealServer, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._server = server
        self._environment = {**os.environ, "HOME": str(home), "XDG_CACHE_HOME": str(home / ".cache")}
        if server.certificate:
            self._environment["SSL_CERT_FILE"] = str(server.certificate)

    def try_to(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["mender-cli", "--server", self._server.url, *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
        )

    def do(self, *arguments: str) -> str:
        done = self.try_to(*arguments)
        assert done.returncode == 0, f"mender-cli {' '.join(arguments)}: {done.stdout}"
        return done.stdout

    def login(self, email: str, password: str) -> None:
        self.do("login", "--username", email, "--password", password)

    def upload(self, artifact: Path) -> None:
        self.do("artifacts", "upload", "--no-progress", str(artifact))
