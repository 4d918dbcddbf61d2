"""What type has a parameter?"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from .conditions import Condition
from .model import (
    NO_VALUE,
    ArrayType,
    BooleanType,
    Control,
    FloatType,
    FormattedType,
    IntegerType,
    Option,
    StringType,
    StructType,
    Type,
)
from .problems import quoted
from .said import Said

MOST_OPTIONS = 10_000
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off")
_KNOWN = {
    "_type", "default", "data_terms", "format_terms", "min", "max", "options", "items_type", "properties", "separator"
}  # fmt: skip


def read_type(said: Said, key: str) -> Type | None:
    """The type written there; `None` where there is none."""
    written = said.mapping(key)
    if written is None:
        return None
    written.warn_of_unknown(_KNOWN)
    kinds = {
        "booleantype": _boolean,
        "integertype": _integer,
        "floattype": _float,
        "stringtype": _string,
        "formattedtype": _formatted,
        "arraytype": _array,
        "structtype": _struct,
    }
    read = kinds.get(written.kind)
    if read is None:
        written.problem("_type", f"must be a type, and is {quoted(written.get('_type'))}")
        return None
    return read(written)


def _boolean(said: Said) -> Type:
    default = _default(said)
    word = str(default).lower()
    if default is not None and word not in _TRUE + _FALSE:
        said.warn("default", "is neither true nor false, and was left out")
    return BooleanType(None if word not in _TRUE + _FALSE else word in _TRUE, said.terms("data_terms"))


def _integer(said: Said) -> Type:
    return IntegerType(
        default=_whole(said, "default", _default(said)),
        min=_whole(said, "min", said.get("min")),
        max=_whole(said, "max", said.get("max")),
        data_terms=said.terms("data_terms"),
    )


def _float(said: Said) -> Type:
    return FloatType(
        default=_number(said, "default", _default(said)),
        min=_number(said, "min", said.get("min")),
        max=_number(said, "max", said.get("max")),
        data_terms=said.terms("data_terms"),
    )


def _string(said: Said) -> Type:
    options = tuple(Option(each.text("label"), _option_value(each)) for each in said.each("options"))
    if len(options) > MOST_OPTIONS:
        said.problem("options", f"must be at most {MOST_OPTIONS}")
    default = _default_text(said)
    made = StringType(default, options, said.terms("data_terms"))
    if options and default is not None and default not in made.choices:
        said.warn("default", "is none of the options")
    return made


def _option_value(said: Said) -> str | None:
    value = said.get("value")
    if isinstance(value, bool):
        return "true" if value else "false"
    text = said.text("value")
    return None if text in NO_VALUE else text


def _formatted(said: Said) -> Type:
    return FormattedType(_default_text(said), said.terms("data_terms"), said.terms("format_terms"))


def _array(said: Said) -> Type:
    items = read_type(said, "items_type")
    if items is None and said.get("items_type") is None:
        said.problem("items_type", "is missing")
    default = _default(said)
    if default is not None and not isinstance(default, list):
        default = [default]
    chosen = tuple(each for each in default or () if not isinstance(each, str) or each not in NO_VALUE)
    separator = said.text("separator", longest=20)
    return ArrayType(
        items=items or StringType(),
        default=chosen or None,
        separator=" " if separator is None else separator,
        data_terms=said.terms("data_terms"),
    )


def numbers_among(said: Said, type: Type | None) -> Control | None:
    """The control that a list of numbers to choose from is: types of numbers have no options."""
    written = said.mapping("type") if isinstance(type, IntegerType | FloatType) else None
    options = (
        [(_read_number(each.get("value")), each.text("label")) for each in written.each("options")] if written else []
    )
    numbers = {number: label for number, label in options if number is not None}
    if not numbers:
        return None
    allowed = {int(number) if number.is_integer() else number: label for number, label in numbers.items()}
    shown = [f"{each} ({label})" if label and label != str(each) else str(each) for each, label in allowed.items()]
    message = f"It must be one of {', '.join(shown[:20])}{', …' if len(shown) > 20 else ''}."
    return Control(Condition({"value": {"#in": list(allowed)}}), message)


def _struct(said: Said) -> Type:
    properties = said.mapping("properties")
    read = {} if properties is None else {key: read_type(properties, key) for key in properties.values}
    default = _default(said)
    if default is not None and not isinstance(default, Mapping):
        said.warn("default", "is no mapping, and was left out")
        default = None
    return StructType({key: each for key, each in read.items() if each}, default, said.terms("data_terms"))


def _default(said: Said) -> Any:
    default = said.get("default")
    return None if isinstance(default, str) and default in NO_VALUE else default


def _default_text(said: Said) -> str | None:
    default = _default(said)
    if isinstance(default, list) and len(default) == 1:
        default = default[0]
    if isinstance(default, bool):
        return "true" if default else "false"
    if default is not None and not isinstance(default, str | int | float):
        said.warn("default", "is no text, and was left out")
        return None
    return None if default is None else str(default)


def _whole(said: Said, key: str, value: Any) -> int | None:
    number = _number(said, key, value)
    if number is None:
        return None
    if number != int(number):
        said.warn(key, "is no whole number, and was left out")
        return None
    return value if isinstance(value, int) else int(number)


def _number(said: Said, key: str, value: Any) -> float | None:
    if value is None or value == "":
        return None
    number = _read_number(value)
    if number is None:
        said.warn(key, "is no number, and was left out")
    return number


def _read_number(value: Any) -> float | None:
    if isinstance(value, str) and re.fullmatch(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", value[:100]):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e300 or math.isnan(value):
        return None
    return float(value)
