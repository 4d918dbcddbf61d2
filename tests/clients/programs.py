"""Are the real programs here, may they be fetched, and can a device be walled in?"""

import os
import shutil
import subprocess

from house.debian import fetch

PACKAGES = ("mender-client", "mender-connect", "mender-cli", "mender-artifact", "dbus", "libglib2.0-bin", "openssl")
PROGRAMS = ("mender", "mender-connect", "mender-cli", "mender-artifact", "dbus-daemon", "gdbus", "openssl")

# The daemon starts update modules in process groups of their own; only with its process namespace do they surely end.
WALLS = ("unshare", "--mount", "--pid", "--fork", "--kill-child")


def make_ready() -> str | None:
    """Fetch what is missing; the answer is the reason why these tests cannot run here, if there is one."""
    if os.geteuid() != 0:
        return "the real clients need root: each device runs in namespaces and a root of its own"
    if missing():
        reason = fetch(*PACKAGES)
        if reason or missing():
            return reason or f"installing did not bring {', '.join(missing())}"
    return walls()


def missing() -> list[str]:
    return [program for program in PROGRAMS if shutil.which(program) is None]


def walls() -> str | None:
    reason = refused(["setpriv", "--pdeathsig", "KILL", *WALLS, "true"], 10)
    return f"a device cannot have namespaces of its own here: {reason}" if reason else None


def refused(command: list[str], wait_seconds: int) -> str | None:
    """The last line a failing command said, or nothing when it went well."""
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=wait_seconds,
        )
    except (OSError, subprocess.TimeoutExpired) as failure:
        return str(failure)
    if done.returncode == 0:
        return None
    return (done.stdout.strip().splitlines() or [f"exit {done.returncode}"])[-1]
