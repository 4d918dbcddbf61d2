"""What stands in a template once everything is put in where it is referred to?

Expressions are looked for in the layers' `provision`, and in `container` where a text is one as a whole. What is put in
was looked through where it stands, and is counted wherever it is put: a short template that copies copies of copies
is refused before it is large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .container import FOR_PROGRAMS
from .expressions import BadExpression, Computed, Copy, Expression, Named, Path, Use, is_whole, parse
from .limits import Limits
from .model import Choose, Hole, Layers, Vendor
from .problems import WRONG, Place, Wrong
from .spelling import snake

LONGEST_TEXT = 4096
"""So long may a text be that is put together."""

_NAMED_AT: dict[tuple[str | int, ...], str] = {
    ("provision", "auto_scaling"): "auto_scaling",
    ("load_balancer", "security_groups"): "security_group",
    ("load_balancer", "subnets"): "subnet",
    ("auto_scaling", "security_groups"): "security_group",
    ("auto_scaling", "subnets"): "subnet",
}
"""Where things of other layers may be named, by the last two keys, and what they must be."""


class TooLarge(Exception):
    """There would be more values than a template may have."""

    def __init__(self, at: Place) -> None:
        self.at = at


@dataclass(frozen=True, slots=True)
class _Done:
    """The value of an expression, of how many values it is made, and over how many levels."""

    value: Any
    values: int
    height: int


class Expansion:
    """Puts in what the layers of one template refer to."""

    def __init__(
        self, configurations: Sequence[Any], at: Place, *, vendor: Vendor, choose: Choose, limits: Limits
    ) -> None:
        self._layers = configurations
        self._at = at
        self._vendor = vendor
        self._choose = choose
        self._limits = limits
        self._by_flag = _by_flag(configurations)
        self._count = 0
        self._deepest = 0
        self._open: set[tuple[str | int, ...]] = set()
        self._circular: set[tuple[str | int, ...]] = set()
        self._done: dict[tuple[str | int, ...], _Done] = {}
        self._names: dict[int, dict[str, str]] = {}

    def layers(self) -> list[Any]:
        """The layers with everything put in, and `WRONG` where that cannot be done."""
        return [self._layer(layer, self._at / index) for index, layer in enumerate(self._layers)]

    def _layer(self, layer: Any, at: Place) -> Any:
        if not isinstance(layer, Mapping):
            return layer
        return {
            key: self._value(value, at / key, 0) if key in ("provision", "container") else value
            for key, value in layer.items()
        }

    def _value(self, value: Any, at: Place, depth: int) -> Any:
        self._take(1, at)
        if not self._may_go_down_to(depth):
            return self._too_deep(at)
        if isinstance(value, Mapping):
            return {key: self._below(key, below, at / key, depth + 1) for key, below in value.items()}
        if isinstance(value, list):
            return [self._value(below, at / index, depth + 1) for index, below in enumerate(value)]
        return self._text(value, at, depth) if isinstance(value, str) else value

    def _below(self, key: str, value: Any, at: Place, depth: int) -> Any:
        if snake(key) in FOR_PROGRAMS and at.keys[2:3] == ("container",):
            return value
        return self._value(value, at, depth)

    def _may_go_down_to(self, depth: int) -> bool:
        self._deepest = max(self._deepest, depth)
        return depth <= self._limits.depth

    def _too_deep(self, at: Place) -> Wrong:
        return at.problem(f"refers to something over more than {self._limits.depth} levels")

    def _take(self, values: int, at: Place) -> None:
        self._count += values
        if self._count > self._limits.values:
            raise TooLarge(at)

    def _text(self, text: str, at: Place, depth: int) -> Any:
        keys = at.keys
        if keys[2] == "container" and not is_whole(text):
            return text
        try:
            expression = parse(text)
        except BadExpression as reason:
            return at.problem(str(reason))
        if expression is None:
            return text
        at.report.expressions.add(at.pointer)
        return self._once(expression, at, keys, depth)

    def _once(self, expression: Expression, at: Place, keys: tuple[str | int, ...], depth: int) -> Any:
        """The value of the expression at a place, worked out once however often it is asked for."""
        if keys in self._open:
            self._circular.add(keys)
            return at.problem("refers to itself, directly or by way of others")
        done = self._done.get(keys)
        if done is not None:
            self._take(done.values, at)
            return done.value if self._may_go_down_to(depth + done.height) else self._too_deep(at)
        count, deepest = self._count, self._deepest
        self._deepest = depth
        self._open.add(keys)
        value = self._evaluated(expression, at, depth)
        self._open.remove(keys)
        if keys in self._circular:
            value = WRONG
        self._done[keys] = _Done(value, self._count - count, self._deepest - depth)
        self._deepest = max(self._deepest, deepest)
        return value

    def _evaluated(self, expression: Expression, at: Place, depth: int) -> Any:
        match expression:
            case Computed():
                return self._chosen(at)
            case Use(parts):
                return self._used(parts, at, depth)
            case Copy(path):
                return self._copied(path, at, depth)
            case Named():
                return self._named(expression, at)

    def _chosen(self, at: Place) -> Any:
        index, *keys = at.keys[1:]
        layer = self._layers[int(index)]
        return self._choose(Hole(self._vendor, str(layer.get("flag", "")), tuple(_plain(key) for key in keys)))

    def _used(self, parts: tuple[str | Path, ...], at: Place, depth: int) -> Any:
        if len(parts) == 1 and isinstance(parts[0], Path):
            return self._scalar(parts[0], at, depth)
        texts = [part if isinstance(part, str) else self._scalar(part, at, depth) for part in parts]
        if WRONG in texts:
            return WRONG
        text = "".join(map(str, texts))
        if len(text) > LONGEST_TEXT:
            return at.problem(f"would be a text of more than {LONGEST_TEXT} characters")
        return text

    def _scalar(self, path: Path, at: Place, depth: int) -> Any:
        value = self._found(path, at, depth)
        if value is WRONG or (isinstance(value, str | int | float) and not isinstance(value, bool)):
            return value
        return at.problem(f"uses {path}, which is not a text: use(…) is for texts, copy(…) for objects and lists")

    def _copied(self, path: Path, at: Place, depth: int) -> Any:
        value = self._found(path, at, depth)
        if value is WRONG or isinstance(value, Mapping | list | Layers):
            return value
        return at.problem(f"copies {path}, which is neither an object nor a list: for texts there is use(…)")

    def _named(self, named: Named, at: Place) -> Any:
        what = _NAMED_AT.get(tuple(_plain(key) for key in at.keys[-2:]))
        if what is None:
            return at.problem(f"must not be a #{named.how}(…): only load balancers and auto scaling have these")
        for path in named.paths:
            if path.flag not in self._by_flag:
                return self._unknown_layer(path, at)
            if tuple(map(snake, path.keys)) != (what,):
                return at.problem(f"must name the {what} of a layer, and names {path}")
        return Layers(what, tuple(dict.fromkeys(path.flag for path in named.paths)))

    def _found(self, path: Path, at: Place, depth: int) -> Any:
        """What stands at the path, with everything put in there."""
        if path.flag not in self._by_flag:
            return self._unknown_layer(path, at)
        index = self._by_flag[path.flag]
        value, place, is_done = self._layers[index], self._at / index, False
        for key in ("provision", *path.keys):
            if isinstance(value, str) and not is_done:
                value, is_done = self._text(value, place, depth + 1), True
            name = self._name_in(value, key)
            if name is None:
                return WRONG if value is WRONG else at.problem(f"refers to {path}, and nothing stands there")
            value, place = value[name], place / name
        value = value if is_done else self._value(value, place, depth + 1)
        if is_done:
            self._take(_size(value), at)
        return at.problem(f"refers to {path}, and nothing stands there") if value is None else value

    def _unknown_layer(self, path: Path, at: Place) -> Wrong:
        return at.problem(f"refers to {path}, and no layer has the flag {path.flag!r}")

    def _name_in(self, value: Any, key: str) -> str | int | None:
        """Under which of its spellings the key stands there."""
        if isinstance(value, list):
            return int(key) if key.isascii() and key.isdigit() and int(key) < len(value) else None
        if not isinstance(value, Mapping):
            return None
        if key in value:
            return key
        names = self._names.setdefault(id(value), {})
        if not names:
            names.update((snake(name), name) for name in value)
        return names.get(snake(key))


def _by_flag(configurations: Sequence[Any]) -> dict[str, int]:
    flags: dict[str, int] = {}
    for index, layer in enumerate(configurations):
        if isinstance(layer, Mapping) and isinstance(layer.get("flag"), str):
            flags.setdefault(layer["flag"], index)
    return flags


def _plain(key: str | int) -> str | int:
    return key if isinstance(key, int) else snake(key)


def _size(value: Any) -> int:
    if isinstance(value, Mapping):
        return 1 + sum(map(_size, value.values()))
    return 1 + sum(map(_size, value)) if isinstance(value, list) else 1
