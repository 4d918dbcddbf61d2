"""What does a description's expression make of a job's values, and may it be evaluated at all?

Expressions are Python's, of which few things are allowed: values, choices, comparisons, sums, and the methods of texts
in `text_methods.py`. They are checked when a description is read, bounded in size, and evaluated by simpleeval.

They were written for Python 2, and some of them fail there too, so this is kinder where no harm can come of it: what
is not chosen from a tuple is not evaluated, and a choice by something that is no number is made by its truth.
"""

from __future__ import annotations

import ast
import functools
import operator
import re
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from simpleeval import EvalWithCompoundTypes, InvalidExpression, NameNotDefined

from fairlead.base.errors import Kind, Refusal

from .comparing import contains, equal, less
from .marks import has_marks, plain
from .text_methods import METHODS

LONGEST = 20_000
MOST_PARTS = 4_000
DEEPEST = 120
LONGEST_RESULT = 100_000

_NODES = (
    ast.Expression,
    ast.BinOp,
    ast.UnaryOp,
    ast.BoolOp,
    ast.Compare,
    ast.IfExp,
    ast.Tuple,
    ast.List,
    ast.Dict,
    ast.Subscript,
    ast.Slice,
    ast.Constant,
    ast.Name,
    ast.Call,
    ast.Attribute,
    ast.Load,
    ast.boolop,
    ast.operator,
    ast.unaryop,
    ast.cmpop,
)
_FORMAT = re.compile(r"%(?:%|[-+ 0]?[0-9]{0,2}(?:\.[0-9]{1,2})?[sdifeg])")


