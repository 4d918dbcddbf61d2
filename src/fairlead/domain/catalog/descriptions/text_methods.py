"""What may expressions do with a text? Each method minds the marks of users' characters (`marks.py`).

They compare what was typed, and what they put in the place of something of a user's is the user's as well: no
description can break a user's text into several words by accident.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from .marks import has_marks, is_marked, marked, plain


class Pieces(list[str]):
    """What a text that holds something of a user's was split into."""


def _lower(text: str) -> str:
    return _each(text, str.lower)


def _upper(text: str) -> str:
    return _each(text, str.upper)


def _each(text: str, change: Callable[[str], str]) -> str:
    return "".join(marked(change(plain(each))) if is_marked(each) else change(each) for each in text)


def _strip(text: str, characters: str | None = None) -> str:
    return _lstrip(_rstrip(text, characters), characters)


def _lstrip(text: str, characters: str | None = None) -> str:
    return text[len(text) - len(plain(text).lstrip(_plain_or_none(characters))) :]


def _rstrip(text: str, characters: str | None = None) -> str:
    return text[: len(plain(text).rstrip(_plain_or_none(characters)))]


def _plain_or_none(text: str | None) -> str | None:
    return None if text is None else plain(text)


def _split(text: str, separator: str | None = None, most: int = -1) -> list[str]:
    bounds = _bounds(plain(text), _plain_or_none(separator), most)
    pieces = [text[start:end] for start, end in bounds]
    return Pieces(pieces) if has_marks(text) else pieces


def _bounds(text: str, separator: str | None, most: int) -> list[tuple[int, int]]:
    bounds, at = [], 0
    for piece in text.split(separator, most):
        start = text.index(piece, at)
        at = start + len(piece) + len(separator or "")
        bounds.append((start, start + len(piece)))
    return bounds


def _splitlines(text: str) -> list[str]:
    return _split(text, "\n") if text else []


def _replace(text: str, old: str, new: str, most: int = -1) -> str:
    sought, typed = re.escape(plain(old)), plain(text)
    if not old or most == 0:
        return text
    made, at = [], 0
    for found in list(re.finditer(sought, typed))[: None if most < 0 else most]:
        made.append(text[at : found.start()])
        made.append(marked(plain(new)) if has_marks(text[found.start() : found.end()]) else new)
        at = found.end()
    return "".join(made) + text[at:]


def _join(separator: str, items: Any) -> str:
    """Several values are several words where the separator says so; pieces of one value stay one word.

    Several values are a text already, of which the blanks between them are not a user's.
    """
    if isinstance(items, str):
        items = items.split(" ")
    return (marked(plain(separator)) if isinstance(items, Pieces) else separator).join(items)


def _startswith(text: str, start: str | tuple[str, ...]) -> bool:
    return plain(text).startswith(start if isinstance(start, tuple) else plain(start))


def _endswith(text: str, end: str | tuple[str, ...]) -> bool:
    return plain(text).endswith(end if isinstance(end, tuple) else plain(end))


def _find(text: str, sought: str) -> int:
    return plain(text).find(plain(sought))


def _rfind(text: str, sought: str) -> int:
    return plain(text).rfind(plain(sought))


def _count(text: str, sought: str) -> int:
    return plain(text).count(plain(sought))


def _is(test: Callable[[str], bool]) -> Callable[[str], bool]:
    return lambda text: test(plain(text))


METHODS: Mapping[str, Callable[..., Any]] = {
    "lower": _lower,
    "upper": _upper,
    "strip": _strip,
    "lstrip": _lstrip,
    "rstrip": _rstrip,
    "split": _split,
    "splitlines": _splitlines,
    "replace": _replace,
    "join": _join,
    "startswith": _startswith,
    "endswith": _endswith,
    "find": _find,
    "rfind": _rfind,
    "count": _count,
    "isdigit": _is(str.isdigit),
    "isalpha": _is(str.isalpha),
    "isalnum": _is(str.isalnum),
    "isspace": _is(str.isspace),
    "isupper": _is(str.isupper),
    "islower": _is(str.islower),
}
