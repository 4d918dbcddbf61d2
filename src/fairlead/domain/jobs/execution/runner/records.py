"""What is known about a job, in files beside its working folder? They survive every process.

A record is written aside, flushed and renamed: it is there whole or not at all. Whoever runs a job holds the lock on
its lock file for its whole life, so that "is it running?" needs no number of a process, which may be another's by now.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from typing import Any

WORK, TEMPORARY = "work", "tmp"
LOCK, LOG = ".job_lock", ".job_runner.log"
SPEC, STARTED, RESULT = ".job_spec.json", ".job_runner.json", ".job_result.json"
KILL, PAUSE = ".job_kill", ".job_pause"
_MOST_SECONDS_OF_A_LOOK = 5.0


def write(folder: str, name: str, record: dict[str, Any]) -> None:
    """Keep the record, so that it is there after a power cut."""
    aside = os.path.join(folder, f"{name}.{os.getpid()}.{time.monotonic_ns()}")
    file = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(file, "w", encoding="utf-8") as text:
            json.dump(record, text)
            text.flush()
            os.fsync(file)
        os.rename(aside, os.path.join(folder, name))
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        raise
    flush(folder)


def flush(folder: str) -> None:
    """Have the folder's names on the disk."""
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


def read(folder: str, name: str) -> dict[str, Any] | None:
    """The record, or nothing if it is not there."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            record = json.load(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    assert isinstance(record, dict)
    return record


def is_there(folder: str, name: str) -> bool:
    return os.path.exists(os.path.join(folder, name))


def touch(folder: str, name: str) -> None:
    os.close(os.open(os.path.join(folder, name), os.O_WRONLY | os.O_CREAT, 0o600))


def remove(folder: str, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, name))


def hold(path: str, *, shared: bool = False, patience_seconds: float = 0.0) -> int | None:
    """Take the lock of this file, nothing if somebody else has it. It is held until the answer is closed everywhere."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    until = time.monotonic() + patience_seconds
    while True:
        try:
            fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= until:
                os.close(file)
                return None
            time.sleep(0.005)
        except BaseException:
            os.close(file)
            raise
        else:
            return file


def hold_if_nobody_runs(folder: str) -> int | None:
    """Take the lock of a job, nothing if somebody runs it. Whoever only looks, which takes no time, is waited for."""
    path = os.path.join(folder, LOCK)
    look = hold(path, shared=True)
    if look is None:
        return None
    os.close(look)
    return hold(path, patience_seconds=_MOST_SECONDS_OF_A_LOOK)


def hold_when_free(path: str) -> int:
    """Wait for the lock of this file."""
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
    except BaseException:
        os.close(file)
        raise
    return file


def result(state: str, exit_code: int | None = None, message: str = "", **usage: float | None) -> dict[str, Any]:
    """What decides how the job ended."""
    return {"state": state, "exit_code": exit_code, "message": message, "usage": usage}
