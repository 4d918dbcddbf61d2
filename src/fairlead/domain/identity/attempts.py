"""How often may somebody try?

Failures are counted in the database, so that all processes count together, under digests: what people type for their
e-mail by mistake may be their password. What belongs to no account is counted like what does.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.domain.identity import personal_store as store


class TooManyAttempts(Refusal):
    kind = Kind.LIMIT
    message = "too many failed attempts: please try again in {retry_after} seconds"


@dataclass(frozen=True, slots=True)
class Counter:
    """Counts something up to `most` within `window`, which begins with the first."""

    what: str
    most: int
    window: timedelta

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.what.encode()).hexdigest()


LONGEST_WINDOW = timedelta(hours=1)


def logins_from(email: str, address: str) -> Counter:
    """Against somebody who tries many passwords."""
    return Counter(f"login\0{email.lower()}\0{address}", 10, timedelta(minutes=5))


def logins_as(email: str) -> Counter:
    """Against somebody who does so from many addresses. Not so few that a stranger could easily keep a person out."""
    return Counter(f"login\0{email.lower()}", 50, timedelta(minutes=5))


def verifications_by(user_id: str) -> Counter:
    return Counter(f"second factor\0{user_id}", 10, timedelta(minutes=5))


def resets_of(email: str) -> Counter:
    return Counter(f"password reset\0{email.lower()}", 3, LONGEST_WINDOW)


def make_sure_more_are_allowed(tx: Tx, counters: Sequence[Counter]) -> None:
    """Refuse with `TooManyAttempts` when one of them is used up."""
    for counter in counters:
        failures, since = store.find_failures(tx, counter.digest)
        if failures >= counter.most:
            _make_sure_is_over(since + counter.window)


def _make_sure_is_over(moment: datetime) -> None:
    seconds = (moment - clock.now()).total_seconds()
    if seconds > 0:
        raise TooManyAttempts(retry_after=math.ceil(seconds))


def note(tx: Tx, counters: Sequence[Counter]) -> bool:
    """Count one more in each. Whether that was still allowed: others may have been counted since we looked."""
    now = clock.now()
    counts = [store.count_failure(tx, counter.digest, now, now - counter.window) for counter in counters]
    return all(count <= counter.most for count, counter in zip(counts, counters, strict=True))


def forget(tx: Tx, counter: Counter) -> None:
    store.forget_failures(tx, counter.digest)


def forget_old_attempts(tx: Tx) -> None:
    """Across tenants: what is too old to be counted, and secrets of password resets that are good no more."""
    store.forget_failures_before(tx, clock.now() - LONGEST_WINDOW)
    store.remove_expired_resets(tx)
