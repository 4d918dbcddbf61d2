"""Is this value a text, a number, an object of this shape? What a rule reads, it returns in one form.

A rule says at its place what is wrong, and returns `WRONG` instead of a value. Scalars are taken as either JSON or
CloudFormation write them: 80 and "80", true and "true". A null is as good as nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from ipaddress import IPv4Network
from typing import Any

from .problems import WRONG, Place, quoted
from .spelling import snake

Rule = Callable[[Any, Place], Any]

_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_BOOLEANS = {"true": True, "false": False}


def text(longest: int = 255, *, shortest: int = 0, matching: str = "", like: str = "", lines: bool = False) -> Rule:
    """A text; `like` says in words what it must match. Only some may have several `lines`."""
    pattern = re.compile(matching) if matching else None

    def rule(value: Any, at: Place) -> Any:
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = str(value)
        if not isinstance(value, str):
            return at.problem("must be a text")
        if pattern is not None and not pattern.fullmatch(value):
            return at.problem(f"must be {like}, and is {quoted(value)}")
        if not shortest <= len(value) <= longest:
            return at.problem(f"must have {shortest} to {longest} characters, and has {len(value)}")
        if not lines and _CONTROL.search(value):
            return at.problem("must be one line")
        return value

    return rule


def integer(least: int, most: int) -> Rule:
    def rule(value: Any, at: Place) -> Any:
        number = _number(value)
        if number is None:
            return at.problem("must be a whole number")
        if not least <= number <= most:
            return at.problem(f"must be {least} to {most}, and is {number}")
        return number

    return rule


def _number(value: Any) -> int | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) else None


def boolean(value: Any, at: Place) -> Any:
    if isinstance(value, str):
        value = _BOOLEANS.get(value.strip().lower())
    return value if isinstance(value, bool) else at.problem("must be true or false")


def choice(*options: str) -> Rule:
    """One of these, in whatever case; returned as it stands here."""
    known = {option.lower(): option for option in options}

    def rule(value: Any, at: Place) -> Any:
        found = known.get(value.strip().lower()) if isinstance(value, str) else None
        if found is None:
            said = f", and is {quoted(value)}" if isinstance(value, str) else ""
            return at.problem(f"must be one of {', '.join(options)}{said}")
        return found

    return rule


def network(value: Any, at: Place) -> Any:
    """An IPv4 network like 10.0.0.0/24, returned without bits of a host in it."""
    if isinstance(value, str) and "/" in value:
        try:
            return str(IPv4Network(value.strip(), strict=False))
        except ValueError:
            pass
    return at.problem("must be a network like 10.0.0.0/24")


def many(rule: Rule, least: int = 0, most: int = 1000) -> Rule:
    """A list, returned as a tuple; `WRONG` as a whole if any of it is."""

    def read(value: Any, at: Place) -> Any:
        if not isinstance(value, list):
            return at.problem("must be a list")
        if not least <= len(value) <= most:
            return at.problem(f"must have {least} to {most} entries, and has {len(value)}")
        entries = tuple(each if each is WRONG else rule(each, at / index) for index, each in enumerate(value))
        return WRONG if WRONG in entries else entries

    return read


def as_it_is(value: Any, _: Place) -> Any:
    """Known, and none of our business."""
    return value


@dataclass(slots=True)
class Said:
    """What an object says, under our names for its keys. `at(name)` is the place where it says it."""

    place: Place
    values: dict[str, Any] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def get(self, name: str, otherwise: Any = None) -> Any:
        """`WRONG` where something wrong is said."""
        return self.values.get(name, otherwise)

    def number(self, name: str, otherwise: int | None = None) -> int | None:
        """The number that is said; `None` if something wrong is."""
        value = self.values.get(name, otherwise)
        return value if isinstance(value, int) else None

    def at(self, name: str) -> Place:
        return self.place / self.keys.get(name, name)

    @property
    def is_wrong(self) -> bool:
        return WRONG in self.values.values()


def as_said(said: Said) -> Said:
    """For `record`, where more must be known than the object itself before anything is made of it."""
    return said


@dataclass(frozen=True, slots=True)
class Field:
    """A key of an object, and the other names that it has had."""

    rule: Rule
    required: bool = False
    spellings: tuple[str, ...] = ()


def record(fields: Mapping[str, Field], build: Callable[[Said], Any], *, noun: str = "") -> Rule:
    """An object with these fields; `build` gets what it says, even when some of that is `WRONG`.

    Keys that we do not know are kept in the document and warned of: templates of years before and after us have some,
    and no server before us refused them. Yet who has mistyped one wants to know.
    """
    names = {spelling: name for name, one in fields.items() for spelling in (name, *one.spellings)}

    def rule(value: Any, at: Place) -> Any:
        if value == []:  # how PHP writes an object with nothing in it
            value = {}
        if not isinstance(value, dict):
            return at.problem(f"must be {noun or 'an object'}")
        said = Said(at)
        for key, given in value.items():
            name = names.get(key) or names.get(snake(key))
            if name is None:
                _warn_of_unknown(key, at, names)
            elif given is not None:
                _take(said, name, key, given if given is WRONG else fields[name].rule(given, at / key))
        for name, one in fields.items():
            if one.required and name not in said:
                said.values[name] = (at / name).problem("is missing")
        return build(said)

    return rule


def _take(said: Said, name: str, key: str, value: Any) -> None:
    before = said.get(name)
    if name in said and WRONG not in (before, value) and before != value:
        (said.place / key).problem(f"says something else than {quoted(said.keys[name])}, which means the same key")
    said.values.setdefault(name, value)
    said.keys.setdefault(name, key)


def _warn_of_unknown(key: str, at: Place, names: Iterable[str]) -> None:
    if len(at.report.warnings) < 20 and len(key) < 40:  # likeness takes its time
        alike = get_close_matches(snake(key), names, n=1, cutoff=0.8)
        hint = f": did you mean {alike[0]!r}?" if alike else ""
    else:
        hint = ""
    (at / key).warn(f"is not known, and does nothing{hint}")
