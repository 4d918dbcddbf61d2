"""Is a name among these, of which some have wildcards in them?"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WILDCARD = "*"


@dataclass(frozen=True, slots=True)
class Names:
    """Names in full, and what stands between the wildcards of the others: `a*b` is `("a", "b")`.

    Matching is plain searching, so that no wildcards, however many, make it take long.
    """

    in_full: frozenset[str] = frozenset()
    between: frozenset[tuple[str, ...]] = frozenset()

    def match(self, name: str) -> bool:
        return name in self.in_full or any(_fits(parts, name) for parts in self.between)


NO_NAMES = Names()


def names(patterns: Iterable[str]) -> Names:
    patterns = frozenset(patterns)
    wild = frozenset(pattern for pattern in patterns if WILDCARD in pattern)
    return Names(patterns - wild, frozenset(tuple(pattern.split(WILDCARD)) for pattern in wild))


def _fits(parts: tuple[str, ...], name: str) -> bool:
    """Do the parts stand in the name in this order, the first at its beginning and the last at its end?"""
    first, *middle, last = parts
    at, end = len(first), len(name) - len(last)
    if at > end or not name.startswith(first) or not name.endswith(last):
        return False
    for part in middle:
        found = name.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True
