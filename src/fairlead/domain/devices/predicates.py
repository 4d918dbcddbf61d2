"""What may a filter say of an attribute, and what is that in SQL?

The operators are MongoDB's, in its meaning (mender.md §2.2): texts are compared with texts only and numbers with
numbers; an array fulfils what one of its elements does; `$ne` and `$nin` are the opposites of `$eq` and `$in`, and so
hold for devices that lack the attribute.
"""

from __future__ import annotations

import enum
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from fairlead.base.database import Moment, by_code_point, compares, is_array_of, is_one_of, is_there, list_of_strings
from fairlead.base.errors import Refusal
from fairlead.domain.devices.model import LARGEST_NUMBER, LONGEST_NAME_BYTES
from fairlead.domain.devices.patterns import make_sure_pattern_is_good
from fairlead.domain.devices.places import moment_of, own_column, place_of

MOST_VALUES = 10_000
MOST_MOMENTS = 500

Scalar = str | int | float


class BadPredicate(Refusal):
    message = "{reason}"


class Operator(enum.StrEnum):
    EQ = "$eq"
    NE = "$ne"
    GT = "$gt"
    GTE = "$gte"
    LT = "$lt"
    LTE = "$lte"
    IN = "$in"
    NIN = "$nin"
    EXISTS = "$exists"
    REGEX = "$regex"


_TYPOS = {"$ltne": Operator.LT}
_SIGNS = {Operator.GT: ">", Operator.GTE: ">=", Operator.LT: "<", Operator.LTE: "<="}
_COMPARE: dict[Operator, Callable[[Any, Any], sa.ColumnElement[bool]]] = {
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
}


@dataclass(frozen=True, slots=True)
class Predicate:
    """One condition on one attribute; made by `predicate_of`, which refuses what makes no sense."""

    scope: str
    name: str
    operator: Operator
    value: Any


def predicate_of(scope: str, name: str, operator_: str, value: Any) -> Predicate:
    """A checked condition, or `BadPredicate`."""
    make_sure_attribute_is_named(scope, name)
    if not operator_:
        raise BadPredicate(reason="type: cannot be blank.")
    known = _TYPOS.get(operator_) or next((each for each in Operator if each == operator_), None)
    if known is None:
        raise BadPredicate(reason=f"type: must be one of {' '.join(Operator)}, not {operator_[:40]!r}")
    if value is None:
        raise BadPredicate(reason="value: must not be null.")
    _make_sure_value_fits(known, value)
    most = MOST_MOMENTS if _is_moment(scope, name) else MOST_VALUES
    if isinstance(value, list) and len(value) > most:
        raise BadPredicate(reason=f"value: at most {most} values")
    return Predicate(scope, name, known, value)


def _is_moment(scope: str, name: str) -> bool:
    column = own_column(scope, name)
    return column is not None and isinstance(column.type, Moment)


def make_sure_attribute_is_named(scope: str, name: str) -> None:
    """Refuse a scope or a name that no attribute can have."""
    for what, text in (("scope", scope), ("attribute", name)):
        if not text:
            raise BadPredicate(reason=f"{what}: cannot be blank.")
        if len(text.encode()) > LONGEST_NAME_BYTES:
            raise BadPredicate(reason=f"{what}: the length must be between 1 and {LONGEST_NAME_BYTES}.")
    if "/" in scope:
        raise BadPredicate(reason="scope: must not contain a slash.")


def _make_sure_value_fits(known: Operator, value: Any) -> None:
    if known is Operator.EXISTS:
        if not isinstance(value, bool):
            raise BadPredicate(reason="$exists takes true or false")
    elif known is Operator.REGEX:
        if not isinstance(value, str):
            raise BadPredicate(reason="$regex takes a text")
        make_sure_pattern_is_good(value)
    elif known in {Operator.IN, Operator.NIN}:
        if not isinstance(value, list):
            raise BadPredicate(reason=f"{known} takes an array")
        _make_sure_array_is_good(value)
    elif isinstance(value, list) and known in {Operator.EQ, Operator.NE}:
        _make_sure_array_is_good(value)
    else:
        _make_sure_scalar_is_good(value)


def _make_sure_array_is_good(values: list[Any]) -> None:
    for each in values:
        _make_sure_scalar_is_good(each)
    if len({isinstance(each, str) for each in values}) > 1:
        raise BadPredicate(reason="array values must be either string or float64, not both")


def _make_sure_scalar_is_good(value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise BadPredicate(reason="value: supported types are string, float64, and arrays thereof.")
    if isinstance(value, str):
        return
    if not -LARGEST_NUMBER <= value <= LARGEST_NUMBER or not math.isfinite(value):
        raise BadPredicate(reason="value: number out of range")


def condition_of(predicate: Predicate) -> sa.ColumnElement[bool]:
    """True or false for every device, never NULL. Not for `$regex`: see `patterns`."""
    column = own_column(predicate.scope, predicate.name)
    if predicate.operator in {Operator.NE, Operator.NIN}:
        opposite = Operator.EQ if predicate.operator is Operator.NE else Operator.IN
        return sa.not_(condition_of(Predicate(predicate.scope, predicate.name, opposite, predicate.value)))
    if column is None:
        return _in_document(predicate)
    if predicate.operator is Operator.EXISTS:
        return column.is_not(None) if predicate.value else column.is_(None)
    return sa.func.coalesce(_in_column(column, predicate), sa.false())


def _in_document(predicate: Predicate) -> sa.ColumnElement[bool]:
    document, key = place_of(predicate.scope, predicate.name)
    value = predicate.value
    if predicate.operator is Operator.EXISTS:
        there = is_there(document, key, "v")
        return there if value else sa.not_(there)
    if predicate.operator is Operator.IN:
        return is_one_of(document, key, "v", value)
    if isinstance(value, list):
        return is_array_of(document, key, "v", value)
    return compares(document, key, "v", _SIGNS.get(predicate.operator, "="), value)


def _in_column(column: sa.ColumnElement[Any], predicate: Predicate) -> sa.ColumnElement[bool]:
    """A column holds one text or one moment, never an array or a number."""
    value = predicate.value
    if isinstance(value, list) and predicate.operator is not Operator.IN:
        return sa.false()
    given = [_as_in(column, each) for each in (value if isinstance(value, list) else [value])]
    good = [each for each in given if each is not None]
    if not good:
        return sa.false()
    is_moment = _is_moment(predicate.scope, predicate.name)
    if predicate.operator in _COMPARE:
        return _COMPARE[predicate.operator](column if is_moment else by_code_point(column), good[0])
    return column.in_(good if is_moment else list_of_strings(good))


def _as_in(column: sa.ColumnElement[Any], value: Scalar) -> Any:
    """The value as the column would hold it, None if it cannot."""
    if isinstance(column.type, Moment):
        return moment_of(value) if isinstance(value, str) else None
    return value if isinstance(value, str) else None
