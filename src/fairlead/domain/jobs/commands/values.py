"""Is this a value for a parameter of that type, and what do expressions see of it?"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.domain.catalog import (
    NO_VALUE,
    ArrayType,
    BooleanType,
    FloatType,
    FormattedType,
    Input,
    IntegerType,
    Software,
    StringType,
    StructType,
    Type,
    accepts,
    can_be_marked,
    marked,
)

LONGEST_TEXT = 32_768
MOST_ITEMS = 1000
LARGEST_INTEGER = 10**18

_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
_UNSEEN = ("Cc", "Cs", "Co", "Zl", "Zp")
_INTEGER = re.compile(r"\s*[+-]?[0-9]{1,19}(\.0*)?\s*")
_NUMBER = re.compile(r"\s*[+-]?([0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?\s*")
_UNSAFE_FILE = re.compile(r"[/\\]|^[.\-@]|^$")
_RUNS_SOMETHING = re.compile(r"^\s*\||\|\s*$")


class Unfit(Exception):
    """It is no value for the parameter; the message is a sentence for whoever gave it."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that is given to a parameter: the name that it has, or will have, in the job's folder."""

    name: str
    data_terms: tuple[str, ...] = ()
    format_terms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not is_file_name(self.name):
            raise Unfit(f"{self.name[:100]!r} cannot be the name of a file in a job's folder.")


def is_file_name(name: str) -> bool:
    """Of a file in the job's folder, which no program takes for an option, for a list of files or for one of ours."""
    hidden = any(unicodedata.category(each) in _UNSEEN for each in name)
    return not _UNSAFE_FILE.search(name) and not hidden and can_be_marked(name) and len(name.encode()) <= 200


def read_value(type: Type | None, value: Any) -> Any:
    """The value as it is kept; `None` where nothing was chosen. `Unfit` says why it is none."""
    if value is None or value == "":
        return None
    match type:
        case BooleanType():
            return _boolean(value)
        case IntegerType():
            return _within(_integer(value), type)
        case FloatType():
            return _within(_number(value), type)
        case StringType():
            return _string(value, type)
        case FormattedType():
            return _file(value, type)
        case ArrayType():
            return _items(value, type)
        case StructType():
            return _properties(value, type)
        case None:
            return _anything(value)


def _boolean(value: Any) -> bool:
    word = str(value).strip().lower() if isinstance(value, str | bool | int) else ""
    if word not in _TRUE + _FALSE:
        raise Unfit("It must be true or false.")
    return word in _TRUE


def _integer(value: Any) -> int:
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value.partition(".")[0])
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST_INTEGER:
        raise Unfit("It must be a whole number.")
    return value


def _number(value: Any) -> float:
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unfit("It must be a number.")
    if (isinstance(value, int) and abs(value) > LARGEST_INTEGER) or not math.isfinite(value):
        raise Unfit("It must be a number.")
    return float(value)


def _within(number: Any, type: IntegerType | FloatType) -> Any:
    if type.min is not None and number < type.min:
        raise Unfit(f"It must be {type.min} or more.")
    if type.max is not None and number > type.max:
        raise Unfit(f"It must be {type.max} or less.")
    return number


def _string(value: Any, type: StringType) -> str | None:
    """A list of choices of which none is left is a free text: some descriptions lost theirs."""
    text = _as_text(value)
    if text in NO_VALUE and any(option.value is None for option in type.options):
        return None
    if not type.choices:
        return _text(value)
    if text in type.choices:
        return text
    shown = ", ".join(type.choices[:20]) + (", …" if len(type.choices) > 20 else "")
    raise Unfit(f"It must be one of {shown}.")


def _text(value: Any) -> str:
    text = _as_text(value)
    if len(text) > LONGEST_TEXT:
        raise Unfit(f"It must have at most {LONGEST_TEXT} characters.")
    if any(unicodedata.category(each) in _UNSEEN for each in text) or not can_be_marked(text):
        raise Unfit("It must be in one line, without control characters.")
    if _RUNS_SOMETHING.search(text):
        raise Unfit("It must not begin or end with a |: there are programs that would take it for another one to run.")
    return text


