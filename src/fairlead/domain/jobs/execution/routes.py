"""Which system runs a job? The first route whose rules all hold says so; where none does, this machine.

Routes are read from a document, `[{"name", "rules": [{"name", "parameters"}], "system"}]`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from fairlead.base.errors import Refusal

LOCAL = "local"
_MOST_ROUTES = 1000


class BadRoutes(Refusal):
    """The document cannot be understood as routes; the text says where."""

    message = "{place}: {reason}."


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known about a job before it runs. `topics` has those above the service's own as well."""

    service: str
    topics: Collection[str] = ()
    project: str = ""
    user: str = ""
    input_bytes: int = 0
    cpus: int = 1


@dataclass(frozen=True, slots=True)
class Rule:
    """One condition: of a text, that it matches one of the patterns; of a number, that it lies between two."""

    name: str
    patterns: tuple[str, ...] = ()
    at_least: float | None = None
    at_most: float | None = None

    def holds(self, asked: Asked) -> bool:
        if self.name in _TEXTS:
            return any(fnmatchcase(text, pattern) for text in _TEXTS[self.name](asked) for pattern in self.patterns)
        number = _NUMBERS[self.name](asked)
        return (self.at_least is None or number >= self.at_least) and (self.at_most is None or number <= self.at_most)


@dataclass(frozen=True, slots=True)
class Route:
    name: str
    rules: tuple[Rule, ...]
    system: str


@dataclass(frozen=True, slots=True)
class Routes:
    """All routes, in order."""

    routes: tuple[Route, ...] = ()

    def choose(self, asked: Asked) -> str:
        """The name of the system that runs the job."""
        for route in self.routes:
            if all(rule.holds(asked) for rule in route.rules):
                return route.system
        return LOCAL


def read_routes(document: object, systems: Collection[str]) -> Routes:
    """Understand the document, whose routes may lead only to the systems that are there."""
    routes = _list(document, "routes")
    if len(routes) > _MOST_ROUTES:
        raise BadRoutes(place="routes", reason=f"there are more than {_MOST_ROUTES}")
    return Routes(tuple(_route(each, f"routes[{number}]", systems) for number, each in enumerate(routes)))


def _route(document: object, place: str, systems: Collection[str]) -> Route:
    route = _object(document, place, ("name", "rules", "system"))
    name, system = route.get("name", place), route.get("system")
    if not isinstance(name, str):
        raise BadRoutes(place=f"{place}.name", reason="this is not a text")
    if not isinstance(system, str) or system not in systems:
        raise BadRoutes(place=f"{place}.system", reason=f"{system!r} is none of {', '.join(sorted(systems))}")
    rules = _list(route.get("rules", []), f"{place}.rules")
    return Route(name, tuple(_rule(each, f"{place}.rules[{at}]") for at, each in enumerate(rules)), system)


def _rule(document: object, place: str) -> Rule:
    rule = _object(document, place, ("name", "parameters"))
    name, parameters = rule.get("name"), rule.get("parameters")
    if not isinstance(name, str):
        raise BadRoutes(place=f"{place}.name", reason="this is not a text")
    if name in _TEXTS:
        patterns = _list(parameters, f"{place}.parameters")
        if not patterns or not all(isinstance(each, str) for each in patterns):
            raise BadRoutes(place=f"{place}.parameters", reason="this is not a list of patterns")
        return Rule(name, tuple(patterns))
    if name in _NUMBERS:
        between = _object(parameters, f"{place}.parameters", ("at_least", "at_most"))
        if not between or not all(type(each) in (int, float) for each in between.values()):
            raise BadRoutes(place=f"{place}.parameters", reason="there must be numbers at_least or at_most")
        return Rule(name, at_least=between.get("at_least"), at_most=between.get("at_most"))
    raise BadRoutes(place=f"{place}.name", reason=f"{name!r} is none of {', '.join(sorted([*_TEXTS, *_NUMBERS]))}")


def _list(document: object, place: str) -> Sequence[Any]:
    if not isinstance(document, list):
        raise BadRoutes(place=place, reason="this is not a list")
    return document


def _object(document: object, place: str, known: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise BadRoutes(place=place, reason="this is not an object")
    for key in document:
        if key not in known:
            raise BadRoutes(place=place, reason=f"{key!r} is none of {', '.join(known)}")
    return document


_TEXTS: Mapping[str, Callable[[Asked], Collection[str]]] = {
    "service": lambda asked: [asked.service],
    "topic": lambda asked: asked.topics,
    "project": lambda asked: [asked.project],
    "user": lambda asked: [asked.user],
}
_NUMBERS: Mapping[str, Callable[[Asked], int]] = {
    "size": lambda asked: asked.input_bytes,
    "cpus": lambda asked: asked.cpus,
}
