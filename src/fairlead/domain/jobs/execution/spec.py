"""What is a job, for whoever carries it out? Programs with their arguments, files and limits: never a shell's line.

All names of files are relative to the job's working folder, and may not leave it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from fairlead.base.errors import Refusal

MEGABYTE = 1024**2
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,99}")
_MOST_ARGUMENT_BYTES = 128 * 1024 - 1  # the kernel takes no longer one
_MOST_BYTES_OF_ALL = MEGABYTE
_MOST_STAGES = 100


class BadSpec(Refusal):
    """A job that cannot be carried out as it is written."""

    message = "This job cannot be run: {reason}."


@dataclass(frozen=True, slots=True)
class Stage:
    """One program. Without redirections it reads nothing, or what the stage before it writes.

    What it writes goes to the next stage or to the job's output; with `merge` its errors go the same way.
    """

    argv: tuple[str, ...]
    stdin: str | None = None
    stdout: str | None = None
    append: bool = False
    stderr: str | None = None
    merge: bool = False

    def __post_init__(self) -> None:
        _check_words(self.argv)
        for name in (self.stdin, self.stdout, self.stderr):
            if name is not None:
                check_file_name(name)
        if self.merge and self.stderr is not None:
            raise BadSpec(reason="errors cannot go to a file and with the output as well")


@dataclass(frozen=True, slots=True)
class Pipe:
    """Stages that run at the same time, each reading what the one before it writes.

    `when` says whether they run at all after what ended before them: always, if that went well, or if it did not.
    """

    stages: tuple[Stage, ...]
    when: Literal["always", "success", "failure"] = "always"

    def __post_init__(self) -> None:
        if not self.stages:
            raise BadSpec(reason="there is a pipe without a program")
        if self.when not in ("always", "success", "failure"):
            raise BadSpec(reason=f"{self.when!r} is not when a program can run")
        if any(stage.stdin is not None for stage in self.stages[1:]):
            raise BadSpec(reason="a program cannot read a file and a pipe at the same time")
        if any(stage.stdout is not None for stage in self.stages[:-1]):
            raise BadSpec(reason="a program cannot write to a file and a pipe at the same time")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a job may use.

    `memory_bytes` is for each process by the kernel and for all of them together by looking; `output_bytes` is for all
    files together, so no single one may be larger. Without `cpu_seconds`, a process may use as much as its time allows.
    """

    seconds: float = 24 * 3600
    memory_bytes: int = 4096 * MEGABYTE
    file_bytes: int = 2048 * MEGABYTE
    output_bytes: int = 4096 * MEGABYTE
    processes: int = 256
    cpu_seconds: int | None = None

    def __post_init__(self) -> None:
        for each in dataclasses.fields(self):
            value = getattr(self, each.name)
            if value is not None and not 0 < value < 2**60:
                raise BadSpec(reason=f"its limit {each.name} is {value}, and must be more than nothing")


@dataclass(frozen=True, slots=True)
class JobSpec:
    """All that a system must know to run a job. `stdout` and `stderr` are where the programs' own output goes."""

    pipes: tuple[Pipe, ...]
    stdout: str = "job.out"
    stderr: str = "job.err"
    environment: Mapping[str, str] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    network: bool = False
    cpus: int = 1

    def __post_init__(self) -> None:
        if not self.pipes:
            raise BadSpec(reason="there is no program to run")
        if sum(len(pipe.stages) for pipe in self.pipes) > _MOST_STAGES:
            raise BadSpec(reason=f"it has more than {_MOST_STAGES} programs")
        if self.stdout == self.stderr:
            raise BadSpec(reason="its output and its errors cannot go to the same file")
        check_file_name(self.stdout)
        check_file_name(self.stderr)
        _check_environment(self.environment)
        if not 0 < self.cpus <= 4096:
            raise BadSpec(reason=f"it cannot run on {self.cpus} processors")

    def as_document(self) -> dict[str, Any]:
        """The whole of it, of the types that JSON has."""
        return {**{each.name: getattr(self, each.name) for each in dataclasses.fields(self)}, **self._parts()}

    def _parts(self) -> dict[str, Any]:
        return {
            "pipes": [dataclasses.asdict(pipe) for pipe in self.pipes],
            "environment": dict(self.environment),
            "limits": dataclasses.asdict(self.limits),
        }


def one(*argv: str, **more: Any) -> tuple[Pipe, ...]:
    """The pipes of a job that is one program: `JobSpec(one("needle", "-help"))`."""
    return (Pipe((Stage(argv, **more),)),)


def check_file_name(name: str) -> None:
    """Is it the name of a file in the working folder or below, and nowhere else?"""
    parts = name.split("/")
    if len(name) > 1000 or len(parts) > 20 or not all(0 < len(part.encode(errors="replace")) <= 255 for part in parts):
        raise BadSpec(reason=f"{name[:100]!r} is no name for a file")
    if ".." in parts or "." in parts or "\0" in name:
        raise BadSpec(reason=f"the file {name!r} is not in the job's folder")


def _check_words(argv: tuple[str, ...]) -> None:
    if not argv or not argv[0]:
        raise BadSpec(reason="there is a stage without a program")
    if argv[0].startswith("-") or "=" in argv[0]:
        raise BadSpec(reason=f"{argv[0]!r} is not the name of a program")
    for word in argv:
        _check_text(word, "an argument")
    if sum(len(word.encode()) + 1 for word in argv) > _MOST_BYTES_OF_ALL:
        raise BadSpec(reason=f"the arguments of {argv[0]} are longer than the system takes")


def _check_environment(environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        if not _NAME.fullmatch(name):
            raise BadSpec(reason=f"{name!r} is not a name in an environment")
        _check_text(f"{name}={value}", f"the value of {name}")


def _check_text(text: str, what: str) -> None:
    try:
        size = len(text.encode())
    except UnicodeEncodeError:
        raise BadSpec(reason=f"{what} is not text") from None
    if "\0" in text:
        raise BadSpec(reason=f"{what} has a character NUL")
    if size > _MOST_ARGUMENT_BYTES:
        raise BadSpec(reason=f"{what} is longer than the system takes")
