"""Which devices have an attribute that looks like this?

Patterns are RE2's, which take time linear to the text whatever they say, and they are matched here and not in the
database: each engine has expressions of its own kind, and those can be made to take for ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import Moment, Tx, is_there, json_at
from fairlead.base.errors import Refusal
from fairlead.domain.devices.inventory import WITH_STATUS
from fairlead.domain.devices.places import own_column, place_of
from fairlead.domain.devices.tables import inventories

LONGEST_PATTERN = 1000
_MEMORY_BYTES = 1024 * 1024
_ROWS_AT_ONCE = 100
_WITH_FLAGS = re.compile(r"/(.*)/([imsug]*)", re.DOTALL)


class BadPattern(Refusal):
    message = "$regex: {reason}"


def make_sure_pattern_is_good(text: str) -> None:
    """Refuse what RE2 cannot read, or what would be too large for it."""
    if len(text) > LONGEST_PATTERN:
        raise BadPattern(reason=f"longer than {LONGEST_PATTERN} characters")
    _compiled(text)


@lru_cache(maxsize=256)
def _compiled(text: str) -> Any:
    """`/pattern/flags` has flags, anything else is all pattern. `u` and `g` change nothing here."""
    import re2  # takes long to load

    with_flags = _WITH_FLAGS.fullmatch(text)
    pattern, flags = with_flags.groups() if with_flags else (text, "")
    options = re2.Options()
    options.max_mem = _MEMORY_BYTES
    options.log_errors = False
    options.case_sensitive = "i" not in flags
    options.dot_nl = "s" in flags
    try:
        return re2.compile(f"(?m){pattern}" if "m" in flags else pattern, options)
    except re2.error as problem:
        said = problem.args[0]
        reason = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
        raise BadPattern(reason=f"{reason} (patterns are those of RE2: no look-around, no back-references)") from None


def matches(text: str, value: Any) -> bool:
    """Does the value, or one element of it, begin with something that looks like the pattern? Only texts do."""
    pattern = _compiled(text)
    return any(pattern.match(each) is not None for each in _texts(value))


def _texts(value: Any) -> Iterable[str]:
    return (each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str))


Wanted = tuple[str, str, str]
"""Scope, name and pattern."""


def ids_of_matching(tx: Tx, wanted: Sequence[Wanted], conditions: Sequence[sa.ColumnElement[bool]]) -> list[str]:
    """Of the devices that fulfil the conditions, the ids of those with all these attributes looking like that."""
    values, there = zip(*(_value(scope, name) for scope, name, _ in wanted), strict=True)
    found = sa.select(inventories.c.device_id, *(each.label(f"value_{n}") for n, each in enumerate(values)))
    found = found.select_from(WITH_STATUS).where(*conditions, *there).execution_options(yield_per=_ROWS_AT_ONCE)
    patterns = [pattern for _, _, pattern in wanted]
    return [
        row[0]
        for row in tx.run(found)
        if all(matches(pattern, _read(value)) for pattern, value in zip(patterns, tuple(row)[1:], strict=True))
    ]


def _value(scope: str, name: str) -> tuple[sa.ColumnElement[Any], sa.ColumnElement[bool]]:
    column = own_column(scope, name)
    if column is None:
        document, key = place_of(scope, name)
        return json_at(document, key, "v"), is_there(document, key, "v")
    if isinstance(column.type, Moment):
        return column, column.is_not(None)
    return sa.type_coerce(column, _Plain), column.is_not(None)


class _Plain(sa.types.TypeDecorator[str]):
    """A text column read as JSON text, so that every value is read in the same way."""

    impl = sa.Text
    cache_ok = True

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else msgspec.json.encode(value).decode()


def _read(value: Any) -> Any:
    if isinstance(value, datetime):
        return clock.rfc3339(value)
    return None if value is None else msgspec.json.decode(value)
