"""A migrated database of their own for tests that run workers, so that no other test's worker takes their jobs."""

from __future__ import annotations

import itertools

import pytest

from fairlead.base.database import Database
from fairlead.migrations import upgrade

from .scripted import Place

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def own_database(engine):
    opened = Database(engine.url(f"stacks{next(_numbers)}"))
    upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture
def place(own_database, tokens):
    place = Place(own_database, tokens)
    yield place
    place.close()
