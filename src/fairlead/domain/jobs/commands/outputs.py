"""Which files of a job's folder are its outputs?"""

from __future__ import annotations

import glob
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fairlead.base.errors import Refusal
from fairlead.domain.catalog import Expression, Output, Program, is_marked, plain

MOST_PATTERNS = 100


@dataclass(frozen=True, slots=True)
class OutputRule:
    """An output of a job: what it printed, or the files of its folder that match a pattern.

    A pattern has no slash in it, so that nothing outside of the folder can match; `ignored` are those that had one.
    """

    name: str
    kind: Literal["file", "stdout", "stderr", "progress"]
    patterns: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def output_rules(program: Program, values: Mapping[str, Any]) -> list[OutputRule]:
    """The outputs that these values lead to, in the order of the description."""
    return [_rule(each.parameter, values) for each in program.outputs.placed() if each.is_active(values)]


def _rule(output: Output, values: Mapping[str, Any]) -> OutputRule:
    if output.output_type in ("stdout", "stderr") or output.filenames is None:
        return OutputRule(output.name, output.output_type)
    named = [each for part in output.filenames.parts() for each in _named(part, values)]
    patterns = list(dict.fromkeys(_pattern(each) for each in named[:MOST_PATTERNS]))
    good = tuple(each for each in patterns if _stays_inside(each))
    return OutputRule(output.name, output.output_type, good, tuple(each for each in patterns if each not in good))


def _named(expression: Expression, values: Mapping[str, Any]) -> list[str]:
    try:
        made = expression.evaluate(dict(values) | {"value": None, "vdef": None})
    except Refusal:  # it depends on something that was not given
        return []
    return [each for each in (made if isinstance(made, list | tuple) else [made]) if isinstance(each, str) and each]


def _pattern(name: str) -> str:
    """What a user wrote is no pattern, but letters."""
    return "".join(glob.escape(plain(each)) if is_marked(each) else each for each in name).strip()


def _stays_inside(pattern: str) -> bool:
    return bool(pattern) and "/" not in pattern and "\0" not in pattern and pattern[0] != "."
