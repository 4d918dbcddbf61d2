"""Has somebody called too often? The limits are an organization's; what is counted is each caller.

Counts are kept in memory, by each process for itself: a limit that must hold to the call would cost a write per call.
With several processes a caller whose connections reach all of them may get that many times the quota.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.identity.api_limits import ApiLimits

MOST_CALLERS = 200_000


class TooManyCalls(Refusal):
    kind = Kind.LIMIT
    message = "too many requests: {limit}; try again in {retry_after} seconds"


class _Meter:
    """What one caller has called in the running interval, and when they last called what has a pace."""

    __slots__ = ("calls", "interval", "last")

    def __init__(self) -> None:
        self.interval = -1
        self.calls = 0
        self.last: dict[tuple[str, str], float] = {}


class Meters:
    """Meters by caller. Not for several threads at once: the event loop asks."""

    def __init__(self, now: Callable[[], float] = time.time, most: int = MOST_CALLERS) -> None:
        self._now = now
        self._most = most
        self._meters: OrderedDict[str, _Meter] = OrderedDict()

    def count(self, caller: str, limits: ApiLimits, method: str, path: str) -> None:
        """Count a call, or refuse it with `TooManyCalls`: then it is not counted."""
        now = self._now()
        meter = self._meter(caller)
        paces = [burst for burst in limits.bursts if burst.action == method and burst.uri == path]
        for burst in paces:
            wait = meter.last.get((method, path), -math.inf) + burst.min_interval_sec - now
            if wait > 0:
                self._refuse(f"one {method} {path} in {burst.min_interval_sec} seconds is allowed", wait)
        quota = limits.quota
        if quota.max_calls:
            interval, past = divmod(now, quota.interval_sec)
            if meter.interval != interval:
                meter.interval, meter.calls = int(interval), 0
            if meter.calls >= quota.max_calls:
                said = f"{quota.max_calls} calls in {quota.interval_sec} seconds are allowed"
                self._refuse(said, quota.interval_sec - past)
            meter.calls += 1
        if paces:
            meter.last[method, path] = now

    def _meter(self, caller: str) -> _Meter:
        meter = self._meters.get(caller)
        if meter is None:
            if len(self._meters) >= self._most:
                self._meters.popitem(last=False)  # who has been silent for longest
            meter = self._meters[caller] = _Meter()
        self._meters.move_to_end(caller)
        return meter

    @staticmethod
    def _refuse(limit: str, wait: float) -> None:
        raise TooManyCalls(limit=limit, retry_after=max(1, math.ceil(wait)))
