"""Is this text JSON that we are willing to look at, and where is it not?

Stricter than JSON: no name twice in an object (whoever reads it next may take the other one), no numbers that others
would round, no characters that cannot be stored. And less strict in one thing: a comma may stand before a closing
bracket, because one stands there in the published example of a comparison.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from .limits import Limits
from .problems import BadTemplate, EmptyTemplate, Place, Problem, Report, quoted

_TOKEN = re.compile(
    r"""
    "(?:[^"\\]++|\\.)*+"?        # a text, closed or not: commas in it are none of ours
    | [\[{,:]\s*+,               # a comma after nothing, which stays an error
    | (?P<comma>,)(?=\s*+[\]}])
    """,
    re.VERBOSE | re.DOTALL,
)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_MOST_DIGITS = 18
_LONGEST_NAME = 255
"""Names are in pointers, and pointers are in answers."""


@dataclass(frozen=True, slots=True)
class _Unreadable:
    """Stands for a number that is none of ours, until we know where it is."""

    reason: str


class _Object(dict[str, Any]):
    """An object that has some names more than once."""

    twice: tuple[str, ...] = ()


def document(text: bytes | str, limits: Limits | None = None) -> Any:
    """The value in a JSON text; `BadTemplate` says what is wrong with it, `EmptyTemplate` that there is nothing."""
    limits = limits or Limits()
    if len(text) > limits.size_bytes:
        raise _bad(f"A template may have at most {limits.size_bytes} bytes.")
    value = _parsed(_decoded(text))
    report = Report()
    _walk(value, Place(report), limits)
    if report.problems:
        raise BadTemplate(report.all_problems())
    return value


def _decoded(text: bytes | str) -> str:
    if isinstance(text, bytes):
        try:
            text = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise _bad(f"The template is not UTF-8, at byte {error.start}.") from None
    if not text.strip():
        raise EmptyTemplate([Problem("", "The template is empty.")])
    return text


def _parsed(text: str) -> Any:
    try:
        return _loads(text)
    except json.JSONDecodeError as error:
        reason = f"{error.msg} (line {error.lineno}, column {error.colno})"
    except RecursionError:
        raise _bad("The template is nested too deeply.") from None
    try:
        return _loads(_without_last_commas(text))
    except ValueError:
        raise _bad(f"The template is not JSON: {reason}.") from None
    except RecursionError:
        raise _bad("The template is nested too deeply.") from None


def _loads(text: str) -> Any:
    return json.loads(
        text, object_pairs_hook=_object, parse_int=_integer, parse_float=_float, parse_constant=_no_number
    )


def _without_last_commas(text: str) -> str:
    return _TOKEN.sub(lambda found: " " if found["comma"] else found[0], text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    plain = dict(pairs)
    if len(plain) == len(pairs):
        return plain
    seen: set[str] = set()
    odd = _Object(plain)
    odd.twice = tuple(dict.fromkeys(name for name, _ in pairs if name in seen or seen.add(name)))  # type: ignore[func-returns-value]
    return odd


def _integer(digits: str) -> int | _Unreadable:
    return int(digits) if len(digits.removeprefix("-")) <= _MOST_DIGITS else _Unreadable("has too many digits")


def _float(digits: str) -> float | _Unreadable:
    number = float(digits)
    return number if abs(number) < float("inf") else _Unreadable("is too large a number")


def _no_number(name: str) -> _Unreadable:
    return _Unreadable(f"is {name}, which is no JSON")


def _walk(top: Any, at: Place, limits: Limits) -> None:
    waiting = [(top, at, 1)]
    values = 1
    while waiting:
        value, at, depth = waiting.pop()
        if isinstance(value, dict | list):
            values += len(value)
            if values > limits.values:
                raise _bad(f"A template may have at most {limits.values} values.")
            if depth > limits.depth:
                at.problem(f"is nested more than {limits.depth} levels deep")
                continue
        if isinstance(value, dict):
            for name in getattr(value, "twice", ()):
                (at / name[:_LONGEST_NAME]).problem("stands there more than once")
            _look_at_names(value, at)
            short = ((name, below) for name, below in reversed(value.items()) if len(name) <= _LONGEST_NAME)
            waiting.extend((below, at / name, depth + 1) for name, below in short)
        elif isinstance(value, list):
            waiting.extend((below, at / index, depth + 1) for index, below in reversed(list(enumerate(value))))
        elif isinstance(value, str):
            _look_at_text(value, at)
        elif isinstance(value, _Unreadable):
            at.problem(value.reason)


def _look_at_names(names: Iterable[str], at: Place) -> None:
    for name in names:
        if len(name) > _LONGEST_NAME:
            at.problem(f"has a name of more than {_LONGEST_NAME} characters: {quoted(name)}")
        else:
            _look_at_text(name, at / name)


def _look_at_text(text: str, at: Place) -> None:
    found = _UNSTORABLE.search(text)
    if found:
        at.problem(f"has a character in it that is none: {quoted(found[0])}")


def _bad(text: str) -> BadTemplate:
    return BadTemplate([Problem("", text)])
