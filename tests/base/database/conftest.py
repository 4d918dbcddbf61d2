"""A new database for each test, on both engines."""

from __future__ import annotations

import itertools

import pytest

from fairlead.base.database import Database
from fairlead.base.database.changes import changes
from fairlead.base.database.once import heard_keys
from house.boats import metadata

_numbers = itertools.count(1)


@pytest.fixture
def open_database(engine):
    """Opens one and the same new database as often as it is asked, like several processes would."""
    url = engine.url(f"base{next(_numbers)}")
    opened = []

    def another() -> Database:
        opened.append(Database(url))
        return opened[-1]

    first = another()
    with first.outside() as connection, connection.begin():
        metadata.create_all(connection)
        changes.create(connection)
        heard_keys.create(connection)
    yield another
    for each in opened:
        each.close()


@pytest.fixture
def database(open_database) -> Database:
    return open_database()
