"""Which services are there for each topic, and for each operation, of EDAM?"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from fairlead.domain.catalog.descriptions import edam
from fairlead.domain.catalog.model import Listed


@dataclass(frozen=True, slots=True)
class Branch:
    """A term with the services that name it, and the terms below it that lead to services."""

    term: edam.Term
    services: tuple[Listed, ...]
    below: tuple[Branch, ...]


def by_topic(services: Iterable[Listed]) -> Branch:
    return _grown("topic", ((service, service.topics) for service in services))


def by_operation(services: Iterable[Listed]) -> Branch:
    return _grown("operation", ((service, service.operations) for service in services))


def _grown(branch: edam.Branch, services: Iterable[tuple[Listed, tuple[str, ...]]]) -> Branch:
    """Services of no term that is in use stand at the root, so that none is lost."""
    root = edam.tree(branch)
    known = _ids(branch)
    of_term: dict[str, list[Listed]] = defaultdict(list)
    for service, named in services:
        places = dict.fromkeys(term for each in named if (term := edam.canonical(each)) in known)
        for place in places or {root.term.id: None}:
            of_term[str(place)].append(service)
    return Branch(root.term, tuple(of_term[root.term.id]), _below(root, of_term))


def _below(branching: edam.Branching, of_term: dict[str, list[Listed]]) -> tuple[Branch, ...]:
    found = []
    for child in branching.children:
        services, below = tuple(of_term.get(child.term.id, ())), _below(child, of_term)
        if services or below:
            found.append(Branch(child.term, services, below))
    return tuple(found)


@cache
def _ids(branch: edam.Branch) -> frozenset[str]:
    return frozenset(_all(edam.tree(branch)))


def _all(branching: edam.Branching) -> Iterator[str]:
    yield branching.term.id
    for child in branching.children:
        yield from _all(child)
