"""How are many devices played by one core, faster than the server can answer?

Raw sockets and epoll: a request is bytes made beforehand, an answer is only measured (`scanner`). Each connection
asks anew as soon as it was answered.
"""

from __future__ import annotations

import contextlib
import gc
import select
import socket
import time
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fairlead.base.errors import Refusal
from fairlead.cli.bench.scanner import Unscannable, scan

LONGEST_SILENCE_SECONDS = 30.0
RECEIVED_BYTES = 256 * 1024
OWN = "own"


class LoadFailed(Refusal):
    message = "The load could not be kept up: {reason}."


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it: how many answers with which status, in which time, and how long each took.

    `server_seconds` is what the server's process has worked meanwhile.
    """

    generator: str
    statuses: Counter[int]
    seconds: float
    p50_ms: float
    p99_ms: float
    broken: int = 0
    server_seconds: float = 0.0

    @property
    def answers(self) -> int:
        return self.statuses.total()

    @property
    def per_second(self) -> float:
        return self.answers / self.seconds if self.seconds else 0.0

    def others_than(self, status: int) -> int:
        """How many answers were not what was expected, broken connections included."""
        return self.answers - self.statuses[status] + self.broken


@dataclass(slots=True)
class _Line:
    """A connection: what has arrived of the answer, and when it was asked for."""

    socket: socket.socket
    asked_at: float = 0.0
    rest: bytes = b""


@dataclass(slots=True)
class _Tally:
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: array[float] = field(default_factory=lambda: array("d"))


def press(address: tuple[str, int], requests: Iterable[bytes], connections: int, seconds: float = 0.0) -> Load:
    """Send the requests one after the other over the connections: for so many seconds, or without, until they end."""
    tally = _Tally()
    with _undisturbed(), contextlib.ExitStack() as stack:
        poll = stack.enter_context(select.epoll())
        lines = {line.socket.fileno(): line for line in _connect(stack, address, connections)}
        began_at = time.perf_counter()
        try:
            _converse(poll, lines, iter(requests), tally, began_at + seconds if seconds else None)
        except (OSError, Unscannable) as problem:
            raise LoadFailed(reason=problem) from None
        took = time.perf_counter() - began_at
    p50, p99 = percentiles(tally.latencies)
    return Load(OWN, tally.statuses, took, p50 * 1000, p99 * 1000)


def percentiles(values: Iterable[float]) -> tuple[float, float]:
    """The median, and what 99 of 100 stay under."""
    ordered = sorted(values)
    if not ordered:
        return 0.0, 0.0
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """A hundred thousand requests lie in memory: looking for garbage among them would be measured too."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _connect(stack: contextlib.ExitStack, address: tuple[str, int], connections: int) -> Iterator[_Line]:
    for _ in range(connections):
        try:
            line = stack.enter_context(socket.create_connection(address, timeout=10))
        except OSError as problem:
            raise LoadFailed(reason=problem) from None
        line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        line.setblocking(False)
        yield _Line(line)


def _converse(
    poll: select.epoll, lines: dict[int, _Line], requests: Iterator[bytes], tally: _Tally, until: float | None
) -> None:
    """The loop that must be fast: everything that is called for each answer stands here."""
    statuses, note_latency, clock = tally.statuses, tally.latencies.append, time.perf_counter
    waiting = _ask_first(poll, lines, requests)
    heard_at = clock()
    while waiting:
        events = poll.poll(0.2)
        if not events and clock() - heard_at > LONGEST_SILENCE_SECONDS:
            raise OSError(f"the server was silent for {LONGEST_SILENCE_SECONDS:.0f} seconds")
        for number, _ in events:
            line = lines[number]
            data = line.rest + line.socket.recv(RECEIVED_BYTES)
            answer = scan(data)
            if answer is None or len(data) < answer[1]:
                _keep(line, data)
                continue
            heard_at = clock()
            note_latency(heard_at - line.asked_at)
            statuses[answer[0]] += 1
            line.rest = b""
            request = next(requests, None)
            if request is None:
                waiting -= 1
                continue
            line.asked_at = heard_at
            if line.socket.send(request) != len(request):
                raise OSError("a request did not fit into the socket's buffer")
        if until is not None and clock() >= until:
            return


def _ask_first(poll: select.epoll, lines: dict[int, _Line], requests: Iterator[bytes]) -> int:
    """Have every connection ask, and say how many do."""
    waiting = 0
    for (number, line), request in zip(lines.items(), requests, strict=False):
        poll.register(number, select.EPOLLIN)
        line.asked_at = time.perf_counter()
        line.socket.sendall(request)
        waiting += 1
    return waiting


def _keep(line: _Line, data: bytes) -> None:
    if len(data) == len(line.rest):
        raise OSError("the server closed a connection")
    line.rest = data
