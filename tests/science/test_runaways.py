"""Programs that print without end, fork, and ignore what they are told: stopped, and nothing of them is left."""

from __future__ import annotations

import itertools
import os
import time
from pathlib import Path

import pytest

from house.mobyle import wait_until

from .descriptions import program
from .laboratory import MOST_MEGABYTES, Laboratory, command_lines

MEGABYTE = 1024 * 1024
_numbers = itertools.count()


@pytest.fixture
def lifetime() -> str:
    """For how long a program of this test sleeps: no other program does for just as long."""
    return f"6{os.getpid()}.{next(_numbers)}"


def asleep(lifetime: str) -> list[str]:
    return [line for line in command_lines() if lifetime in line.split()]


def run(laboratory: Laboratory, name: str, command: str) -> str:
    return laboratory.submit(laboratory.register(program(name, command, [])), {})


def size_of(folder: Path) -> int:
    return sum(each.stat().st_size for each in folder.rglob("*") if each.is_file())


@pytest.mark.parametrize(
    ("name", "command", "files"),
    [
        ("prints", "yes", 1),
        ("prints-a-lot-of-errors", "sh -c 'yes 1>&2'", 1),
        ("writes", "sh -c 'yes > one & yes > two & yes > three'", 3),
    ],
)
def test_what_writes_without_end_is_stopped_by_the_cap(laboratory, name, command, files):
    """No file is larger than all may be together; that all are not is seen by looking, a moment later."""
    job = run(laboratory, name, command)

    told = laboratory.wait([job])[job]

    assert told["status"] == "error", told
    assert told["message"]
    assert 0 < size_of(laboratory.folder(job)) <= (files * MOST_MEGABYTES + 1) * MEGABYTE
    wait_until(lambda: not [line for line in command_lines() if line.startswith("yes ")])


def test_what_forks_is_kept_within_its_cap_and_ends_as_a_whole(laboratory, lifetime):
    job = run(laboratory, f"forks-{lifetime}", f"sh -c 'while sleep {lifetime} & do :; done'")

    most = 0
    while laboratory.ada.told(f"/jobs/{job}")["group"] != "finished":
        most = max(most, len(asleep(lifetime)))
        if most > 100:
            laboratory.ada.post(f"/jobs/{job}/kill")
        time.sleep(0.1)

    assert 0 < most <= 260
    assert laboratory.ada.told(f"/jobs/{job}")["status"] in {"killed", "error"}
    assert asleep(lifetime) == []


@pytest.mark.parametrize(
    "command",
    [
        "sh -c 'trap \"\" TERM INT HUP; sleep {0}; sleep {0}'",
        "setsid -w sh -c 'trap \"\" TERM; setsid sleep {0} & sleep {0}'",
        "sh -c '(setsid sleep {0} &) ; (setsid sh -c \"trap 1 TERM; sleep {0}\" &) ; sleep {0}'",
    ],
    ids=["ignores", "has a session", "has many"],
)
def test_what_ignores_a_request_to_end_is_ended(laboratory, lifetime, command):
    job = run(laboratory, f"stubborn-{lifetime}", command.format(lifetime))
    wait_until(lambda: asleep(lifetime))

    assert laboratory.ada.post(f"/jobs/{job}/kill").status_code == 200

    assert laboratory.wait([job])[job]["status"] == "killed"
    assert asleep(lifetime) == []
