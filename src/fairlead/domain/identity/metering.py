"""Has somebody called too often? The limits are an organization's; what is counted is each caller, as Mender does.

Counts are in the database, so that all processes count together. It costs a write per call, which all calls of one
moment share (see `Grouped`); callers without limits are not counted, and cost nothing. Whoever has used up what they
may is refused from memory until the interval is over.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fairlead.base import clock
from fairlead.base.database import Database, Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.domain.identity import metering_store as store
from fairlead.domain.identity.api_limits import ApiLimits

MOST_REMEMBERED = 200_000

_COUNTING = "counting of calls"


class TooManyCalls(Refusal):
    kind = Kind.LIMIT
    message = "too many requests: {limit}; try again in {retry_after} seconds"


@dataclass(frozen=True, slots=True)
class CountedCall:
    """A call of somebody who has limits; the caller's name is nobody else's in any organization."""

    caller: str
    limits: ApiLimits
    method: str
    path: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """At most so many calls until `ends_at`, if no interval is running; its calls are counted under the digest."""

    digest: str
    most: int
    ends_at: datetime
    words: str

    def refusal(self, until: datetime, now: datetime) -> TooManyCalls:
        wait = (until - now).total_seconds()
        return TooManyCalls(limit=self.words, retry_after=max(1, math.ceil(wait)))


class Meters:
    """Counts calls in groups, for one group of them at a time."""

    def __init__(
        self, database: Database, now: Callable[[], datetime] = clock.now, most: int = MOST_REMEMBERED
    ) -> None:
        self._database = database
        self._now = now
        self._most = most
        self._used_up: OrderedDict[tuple[str, int], datetime] = OrderedDict()

    def count(self, calls: Sequence[CountedCall]) -> list[TooManyCalls | None]:
        """Count each call, or say how it is refused: then it is not counted."""
        now = self._now()
        rules = [_rules_for(call, now) for call in calls]
        told = [self._remembered(each, now) for each in rules]
        if None not in told:
            return told
        asked = [each for each, refusal in zip(rules, told, strict=True) if refusal is None]
        with self._database.across_tenants("how often did they call, in any process?") as tx:
            answers, counts = _count(tx, asked, now)
        self._remember(asked, counts)
        waiting = iter(answers)
        return [next(waiting) if refusal is None else refusal for refusal in told]

    def _remembered(self, rules: list[_Rule], now: datetime) -> TooManyCalls | None:
        for rule in rules:
            until = self._used_up.get((rule.digest, rule.most))
            if until is not None and until > now:
                return rule.refusal(until, now)
        return None

    def _remember(self, calls: list[list[_Rule]], counts: dict[str, store.Count]) -> None:
        """Which of their rules allow no more, and until when."""
        for rule in (rule for rules in calls for rule in rules):
            count = counts.get(rule.digest)
            if count is None or count.calls < rule.most:
                continue
            if len(self._used_up) >= self._most:
                self._used_up.popitem(last=False)
            key = (rule.digest, rule.most)
            self._used_up[key] = count.ends_at
            self._used_up.move_to_end(key)


def _count(tx: Tx, calls: list[list[_Rule]], now: datetime) -> tuple[list[TooManyCalls | None], dict[str, store.Count]]:
    """An answer for each call, in their order, and what is counted after them by digest."""
    tx.one_at_a_time(_COUNTING)
    found = store.find_counts(tx, {rule.digest for rules in calls for rule in rules})
    counts = {digest: count for digest, count in found.items() if count.ends_at > now}
    answers = [_decide(counts, rules, now) for rules in calls]
    store.write_counts(tx, {digest: count for digest, count in counts.items() if found.get(digest) != count}, found)
    return answers, counts


def _decide(counts: dict[str, store.Count], rules: list[_Rule], now: datetime) -> TooManyCalls | None:
    """Count the call under all of its rules, unless one of them refuses it."""
    for rule in rules:
        count = counts.get(rule.digest)
        if count is not None and count.calls >= rule.most:
            return rule.refusal(count.ends_at, now)
    for rule in rules:
        count = counts.get(rule.digest, store.Count(0, rule.ends_at))
        counts[rule.digest] = store.Count(count.calls + 1, count.ends_at)
    return None


def _rules_for(call: CountedCall, now: datetime) -> list[_Rule]:
    """Those that the limits have for this call: one for each pace, which allows one call, and one for the quota."""
    operation = f"{call.method} {call.path}"
    rules = [
        _Rule(
            _digest(call.caller, operation, pace.min_interval_sec),
            1,
            now + timedelta(seconds=pace.min_interval_sec),
            f"one {operation} in {pace.min_interval_sec} seconds is allowed",
        )
        for pace in call.limits.paces(call.method, call.path)
    ]
    quota = call.limits.quota
    if quota.max_calls:
        ends_at = (now.timestamp() // quota.interval_sec + 1) * quota.interval_sec
        words = f"{quota.max_calls} calls in {quota.interval_sec} seconds are allowed"
        digest = _digest(call.caller, "", quota.interval_sec)
        rules.append(_Rule(digest, quota.max_calls, datetime.fromtimestamp(ends_at, UTC), words))
    return rules


def _digest(caller: str, operation: str, interval_sec: int) -> str:
    """What a count is found by. Limits with another interval are counted anew."""
    return hashlib.blake2b(f"{caller}\0{operation}\0{interval_sec}".encode(), digest_size=16).hexdigest()


def forget_old_counts(tx: Tx) -> None:
    """Across tenants: those whose interval is over."""
    tx.one_at_a_time(_COUNTING)
    store.remove_counts_before(tx, clock.now())
