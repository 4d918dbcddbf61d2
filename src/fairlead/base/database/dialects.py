"""Where must SQLite and PostgreSQL differ? Each difference has its name here and nowhere else."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

Document = sa.Text().with_variant(postgresql.JSONB(), "postgresql")
"""A JSON document that SQL looks into: written with `as_document`, read with `from_document`."""


def as_document(value: Any) -> Any:
    """JSON text (or a bound parameter of it) as something that a `Document` column takes."""
    return sa.cast(value, Document)


def from_document(column: Any) -> Any:
    """A `Document` column as JSON text, on both engines, so that one decoder reads it."""
    return sa.cast(column, sa.Text)


LOWER = "fairlead_lower"
"""What SQLite, whose own `lower` knows the letters of English only, is given by us: see `engine`."""


class _in_lower_case(FunctionElement[Any]):
    inherit_cache = True
    type = sa.Text()


@compiles(_in_lower_case, "sqlite")
def _lower_on_sqlite(element: _in_lower_case, compiler: SQLCompiler, **kw: Any) -> str:
    return f"{LOWER}({compiler.process(element.clauses, **kw)})"


@compiles(_in_lower_case, "postgresql")
def _lower_on_postgresql(element: _in_lower_case, compiler: SQLCompiler, **kw: Any) -> str:
    return f"lower({compiler.process(element.clauses, **kw)})"


def mentions(column: Any, text: str) -> sa.ColumnElement[bool]:
    """Is the text somewhere in it, with small letters or large ones?"""
    return _in_lower_case(column).contains(text.lower(), autoescape=True)


_NOWHERE = ("\0", "\0")


class json_merge(FunctionElement[Any]):
    """The first document with the second laid over it: keys of two levels are united, the newer value wins."""

    inherit_cache = True
    type = Document


@compiles(json_merge, "sqlite")
def _merge_on_sqlite(element: json_merge, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_patch({compiler.process(element.clauses, **kw)})"


@compiles(json_merge, "postgresql")
def _merge_on_postgresql(element: json_merge, compiler: SQLCompiler, **kw: Any) -> str:
    old, new = (compiler.process(clause, **kw) for clause in element.clauses)
    each = f"SELECT key, coalesce(({old}) -> key, '{{}}'::jsonb) || value AS value FROM jsonb_each(({new})::jsonb)"
    return f"(({old}) || coalesce((SELECT jsonb_object_agg(key, value) FROM ({each}) AS laid_over), '{{}}'::jsonb))"


class _AtPath(FunctionElement[Any]):
    """Something about the value under a key of a document and a key within that.

    SQLite's paths cannot say a key with a quotation mark. Who writes documents keeps them out of keys, so such a key
    is not there.
    """

    inherit_cache = True

    def __init__(self, document: Any, outer: str, inner: str) -> None:
        keys = (outer, inner) if '"' not in outer + inner else _NOWHERE
        path = "$" + "".join("." + json.dumps(key, ensure_ascii=False) for key in keys)
        super().__init__(document, sa.literal(path, sa.Text), sa.literal(outer, sa.Text), sa.literal(inner, sa.Text))

    def on_sqlite(self, compiler: SQLCompiler, **kw: Any) -> str:
        document, path, _, _ = self.clauses
        return f"{compiler.process(document, **kw)}, {compiler.process(path, **kw)}"

    def on_postgresql(self, compiler: SQLCompiler, **kw: Any) -> str:
        document, _, outer, inner = (compiler.process(clause, **kw) for clause in self.clauses)
        return f"(({document}) -> ({outer})::text -> ({inner})::text)"


class text_at(_AtPath):
    """The string that stands there; NULL for anything but a string. Compared by code point on both engines."""

    inherit_cache = True
    type = sa.Text()


@compiles(text_at, "sqlite")
def _text_on_sqlite(element: text_at, compiler: SQLCompiler, **kw: Any) -> str:
    at, again = element.on_sqlite(compiler, **kw), element.on_sqlite(compiler, **kw)
    return f"(CASE WHEN json_type({at}) = 'text' THEN json_extract({again}) END)"


@compiles(text_at, "postgresql")
def _text_on_postgresql(element: text_at, compiler: SQLCompiler, **kw: Any) -> str:
    at, again = element.on_postgresql(compiler, **kw), element.on_postgresql(compiler, **kw)
    return f"((CASE WHEN jsonb_typeof({at}) = 'string' THEN {again} #>> '{{}}' END) COLLATE \"C\")"


class number_at(_AtPath):
    """The number that stands there; NULL for anything but a number."""

    inherit_cache = True
    type = sa.Float()


@compiles(number_at, "sqlite")
def _number_on_sqlite(element: number_at, compiler: SQLCompiler, **kw: Any) -> str:
    at, again = element.on_sqlite(compiler, **kw), element.on_sqlite(compiler, **kw)
    return f"(CASE WHEN json_type({at}) IN ('integer', 'real') THEN json_extract({again}) END)"


@compiles(number_at, "postgresql")
def _number_on_postgresql(element: number_at, compiler: SQLCompiler, **kw: Any) -> str:
    at, again = element.on_postgresql(compiler, **kw), element.on_postgresql(compiler, **kw)
    return f"(CASE WHEN jsonb_typeof({at}) = 'number' THEN ({again})::text::double precision END)"


class elements_at(_AtPath):
    """The elements of the array that stands there, a row each; one row for anything else."""

    inherit_cache = True
    name = "elements_at"


@compiles(elements_at, "sqlite")
def _elements_on_sqlite(element: elements_at, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({element.on_sqlite(compiler, **kw)})"


@compiles(elements_at, "postgresql")
def _elements_on_postgresql(element: elements_at, compiler: SQLCompiler, **kw: Any) -> str:
    at, again, third = (element.on_postgresql(compiler, **kw) for _ in range(3))
    array = f"CASE WHEN jsonb_typeof({at}) = 'array' THEN {again} ELSE jsonb_build_array({third}) END"
    return f"jsonb_array_elements({array})"


def holds(document: Any, outer: str, inner: str, value: str | float) -> sa.ColumnElement[bool]:
    """Is this the value that stands there, or one element of the array that does? A string never equals a number."""
    return _Holds(document, outer, inner, value)


class _Holds(FunctionElement[bool]):
    inherit_cache = True
    type = sa.Boolean()

    def __init__(self, document: Any, outer: str, inner: str, value: str | float) -> None:
        wanted = sa.literal(value, sa.Text if isinstance(value, str) else sa.Float)
        super().__init__(elements_at(document, outer, inner), wanted, sa.literal(json.dumps(value), sa.Text))


@compiles(_Holds, "sqlite")
def _holds_on_sqlite(element: _Holds, compiler: SQLCompiler, **kw: Any) -> str:
    elements, wanted, _ = element.clauses
    types = "('text')" if isinstance(wanted.type, sa.Text) else "('integer', 'real')"
    each = compiler.process(elements, **kw)
    value = compiler.process(wanted, **kw)
    is_element = f"held.type IN {types} AND held.value = {value} AND typeof(held.key) <> 'text'"  # of no object
    return f"EXISTS (SELECT 1 FROM {each} AS held WHERE {is_element})"


@compiles(_Holds, "postgresql")
def _holds_on_postgresql(element: _Holds, compiler: SQLCompiler, **kw: Any) -> str:
    elements, _, wanted = element.clauses
    at = elements.on_postgresql(compiler, **kw)
    return f"coalesce({at} @> ({compiler.process(wanted, **kw)})::jsonb, false)"


class _StringsOf(FunctionElement[Any]):
    inherit_cache = True
    name = "strings_of"


@compiles(_StringsOf, "sqlite")
def _strings_on_sqlite(element: _StringsOf, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(_StringsOf, "postgresql")
def _strings_on_postgresql(element: _StringsOf, compiler: SQLCompiler, **kw: Any) -> str:
    return f"jsonb_array_elements_text(({compiler.process(element.clauses, **kw)})::jsonb)"


def list_of_strings(values: Iterable[str]) -> sa.Select[Any]:
    """Any number of strings as one bound parameter: `column.in_(list_of_strings(ids))` takes 100,000 of them."""
    rows = _StringsOf(sa.literal(json.dumps(list(values)), sa.Text)).table_valued(sa.column("value", sa.Text))
    return sa.select(rows.c.value)


class by_code_point(FunctionElement[str]):
    """A text that is compared and ordered by code point on both engines, whatever the database's collation is."""

    inherit_cache = True
    type = sa.Text()

    def __init__(self, text: Any) -> None:
        super().__init__(text)


