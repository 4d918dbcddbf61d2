"""What do the same programs do when somebody types their line into a shell?"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import resource
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from .inputs import INPUTS
from .programs_here import PATH

_MOST_SECONDS = 60
_MOST_BYTES = 64 * 1024 * 1024
_VARYING = (
    rb"# Rundate: .*",  # EMBOSS
    rb"%%CreationDate.*|.*\(\w{3} \d+ \w{3} \d{4} [\d:]{8}\) (SW|show)",  # pictures of EMBOSS
    rb"DATE  .*|# CPU time: .*",  # HMMER
    rb".*\b[Tt]ime\b.*: \d\d:\d\d:\d\d",  # bowtie
    rb".*CPU time: .*Elapsed: .*",  # clustalo
    rb"Building a new DB, current time: .*|.* sequences in [0-9.]+ seconds\.",  # BLAST
)
"""Lines in which programs say when they ran, and for how long."""
_MINUTE_OF_BLAST = re.compile(rb"[A-Z][a-z]{2} \d+, \d{4} +\d+:\d\d [AP]M")
"""The same in its index."""


def run(line: str, folder: Path, files: Iterable[str], answers: Mapping[str, str] = {}, name: str = "job") -> int:
    """Its exit code. What it prints is in `NAME.out` and `NAME.err`, as a job's is."""
    folder.mkdir(parents=True, exist_ok=True)
    for file in files:
        (folder / file).write_text(content(file))
    for file, text in answers.items():
        (folder / file).write_text(text)
    with open(folder / f"{name}.out", "wb") as out, open(folder / f"{name}.err", "wb") as err:
        program = subprocess.Popen(
            ["/bin/sh", "-c", line],
            cwd=folder,
            env={"PATH": PATH, "HOME": str(folder), "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
            preexec_fn=_limited,
        )
        try:
            return program.wait(_MOST_SECONDS)
        finally:
            _end(program)


def _limited() -> None:
    """As a job is: on one processor, which some programs tell."""
    os.sched_setaffinity(0, list(os.sched_getaffinity(0))[:1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_BYTES, _MOST_BYTES))


def _end(program: subprocess.Popen[bytes]) -> None:
    """With everything in its group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(program.pid, signal.SIGKILL)
    program.wait()


def content(name: str) -> str:
    return _model() if name == "family.hmm" else INPUTS[name]


@functools.cache
def _model() -> str:
    """No text that one could make up."""
    with tempfile.TemporaryDirectory() as folder:
        assert run("hmmbuild -n family family.hmm aligned.fa", Path(folder), ["aligned.fa"]) == 0
        return (Path(folder) / "family.hmm").read_text()


def left_in(folder: Path, *, called: Iterable[Path] = ()) -> dict[str, bytes]:
    """All files in it that have something in them, without what is never twice the same.

    Where programs say in which folder they are, it is told as `/work`, whatever it is `called`.
    """
    found = {each.name: each.read_bytes() for each in folder.iterdir() if each.is_file()}
    return {name: told(data, folder, *called) for name, data in found.items() if data}


def told(data: bytes, *folders: Path) -> bytes:
    for folder in folders:
        data = data.replace(str(folder).encode(), b"/work")
    return _MINUTE_OF_BLAST.sub(b"", data) if b"\0" in data else _ANY_VARYING.sub(b"", data)


_ANY_VARYING = re.compile(b"^(" + b"|".join(_VARYING) + b")$", re.MULTILINE)