def _as_text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Unfit("It must be a text.")
    return value if isinstance(value, str) else str(value)


def _file(value: Any, type: FormattedType | None) -> File:
    if not isinstance(value, File):
        raise Unfit("It must be a file.")
    if not accepts(type, value.data_terms, value.format_terms):
        raise Unfit("It is data of another type than this takes.")
    return value


def _items(value: Any, type: ArrayType) -> tuple[Any, ...] | None:
    given = list(value) if isinstance(value, list | tuple) else [value]
    if len(given) > MOST_ITEMS:
        raise Unfit(f"It must have at most {MOST_ITEMS} values.")
    read: list[Any] = []
    for index, each in enumerate(given, 1):
        try:
            read.append(read_value(type.items, each))
        except Unfit as unfit:
            raise Unfit(f"Value {index}: {unfit}") from None
    kept = tuple(each for each in read if each is not None)
    return kept or None


def _properties(value: Any, type: StructType) -> Mapping[str, Any] | None:
    if not isinstance(value, Mapping) or not all(isinstance(each, str) for each in value):
        raise Unfit("It must have values by their names.")
    unknown = [each for each in value if each not in type.properties]
    if unknown:
        raise Unfit(f"It has no {unknown[0][:60]!r}.")
    read: dict[str, Any] = {}
    for name, each in value.items():
        try:
            read[name] = read_value(type.properties[name], each)
        except Unfit as unfit:
            raise Unfit(f"{name}: {unfit}") from None
    return read or None


def _anything(value: Any) -> Any:
    """For a parameter whose type was lost: a file, a text, or several."""
    if isinstance(value, list | tuple):
        return _items(value, ArrayType(items=StringType())) if not _has_files(value) else _files(value)
    return value if isinstance(value, File) else _text(value)


def _has_files(values: Iterable[Any]) -> bool:
    return any(isinstance(each, File) for each in values)


def _files(values: Iterable[Any]) -> tuple[File, ...]:
    return tuple(_file(each, None) for each in values)


def values_seen(service: Software, given: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters as conditions and expressions see them: what was given, else what is usual.

    What a user can write freely is marked, also where it is as usual: the same text is the same command. Of things
    that can only be chosen, the description itself wrote each.
    """
    inputs = [each.parameter for each in service.inputs.placed()]
    return {each.name: seen(each, given[each.name]) if each.name in given else usual(each) for each in inputs}


def usual(parameter: Input) -> Any:
    """The default as expressions see it."""
    default = parameter.type.default if parameter.type is not None else None
    if isinstance(default, str) and parameter.hidden:
        return default
    return seen(parameter, default)


def seen(parameter: Input, value: Any) -> Any:
    if value is None:
        return False if isinstance(parameter.type, BooleanType) else None
    return _seen(parameter.type, value)


def _seen(type: Type | None, value: Any) -> Any:
    if isinstance(value, File):
        return marked(value.name)
    if isinstance(value, str):
        return value if isinstance(type, StringType) and value in type.choices else marked(value)
    if isinstance(value, list | tuple):
        return _seen_items(type, value)
    if isinstance(value, Mapping):
        types = type.properties if isinstance(type, StructType) else {}
        return {name: _seen(types.get(name), each) for name, each in value.items()}
    return value


def _seen_items(type: Type | None, value: Iterable[Any]) -> Any:
    """One text, as the type says; where it does not, each is a word of its own."""
    array = type if isinstance(type, ArrayType) else ArrayType(items=StringType())
    items = [_seen(array.items, each) for each in value]
    if any(isinstance(each, Mapping) for each in items):
        return items
    return array.separator.join(each if isinstance(each, str) else str(each) for each in items)
