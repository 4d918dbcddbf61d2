"""What does the kernel itself keep a program from? Set in the program's process, before it becomes the program."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Mapping, Sequence
from typing import Any

from . import processes

_NICE = 10
_MOST_OPEN_FILES = 4096
_SECONDS_TO_SAY_SO = 5
_THREADS_OF_OUR_OWN = 256


def set_caps(limits: Mapping[str, Any], cpus: Sequence[int], uid: int | None, sandboxed: bool) -> None:
    """`cpus` are the processors that it may use; `uid` is who it becomes, if anybody else."""
    _cap(resource.RLIMIT_AS, limits["memory_bytes"])
    _cap(resource.RLIMIT_FSIZE, min(limits["file_bytes"], limits["output_bytes"]))
    _cap(resource.RLIMIT_CORE, 0)
    _cap(resource.RLIMIT_NOFILE, _MOST_OPEN_FILES)
    seconds = limits["cpu_seconds"] or int(limits["seconds"] * len(cpus)) + 10
    _cap(resource.RLIMIT_CPU, seconds, seconds + _SECONDS_TO_SAY_SO)
    _cap_processes(limits["processes"], uid, sandboxed)
    os.nice(_NICE)
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, cpus)


def _cap_processes(most: int, uid: int | None, sandboxed: bool) -> None:
    """The kernel counts by user: a user of the job's own has its number, a sandbox sets its own inside.

    Without either the job is one of our own user's, whose other processes are counted as well: the cap is wide, and
    narrower only by looking (`watching`).
    """
    if uid is not None:
        _cap(resource.RLIMIT_NPROC, most)
    elif not sandboxed and os.getuid() != 0:
        _cap(resource.RLIMIT_NPROC, processes.count_of(os.getuid()) + most + _THREADS_OF_OUR_OWN)


def _cap(what: int, soft: int, hard: int | None = None) -> None:
    already = resource.getrlimit(what)[1]
    most = soft if hard is None else hard
    most = most if already == resource.RLIM_INFINITY else min(most, already)
    resource.setrlimit(what, (min(soft, most), most))


def processors(slots: Sequence[int]) -> list[int]:
    """Those that belong to the slots, so that a program which counts processors counts its own."""
    if not hasattr(os, "sched_getaffinity"):
        return list(slots)
    there = sorted(os.sched_getaffinity(0))
    return sorted({there[slot % len(there)] for slot in slots})


def become(uid: int) -> None:
    """Be this user and nobody else, for good."""
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
