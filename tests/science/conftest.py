"""The stage for real programs: one server for all tests, with services that run what this machine has."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from fairlead.settings import Settings
from house.mobyle import settle_in
from house.server import RunningServer

from .laboratory import MOST_MEGABYTES, Laboratory
from .programs_here import PHYLIP, make_ready


@pytest.fixture(scope="session", autouse=True)
def real_programs() -> None:
    reason = make_ready()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def laboratory(real_programs, tmp_path_factory) -> Iterator[Laboratory]:
    settings = Settings(
        data=tmp_path_factory.mktemp("laboratory"),
        multitenant=True,
        local_jobs="on",
        job_slots=2,
        job_path=PHYLIP,
        job_memory_mb=2048,
        job_output_mb=MOST_MEGABYTES,
        trusted_proxies="127.0.0.1",
    )
    with RunningServer(settings) as running, httpx.Client(base_url=running.url, timeout=60) as client:
        place = settle_in(running, client)
        librarian, ada = place.add("librarian", is_admin=True), place.add("ada")
        yield Laboratory(place, librarian, ada, ada.told("/users/me")["default_project"])
