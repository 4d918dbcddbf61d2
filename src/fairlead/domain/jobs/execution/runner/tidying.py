"""What of a job's files may others touch afterwards? Files and folders that are ours; nothing that leads elsewhere.

A program may leave a link to a file of ours, for us to follow, or a pipe that we would wait for. To be called when
nothing of the job runs any more.
"""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator

_MOST_DEPTH = 64


def hand_over(folder: str, uid: int) -> None:
    """Make this user the owner of the folder and all that is in it."""
    _own(folder, uid, uid)
    for path in _all_below(folder):
        _own(path, uid, uid)


def tidy(folder: str) -> None:
    """Take away what leads out of the folder and what is no file, and make the rest ours to read and to remove."""
    ours, our_group = os.getuid(), os.getgid()
    inside = os.path.realpath(folder) + os.sep
    _own(folder, ours, our_group)
    os.chmod(folder, 0o700)
    for path in _all_below(folder):
        mode = os.lstat(path).st_mode
        if stat.S_ISLNK(mode):
            if not (os.path.realpath(path).startswith(inside) and os.path.isfile(path)):
                os.unlink(path)
        elif stat.S_ISREG(mode):
            _own(path, ours, our_group)
            os.chmod(path, 0o600 | mode & 0o777)
        elif stat.S_ISDIR(mode):
            _own(path, ours, our_group)
        else:
            os.unlink(path)


def remove(folder: str) -> None:
    """Remove the folder with everything in it, however deep."""
    if os.path.isdir(folder):
        tidy(folder)
        _remove(folder)


def _own(path: str, uid: int, group: int) -> None:
    """A file that has another name is left as it is: the other may be somebody else's."""
    there = os.lstat(path)
    if (there.st_uid, there.st_gid) != (uid, group) and (stat.S_ISDIR(there.st_mode) or there.st_nlink == 1):
        os.lchown(path, uid, group)


def _all_below(folder: str) -> Iterator[str]:
    """Every path, no link followed. Folders are opened for us first; those that cannot be looked into are removed."""
    next_ones = [(folder, 0)]
    while next_ones:
        at, depth = next_ones.pop()
        try:
            if depth > _MOST_DEPTH:
                raise OSError("too deep")
            names = os.listdir(at)
        except OSError:
            _remove(at)
            continue
        for name in names:
            path = os.path.join(at, name)
            if stat.S_ISDIR(os.lstat(path).st_mode):
                with contextlib.suppress(OSError):
                    os.chmod(path, 0o700)
                next_ones.append((path, depth + 1))
            yield path


def _remove(folder: str) -> None:
    """As a program of the system does it, which needs no path as long as the folders are deep."""
    import subprocess

    subprocess.run(["/bin/rm", "-rf", "--", folder], check=False)  # noqa: S603 - a folder of our own
