"""How is a real program started so that it surely ends with us, and says no more than we can keep?"""

import os
import signal
import subprocess
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

MOST_OUTPUT_BYTES = 4 * 1024 * 1024


class RealProcess:
    """One program in a process group of its own, its output in a file.

    The kernel kills it when we die, whatever we die of; what it started is killed with its group.
    """

    def __init__(self, command: list[str], output: Path, environment: dict[str, str] | None = None) -> None:
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *command],
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert self.process.stdout
        self._reader = threading.Thread(target=_keep, args=(self.process.stdout, output), daemon=True)
        self._reader.start()

    @property
    def running(self) -> bool:
        return self.process.poll() is None

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float) -> int:
        code = self.process.wait(seconds)
        self._reader.join(seconds)
        return code

    def kill(self) -> None:
        """End the whole group at once, as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.wait(10)


def _keep(stream: IO[bytes], output: Path) -> None:
    """Keep the first megabytes and throw the rest away, so that a chatty program neither stops nor fills the disk."""
    with stream, output.open("ab", buffering=0) as kept:
        for line in stream:
            if kept.tell() < MOST_OUTPUT_BYTES:
                kept.write(line)
