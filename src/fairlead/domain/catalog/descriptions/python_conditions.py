"""Which condition is meant by this Python, in which Mobyle 1 wrote them?"""

from __future__ import annotations

import ast
from typing import Any

from .expressions import parse

_WORDS: dict[type[ast.AST], str] = {
    ast.Gt: "#gt",
    ast.GtE: "#gte",
    ast.Lt: "#lt",
    ast.LtE: "#lte",
    ast.NotEq: "#ne",
    ast.IsNot: "#ne",
    ast.Eq: "#eq",
    ast.Is: "#eq",
    ast.In: "#in",
    ast.NotIn: "#nin",
}


class _OnlyInPython(Exception):
    """The language of conditions has no word for it."""


def condition_of(code: str) -> Any:
    """The condition as plain data; what it cannot say stays Python, to be evaluated like other expressions."""
    try:
        return _translated(parse(code).body)
    except (_OnlyInPython, SyntaxError, ValueError, RecursionError, MemoryError):
        return {"#python": code.strip()}


def _translated(node: ast.expr) -> Any:
    match node:
        case ast.BoolOp(op=ast.And(), values=values):
            return {"#and": [_translated(each) for each in values]}
        case ast.BoolOp(op=ast.Or(), values=values):
            return {"#or": [_translated(each) for each in values]}
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return {"#not": _translated(operand)}
        case ast.Name(id=name):
            return name
        case ast.Call(func=ast.Name(id="bool"), args=[ast.Name(id=name)]):
            return name
        case ast.Compare(left=ast.Name(id=name), ops=[op], comparators=[than]):
            return {name: {_WORDS[type(op)]: _constant(than)}}
    raise _OnlyInPython


def _constant(node: ast.expr) -> Any:
    match node:
        case ast.Constant(value=str() | int() | float() | bool() | None as value):
            return value
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int() | float() as value)):
            return -value
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_constant(each) for each in items]
    raise _OnlyInPython
