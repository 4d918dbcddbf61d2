"""How is somebody else's program run so that it cannot harm us?

In a session of its own, with caps on memory, processor time and the size of files, without our environment, and for so
long and with so much output as it is allowed. A keeper stands between us and the program (see `keeper`): it ends what
the program has started, also when this process dies, so that whoever goes on with our work finds nothing running.

What is not bounded: how many files of that size a program writes, and how many processes it has at a time. A program
that kills its keeper dies with it, and we end what it has started, unless that was given another environment: such a
process runs on, with its caps.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from fairlead.base import keeper

_LOOK_SECONDS = 0.1
_END_SECONDS = keeper.MOST_SECONDS_TO_END + 5


@dataclass(frozen=True, slots=True)
class Fence:
    """What a program may use. The output is what is kept of each of its two streams."""

    seconds: float = 3600
    memory_bytes: int = 2 * 1024**3
    file_bytes: int = 10 * 1024**3
    output_bytes: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class Ended:
    """How the program ended: its exit code, or 128 and the signal that ended it.

    `problem` says why it was stopped, "" if it ended by itself.
    """

    exit_code: int
    output: str
    error: str
    problem: str = ""


def run_fenced(
    command: Sequence[str], fence: Fence, environment: Mapping[str, str], keep_going: Callable[[], bool]
) -> Ended:
    """Run the program to its end in an empty folder that is removed afterwards.

    It is stopped with everything that it started when its time is over, or when `keep_going` says no.
    """
    processor_seconds = int(fence.seconds * (os.cpu_count() or 1)) + 10
    limits = f"{fence.memory_bytes},{fence.file_bytes},{processor_seconds}"
    with tempfile.TemporaryDirectory(prefix="fairlead-task-", ignore_cleanup_errors=True) as folder:
        try:
            process = subprocess.Popen(  # noqa: S603 - no shell, and the caller says which programs are allowed
                [sys.executable, "-I", "-S", keeper.__file__, limits, folder, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder,
                env={"PATH": os.defpath, "HOME": folder, "TMPDIR": folder, "LANG": "C.UTF-8", **environment},
                start_new_session=True,
            )
        except OSError as problem:  # there are too many arguments, or too many processes
            return Ended(keeper.NOT_STARTED, "", f"{command[0]}: {problem.strerror}")
        with _Heard(process, fence.output_bytes) as heard:
            try:
                stopped = _wait(heard, fence.seconds, keep_going)
            finally:
                code = _end(heard, folder)
            return Ended(code, heard.output, heard.error, stopped)


def _wait(heard: _Heard, seconds: float, keep_going: Callable[[], bool]) -> str:
    until = time.monotonic() + seconds
    while heard.process.poll() is None:
        heard.listen(_LOOK_SECONDS)
        if not keep_going():
            return "it was stopped"
        if time.monotonic() >= until:
            return f"it was stopped after {seconds:g} seconds"
    return ""


def _end(heard: _Heard, folder: str) -> int:
    """Have the keeper end everything, and end the keeper if it does not."""
    process = heard.process
    assert process.stdin is not None
    process.stdin.close()
    until = time.monotonic() + _END_SECONDS
    while process.poll() is None and time.monotonic() < until:
        heard.listen(_LOOK_SECONDS)
    if process.poll() is None:
        process.kill()
    code = process.wait()
    if code < 0:
        keeper.end_all_in(folder)
    heard.listen(0)
    return code if code >= 0 else keeper.KILLED - code


class _Heard:
    """Keeps the beginning of what a program writes, and reads the rest, so that the program is not held up."""

    def __init__(self, process: subprocess.Popen[bytes], most: int) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        self.process, self._most = process, most
        self._streams: list[IO[bytes]] = [process.stdout, process.stderr]
        self._kept = {stream.fileno(): bytearray() for stream in self._streams}
        self._selector = selectors.DefaultSelector()
        for stream in self._streams:
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream.fileno(), selectors.EVENT_READ)

    def __enter__(self) -> _Heard:
        return self

    def __exit__(self, *_: object) -> None:
        self._selector.close()
        for stream in self._streams:
            stream.close()

    def listen(self, seconds: float) -> None:
        """Take what there is; wait for so long if there is nothing."""
        if not self._selector.get_map():
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
            return
        for key, _ in self._selector.select(seconds):
            self._take(key.fd)

    def _take(self, stream: int) -> None:
        """At most 1 MiB at a time, so that whoever writes without end does not keep us from looking at the clock."""
        kept = self._kept[stream]
        for _ in range(16):
            try:
                chunk = os.read(stream, 65536)
            except BlockingIOError:
                return
            if not chunk:
                self._selector.unregister(stream)
                return
            kept += chunk[: self._most - len(kept)]

    @property
    def output(self) -> str:
        return self._text(0)

    @property
    def error(self) -> str:
        return self._text(1)

    def _text(self, number: int) -> str:
        kept = self._kept[self._streams[number].fileno()]
        return kept.decode("utf-8", "replace").replace("\0", "")
