"""Which files of a job's folder does a description speak of by itself? No file that is given may be called so.

A program that is to write `outseq.rev` must not read its input from there, and `ln -s … infile` needs the name free.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fairlead.domain.catalog import Expression, Program, literals

from .values import is_file_name

_BETWEEN_NAMES = re.compile(r"[\s'\"<>|&;=]+")
_PHYLIP = ("infile", "intree", "outfile", "outtree", "plotfile")
"""What the programs of PHYLIP call their files, which their descriptions rarely say."""


def own_names(program: Program, values: Mapping[str, Any]) -> Iterator[str]:
    """Every word that may be one: what its expressions say, what is usual, and what the user writes."""
    texts = [*_PHYLIP, program.command or "", *_said(program), *_usual(program), *_written(values)]
    return (word for text in texts for word in (text, *_BETWEEN_NAMES.split(text)) if is_file_name(word))


def _said(program: Program) -> Iterator[str]:
    expressions: list[Expression | None] = [each.parameter.format for each in program.inputs.placed()]
    expressions += [each.parameter.filenames for each in program.outputs.placed()]
    return (text for each in expressions if each is not None for text in literals(each))


def _usual(program: Program) -> Iterator[str]:
    types = (each.parameter.type for each in program.inputs.placed())
    return (each.default for each in types if each is not None and isinstance(each.default, str))


def _written(values: Mapping[str, Any]) -> Iterator[str]:
    return (each for each in values.values() if isinstance(each, str))
