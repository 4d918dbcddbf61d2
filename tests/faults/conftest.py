"""Real servers that are hurt while they work, on both engines."""

from __future__ import annotations

import pytest

from house.people import prepare_data


@pytest.fixture
def served(engine, tmp_path):
    return prepare_data(engine, tmp_path)


@pytest.fixture(scope="module")
def served_by_several(engine, tmp_path_factory):
    return prepare_data(engine, tmp_path_factory.mktemp("served"))
