"""Which projects are there that services belong to?

Projects are known one floor up: whoever knows them says so here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from fairlead.base.database import Tx
from fairlead.domain.identity import portal

SERVER_LEVEL = 0
"""Stands for no project: the service is one of the whole server."""

Seen = Callable[[Tx, Collection[int]], Mapping[int, portal.ProjectRef]]
"""The projects of these numbers, as far as there are such."""
Called = Callable[[Tx, str], list[int]]
"""The numbers of all projects with this name."""


class _Known:
    """Nobody knows of any project, until somebody does."""

    seen: Seen = staticmethod(lambda tx, numbers: {})
    called: Called = staticmethod(lambda tx, name: [])


_known = _Known()


def ask_for_projects(seen: Seen, called: Called) -> None:
    """From now on, this is who knows the projects."""
    _known.seen, _known.called = seen, called


def projects_seen(tx: Tx, numbers: Collection[int]) -> Mapping[int, portal.ProjectRef]:
    return _known.seen(tx, numbers) if numbers else {}


def projects_meant(tx: Tx, text: str) -> set[int]:
    """The number of the project with this id, or else those of all with this name."""
    number = portal.number_of(text)
    return {number} if number else set(_known.called(tx, text))


def shown_project(number: int) -> str:
    return portal.written(number) if number else ""
