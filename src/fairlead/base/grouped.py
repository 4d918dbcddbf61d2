"""How do many small writes share one commit?

Requests that arrive while a commit is under way wait for the next one together: one thread takes all that wait,
does them as a group and wakes their requests. Under load a group holds hundreds of items, so one transaction and
one disk flush serve them all; without load a group holds one item and nobody waits.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

import structlog

Item = TypeVar("Item")
Result = TypeVar("Result")

log = structlog.get_logger()


class Stopping(Exception):
    """The group takes nothing more: the server is going down."""


class Grouped(Generic[Item, Result]):
    """Runs `do` on groups of up to `largest` items, in threads of its own: one, where the order of items matters.

    `do` answers with one result per item, in their order; a result that is an exception is raised where the item
    was submitted. When `do` itself fails, the items are tried one by one, so that none spoils it for the others.
    """

    def __init__(
        self,
        name: str,
        do: Callable[[list[Item]], Sequence[Result | Exception]],
        *,
        largest: int = 500,
        threads: int = 1,
    ) -> None:
        self._name = name
        self._do = do
        self._largest = largest
        self._waiting: queue.SimpleQueue[tuple[Item, asyncio.Future[Result]] | None] = queue.SimpleQueue()
        self._threads = [threading.Thread(target=self._work, name=name, daemon=True) for _ in range(threads)]
        self._running = False
        self._closing = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._running = True
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish what waits, then end."""
        with self._closing:
            if not self._running:
                return
            self._running = False
            for _ in self._threads:
                self._waiting.put(None)
        for thread in self._threads:
            thread.join(timeout=30)

    def submit(self, item: Item) -> asyncio.Future[Result]:
        """The future answer. Only from the event loop that the group was started on."""
        with self._closing:
            if self._loop is None or not self._running:
                raise Stopping
            future: asyncio.Future[Result] = self._loop.create_future()
            self._waiting.put((item, future))
            return future

    def _work(self) -> None:
        while (first := self._waiting.get()) is not None:
            group, last = self._gather(first)
            answers = self._answers([item for item, _ in group])
            assert self._loop is not None
            self._loop.call_soon_threadsafe(_wake, [future for _, future in group], answers)
            if last:
                return

    def _gather(
        self, first: tuple[Item, asyncio.Future[Result]]
    ) -> tuple[list[tuple[Item, asyncio.Future[Result]]], bool]:
        group = [first]
        while len(group) < self._largest:
            try:
                entry = self._waiting.get_nowait()
            except queue.Empty:
                break
            if entry is None:
                return group, True
            group.append(entry)
        return group, False

    def _answers(self, items: list[Item]) -> Sequence[Result | Exception]:
        try:
            answers = self._do(items)
            if len(answers) != len(items):
                raise RuntimeError(f"{self._name}: {len(answers)} answers to {len(items)} items")
            return answers
        except Exception as problem:
            if len(items) == 1:
                return [problem]
            log.warning("group.split", group=self._name, size=len(items), problem=str(problem)[:200])
            return [answer for item in items for answer in self._answers([item])]


def _wake(futures: list[asyncio.Future[Result]], answers: Sequence[Result | Exception]) -> None:
    for future, answer in zip(futures, answers, strict=True):
        if future.done():
            continue  # the client has gone; the deed stands
        if isinstance(answer, Exception):
            future.set_exception(answer)
        else:
            future.set_result(answer)