@compiles(by_code_point, "sqlite")
def _by_code_point_on_sqlite(element: by_code_point, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({compiler.process(element.clauses, **kw)})"


@compiles(by_code_point, "postgresql")
def _by_code_point_on_postgresql(element: by_code_point, compiler: SQLCompiler, **kw: Any) -> str:
    return f'(({compiler.process(element.clauses, **kw)}) COLLATE "C")'


class json_at(_AtPath):
    """What stands there, as JSON text."""

    inherit_cache = True
    type = sa.Text()


@compiles(json_at, "sqlite")
def _json_on_sqlite(element: json_at, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_quote(json_extract({element.on_sqlite(compiler, **kw)}))"


@compiles(json_at, "postgresql")
def _json_on_postgresql(element: json_at, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({element.on_postgresql(compiler, **kw)})::text"


class is_there(_AtPath):
    """Does anything stand there?"""

    inherit_cache = True
    type = sa.Boolean()


@compiles(is_there, "sqlite")
def _is_there_on_sqlite(element: is_there, compiler: SQLCompiler, **kw: Any) -> str:
    return f"(json_type({element.on_sqlite(compiler, **kw)}) IS NOT NULL)"


@compiles(is_there, "postgresql")
def _is_there_on_postgresql(element: is_there, compiler: SQLCompiler, **kw: Any) -> str:
    return f"({element.on_postgresql(compiler, **kw)} IS NOT NULL)"


class keys_of(FunctionElement[Any]):
    """The keys of a document, a row each: `keys_of(column).table_valued("key", joins_implicitly=True)`."""

    inherit_cache = True
    name = "keys_of"


@compiles(keys_of, "sqlite")
def _keys_on_sqlite(element: keys_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(keys_of, "postgresql")
def _keys_on_postgresql(element: keys_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"jsonb_each({compiler.process(element.clauses, **kw)})"


def insert_or_ignore(table: sa.Table, *, on_sqlite: bool) -> Any:
    """An insert that leaves a row alone that is there already; its `rowcount` says which it was."""
    added = (sqlite if on_sqlite else postgresql).insert(table).on_conflict_do_nothing()
    return added.execution_options(preserve_rowcount=True)
