"""What happened so far, in numbers whose room does not grow with the fleet or with time?"""

import math
from collections import Counter, defaultdict

STEPS_PER_DOUBLING = 16
SMALLEST_SECONDS = 1e-6


class Latencies:
    """How long answers took, in buckets of four per cent; the longest exactly."""

    def __init__(self) -> None:
        self.buckets: Counter[int] = Counter()
        self.count = 0
        self.longest_seconds = 0.0

    def add(self, seconds: float) -> None:
        self.count += 1
        self.longest_seconds = max(self.longest_seconds, seconds)
        self.buckets[int(math.log2(max(seconds, SMALLEST_SECONDS) / SMALLEST_SECONDS) * STEPS_PER_DOUBLING)] += 1

    def percentile(self, per_cent: float) -> float:
        """Seconds within which this share of the answers came."""
        wanted, seen = math.ceil(self.count * per_cent / 100), 0
        for bucket, count in sorted(self.buckets.items()):
            seen += count
            if seen >= wanted:
                middle: float = SMALLEST_SECONDS * 2.0 ** ((bucket + 0.5) / STEPS_PER_DOUBLING)
                return min(middle, self.longest_seconds)
        return 0.0


class Figures:
    def __init__(self) -> None:
        self.latencies: dict[str, Latencies] = defaultdict(Latencies)
        self.answers: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.outcomes: Counter[str] = Counter()
        self.notes: Counter[str] = Counter()
        self.states: Counter[str] = Counter()
        self.requests = 0
        self.bytes_downloaded = 0
        self.longest_delay_seconds = 0.0

    def answered(self, kind: str, status: int, seconds: float) -> None:
        self.requests += 1
        self.latencies[kind].add(seconds)
        self.answers[f"{kind} {status}"] += 1

    def moved(self, before: str, after: str) -> None:
        if before != after:
            self.states[before] -= 1
            self.states[after] += 1

    def delayed(self, seconds: float) -> None:
        """A device spoke this much later than it wanted to: no connection was free, or this process is overloaded."""
        self.longest_delay_seconds = max(self.longest_delay_seconds, seconds)
