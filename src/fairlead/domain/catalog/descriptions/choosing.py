"""Which expression is the format of a list of choices (`flist`) each of which has a format of its own?"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from typing import Any

from .expressions import Expression

NUMBERS = ("IntegerType", "FloatType")
_SEPARATORS = (" ", ",", ";", "|", "\t")


def separator_for(values: Iterable[str]) -> str:
    """One by which those of these values that are chosen can be told apart."""
    all_of_them = "".join(values)
    return next((each for each in _SEPARATORS if each not in all_of_them), "\t")


def format_of_chosen(formats: Iterable[tuple[str, str]], kind: str | None, separator: str) -> str:
    """`formats` are values and codes: one after another, those of the values that are chosen."""
    texts = [
        f"{_code_for(value, code, kind)} if {_is_chosen(value, kind, separator)} else ''" for value, code in formats
    ]
    return f"'' if value is None else ''.join(({', '.join([*texts, repr('')])},))"


def _is_chosen(value: str, kind: str | None, separator: str) -> str:
    if kind == "ArrayType":
        return f"{value!r} in value.split({separator!r})"
    return f"value == {_as_seen(value, kind)!r}"


def _as_seen(value: str, kind: str | None) -> Any:
    """What expressions see of it."""
    if kind == "BooleanType":
        return value.lower() in ("1", "true", "yes")
    try:
        return float(value) if kind in NUMBERS else value
    except ValueError:
        return value


def _code_for(value: str, code: str, kind: str | None) -> str:
    """Where several may be chosen, `value` is each of them in its own format. What is no code stays, to be refused."""
    tree = Expression(code).tree()
    if tree is not None and kind == "ArrayType":
        code = ast.unparse(_Valued(value).visit(ast.parse(ast.unparse(tree), mode="eval")))
    return f"str(({code}\n) or '')"


class _Valued(ast.NodeTransformer):
    def __init__(self, value: str) -> None:
        self.value = value

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(self.value) if node.id == "value" else node
