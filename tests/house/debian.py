"""How do tests get programs of Debian? With apt-get, which one process may use at a time."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

LOCK = Path(tempfile.gettempdir()) / "fairlead-tests-install.lock"
MOST_SECONDS = 600
_INSTALL = ("apt-get", "-o", "DPkg::Lock::Timeout=120", "install", "-y", "--no-install-recommends")


def fetch(*packages: str) -> str:
    """Install the packages; the reason why that cannot be done, "" once they are here."""
    if os.geteuid() != 0:
        return f"only root can install {', '.join(packages)}"
    if shutil.which("apt-get") is None:
        return f"there is no apt-get to install {', '.join(packages)} with"
    with LOCK.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if _refused([*_INSTALL, *packages]):  # the lists may be old, or not there at all
            _refused(["apt-get", "update"])
            reason = _refused([*_INSTALL, *packages])
            return f"apt-get install failed: {reason}" if reason else ""
    return ""


def _refused(command: list[str]) -> str:
    """The last line that a failing command said, "" when it went well."""
    try:
        done = subprocess.run(
            command,
            env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=MOST_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        return str(failure)
    if done.returncode == 0:
        return ""
    return (done.stdout.strip().splitlines() or [f"exit {done.returncode}"])[-1]
