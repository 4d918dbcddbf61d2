"""How do tests start `fairlead` a hundred times in the time of thirty? One process has it loaded, and is forked.

What is started differs from the installed program in what was loaded before: it has its own process group, arguments,
environment, files and limits. `tests/clients`, and whoever says so, start the installed program itself.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

LOADED = ("fairlead.cli.local_agent", "litestar.plugins.pydantic")
SET_DEATH_SIGNAL = 1
MOST_SAID = 1024 * 1024


class Forked:
    """A program that was forked: what a `subprocess.Popen` tells, as far as tests ask for it."""

    def __init__(self, arguments: Sequence[str], pid: int, told: int) -> None:
        self.args, self.pid, self._told = arguments, pid, told
        self.returncode: int | None = None

    def poll(self) -> int | None:
        return self._await(0)

    def wait(self, timeout: float | None = None) -> int:
        if self._await(timeout) is None:
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def _await(self, seconds: float | None) -> int | None:
        if self.returncode is None and select.select([self._told], [], [], seconds)[0]:
            said = os.read(self._told, 16)
            os.close(self._told)
            self.returncode = int(said) if said else -signal.SIGKILL  # whoever forked it is gone, and it with them
        return self.returncode


class Warm:
    """The process that is forked, behind a fence that all its children are behind, too.

    It ends when nobody can ask it for anything any more, and its children with it.
    """

    def __init__(self, fence: Sequence[str]) -> None:
        self._lock = threading.Lock()
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        for end in (self._socket, theirs):
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, MOST_SAID)
        begin = f"import sys; sys.path[0] = {str(Path(__file__).parents[1])!r}; import house.warm as warm; warm.serve()"
        self._process = subprocess.Popen(
            [*fence, sys.executable, "-c", begin], stdin=theirs, stdout=subprocess.DEVNULL, start_new_session=True
        )
        theirs.close()

    def start(self, arguments: Sequence[str], environment: dict[str, str], *files: int) -> Forked:
        """Begin a program; the three files are what it reads and writes."""
        told, tells = os.pipe()
        said = json.dumps({"arguments": arguments, "environment": environment, "folder": str(Path.cwd())}).encode()
        with self._lock:
            socket.send_fds(self._socket, [said], [*files, tells])
            pid = int(self._socket.recv(16))
        os.close(tells)
        return Forked(arguments, pid, told)

    @property
    def is_there(self) -> bool:
        return self._process.poll() is None


def serve() -> NoReturn:
    """What the process does: fork for each request on its standard input, and tell how its children ended."""
    del sys.path[0]
    requests = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for module in LOADED:
        importlib.import_module(module)
    commands = importlib.import_module("fairlead.cli.commands")
    for name in commands.COMMANDS:
        commands.load(name)
    sys.modules["fairlead.base.records"].learn_types()
    gc.collect()
    gc.freeze()
    children: dict[int, tuple[int, int]] = {}  # by what becomes readable at a child's end: who it is, whom to tell
    while True:
        ready, _, _ = select.select([requests, *children], [], [])
        for ended in set(ready) & children.keys():
            pid, tells = children.pop(ended)
            _, status = os.waitpid(pid, 0)
            with suppress(BrokenPipeError):
                os.write(tells, str(os.waitstatus_to_exitcode(status)).encode())
            os.close(tells)
            os.close(ended)
        if requests in ready:
            said, descriptors, _, _ = socket.recv_fds(requests, MOST_SAID, 4)
            if not said:
                os._exit(0)
            *files, tells = descriptors
            parent = os.getpid()
            pid = os.fork()
            if pid == 0:
                for descriptor in (*children, *(tells for _, tells in children.values()), tells):
                    os.close(descriptor)
                become(json.loads(said), files, requests, parent)
            for descriptor in files:
                os.close(descriptor)
            children[os.pidfd_open(pid)] = (pid, tells)


def become(wanted: dict, files: Sequence[int], requests: socket.socket, parent: int) -> NoReturn:
    """Turn the child into the program: its own session, files, folder, environment and arguments."""
    os.setsid()
    ctypes.CDLL(None).prctl(SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    for target, descriptor in enumerate(files):
        os.dup2(descriptor, target)
        os.close(descriptor)
    requests.send(str(os.getpid()).encode())
    requests.close()
    os.chdir(wanted["folder"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    time.tzset()
    sys.argv = ["fairlead", *wanted["arguments"]]
    sys.exit(sys.modules["fairlead.cli"].main())
