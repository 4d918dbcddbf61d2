"""Which core does the server get, and which one asks it?"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

from fairlead.base.errors import Refusal


class NotLinux(Refusal):
    message = "bench keeps the server on one core, which only Linux lets it do."


@dataclass(frozen=True, slots=True)
class Cores:
    """One core each. Where there is only one, both share it, and the figures are those of both together."""

    server: int
    load: int

    @property
    def is_shared(self) -> bool:
        return self.server == self.load

    @classmethod
    def find(cls) -> Cores:
        """The first and the last that we may use: neighbours may be two halves of the same core."""
        if not hasattr(os, "sched_getaffinity"):
            raise NotLinux
        allowed = sorted(os.sched_getaffinity(0))
        return cls(allowed[0], allowed[-1])


@contextlib.contextmanager
def pinned(core: int) -> Iterator[None]:
    """Stay on this core until the end of the block."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