class CannotEvaluate(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "The description's expression {expression!r} cannot be evaluated: {reason}."


@dataclass(frozen=True, slots=True)
class Expression:
    """`text` is as it was written."""

    text: str

    def wrong(self) -> str | None:
        """What is wrong with it, if anything."""
        return _checked(self.text)[1]

    def names(self) -> frozenset[str]:
        """The values that it asks for."""
        tree, _ = _checked(self.text)
        return frozenset() if tree is None else frozenset(_names(tree))

    def tree(self) -> ast.Expression | None:
        return _checked(self.text)[0]

    def parts(self) -> tuple[Expression, ...]:
        """Those of the tuple that it is; or itself."""
        tree = self.tree()
        if tree is None or not isinstance(tree.body, ast.Tuple):
            return (self,)
        return tuple(Expression(ast.unparse(each)) for each in tree.body.elts)

    def evaluate(self, values: Mapping[str, Any]) -> Any:
        """What it is for these values. Texts of users are marked in it."""
        tree, wrong = _checked(self.text)
        if tree is None:
            raise CannotEvaluate(expression=self._shown(), reason=wrong)
        try:
            return _Evaluator(values).eval(self.text, previously_parsed=tree.body)
        except NameNotDefined as error:
            raise CannotEvaluate(expression=self._shown(), reason=f"there is no {error.name!r}") from None
        except (InvalidExpression, ArithmeticError, LookupError, TypeError, ValueError, RecursionError) as error:
            raise CannotEvaluate(expression=self._shown(), reason=plain(str(error)[:200])) from None

    def _shown(self) -> str:
        return self.text if len(self.text) <= 200 else f"{self.text[:200]}…"


def together(expressions: Sequence[Expression]) -> Expression | None:
    """One that makes what each of them makes: a tuple, if they are several."""
    if len(expressions) < 2:
        return next(iter(expressions), None)
    trees = [part.tree() for each in expressions for part in each.parts()]
    return Expression(f"({', '.join(ast.unparse(each) for each in trees if each is not None)})")


def parse(text: str) -> ast.Expression:
    """Lines that go on without brackets are read as well: some descriptions break them wherever they are long."""
    text = text.strip()
    try:
        return ast.parse(text, mode="eval")
    except SyntaxError:
        if "\n" not in text:
            raise
        return ast.parse(f"({text}\n)", mode="eval")


@functools.lru_cache(maxsize=20_000)
def _checked(text: str) -> tuple[ast.Expression | None, str | None]:
    if len(text) > LONGEST:
        return None, f"is longer than {LONGEST} characters"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        reason = error.msg if isinstance(error, SyntaxError) else "it is nested too deeply"
        return None, f"is no expression: {reason}"
    wrong = next(_wrongs(tree), None)
    return (None, wrong) if wrong else (tree, None)


def _wrongs(tree: ast.Expression) -> Iterator[str]:
    parts = depth = 0
    below: list[ast.AST] = [tree]
    while below:
        parts += len(below)
        depth += 1
        if parts > MOST_PARTS or depth > DEEPEST:
            yield "is too large"
            return
        for node in below:
            yield from _wrong_with(node)
        below = [child for node in below for child in ast.iter_child_nodes(node)]


def _wrong_with(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, _NODES) or isinstance(node, _FORBIDDEN_OPERATORS):
        yield f"has something that expressions may not have ({type(node).__name__})"
    elif isinstance(node, ast.Constant) and not isinstance(node.value, str | int | float | None):
        yield f"has a value that expressions may not have ({type(node.value).__name__})"
    elif isinstance(node, ast.Call):
        yield from _wrong_with_call(node)
    elif isinstance(node, ast.Attribute) and node.attr not in METHODS:
        yield f"asks for {node.attr!r}, which expressions may not"
    elif isinstance(node, ast.Name) and node.id.startswith("__"):
        yield f"asks for {node.id!r}, which expressions may not"
    elif isinstance(node, ast.Dict) and None in node.keys:
        yield "has something that expressions may not have (**)"


def _wrong_with_call(node: ast.Call) -> Iterator[str]:
    if node.keywords:
        yield "names arguments, which expressions may not"
    if isinstance(node.func, ast.Name) and node.func.id not in _FUNCTIONS:
        yield f"calls {node.func.id!r}, which expressions may not"
    elif not isinstance(node.func, ast.Name | ast.Attribute):
        yield "calls something that has no name"


_FORBIDDEN_OPERATORS = (ast.Pow, ast.LShift, ast.RShift, ast.BitOr, ast.BitAnd, ast.BitXor, ast.Invert, ast.MatMult)


def _names(tree: ast.AST) -> Iterator[str]:
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and id(node) not in called:
            yield node.id


def _add(one: Any, other: Any) -> Any:
    if isinstance(one, str) != isinstance(other, str):
        one, other = _put_in(one), _put_in(other)
    return _bounded(one + other)


def _put_in(value: Any) -> Any:
    """Numbers may be put behind a text as they are."""
    return _text(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _multiply(one: Any, other: Any) -> Any:
    if isinstance(one, str | list | tuple) or isinstance(other, str | list | tuple):
        raise ValueError("texts and lists are not multiplied")
    return one * other


def _divide(one: Any, other: Any) -> Any:
    return one // other if isinstance(one, int) and isinstance(other, int) else one / other


def _modulo(one: Any, other: Any) -> Any:
    if not isinstance(one, str):
        return one % other
    if "%" in _FORMAT.sub("", plain(one)) or has_marks(one):
        raise ValueError("only %s, %d and %f are filled in")
    values = other if isinstance(other, tuple) else (other,)
    return _bounded(one % tuple(_text(each) if isinstance(each, list) else each for each in values))


def _bounded(made: Any) -> Any:
    if isinstance(made, str | list | tuple) and len(made) > LONGEST_RESULT:
        raise ValueError("it becomes too long")
    return made


def _text(value: Any = "") -> str:
    """A list is its items one after another, each a word of its own."""
    if isinstance(value, list | tuple):
        return " ".join(_text(each) for each in value)
    return str(value)


def _integer(value: Any = 0) -> int:
    if isinstance(value, str) and len(value) > 100:
        raise ValueError("that is no number")
    return int(plain(value) if isinstance(value, str) else value)


def _number(value: Any = 0) -> float:
    return float(plain(value) if isinstance(value, str) else value)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "str": _text,
    "int": _integer,
    "float": _number,
    "bool": bool,
    "len": len,
    "min": min,
    "max": max,
    "abs": abs,
    "round": round,
}
_OPERATORS: Mapping[type[ast.AST], Callable[..., Any]] = {
    ast.Add: _add,
    ast.Sub: operator.sub,
    ast.Mult: _multiply,
    ast.Div: _divide,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: _modulo,
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Eq: equal,
    ast.NotEq: lambda one, other: not equal(one, other),
    ast.Lt: less,
    ast.Gt: lambda one, other: less(other, one),
    ast.LtE: lambda one, other: less(one, other) or equal(one, other),
    ast.GtE: lambda one, other: less(other, one) or equal(one, other),
    ast.In: lambda part, whole: contains(whole, part),
    ast.NotIn: lambda part, whole: not contains(whole, part),
    ast.Is: lambda one, other: (one is None and other is None) or equal(one, other),
    ast.IsNot: lambda one, other: not equal(one, other),
}


class _Evaluator(EvalWithCompoundTypes):  # type: ignore[misc]
    def __init__(self, values: Mapping[str, Any]) -> None:
        names = {"True": True, "False": False, "None": None} | dict(values)
        super().__init__(operators=dict(_OPERATORS), functions=dict(_FUNCTIONS), names=names)
        self.functions = dict(_FUNCTIONS)

    def _eval_name(self, node: ast.Name) -> Any:
        """A value, and never a function that nobody calls."""
        if node.id not in self.names:
            raise NameNotDefined(node.id, self.expr)
        return self.names[node.id]

    def _eval_call(self, node: ast.Call) -> Any:
        given = [self._eval(each) for each in node.args]
        if isinstance(node.func, ast.Name):
            return _bounded(_FUNCTIONS[node.func.id](*given))
        assert isinstance(node.func, ast.Attribute)
        text = self._eval(node.func.value)
        if not isinstance(text, str):
            raise ValueError(f"{node.func.attr!r} is for texts, and {type(text).__name__} is none")
        return _bounded(METHODS[node.func.attr](text, *given))

    def _eval_attribute(self, node: ast.Attribute) -> Any:
        raise ValueError(f"{node.attr!r} is not called")

    def _eval_subscript(self, node: ast.Subscript) -> Any:
        key = self._eval(node.slice)
        if isinstance(node.value, ast.Dict):
            return self._chosen(node.value, key)
        if isinstance(node.value, ast.Tuple | ast.List) and not isinstance(key, slice):
            return self._eval(node.value.elts[_place(key)])
        whole = self._eval(node.value)
        if isinstance(whole, dict):
            return whole[plain(key) if isinstance(key, str) else key]
        return whole[key if isinstance(key, slice) else _place(key)]

    def _chosen(self, node: ast.Dict, key: Any) -> Any:
        for written, value in zip(node.keys, node.values, strict=True):
            if equal(self._eval(written), key):
                return self._eval(value)
        raise LookupError(f"there is nothing for {key!r}")


def _place(key: Any) -> int:
    return int(key) if isinstance(key, int) else int(bool(key))


def literals(expression: Expression) -> Iterator[str]:
    """The texts that it may put into a command: not those that it only compares with."""
    tree = expression.tree()
    if tree is not None:
        yield from _literals(tree)


def _literals(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Compare):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.Subscript):
        yield from _literals(node.value)
        return
    for child in ast.iter_child_nodes(node):
        yield from _literals(child)
