"""What does the person at the bench do over HTTP? Log in, upload, deploy."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Iterable
from typing import Any

from fairlead.base.errors import Refusal
from fairlead.cli.bench.artifact import Artifact

EMAIL = "bench@fairlead.local"
PASSWORD = "only for the length of a bench"  # noqa: S105 - of a database that is thrown away
_MANAGEMENT = "/api/management/v1"
_DEPLOYMENTS = f"{_MANAGEMENT}/deployments/deployments"
_BOUNDARY = "fairlead-bench-boundary"
TIMEOUT_SECONDS = 600.0


class Refused(Refusal):
    message = "The server answered {status} to {method} {path}: {answer}"


class Person:
    """Someone who is logged in and may do everything."""

    def __init__(self, address: tuple[str, int]) -> None:
        self._address = address
        basic = base64.b64encode(f"{EMAIL}:{PASSWORD}".encode()).decode()
        self._authorization = f"Basic {basic}"
        token, _ = self._ask("POST", f"{_MANAGEMENT}/useradm/auth/login", 200)
        self._authorization = f"Bearer {token.decode()}"

    def upload(self, artifact: Artifact) -> float:
        """Send an artifact as mender-cli does; the seconds until it was stored."""
        before, after = _form(artifact)
        length = len(before) + artifact.size_bytes + len(after)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={_BOUNDARY}",
            "Content-Length": str(length),
        }
        body = (piece for part in ((before,), artifact.pieces(), (after,)) for piece in part)
        _, seconds = self._ask("POST", f"{_MANAGEMENT}/deployments/artifacts", 201, body, headers)
        return seconds

    def deploy(self, artifact_name: str, devices: list[str] | None) -> float:
        """Create a deployment for these devices, or for all; the seconds until it was created."""
        wanted: dict[str, Any] = {"all_devices": True} if devices is None else {"devices": devices}
        body = json.dumps({"name": "bench", "artifact_name": artifact_name, **wanted}).encode()
        _, seconds = self._ask("POST", _DEPLOYMENTS, 201, body, {"Content-Type": "application/json"})
        return seconds

    def size_of_newest(self) -> int:
        """How many devices the deployment created last is meant for."""
        answer, _ = self._ask("GET", f"{_DEPLOYMENTS}?page=1&per_page=1", 200)
        return int(json.loads(answer)[0]["max_devices"])

    def _ask(
        self,
        method: str,
        path: str,
        expected: int,
        body: bytes | Iterable[bytes] | None = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[bytes, float]:
        """The body of the answer, and how long it took from the first byte sent to the last byte received."""
        connection = http.client.HTTPConnection(*self._address, timeout=TIMEOUT_SECONDS, blocksize=1024 * 1024)
        try:
            began_at = time.perf_counter()
            connection.request(method, path, body, {"Authorization": self._authorization, **(headers or {})})
            response = connection.getresponse()
            answer = response.read()
            seconds = time.perf_counter() - began_at
        except (OSError, http.client.HTTPException) as problem:
            raise Refused(status="nothing", method=method, path=path, answer=problem) from None
        finally:
            connection.close()
        if response.status != expected:
            raise Refused(
                status=response.status, method=method, path=path, answer=answer[:300].decode(errors="replace")
            )
        return answer, seconds


def _form(artifact: Artifact) -> tuple[bytes, bytes]:
    """What stands before and after the artifact in the body."""
    lines = []
    for name, value in (("size", str(artifact.size_bytes)), ("description", "made by fairlead bench")):
        lines += [f"--{_BOUNDARY}", f'Content-Disposition: form-data; name="{name}"', "", value]
    lines += [
        f"--{_BOUNDARY}",
        'Content-Disposition: form-data; name="artifact"; filename="bench.mender"',
        "Content-Type: application/octet-stream",
        "",
        "",
    ]
    return "\r\n".join(lines).encode(), f"\r\n--{_BOUNDARY}--\r\n".encode()
