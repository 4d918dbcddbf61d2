"""How is what stands in a document, or any element of the array that does, compared with values?

Texts are compared with texts by code point, numbers with numbers as doubles, and never one with the other. Every
condition is true or false, never NULL, so that it may be negated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from fairlead.base.database.dialects import elements_at

Values = Sequence[str] | Sequence[float]
_SIGNS = frozenset({"=", "<", "<=", ">", ">="})


def compares(document: Any, outer: str, inner: str, sign: str, value: str | float) -> sa.ColumnElement[bool]:
    """Does it, or one element of it, stand in this relation to the value? `sign` is one of = < <= > >=."""
    if sign not in _SIGNS:
        raise ValueError(sign)
    wanted = sa.literal(value, sa.Text) if isinstance(value, str) else sa.literal(float(value), sa.Float)
    return _Compares(elements_at(document, outer, inner), sa.literal_column(sign), wanted)


def is_one_of(document: Any, outer: str, inner: str, values: Values) -> sa.ColumnElement[bool]:
    """Is it, or one element of it, one of the values? They are all texts or all numbers."""
    return _IsOneOf(elements_at(document, outer, inner), _kind_of(values), _listed(values))


def is_array_of(document: Any, outer: str, inner: str, values: Values) -> sa.ColumnElement[bool]:
    """Is it an array of exactly these values in this order? They are all texts or all numbers."""
    elements = elements_at(document, outer, inner)
    return _IsArrayOf(elements, _kind_of(values), _listed(values), sa.literal(len(values), sa.Integer))


def _kind_of(values: Values) -> Any:
    return sa.literal_column("'text'" if all(isinstance(each, str) for each in values) else "'number'")


def _listed(values: Values) -> Any:
    return sa.literal(json.dumps([each if isinstance(each, str) else float(each) for each in values]), sa.Text)


def _is_text(kind: Any) -> bool:
    return bool(kind.name == "'text'")


def _sqlite_value(of: str, text: bool) -> str:
    """The value as it is compared; NULL where it is of the other kind."""
    types = "('text')" if text else "('integer', 'real')"
    return f"CASE WHEN {of}.type IN {types} THEN {f'{of}.value' if text else f'CAST({of}.value AS REAL)'} END"


def _postgresql_value(of: str, text: bool) -> str:
    if text:
        return f"(CASE WHEN jsonb_typeof({of}.value) = 'string' THEN {of}.value #>> '{{}}' END) COLLATE \"C\""
    return f"CASE WHEN jsonb_typeof({of}.value) = 'number' THEN ({of}.value)::text::double precision END"


class _Compares(FunctionElement[bool]):
    inherit_cache = True
    type = sa.Boolean()


@compiles(_Compares, "sqlite")
def _compares_on_sqlite(element: _Compares, compiler: SQLCompiler, **kw: Any) -> str:
    elements, sign, wanted = element.clauses
    each, relation, value = (compiler.process(part, **kw) for part in (elements, sign, wanted))
    found = _sqlite_value("held", isinstance(wanted.type, sa.Text))
    return f"EXISTS (SELECT 1 FROM {each} AS held WHERE {found} {relation} {value} AND typeof(held.key) <> 'text')"


@compiles(_Compares, "postgresql")
def _compares_on_postgresql(element: _Compares, compiler: SQLCompiler, **kw: Any) -> str:
    elements, sign, wanted = element.clauses
    each, relation, value = (compiler.process(part, **kw) for part in (elements, sign, wanted))
    found = _postgresql_value("held", isinstance(wanted.type, sa.Text))
    return f"EXISTS (SELECT 1 FROM {each} AS held(value) WHERE {found} {relation} {value})"


class _IsOneOf(FunctionElement[bool]):
    inherit_cache = True
    type = sa.Boolean()


@compiles(_IsOneOf, "sqlite")
def _is_one_of_on_sqlite(element: _IsOneOf, compiler: SQLCompiler, **kw: Any) -> str:
    elements, kind, listed = element.clauses
    each, values = compiler.process(elements, **kw), compiler.process(listed, **kw)
    found, wanted = (_sqlite_value(of, _is_text(kind)) for of in ("held", "listed"))
    among = f"{found} IN (SELECT {wanted} FROM json_each({values}) AS listed)"
    return f"EXISTS (SELECT 1 FROM {each} AS held WHERE {among} AND typeof(held.key) <> 'text')"


@compiles(_IsOneOf, "postgresql")
def _is_one_of_on_postgresql(element: _IsOneOf, compiler: SQLCompiler, **kw: Any) -> str:
    elements, kind, listed = element.clauses
    each, values = compiler.process(elements, **kw), compiler.process(listed, **kw)
    found, wanted = (_postgresql_value(of, _is_text(kind)) for of in ("held", "listed"))
    among = f"({found}) IN (SELECT {wanted} FROM jsonb_array_elements(({values})::jsonb) AS listed(value))"
    return f"EXISTS (SELECT 1 FROM {each} AS held(value) WHERE {among})"


class _IsArrayOf(FunctionElement[bool]):
    inherit_cache = True
    type = sa.Boolean()


@compiles(_IsArrayOf, "sqlite")
def _is_array_of_on_sqlite(element: _IsArrayOf, compiler: SQLCompiler, **kw: Any) -> str:
    elements, kind, listed, length = element.clauses
    at, again = (elements.on_sqlite(compiler, **kw) for _ in range(2))
    each, values, size = (compiler.process(part, **kw) for part in (elements, listed, length))
    found, wanted = (_sqlite_value(of, _is_text(kind)) for of in ("held", "listed"))
    other = f"SELECT 1 FROM {each} AS held JOIN json_each({values}) AS listed ON held.key = listed.key"
    is_array = f"json_type({at}) = 'array' AND json_array_length({again}) = {size}"
    return f"coalesce({is_array} AND NOT EXISTS ({other} WHERE coalesce({found} <> {wanted}, 1)), 0)"


@compiles(_IsArrayOf, "postgresql")
def _is_array_of_on_postgresql(element: _IsArrayOf, compiler: SQLCompiler, **kw: Any) -> str:
    elements, kind, listed, length = element.clauses
    at, again = (elements.on_postgresql(compiler, **kw) for _ in range(2))
    each, values, size = (compiler.process(part, **kw) for part in (elements, listed, length))
    found, wanted = (_postgresql_value(of, _is_text(kind)) for of in ("held", "listed"))
    other = (
        f"SELECT 1 FROM {each} WITH ORDINALITY AS held(value, place)"
        f" JOIN jsonb_array_elements(({values})::jsonb) WITH ORDINALITY AS listed(value, place) USING (place)"
    )
    is_array = f"CASE WHEN jsonb_typeof({at}) = 'array' THEN jsonb_array_length({again}) = {size} ELSE false END"
    return f"({is_array} AND NOT EXISTS ({other} WHERE coalesce(({found}) <> ({wanted}), true)))"
