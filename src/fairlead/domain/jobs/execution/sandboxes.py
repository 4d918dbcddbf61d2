"""How can a program be kept apart on this machine? Tried once, since being installed is not the same as working."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from fairlead.domain.jobs.execution.runner.processes import SANDBOX
from fairlead.domain.jobs.execution.runner.sandbox import Sandbox

FIRST_UID = 60600  # systemd's list of reserved users has a gap there
_TRIAL_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Way:
    """`sandbox` is the program that makes one, "" without; `first_uid` is the user of the first slot's jobs."""

    sandbox: str
    first_uid: int | None

    def as_settings(self, readable: Sequence[str]) -> dict[str, Any]:
        sandbox = {"program": self.sandbox, "readable": list(readable)} if self.sandbox else None
        return {"sandbox": sandbox, "first_uid": self.first_uid}

    def describe(self) -> str:
        if self.sandbox and self.first_uid is not None:
            return f"in a sandbox (bubblewrap), as users from {self.first_uid} on"
        if self.sandbox:
            return "in a sandbox (bubblewrap)"
        if self.first_uid is not None:
            return (
                f"without a sandbox, as users from {self.first_uid} on, with the network; bubblewrap does not work here"
            )
        return (
            "without a sandbox, as this server's own user, who may read all that the server may;"
            " bubblewrap does not work here"
        )


@functools.cache
def way_of_running(sandbox: bool = True) -> Way:
    """The best there is. Without a sandbox on demand, as tests and machines that have another fence want it."""
    uid = FIRST_UID if os.getuid() == 0 else None
    program = shutil.which(SANDBOX) if sandbox else None
    return Way(program if program and _works(Sandbox(program, uid)) else "", uid)


def _works(sandbox: Sandbox) -> bool:
    with tempfile.TemporaryDirectory(prefix="fairlead-trial-") as folder:
        if sandbox.uid is not None:
            os.chown(folder, sandbox.uid, sandbox.uid)
        command = sandbox.wrap(["/usr/bin/true"], folder, folder, {}, network=False, most=10)
        try:
            return subprocess.run(command, capture_output=True, timeout=_TRIAL_SECONDS).returncode == 0  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            return False
