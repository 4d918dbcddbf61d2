"""What the tests of this API share: a server that runs jobs, and a portal on it that is new for each test."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from fairlead.settings import Settings
from house.mobyle import Place, people_of_a_project, settle_in
from house.server import RunningServer


@pytest.fixture(scope="session")
def library(engine, tmp_path_factory) -> Iterator[RunningServer]:
    """A server whose jobs run on this host."""
    settings = Settings(
        data=tmp_path_factory.mktemp("library"),
        database=engine.url("library"),
        multitenant=True,
        local_jobs="on",
        trusted_proxies="127.0.0.1",
    )
    with RunningServer(settings) as running:
        yield running


@pytest.fixture(scope="session")
def reader(library) -> Iterator[httpx.Client]:
    """A client of the server that keeps no cookies of its own accord."""
    with httpx.Client(base_url=library.url, timeout=30) as client:
        yield client


@pytest.fixture
def place(library, reader) -> Place:
    """A portal, new for each test."""
    return settle_in(library, reader)


@pytest.fixture(scope="session")
def busy_place(library, reader) -> Place:
    """A portal with everybody there can be at it, for tests that leave it as it was."""
    return people_of_a_project(settle_in(library, reader))
