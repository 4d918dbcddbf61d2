"""What do the terms of EDAM mean, and which is a kind of which?

EDAM is the ontology in which topics, operations, data and formats of services are named. It comes with a package and
is read when somebody first asks.
"""

from __future__ import annotations

import csv
import functools
import importlib.resources
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .model import ArrayType, FormattedType, Type

Branch = Literal["topic", "operation", "data", "format"]
_ROOTS: dict[str, str] = {
    "topic": "EDAM_topic:0003",
    "operation": "EDAM_operation:0004",
    "data": "EDAM_data:0006",
    "format": "EDAM_format:1915",
}
_ID = re.compile(r"(?:https?://edamontology\.org/|EDAM_|EDAM:)?(topic|operation|data|format)s?[_:]([0-9]{4})")
"""Some descriptions have `EDAM_topics:0092`."""


@dataclass(frozen=True, slots=True)
class Term:
    id: str
    name: str
    definition: str
    parents: tuple[str, ...]
    obsolete: bool


@dataclass(frozen=True, slots=True)
class Branching:
    """A term with what is below it. Below several, a term stands below each."""

    term: Term
    children: tuple[Branching, ...]


def canonical(id: str) -> str | None:
    """The id as descriptions write it, `EDAM_topic:0003`; `None` if it is none of EDAM's."""
    found = _ID.fullmatch(id.strip())
    return f"EDAM_{found[1]}:{found[2]}" if found else None


def find_term(id: str) -> Term | None:
    known = canonical(id)
    return _terms().get(known) if known else None


def is_a(id: str, ancestor: str) -> bool:
    """Is it the term, or a kind of it?"""
    one, other = canonical(id), canonical(ancestor)
    return one is not None and other is not None and (one == other or other in _ancestors(one))


def accepts(type: Type | None, data_terms: Iterable[str] = (), format_terms: Iterable[str] = ()) -> bool:
    """May data of these terms be given to a parameter of this type?

    What says nothing fits: data that nobody has typed, and parameters that take all. One of several terms is enough.
    """
    if isinstance(type, ArrayType):
        return accepts(type.items, data_terms, format_terms)
    if type is None:
        return True
    if not isinstance(type, FormattedType):
        return False
    return _fits(type.data_terms, tuple(data_terms)) and _fits(type.format_terms, tuple(format_terms))


def _fits(wanted: tuple[str, ...], given: tuple[str, ...]) -> bool:
    return not wanted or not given or any(is_a(each, term) for each in given for term in wanted)


@functools.cache
def tree(branch: Branch) -> Branching:
    """All terms of a branch that are in use."""
    below: dict[str, list[Term]] = {}
    for term in _terms().values():
        for parent in term.parents:
            below.setdefault(parent, []).append(term)
    return _branching(_terms()[_ROOTS[branch]], below)


def _branching(term: Term, below: dict[str, list[Term]]) -> Branching:
    children = sorted(below.get(term.id, []), key=lambda each: each.name.lower())
    return Branching(term, tuple(_branching(each, below) for each in children if not each.obsolete))


@functools.cache
def _ancestors(id: str) -> frozenset[str]:
    term = _terms().get(id)
    parents = term.parents if term else ()
    return frozenset(parents).union(*(_ancestors(parent) for parent in parents))


@functools.cache
def _terms() -> dict[str, Term]:
    with importlib.resources.files("edam_ontology").joinpath("EDAM.tsv").open(encoding="utf-8") as file:
        read = (_term(row) for row in csv.DictReader(file, delimiter="\t"))
        return {term.id: term for term in read if term is not None}


def _term(row: dict[str, str]) -> Term | None:
    id = canonical(row["Class ID"])
    if id is None:
        return None
    return Term(
        id=id,
        name=row["Preferred Label"],
        definition=row["Definitions"].split("|")[0],
        parents=tuple(known for known in map(canonical, row["Parents"].split("|")) if known),
        obsolete=row["Obsolete"].upper() == "TRUE",
    )
