"""How many instances, and how many of them are spot instances?"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Range:
    min: int = 0
    max: int = 0


@dataclass(frozen=True, slots=True)
class Counts:
    """A layer begins with the fewest, and never has more than the most."""

    on_demand: Range = Range()
    spot: Range = Range()

    @property
    def fewest(self) -> int:
        return self.on_demand.min + self.spot.min

    @property
    def most(self) -> int:
        return self.on_demand.max + self.spot.max


@dataclass(frozen=True, slots=True)
class SpotShare:
    """In percent of all; or, as older templates say it, a range of their own that comes on top."""

    percent: int | None = None
    besides: Range = Range()

    @property
    def is_none(self) -> bool:
        return not self.percent and self.besides == Range()


def shared_out(least: int, most: int, spot: SpotShare) -> Counts:
    """From so many to so many, of which a share is spot instances.

    Halves are rounded up in favour of spot, and the rest is on-demand: 3 at 50 % are two and one.
    """
    if spot.percent is None:
        return Counts(Range(least, most), spot.besides)
    cheap = Range(_share(spot.percent, least), _share(spot.percent, most))
    return Counts(Range(least - cheap.min, most - cheap.max), cheap)


def _share(percent: int, of: int) -> int:
    return (percent * of + 50) // 100
