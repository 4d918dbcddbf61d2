"""What is wrong with a template, and where? All of it is said at once."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from fairlead.base.errors import Kind, Refusal

MOST_PROBLEMS = 100
"""So many are listed. Whoever wrote a template with more of them reads no further."""


class Wrong(enum.Enum):
    """Stands where a value was that is wrong, which was said already: nobody needs to complain of it again."""

    WRONG = "wrong"


WRONG = Wrong.WRONG


@dataclass(frozen=True, slots=True)
class Problem:
    """`pointer` is a JSON pointer (RFC 6901) into the text as it was written."""

    pointer: str
    text: str

    def __str__(self) -> str:
        return f"{self.pointer}: {self.text}" if self.pointer else self.text


class BadTemplate(Refusal):
    """The template cannot be used; `problems` says why, `str()` says it in lines.

    Where one of the three things is wrong that Mobingi's own server looks at, its sentence is the first line,
    bare, as that server says it.
    """

    kind = Kind.INVALID
    message = "{description}"

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__(description="\n".join(_lines(self.problems)), problems=self.problems)


class EmptyTemplate(BadTemplate):
    """There is no text at all."""


VERSION_IS_NOT_SUPPORTED = "Alm template version is not supported, current supported version is '2017-03-03'."
VENDOR_IS_NOT_SUPPORTED = "This cloud vendor is not supported, please check your template's 'vendor' section."
CONFIGURATIONS_ARE_MISSING = "Missing 'configurations' section in your alm template."
_WORD_FOR_WORD = (VERSION_IS_NOT_SUPPORTED, VENDOR_IS_NOT_SUPPORTED, CONFIGURATIONS_ARE_MISSING)


def _lines(problems: tuple[Problem, ...]) -> Iterator[str]:
    known = [problem for problem in problems if problem.text in _WORD_FOR_WORD]
    first = min(known, key=lambda problem: _WORD_FOR_WORD.index(problem.text), default=None)
    if first is not None:
        yield first.text
    yield from (str(problem) for problem in problems if problem is not first)


@dataclass(slots=True)
class Report:
    """Collects what is wrong, and what is only odd (`warnings`)."""

    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    unlisted: int = 0
    expressions: set[str] = field(default_factory=set)
    """Where the text has an expression. What is wrong below one of these stands elsewhere in the text."""

    def problem(self, pointer: str, text: str) -> None:
        pointer, below = self._as_written(pointer)
        problem = Problem(pointer, f"{text} (in what it refers to, at {below})" if below else text)
        if len(self.problems) >= MOST_PROBLEMS:
            self.unlisted += 1
        elif problem not in self.problems:
            self.problems.append(problem)

    def warn(self, pointer: str, text: str) -> None:
        pointer, below = self._as_written(pointer)
        if not below and len(self.warnings) < MOST_PROBLEMS:
            self.warnings.append(Problem(pointer, text))

    def all_problems(self) -> list[Problem]:
        rest = [Problem("", f"There are {self.unlisted} more problems like these.")] if self.unlisted else []
        return self.problems + rest

    def _as_written(self, pointer: str) -> tuple[str, str]:
        if not self.expressions:
            return pointer, ""
        end = pointer.find("/", 1)
        while end != -1:
            if pointer[:end] in self.expressions:
                return pointer[:end], pointer[end:]
            end = pointer.find("/", end + 1)
        return pointer, ""


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the text; `place / "key"` is one below it."""

    report: Report
    parent: Place | None = None
    key: str | int = ""

    def __truediv__(self, key: str | int) -> Place:
        return Place(self.report, self, key)

    @property
    def keys(self) -> tuple[str | int, ...]:
        """The way from the top to here."""
        way: list[str | int] = []
        place = self
        while place.parent is not None:
            way.append(place.key)
            place = place.parent
        return tuple(reversed(way))

    @property
    def pointer(self) -> str:
        """What cannot be sent or stored is a question mark in it."""
        pointer = "".join(f"/{str(key).replace('~', '~0').replace('/', '~1')}" for key in self.keys)
        return pointer.replace("\0", "?").encode(errors="replace").decode()

    def problem(self, text: str) -> Wrong:
        self.report.problem(self.pointer, text)
        return WRONG

    def warn(self, text: str) -> None:
        self.report.warn(self.pointer, text)


def quoted(text: str) -> str:
    """What somebody wrote, short enough for a sentence."""
    return repr(text if len(text) <= 40 else f"{text[:40]}…")
