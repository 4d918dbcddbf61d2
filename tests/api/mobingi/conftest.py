"""What the tests of this API share: a server that runs stacks, and an account on it that is new for each test."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fairlead.domain.stacks.vendors.driver import AgentBrief, Progress
from fairlead.domain.stacks.vendors.local import LocalDriver
from fairlead.settings import Settings
from house.mobingi import CLEAN_UP_SECONDS, PaperCloud, Town, settle_in
from house.server import RunningServer


@pytest.fixture(scope="session")
def harbor(engine, tmp_path_factory) -> Iterator[RunningServer]:
    """A server whose vendor aws is a cloud on paper, and whose alicloud is this host."""
    folder = tmp_path_factory.mktemp("harbor")
    settings = Settings(
        data=folder, database=engine.url("harbor"), multitenant=True, local_stacks="on", run_on_local="alicloud"
    )
    with RunningServer(settings) as running:
        running.fairlead.stacks.drivers["aws"] = PaperCloud()
        yield running
    make_sure_nothing_runs_on(settings.local_folder)


def make_sure_nothing_runs_on(folder: Path) -> None:
    """End what tests that failed have left behind."""
    driver = LocalDriver(folder, seconds_to_end=1)
    for stack in folder.glob("mo-*"):
        brief = AgentBrief("", stack.name, "", "")
        until = time.monotonic() + CLEAN_UP_SECONDS
        while driver.observe(brief, {}, deleted=True).progress is not Progress.DONE and time.monotonic() < until:
            time.sleep(0.1)


@pytest.fixture(scope="session")
def anyone(harbor) -> Iterator[httpx.Client]:
    """A client of the server that nobody is logged in with."""
    with httpx.Client(base_url=harbor.url, verify=False, timeout=30) as client:
        yield client


@pytest.fixture
def town(harbor, anyone) -> Town:
    """An account, new for each test."""
    return settle_in(harbor, anyone)


@pytest.fixture
def elsewhere(harbor, anyone) -> Town:
    """Zoe's account, which must see nothing of the other."""
    return settle_in(harbor, anyone)


@pytest.fixture(scope="session")
def standing(harbor, anyone) -> Town:
    """An account that the tests share which leave it as it was."""
    return settle_in(harbor, anyone)
