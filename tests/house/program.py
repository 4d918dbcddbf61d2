"""How do tests run the real program `fairlead`? In a process group of its own, which surely ends with the test."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from house.warm import Warm

PROGRAM = Path(sys.executable).with_name("fairlead")
LARGEST_FILE_BYTES = 256 * 1024 * 1024
CAN_FORK = hasattr(os, "pidfd_open")
LIMITS = ["prlimit", f"--fsize={LARGEST_FILE_BYTES}"] if shutil.which("prlimit") else []
FENCE = [*(["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []), *LIMITS]


def clean_environment() -> dict[str, str]:
    """Ours without any setting of a server, on a plain terminal of a usual width."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
    return {**inherited, "NO_COLOR": "1", "COLUMNS": "100"}


@dataclass(frozen=True)
class Finished:
    code: int
    out: str
    err: str


class Program:
    """A running `fairlead`. What it says goes to files, and no file it writes can grow without end.

    It is forked from a process that has it loaded, or, if it is not to be `warm`, the installed program is started.
    """

    def __init__(
        self,
        *arguments: object,
        environment: dict[str, str] | None = None,
        input_: str = "",
        fence: Sequence[str] = (),
        warm: bool = True,
    ):
        self._folder = tempfile.TemporaryDirectory(prefix="fairlead-program-")
        folder = Path(self._folder.name)
        self._out, self._err, said = folder / "out", folder / "err", folder / "in"
        said.write_text(input_)
        told, variables = [str(each) for each in arguments], {**clean_environment(), **(environment or {})}
        with self._out.open("wb") as out, self._err.open("wb") as err, said.open("rb") as stdin:
            if warm and CAN_FORK:
                files = [each.fileno() for each in (stdin, out, err)]
                self.process = _loaded((*LIMITS, *fence)).start(told, variables, *files)
            else:
                self.process = subprocess.Popen(
                    [*FENCE, *fence, PROGRAM, *told],
                    env=variables,
                    stdin=stdin,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                )

    @property
    def out(self) -> str:
        return self._out.read_text(errors="replace")

    @property
    def err(self) -> str:
        return self._err.read_text(errors="replace")

    def wait_for(self, pattern: str, times: int = 1, seconds: float = 120) -> list[str]:
        """Wait until it has said this so often; what the pattern's group matched."""
        until = time.monotonic() + seconds
        while len(found := re.findall(pattern, self.out + self.err)) < times:
            assert self.process.poll() is None, f"it ended with {self.process.returncode}: {self.out}{self.err}"
            assert time.monotonic() < until, f"it never said {pattern!r}: {self.out}{self.err}"
            time.sleep(0.05)
        return found

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float = 30) -> int:
        return self.process.wait(seconds)

    def finish(self, seconds: float = 60) -> Finished:
        """Wait for its end, and put everything away."""
        try:
            code = self.process.wait(seconds)
            return Finished(code, self.out, self.err)
        finally:
            self.kill()

    def kill(self) -> None:
        """End the whole group at once, as a power cut would."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        self._folder.cleanup()


def make_certificate(folder: Path, days: int = 9, name: str = "IP:127.0.0.1") -> tuple[Path, Path]:
    """A certificate for this machine, or another name, signed by itself, and its key."""
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    said = ["-days", str(days), "-subj", "/CN=localhost", "-addext", f"subjectAltName={name}"]
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run([*made, *said, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def run(*arguments: object, **wishes: object) -> Finished:
    """`fairlead` from its start to its end."""
    with Program(*arguments, **wishes) as program:
        return program.finish()


def run_many(commands: Sequence[tuple[object, ...]], **wishes: object) -> list[Finished]:
    """Each `fairlead …` from its start to its end, one after the other."""
    return [run(*command, **wishes) for command in commands]


_warm: dict[tuple[str, ...], Warm] = {}


def _loaded(fence: tuple[str, ...]) -> Warm:
    if fence not in _warm or not _warm[fence].is_there:
        _warm[fence] = Warm(fence)
    return _warm[fence]


class Server(Program):
    """`fairlead serve` on free ports, ready to answer."""

    def __init__(self, data: Path, *options: object, workers: int = 1, **wishes: object):
        free = ("--listen", "127.0.0.1:0", "--internal-listen", "127.0.0.1:0")
        super().__init__("serve", "--data", data, *free, "--workers", workers, *options, **wishes)
        try:
            self.wait_for(r"server\.ready", times=workers)
        except BaseException:
            self.__exit__()
            raise
        self.url = re.search(r"Fairlead serves (\S+)", self.out).group(1)
        self.internal_url = re.search(r"/metrics are at (\S+)", self.out).group(1)

    def stop(self) -> int:
        """Ask it to end, and see that it does by itself."""
        self.tell(signal.SIGTERM)
        return self.wait()

    def worker_pids(self) -> list[int]:
        """The processes that serve, when there are several."""
        tasks = Path(f"/proc/{self.process.pid}/task").iterdir()
        children = [int(pid) for task in tasks for pid in (task / "children").read_text().split()]
        return [pid for pid in children if "spawn_main" in Path(f"/proc/{pid}/cmdline").read_text()]
