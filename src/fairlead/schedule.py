"""What runs by itself? One line each; every process runs them, and each is harmless to run twice."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass

import structlog

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Task:
    """Something to do every so many seconds, in a worker thread."""

    name: str
    every_seconds: float
    do: Callable[[], object]


async def keep_doing(task: Task, in_thread: Callable[..., asyncio.Future[object]]) -> None:
    """Do the task over and over until cancelled. A failure is logged, and the next time is tried as planned."""
    await asyncio.sleep(task.every_seconds * random.random())
    while True:
        try:
            await in_thread(task.do)
        except asyncio.CancelledError:
            raise
        except Exception as problem:
            log.warning("schedule.failed", task=task.name, problem=str(problem))
        await asyncio.sleep(task.every_seconds)
