"""How often may an organization's people and devices call?

The shape is the reference's TenantApiLimits; who enforces it reads it from `Tenant.api_limits`.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

MOST_BURSTS = 100
LARGEST_NUMBER = 1_000_000_000

Count = Annotated[int, msgspec.Meta(ge=0, le=LARGEST_NUMBER)]
Verb = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


class Quota(msgspec.Struct, frozen=True):
    """So many calls within so many seconds; 0 calls: any number."""

    max_calls: Count = 0
    interval_sec: Count = 0

    def __post_init__(self) -> None:
        if self.max_calls and not self.interval_sec:
            raise ValueError("a quota of max_calls needs an interval_sec")


class Burst(msgspec.Struct, frozen=True):
    """The least number of seconds between one call of this operation and the next by the same caller."""

    action: Verb
    uri: Annotated[str, msgspec.Meta(min_length=1, max_length=1024, pattern="^/")]
    min_interval_sec: Count = 0


class ApiLimits(msgspec.Struct, frozen=True):
    """What one API allows: a quota for everything, and a pace for some operations."""

    bursts: Annotated[tuple[Burst, ...], msgspec.Meta(max_length=MOST_BURSTS)] = ()
    quota: Quota = Quota()

    def paces(self, method: str, path: str) -> list[Burst]:
        """Those of this operation."""
        return [each for each in self.bursts if each.min_interval_sec and (each.action, each.uri) == (method, path)]

    def are_about(self, method: str, path: str) -> bool:
        return bool(self.quota.max_calls or self.paces(method, path))


UNLIMITED = ApiLimits()


class TenantApiLimits(msgspec.Struct, frozen=True):
    """What each person of an organization (`management`) and each of its devices may call. Nothing said: no limits."""

    management: ApiLimits = UNLIMITED
    devices: ApiLimits = UNLIMITED


NO_LIMITS = TenantApiLimits()


def read_limits(text: str) -> TenantApiLimits:
    """The limits from how they are stored."""
    return NO_LIMITS if text == "{}" else msgspec.json.decode(text, type=TenantApiLimits)


def written(limits: TenantApiLimits) -> str:
    """The limits as they are stored."""
    return "{}" if limits == NO_LIMITS else msgspec.json.encode(limits).decode()
