"""How do two values compare, as descriptions expect it that were written for Python 2?

Nothing (`None`) is less than anything, a number is less than any text, and nothing of this is an error.
"""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from .marks import plain


def as_typed(value: Any) -> Any:
    """Without the marks of users' characters, so that it equals what anybody wrote."""
    if isinstance(value, str):
        return plain(value)
    if isinstance(value, list | tuple):
        return [as_typed(each) for each in value]
    return value


def equal(one: Any, other: Any) -> bool:
    return bool(as_typed(one) == as_typed(other))


def less(one: Any, other: Any) -> bool:
    one, other = as_typed(one), as_typed(other)
    if _rank(one) != _rank(other):
        return _rank(one) < _rank(other)
    return one is not None and bool(one < other)


def contains(whole: Any, part: Any) -> bool:
    whole, part = as_typed(whole), as_typed(part)
    if isinstance(whole, str):
        return isinstance(part, str) and part in whole
    return isinstance(whole, Container) and part in whole


def _rank(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, int | float):
        return 1
    return 3 if isinstance(value, str) else 2
