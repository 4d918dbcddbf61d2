"""What is wrong with a description, and where? All of it is said at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from fairlead.base.errors import Kind, Refusal

MOST_PROBLEMS = 100


@dataclass(frozen=True, slots=True)
class Problem:
    """`place` is the way to it, like `inputs.children[2].format`."""

    place: str
    text: str

    def __str__(self) -> str:
        return f"{self.place} {self.text}" if self.place else self.text


class BadDescription(Refusal):
    """The description cannot be used; `problems` says why, `str()` says it in lines."""

    kind = Kind.INVALID
    message = "{description}"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(description="\n".join(str(each) for each in self.problems), problems=self.problems)


def bad(text: str) -> BadDescription:
    """The whole of it is wrong."""
    return BadDescription([Problem("", text)])


@dataclass(slots=True)
class Report:
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def problem(self, place: str, text: str) -> None:
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(place, text))

    def warn(self, place: str, text: str) -> None:
        if len(self.warnings) < MOST_PROBLEMS:
            self.warnings.append(Problem(place, text))


def below(place: str, key: str | int) -> str:
    """The place of one thing in another."""
    if isinstance(key, int):
        return f"{place}[{key}]"
    key = key if len(key) <= 60 else f"{key[:60]}…"
    return f"{place}.{key}" if place else key


def quoted(value: object) -> str:
    """What somebody wrote, short enough for a sentence."""
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:60]}…"
