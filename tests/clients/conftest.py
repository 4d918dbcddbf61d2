"""The stage for Debian's real clients: one world for all tests, and others for those who end its server."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from .artifacts import Workshop
from .device import RealDevice
from .fleet import Fleet
from .mender_cli import MenderCli
from .person import Person
from .programs import make_ready
from .world import World


@pytest.fixture(scope="session", autouse=True)
def real_programs() -> None:
    reason = make_ready()
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def workshop(real_programs, tmp_path_factory) -> Iterator[Workshop]:
    folder = tmp_path_factory.mktemp("workshop")
    yield Workshop(folder)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def world(real_programs, tmp_path_factory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest.fixture
def ada(world) -> Person:
    return world.ada


@pytest.fixture
def cli(world) -> MenderCli:
    return world.cli


@pytest.fixture
def fleet(world) -> Iterator[Fleet]:
    yield world.fleet
    world.fleet.rest()


@pytest.fixture
def device(fleet) -> RealDevice:
    """A running device that was let in."""
    return fleet.member()


@dataclass
class Interrupted:
    """A device whose download was cut off when its server was killed; the server is back."""

    world: World
    device: RealDevice
    deployment: str
    payload: bytes
    remembered: dict[str, int]


@pytest.fixture(scope="session")
def interrupted(workshop, tmp_path_factory) -> Iterator[Interrupted]:
    with World(tmp_path_factory.mktemp("interrupted")) as world:
        payload = os.urandom(30_000_000)
        world.cli.upload(workshop.artifact("cut-off", payload, module="slow-reader", compression="none"))
        device = world.fleet.member()
        deployment = world.ada.deploy("cut-off", device)
        device.wait_until_waiting()
        world.server.kill()
        world.server.start()
        remembered = world.ada.statistics(deployment)
        device.go_on()
        yield Interrupted(world, device, deployment, payload, remembered)


@pytest.fixture(scope="session", autouse=True)
def begin_the_long_wait(request, real_programs) -> None:
    """The client takes up a broken download after a whole minute: let it pass while other tests run.

    Should that go wrong, pytest remembers it for the test that will look at it; the others need not suffer.
    """
    if any("interrupted" in getattr(item, "fixturenames", ()) for item in request.session.items):
        with suppress(Exception):
            request.getfixturevalue("interrupted")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test tells what the real programs said."""
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            world = getattr(value, "world", value)
            if isinstance(world, World):
                report.sections.extend(world.story())
    return report
