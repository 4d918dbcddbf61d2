"""Portals for tests of projects, data and jobs, in a database of their own: no other test's worker takes their jobs."""

from __future__ import annotations

import itertools

import pytest

from fairlead.base.database import Database
from fairlead.migrations import upgrade
from house.science import Lab, Scripted, tools_in

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def science_database(engine):
    opened = Database(engine.url(f"science{next(_numbers)}"))
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def new_lab(science_database, tokens, tmp_path):
    """All that a test makes are on one server, with the wishes of the first."""
    labs: list[Lab] = []
    system = Scripted()

    def make(**wishes) -> Lab:
        tools = labs[0].tools if labs else tools_in(tmp_path, system, **wishes)
        labs.append(Lab(science_database, tokens, system, tools))
        return labs[-1]

    yield make
    for lab in labs:
        lab.close()


@pytest.fixture
def lab(new_lab) -> Lab:
    return new_lab()


@pytest.fixture
def zenith(lab, new_lab) -> Lab:
    """The other organization."""
    return new_lab()
