"""How is a file read that a program has left in a job's folder? Never by a link, and never by waiting for anybody."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path


def open_left(path: Path) -> io.FileIO | None:
    """The file, or nothing if there is none of that name, or it is something else."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        return None
    return io.FileIO(file)
