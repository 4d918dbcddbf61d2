"""What do we want to reach on one core with 100,000 devices (docs: DESIGN), and did this run?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fairlead.cli.bench.rows import Figure

AIMED_AT_DEVICES = 100_000


@dataclass(frozen=True, slots=True)
class Aim:
    """A bound for a row: at least so much, or at most. `of_floor` bounds the share of the floor instead."""

    row: str
    bound: float
    unit: str
    at_most: bool = False
    of_floor: bool = False


AIMS = (
    Aim("next", 0.65, "of the floor", of_floor=True),
    Aim("inventory", 10_000, "/s"),
    Aim("auth-ed25519", 2_500, "/s"),
    Aim("auth-rsa", 2_500, "/s"),
    Aim("deployment", 1.0, "s", at_most=True),
    Aim("deployment-all", 1.0, "s", at_most=True),
    Aim("memory", 400, "MB", at_most=True),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How an aim and a figure stand to each other. `margin` is the share by which it was met, or missed below zero."""

    aim: Aim
    value: float
    figure: Figure

    @property
    def margin(self) -> float:
        ratio = self.value / self.aim.bound
        return 1 - ratio if self.aim.at_most else ratio - 1

    @property
    def is_met(self) -> bool:
        return self.margin >= 0


def judge(figures: Sequence[Figure]) -> Iterator[Verdict]:
    """A verdict for each aim whose row was measured."""
    for aim in AIMS:
        for figure in (each for each in figures if each.row == aim.row):
            value = figure.of_floor if aim.of_floor else figure.value
            if value is not None:
                yield Verdict(aim, value, figure)
