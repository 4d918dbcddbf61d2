"""Does a statement say whose rows it means?

Every SELECT, UPDATE and DELETE, however deep inside another statement, must say `table.c.tenant_id == TENANT` for
each tenant's table that it names, under each alias that it gives it: as a condition that nothing can get around, or
through a join on the tenant of a table for which it says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from weakref import WeakSet

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql.dml import OnConflictDoNothing as NothingOnPostgresql
from sqlalchemy.dialects.sqlite.dml import OnConflictDoNothing as NothingOnSqlite
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BindParameter, BooleanClauseList, Grouping
from sqlalchemy.sql.selectable import AliasedReturnsRows, FromGrouping, Join

from fairlead.base.database.columns import TENANT, metadata

_KNOWN = (sa.Select, sa.CompoundSelect, sa.Insert, sa.Update, sa.Delete)
_checked: WeakSet[Any] = WeakSet()


class TenantNotBound(Exception):
    """A statement touches a tenant's table without saying whose rows it means. Always a bug of ours."""


def make_sure_tenant_is_bound(statement: Any) -> None:
    """Refuse a statement that could see or change another tenant's rows.

    The answer is remembered per statement object, so the statements of hot paths are built once, as constants.
    """
    if statement in _checked:
        return
    if not isinstance(statement, _KNOWN):
        raise TenantNotBound(f"Only statements built from tables can be checked, not: {_worded(statement)}")
    for element in visitors.iterate(statement):
        if isinstance(element, sa.Select | sa.Update | sa.Delete):
            _make_sure_scope_is_bound(element)
    if isinstance(statement, sa.Insert | sa.Update) and has_tenant(statement.table):
        _make_sure_tenant_is_not_chosen(statement)
    _checked.add(statement)


def has_tenant(source: Any) -> bool:
    """Are the rows of this table, or of the table under this alias, some tenant's own?"""
    while isinstance(source, AliasedReturnsRows | FromGrouping):
        source = source.element
    if isinstance(source, sa.TextClause):
        return True
    if not isinstance(source, sa.TableClause) or isinstance(source, sa.Values):
        return False
    return "tenant_id" in source.c or "tenant_id" in getattr(metadata.tables.get(source.name), "c", ())


def _make_sure_scope_is_bound(statement: sa.Select[Any] | sa.Update | sa.Delete) -> None:
    if isinstance(statement, sa.Select):
        sources = statement._compile_state_factory(statement, None)._get_display_froms()  # type: ignore[arg-type]
    else:
        where = statement.whereclause
        sources = [statement.table, *(where._from_objects if where is not None else ())]
    named = {leaf for source in sources for leaf in _leaves(source) if has_tenant(leaf)}
    if not named:
        return
    bound = _bound(_rules(statement, sources, named))
    if named - bound:
        names = ", ".join(sorted(str(getattr(leaf, "name", leaf)) for leaf in named - bound))
        raise TenantNotBound(f"{names} used without a tenant in: {_worded(statement)}")


def _worded(statement: Any) -> str:
    """The statement as SQL where every dialect has the same, for whoever has to mend it."""
    try:
        return " ".join(str(statement).split())
    except sa.exc.SQLAlchemyError:
        return repr(statement)


def _leaves(source: Any) -> Iterator[Any]:
    """The tables and aliases that a FROM is made of."""
    if isinstance(source, FromGrouping):
        source = source.element
    if isinstance(source, Join):
        yield from _leaves(source.left)
        yield from _leaves(source.right)
    else:
        yield source


Rule = tuple[Any, Any]
"""This is bound if that is; None instead of that: it is bound in any case."""


def _rules(statement: Any, sources: list[Any], named: set[Any]) -> list[Rule]:
    rules = list(_said(statement.whereclause, named))
    for source in sources:
        rules += _said_by_joins(source)
    return rules


def _said_by_joins(source: Any) -> Iterator[Rule]:
    """What the ON clauses say. An outer join keeps the left side whatever its ON clause says, a full one both."""
    if isinstance(source, FromGrouping):
        source = source.element
    if not isinstance(source, Join):
        return
    right = set(_leaves(source.right))
    kept = set() if source.full else right if source.isouter else right | set(_leaves(source.left))
    yield from _said(source.onclause, kept)
    yield from _said_by_joins(source.left)
    yield from _said_by_joins(source.right)


def _said(clause: Any, about: set[Any]) -> Iterator[Rule]:
    for part in _parts(clause):
        if not isinstance(part, sa.BinaryExpression) or part.operator is not operators.eq:
            continue
        for one, other in ((part.left, part.right), (part.right, part.left)):
            table = _table_of_tenant(one)
            if table not in about:
                continue
            if isinstance(other, BindParameter) and other.key == TENANT.key:
                yield table, None
            elif (through := _table_of_tenant(other)) is not None:
                yield table, through


def _parts(clause: Any) -> Iterator[Any]:
    """The conditions that must all hold."""
    if isinstance(clause, Grouping):
        clause = clause.element
    if isinstance(clause, BooleanClauseList) and clause.operator is operators.and_:
        for part in clause.clauses:
            yield from _parts(part)
    else:
        yield clause


def _table_of_tenant(column: Any) -> Any:
    is_tenant = isinstance(column, sa.ColumnClause) and column.name == "tenant_id"
    return column.table if is_tenant else None


def _bound(rules: list[Rule]) -> set[Any]:
    bound: set[Any] = {None}
    while more := {table for table, through in rules if through in bound and table not in bound}:
        bound |= more
    return bound


def _make_sure_tenant_is_not_chosen(statement: sa.Insert | sa.Update) -> None:
    """A row's tenant is that of the transaction, when it is made and ever after."""
    chosen = [*(statement._values or ()), *(column for column, _ in getattr(statement, "_ordered_values", None) or ())]
    if any(getattr(column, "name", column) == "tenant_id" for column in chosen):
        raise TenantNotBound(f"The tenant of a row comes from the transaction, not from: {_worded(statement)}")
    if not isinstance(statement, sa.Insert):
        return
    if statement._multi_values:
        raise TenantNotBound(f"Hand the rows to run(), so that they get their tenant: {_worded(statement)}")
    if not isinstance(statement._post_values_clause, NothingOnPostgresql | NothingOnSqlite | None):
        raise TenantNotBound(f"What is updated on a conflict could be another tenant's row: {_worded(statement)}")
    if statement.select is not None and not _selects_own_tenant(statement):
        raise TenantNotBound(f"The tenant of the inserted rows must be selected as TENANT in: {_worded(statement)}")


def _selects_own_tenant(statement: sa.Insert) -> bool:
    names, select = list(statement._select_names or ()), statement.select
    if "tenant_id" not in names or not isinstance(select, sa.Select):
        return False
    column: Any = list(select.selected_columns)[names.index("tenant_id")]
    column = getattr(column, "element", column)
    return isinstance(column, BindParameter) and column.key == TENANT.key
