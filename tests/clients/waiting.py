"""Has it happened yet? Every wait of these tests goes through here, so every wait has an end."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(what: str, probe: Callable[[], T], seconds: float = 30, pause_seconds: float = 0.1) -> T:
    """Ask until the answer is true, and hand it back; fail with the sentence and the last answer otherwise."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds:g} s still not: {what} (last answer: {answer!r})")
        time.sleep(pause_seconds)
