"""What does a program see of this machine? With bubblewrap: the system's programs, its own folder, and no network.

Its folder is /work; /tmp and shared memory are files of the job too, so that nothing it writes is beside its limits.
Started as root, the program becomes another user inside; otherwise it has no rights but ours, and sees nothing of us.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

INSIDE_WORK, INSIDE_TMP = "/work", "/tmp"  # noqa: S108 - these are inside
_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_CONFIGURATION = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime")
_FOR_NETWORK = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/etc/protocols", "/etc/ssl")
_NAMESPACES = ("--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")


class Sandbox(NamedTuple):
    """`uid` is who the program is, nothing if it is who we are; `readable` are folders that it sees besides."""

    program: str
    uid: int | None
    readable: Sequence[str] = ()

    def wrap(
        self, argv: Sequence[str], work: str, temporary: str, environment: Mapping[str, str], network: bool, most: int
    ) -> list[str]:
        """The command that runs this one inside. The program's environment is set inside, where it harms nobody."""
        return [
            *(self.program, "--ro-bind", "/usr", "/usr"),
            *_system(),
            *_shown(_CONFIGURATION),
            *(_shown(_FOR_NETWORK) if network else ()),
            *("--proc", "/proc", "--dev", "/dev", "--bind", temporary, INSIDE_TMP, "--bind", temporary, "/dev/shm"),  # noqa: S108
            *_shown(self.readable),
            *("--remount-ro", "/dev", "--bind", work, INSIDE_WORK, "--remount-ro", "/", "--chdir", "/"),
            *_NAMESPACES,
            *(() if network else ("--unshare-net",)),
            *("--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"),
            *(self._as_ourselves(most) if self.uid is None else self._as_another(self.uid)),
            *("/usr/bin/env", "-i", "-C", INSIDE_WORK),
            *(f"{name}={value}" for name, value in environment.items()),
            *argv,
        ]

    @staticmethod
    def _as_another(uid: int) -> list[str]:
        """Only root can. The user is nobody else's, so that what the kernel counts for it is the job's alone."""
        return [
            *("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--", "/usr/bin/setpriv", "--reuid", str(uid)),
            *("--regid", str(uid), "--clear-groups", "--inh-caps=-all", "--"),
        ]

    @staticmethod
    def _as_ourselves(most: int) -> list[str]:
        """In a namespace of users of its own, where the kernel counts the job's processes alone."""
        return [
            *("--unshare-user", "--uid", "65534", "--gid", "65534", "--"),
            *("/usr/bin/prlimit", f"--nproc={most}:{most}", "--"),
        ]


def _system() -> list[str]:
    """Many systems keep everything in /usr and have links to it; some do not."""
    shown = []
    for folder in _SYSTEM:
        if os.path.islink(folder):
            shown += ["--symlink", os.readlink(folder), folder]
        elif os.path.isdir(folder):
            shown += ["--ro-bind", folder, folder]
    return shown


def _shown(paths: Sequence[str]) -> list[str]:
    """Each with the folders that lead to it, through which anybody may go."""
    above = sorted({folder for path in paths for folder in _above(path)})
    leading = [word for folder in above for word in ("--perms", "0755", "--dir", folder)]
    return leading + [word for path in paths for word in ("--ro-bind-try", path, path)]


def _above(path: str) -> list[str]:
    folder = os.path.dirname(path)
    return [] if folder in ("", "/") else [*_above(folder), folder]
