"""What time is it? Asked in one place, so that a test can answer."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    """The current moment, in UTC, to the microsecond."""
    return datetime.now(UTC)


def rfc3339(moment: datetime) -> str:
    """The moment as Mender's clients read it: `2021-01-20T10:00:00.123456Z`."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
