"""How are the artifacts of these tests made? By mender-artifact, from bytes that the test can look for afterwards."""

import subprocess
from pathlib import Path

from .device import DEVICE_TYPE

# The client refuses to download less than 4096 bytes, and random bytes stay that long under every compression.
SMALL_BYTES = 16 * 1024


class Workshop:
    """Writes payloads and artifacts into one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key: Path | None = None

    def artifact(
        self,
        name: str,
        payload: bytes,
        *,
        module: str = "copy-file",
        device_type: str = DEVICE_TYPE,
        compression: str = "gzip",
        signed: bool = False,
    ) -> Path:
        """An artifact that puts the payload into a file called motto."""
        motto = self.folder / name / "motto"
        motto.parent.mkdir()
        motto.write_bytes(payload)
        made = self.folder / f"{name}.mender"
        command = ["mender-artifact", "write", "module-image", "-n", name, "-t", device_type, "-T", module]
        command += ["--compression", compression, "-f", str(motto), "-o", str(made)]
        if signed:
            command += ["-k", str(self.signing_key())]
        run(command)
        return made

    def signing_key(self) -> Path:
        if not self._key:
            self._key = self.folder / "signing.pem"
            run(["openssl", "ecparam", "-genkey", "-name", "prime256v1", "-noout", "-out", str(self._key)])
        return self._key

    def verify_key(self) -> Path:
        public = self.folder / "verify.pem"
        run(["openssl", "ec", "-in", str(self.signing_key()), "-pubout", "-out", str(public)])
        return public

    def certificate(self) -> tuple[Path, Path]:
        """A self-signed certificate for 127.0.0.1, and its key."""
        certificate, key = self.folder / "server.crt", self.folder / "server.key"
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        command += ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"]
        run([*command, "-keyout", str(key), "-out", str(certificate)])
        return certificate, key


def run(command: list[str]) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout}{done.stderr}"
