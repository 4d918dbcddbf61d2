"""What is started beside the bench itself: `python -m fairlead.cli.bench.child CORE serve|floor|workflows|run …`

Each child first takes its place on its core, so that every thread it ever has stays there.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys

_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


def command(core: int, *what: str) -> list[str]:
    """The command line of a child."""
    return [sys.executable, "-m", "fairlead.cli.bench.child", str(core), *what]


def main(core: str, what: str, *arguments: str) -> None:
    os.sched_setaffinity(0, {int(core)})
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
    match what:
        case "run":
            os.execvp(arguments[0], arguments)  # noqa: S606 - that is what it is for
        case "floor":
            from fairlead.cli.bench import floor

            floor.serve(arguments[0])
        case "workflows":
            from fairlead.cli.bench import durable

            durable.main(float(arguments[0]))
        case "serve":
            from fairlead.cli import main as fairlead

            sys.argv = ["fairlead", "serve", *arguments]
            fairlead()


if __name__ == "__main__":
    main(*sys.argv[1:])
