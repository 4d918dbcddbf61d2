"""What is a device here? Debian's mender daemon with a root, an identity and a past of its own."""

import json
import shutil
from pathlib import Path

from .process import RealProcess
from .programs import WALLS
from .waiting import wait_until

HERE = Path(__file__).parent
SINGLE_FILE = Path("/usr/share/mender/modules/v3/single-file")  # Debian's own
DEVICE_TYPE = "test-board"
FIRST_ARTIFACT = "as-shipped"
BARE_ROOT = ("usr", "etc", "dev", "proc", "tmp", "run", "srv/installed", "var/lib/mender", "var/tmp")


class RealDevice:
    """One mender daemon in its own root below `home`; every file in there can be read from outside."""

    def __init__(
        self,
        home: Path,
        mac: str,
        server_url: str,
        *,
        device_type: str = DEVICE_TYPE,
        server_certificate: Path | None = None,
        artifact_key: Path | None = None,
    ) -> None:
        self.home = home
        self.mac = mac
        self.root = home / "root"
        self._process: RealProcess | None = None
        self._build_root()
        self._write("/srv/installed/motto", "as shipped\n")
        self._write("/var/lib/mender/device_type", f"device_type={device_type}\n")
        self._configure(server_url, server_certificate, artifact_key)
        self._give_scripts()

    def start(self) -> None:
        command = [*WALLS, "sh", str(HERE / "jail"), str(self.root), str(self.home / "own")]
        self._process = RealProcess([*command, "mender", "--no-syslog", "daemon"], self.home / "log")

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.running

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process = None

    def remove(self) -> None:
        """Nothing is mounted outside the device's namespace, which ended with it; only its files are left."""
        self.stop()
        shutil.rmtree(self.home)

    @property
    def key(self) -> Path:
        return self.file("/var/lib/mender/mender-agent.pem")

    def stand_in(self, place: str) -> None:
        """Something that its next inventory tells, so that an old report cannot be taken for a new one."""
        script = f"#!/bin/sh\necho place={place}\n"
        self._write("/usr/share/mender/inventory/mender-inventory-place", script, executable=True)

    def go_on(self) -> None:
        """Let the modules that wait (patient, slow-reader) go on."""
        self.file("/srv/go-on").touch()

    def wait_until_waiting(self) -> None:
        wait_until(f"{self} waits in its module", self.file("/srv/waiting").exists)

    def file(self, path: str) -> Path:
        """Where a path inside the device is found from outside."""
        own = {"/etc/mender/": "own/etc/mender/", "/usr/share/mender/": "own/usr/share/mender/"}
        for inside, outside in own.items():
            if path.startswith(inside):
                return self.home / outside / path.removeprefix(inside)
        return self.root / path.lstrip("/")

    def installed(self, name: str) -> bytes:
        return self.file(f"/srv/installed/{name}").read_bytes()

    @property
    def log(self) -> str:
        log = self.home / "log"
        return log.read_text(errors="replace") if log.exists() else ""

    def wait_for_log(self, words: str, after: str = "", seconds: float = 30) -> None:
        """Wait for words that come after an earlier log."""
        wait_until(f"{self} logs {words!r}", lambda: words in self.log[len(after) :], seconds)

    def __repr__(self) -> str:
        return f"device {self.mac}"

    def _build_root(self) -> None:
        for folder in BARE_ROOT:
            (self.root / folder).mkdir(parents=True)
        for link in ("bin", "sbin", "lib", "lib64"):
            (self.root / link).symlink_to(f"usr/{link}")

    def _configure(self, server_url: str, server_certificate: Path | None, artifact_key: Path | None) -> None:
        settings: dict[str, object] = {
            "ServerURL": server_url,
            "UpdatePollIntervalSeconds": 1,
            "InventoryPollIntervalSeconds": 1,
            "RetryPollIntervalSeconds": 1,
            "DBus": {"Enabled": False},
        }
        for setting, given in (("ServerCertificate", server_certificate), ("ArtifactVerifyKey", artifact_key)):
            if given:
                settings[setting] = f"/etc/mender/{setting}.pem"
                self._write(f"/etc/mender/{setting}.pem", given.read_text())
        self._write("/etc/mender/mender.conf", json.dumps(settings))
        self._write("/etc/mender/artifact_info", f"artifact_name={FIRST_ARTIFACT}\n")

    def _give_scripts(self) -> None:
        scripts = "/usr/share/mender"
        self._write(f"{scripts}/identity/mender-device-identity", f"#!/bin/sh\necho mac={self.mac}\n", executable=True)
        self.stand_in("attic")
        for module in [*(HERE / "modules").iterdir(), SINGLE_FILE]:
            self._write(f"{scripts}/modules/v3/{module.name}", module.read_text(), executable=True)

    def _write(self, path: str, text: str, *, executable: bool = False) -> None:
        file = self.file(path)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(0o755 if executable else 0o644)
