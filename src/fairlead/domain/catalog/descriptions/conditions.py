"""Does a condition of a description hold for a job's values?

    "x"                      x is true
    {"x": 1, "y": "a"}       both are
    {"x": {"#gte": 0, …}}    #gt #gte #lt #lte #eq #ne #in #nin: all of them are
    {"#and": […]} {"#or": […]} {"#nor": […]} {"#not": …}
    [a, b]                   the same as #and

Most were translated from Python by a machine, which wrote numbers and `None` as texts and comparisons with another
parameter as its name. So a text equals the number or the truth that it writes, "None" is no value, and beside a number
the name of a parameter, or an expression such as "2 * window", stands for its value. A key that names no value is an
expression as well.
`{"#python": "…"}` is our own, for what the language cannot say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .comparing import as_typed, equal, less
from .expressions import CannotEvaluate, Expression
from .marks import plain

DEEPEST = 30
_WITH_ALL = {"#and", "#or", "#nor"}
_NO_VALUE = "None"
_TRUE, _FALSE = ("true", "1", "yes", "on"), ("false", "0", "no", "off", "")


@dataclass(frozen=True, slots=True)
class Condition:
    written: Any
    """As the description has it: plain data."""

    def holds(self, values: Mapping[str, Any]) -> bool:
        return _holds(self.written, values)

    def names(self) -> frozenset[str]:
        """The values that it asks for."""
        return frozenset(_names(self.written))

    def wrongs(self) -> Iterator[tuple[tuple[str | int, ...], str]]:
        """What is wrong with it, and where below it."""
        yield from _wrongs(self.written, ())


def _holds(written: Any, values: Mapping[str, Any]) -> bool:
    if isinstance(written, str):
        return bool(_value(written, values))
    if isinstance(written, list):
        return all(_holds(each, values) for each in written)
    if isinstance(written, Mapping):
        return all(_part_holds(key, operand, values) for key, operand in written.items())
    return bool(written) or written is None


def _part_holds(key: str, operand: Any, values: Mapping[str, Any]) -> bool:
    match key:
        case "#and":
            return all(_holds(each, values) for each in operand)
        case "#or":
            return any(_holds(each, values) for each in operand)
        case "#nor":
            return not any(_holds(each, values) for each in operand)
        case "#not":
            return not _holds(operand, values)
        case "#python":
            return bool(Expression(operand).evaluate(values))
    value = _value(key, values)
    if isinstance(operand, Mapping):
        return all(_COMPARISONS[name](value, than, values) for name, than in operand.items())
    return _equals(value, operand, values)


def _value(name: str, values: Mapping[str, Any]) -> Any:
    if name in values:
        return values[name]
    try:
        return Expression(name).evaluate(values)
    except CannotEvaluate:
        return None


def _equals(value: Any, operand: Any, values: Mapping[str, Any]) -> bool:
    value, operand = as_typed(value), _meant(operand, value, values)
    if value is None or operand is None:
        return value is None and operand is None
    if isinstance(operand, str) and not isinstance(value, str):
        operand = _read_as(operand, value)
    if isinstance(value, str) and isinstance(operand, int | float) and not isinstance(operand, bool):
        value = _as_number(value)
    if isinstance(value, str) and isinstance(operand, bool):
        value = _read_as(value, operand)
    return equal(value, operand)


def _meant(operand: Any, value: Any, values: Mapping[str, Any]) -> Any:
    if not isinstance(operand, str):
        return operand
    if operand == _NO_VALUE and value != _NO_VALUE:
        return None
    if operand == "vdef" or (_is_number(value) and operand in values):
        return as_typed(values.get(operand))
    return _calculated(operand, values) if _is_number(value) else operand


def _calculated(operand: str, values: Mapping[str, Any]) -> Any:
    """The number that an expression makes of known values; the text where it is none."""
    expression = Expression(operand)
    names = expression.names()
    if not names <= values.keys():
        return operand
    try:
        made = expression.evaluate(values)
    except CannotEvaluate:
        return None if any(values[name] is None for name in names) else operand
    return made if _is_number(made) else operand


def _read_as(text: str, like: Any) -> Any:
    """The number or the truth that a text writes; the text where it writes none."""
    if isinstance(like, bool):
        word = text.strip().lower()
        return True if word in _TRUE else False if word in _FALSE else text
    return _as_number(text) if _is_number(like) else text


def _as_number(text: str) -> Any:
    try:
        return float(text)
    except ValueError:
        return text


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordered(holds: Callable[[Any, Any], bool]) -> Callable[[Any, Any, Mapping[str, Any]], bool]:
    def compare(value: Any, operand: Any, values: Mapping[str, Any]) -> bool:
        value = as_typed(value)
        operand = _meant(operand, _as_number(value) if isinstance(value, str) else value, values)
        if isinstance(operand, str) and operand in values and isinstance(_as_number(operand), str):
            operand = as_typed(values[operand])
        if isinstance(operand, str):
            operand = _as_number(operand)
        if isinstance(value, str) and _is_number(operand):
            value = _as_number(value)
        return holds(value, operand)

    return compare


def _is_in(value: Any, operand: Any, values: Mapping[str, Any]) -> bool:
    if isinstance(operand, str):
        return isinstance(value, str) and plain(value) in operand
    if isinstance(value, list | tuple):
        return any(_is_in(each, operand, values) for each in value)
    return any(_equals(value, each, values) for each in operand)


_COMPARISONS: Mapping[str, Callable[[Any, Any, Mapping[str, Any]], bool]] = {
    "#eq": _equals,
    "#ne": lambda value, operand, values: not _equals(value, operand, values),
    "#gt": _ordered(lambda value, operand: less(operand, value)),
    "#gte": _ordered(lambda value, operand: less(operand, value) or equal(value, operand)),
    "#lt": _ordered(less),
    "#lte": _ordered(lambda value, operand: less(value, operand) or equal(value, operand)),
    "#in": _is_in,
    "#nin": lambda value, operand, values: not _is_in(value, operand, values),
}


def _names(written: Any) -> Iterator[str]:
    if isinstance(written, str):
        yield from _asked_for(written)
    elif isinstance(written, list):
        for each in written:
            yield from _names(each)
    elif isinstance(written, Mapping):
        for key, operand in written.items():
            if key in _WITH_ALL or key == "#not":
                yield from _names(operand)
            elif key == "#python":
                yield from Expression(operand).names()
            else:
                yield from _asked_for(key)


def _asked_for(name: str) -> Iterator[str]:
    """A name as it is, however odd; an expression is asked for its own."""
    read = Expression(name)
    inside = read.names() if read.wrong() is None else frozenset()
    yield from inside if len(inside) > 1 and not name.replace("-", "_").isidentifier() else (name,)


def _wrongs(written: Any, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if len(at) > DEEPEST:
        yield at, "is nested too deeply"
    elif isinstance(written, list):
        for index, each in enumerate(written):
            yield from _wrongs(each, (*at, index))
    elif isinstance(written, Mapping):
        for key, operand in written.items():
            yield from _wrongs_of_part(key, operand, (*at, key))
    elif not isinstance(written, str | bool | None):
        yield at, "must be a name, an object or a list of conditions"


def _wrongs_of_part(key: Any, operand: Any, at: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if not isinstance(key, str):
        yield at, "must be named by a text"
    elif key in _WITH_ALL:
        yield from _wrongs(operand, at) if isinstance(operand, list) else [(at, "must be a list of conditions")]
    elif key == "#not":
        yield from _wrongs(operand, at)
    elif key == "#python":
        wrong = Expression(operand).wrong() if isinstance(operand, str) else "must be a text"
        yield from [(at, wrong)] if wrong else []
    elif key.startswith("#"):
        yield at, "is no word of conditions"
    elif isinstance(operand, Mapping):
        for name, than in operand.items():
            yield from _wrongs_of_comparison(name, than, (*at, name))
    elif isinstance(operand, list):
        yield at, "must be a value to compare with"


def _wrongs_of_comparison(
    name: Any, than: Any, at: tuple[str | int, ...]
) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if name not in _COMPARISONS:
        yield at, f"is no comparison: it must be one of {', '.join(_COMPARISONS)}"
    elif name in ("#in", "#nin"):
        if not isinstance(than, str | list) or any(isinstance(each, list | Mapping) for each in than):
            yield at, "must be a list of values"
    elif isinstance(than, list | Mapping):
        yield at, "must be a value to compare with"
