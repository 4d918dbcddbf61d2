"""What has changed between two documents? The answer has the shape of the PHP library that made Mobingi's.

Leaves are compared by their paths, which are the keys on the way joined by `/`. The library leaves two keys out of a
path: the first place of a list, so that `configurations/provision/image` is the first layer's and
`configurations/1/provision/image` the second's; and a key that is called `_id`. Where two leaves have the same path
the later one counts. Nulls, and lists and objects with nothing in them, are no leaves.

A number equals a text that writes it, as in PHP. Two texts are compared as they stand, though, and a text that is no
number equals none: PHP would take "1e3" for "1000" and 0 for "none", and hide that somebody changed it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_LEFT_OUT = "_id"
_NUMBER = re.compile(r"[ \t\n\r\v\f]*[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?[ \t\n\r\v\f]*")
_LONGEST_NUMBER = 64
_FALSE = ("", "0", "false")


@dataclass(frozen=True, slots=True)
class Edit:
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Comparison:
    """Paths with what stands there: only in the target, only in the source, and in both but different."""

    new: Mapping[str, Any]
    removed: Mapping[str, Any]
    edited: Mapping[str, Edit]

    def __bool__(self) -> bool:
        return bool(self.new or self.removed or self.edited)

    def as_document(self) -> dict[str, Any]:
        """As it is published: what is empty is a list, because it was an array of PHP's."""
        edited = {path: {"oldvalue": edit.old, "newvalue": edit.new} for path, edit in self.edited.items()}
        return {"new": dict(self.new) or [], "removed": dict(self.removed) or [], "edited": edited or []}


def compare(source: Any, target: Any) -> Comparison:
    """How the target differs from the source."""
    before, after = dict(_leaves(source, "")), dict(_leaves(target, ""))
    return Comparison(
        new={path: value for path, value in after.items() if path not in before},
        removed={path: value for path, value in before.items() if path not in after},
        edited={
            path: Edit(before[path], value)
            for path, value in after.items()
            if path in before and not _are_equal(before[path], value)
        },
    )


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, below in value.items():
            yield from _leaves(below, path if key == _LEFT_OUT else _joined(path, key))
    elif isinstance(value, list):
        for index, below in enumerate(value):
            yield from _leaves(below, _joined(path, str(index)) if index else path)
    elif value is not None and path:
        yield path, value


def _joined(path: str, key: str) -> str:
    return f"{path}/{key}" if path else key


def _are_equal(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return _truth(one) == _truth(other)
    if isinstance(one, str) == isinstance(other, str):
        return bool(one == other)
    return _number(one) == _number(other)


def _truth(value: Any) -> bool | str:
    """A text that is neither true nor false in anybody's eyes stays itself."""
    if not isinstance(value, str):
        return bool(value)
    if value.lower() in _FALSE:
        return False
    return True if value.lower() in ("true", "1") else value


def _number(value: Any) -> int | float | None:
    """The number; `None` for a text that writes none."""
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]
    if len(value) > _LONGEST_NUMBER or not _NUMBER.fullmatch(value):
        return None
    written = value.strip()
    return int(written) if written.lstrip("+-").isdigit() else float(written)
