"""What does `${…}` stand for in a definition?

`${workflow.input.NAME}` is an input, `${env.NAME}` a value that the operator lets workflows see, `${TASK.json.PATH}`
a field of the JSON that an earlier task was answered with: `a.b`, and `a.[0].b` or `a.0.b` for the first of a list.
`|default` follows for where there is none, or an empty one, and `encoding=url;` stands in front where the value
becomes part of an address (in a `uri` that goes without saying, see `filled_uri`). What is put in is never looked
through again, so nothing that comes from outside can ask for more.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec

from fairlead.domain.workflows.model import BadDefinition, Result

LARGEST_TEXTS = 4 * 1024 * 1024
"""So many characters may all texts of a task have together."""

_EXPRESSION = re.compile(r"\$\{([^{}]*)\}")
_ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "url": lambda text: quote(text, safe=""),
    "html": lambda text: html.escape(text, quote=True),
}
_NAME = r"[A-Za-z0-9_.-]+"
_REFERENCE = re.compile(
    rf"(?:encoding=(?P<encoding>\w+);)?"
    rf"(?:workflow\.input\.(?P<input>{_NAME})|env\.(?P<env>{_NAME})|(?P<task>[^.|;]+)\.json\.(?P<path>[^|]+))"
    rf"(?:\|(?P<default>.*))?",
    re.DOTALL,
)
_PLACE = re.compile(r"\[?([0-9]{1,9})\]?")


class TooLarge(Exception):
    """What was put together is larger than anything that a task may send."""


class Room:
    """How much may still be put together for a task: a short definition can ask for a large input many times."""

    def __init__(self, characters: int = LARGEST_TEXTS) -> None:
        self._left = characters

    def take(self, text: str) -> str:
        self._left -= len(text)
        if self._left < 0:
            raise TooLarge
        return text


@dataclass(frozen=True, slots=True)
class Values:
    """Where values come from while a task runs."""

    inputs: Mapping[str, str]
    environment: Mapping[str, str]
    results: Mapping[str, Result]
    room: Room = field(default_factory=Room)


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${…}`, taken apart. `kind` is input, env or task; `encoding` is "" where none is named."""

    kind: str
    name: str
    path: str
    default: str
    encoding: str

    @classmethod
    def read(cls, expression: str) -> Reference:
        found = _REFERENCE.fullmatch(expression)
        if found is None:
            raise BadDefinition(reason=f"cannot read the expression ${{{expression[:80]}}}")
        said = found.groupdict()
        encoding = said["encoding"] or ""
        if encoding and encoding not in _ENCODINGS:
            raise BadDefinition(reason=f"unknown encoding {encoding[:20]!r}: one of {', '.join(_ENCODINGS)}")
        kind = next(kind for kind in ("input", "env", "task") if said[kind] is not None)
        return cls(kind, said[kind], said["path"] or "", said["default"] or "", encoding)

    def value(self, values: Values, otherwise: str = "plain") -> str:
        """What it stands for; `otherwise` is the encoding where none is named. A default is taken as it stands."""
        if self.kind == "input":
            found: str | None = values.inputs.get(self.name)
        elif self.kind == "env":
            found = values.environment.get(self.name)
        else:
            found = _told(values.results.get(self.name), self.path)
        if not found:
            return self.default if not self.encoding else _ENCODINGS[self.encoding](self.default)
        return _ENCODINGS[self.encoding or otherwise](found)


def references(text: str) -> Iterator[Reference]:
    """Every `${…}` of the text; `BadDefinition` for one that cannot be read, or that is inside of another."""
    rest = _EXPRESSION.sub("\0", text)
    if "${" in rest:
        raise BadDefinition(reason=f"an expression is not closed, or one is inside of another: {rest[:80]!r}")
    for expression in _EXPRESSION.findall(text):
        yield Reference.read(expression)


def without_expressions(text: str, mark: str) -> str:
    """The text with a mark where the expressions are."""
    return _EXPRESSION.sub(mark, text)


def texts_in(value: Any) -> Iterator[str]:
    """Every text of a JSON value, names of fields included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, each in value.items():
            yield name
            yield from texts_in(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from texts_in(each)


def is_deeper_than(levels: int, value: Any) -> bool:
    """Has the JSON value more lists and objects inside of each other than that?"""
    level = [value]
    for _ in range(levels):
        below = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [each for values in below for each in values]
    return any(isinstance(each, dict | list) for each in level)


def filled(value: Any, values: Values) -> Any:
    """The JSON value with everything put in."""
    if isinstance(value, str):
        return filled_text(value, values)
    if isinstance(value, Mapping):
        return {filled_text(name, values): filled(each, values) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [filled(each, values) for each in value]
    return value


def filled_text(text: str, values: Values) -> str:
    """The text with everything put in, each value once and as it is."""
    return _put_together(text, values, lambda _, reference: reference.value(values))


def filled_uri(text: str, values: Values) -> str:
    """The address with everything put in.

    What comes from outside is percent-encoded, so that it stays where it is put, unless `encoding=plain;` says
    otherwise, or the address begins with it: an input that is a whole address is one.
    """
    return _put_together(
        text,
        values,
        lambda at, reference: reference.value(values, "plain" if at == 0 or reference.kind == "env" else "url"),
    )


def _put_together(text: str, values: Values, value: Callable[[int, Reference], str]) -> str:
    parts, end = [], 0
    for found in _EXPRESSION.finditer(text):
        parts.append(values.room.take(text[end : found.start()]))
        parts.append(values.room.take(value(found.start(), Reference.read(found.group(1)))))
        end = found.end()
    parts.append(values.room.take(text[end:]))
    return "".join(parts)


def _told(result: Result | None, path: str) -> str | None:
    """The field at the path of the JSON that a task was answered with, as a text."""
    said: Any = result.data.get("json") if result else None
    for part in path.split("."):
        place = _PLACE.fullmatch(part)
        if isinstance(said, Mapping):
            said = said.get(part)
        elif isinstance(said, list) and place and int(place.group(1)) < len(said):
            said = said[int(place.group(1))]
        else:
            return None
    return said if said is None or isinstance(said, str) else msgspec.json.encode(said).decode()
