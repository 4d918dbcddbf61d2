"""How are many commands tried in the time of one? One program imports what they need, and is forked for each."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from house.program import FENCE, Finished, clean_environment

_FORK_FOR_EACH = """
import json, os, sys
from fairlead.cli.commands import main
folder = sys.argv[1]
for number, arguments in enumerate(json.load(sys.stdin)):
    if os.fork() == 0:
        for descriptor, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{folder}/{number}.{name}", os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.argv = ["fairlead", *arguments]
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # taking the interpreter apart would take longer than all the rest
    _, status = os.wait()
    with open(f"{folder}/{number}.code", "w") as code:
        print(os.waitstatus_to_exitcode(status), file=code)
"""


def run_many(folder: Path, commands: list[tuple[object, ...]], fence: list[str] | None = None) -> list[Finished]:
    """Run each `fairlead …` to its end, one after the other, all behind the same fence."""
    process = subprocess.Popen(
        [*FENCE, *(fence or []), sys.executable, "-c", _FORK_FOR_EACH, str(folder)],
        stdin=subprocess.PIPE,
        env=clean_environment(),
        text=True,
        start_new_session=True,
    )
    try:
        process.communicate(json.dumps([[str(each) for each in command] for command in commands]), timeout=120)
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
    return [_finished(folder, number) for number in range(len(commands))]


def _finished(folder: Path, number: int) -> Finished:
    out, err, code = ((folder / f"{number}.{name}").read_text() for name in ("out", "err", "code"))
    return Finished(int(code), out, err)
