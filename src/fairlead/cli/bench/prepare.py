"""How does a database come to know a hundred thousand accepted devices in a few seconds? It is filled directly."""

from __future__ import annotations

import contextlib
import hashlib
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, as_completed
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from fairlead.base import clock
from fairlead.base.database import Database, as_document, metadata
from fairlead.base.errors import Refusal
from fairlead.base.scope import system_scope
from fairlead.cli.bench import asking, crew, person
from fairlead.cli.bench.plan import Plan
from fairlead.cli.simulate.identity import KeyType
from fairlead.domain import devices, identity
from fairlead.parts import open_database, prepare
from fairlead.settings import Settings

PIECE = 2000
_AS_JSON = ("reported", "assigned")

Advance = Callable[[int], object]
Begin = Callable[[str, int], Advance]
"""Says what begins and of how many steps it is; what it returns is called with each number of steps done."""


class DatabaseNotEmpty(Refusal):
    message = (
        "--database: {where} has tables already. The bench fills a database with made-up devices and drops all "
        "tables at the end, so it takes an empty one only."
    )


@dataclass(slots=True)
class Fleet:
    """The devices that the server knows: by id, with their tokens, and with requests to be let in."""

    ids: list[str] = field(default_factory=list)
    tokens: list[bytes] = field(default_factory=list)
    auth_requests: dict[KeyType, list[bytes]] = field(default_factory=dict)


@contextlib.contextmanager
def filled(settings: Settings, plan: Plan, begin: Begin) -> Iterator[Fleet]:
    """A database with a person and the fleet in it, and at the end none of ours."""
    make_sure_it_is_empty(settings)
    database = prepare(settings)
    try:
        with crew.crew(settings) as pool:
            fleet = _fill(database, plan, pool, begin)
        database.engine.dispose()
        yield fleet
    finally:
        if plan.database:
            _empty(database)
        database.close()


def make_sure_it_is_empty(settings: Settings) -> None:
    database = open_database(settings)
    try:
        if sa.inspect(database.engine).get_table_names():
            raise DatabaseNotEmpty(where=database.describe())
    finally:
        database.engine.dispose()


def _empty(database: Database) -> None:
    """Drop what was made here, the record of migrations too."""
    everything = sa.MetaData()
    everything.reflect(database.engine)
    everything.drop_all(database.engine)


def _fill(database: Database, plan: Plan, pool: Executor, begin: Begin) -> Fleet:
    password = identity.prepare_password(person.PASSWORD)
    with database.begin(system_scope(identity.DEFAULT_TENANT_ID)) as tx:
        identity.add_user(tx, person.EMAIL, password)
        tenant = identity.own_tenant(tx)
    fleet = Fleet()
    sets = _add_devices(database, tenant, plan.devices, begin("devices", plan.devices))
    fleet.ids = [device for _, device in sets]
    if plan.tokens:
        fleet.tokens = _sign(pool, tenant, sets[: plan.tokens], begin("tokens", plan.tokens))
    wanted = ((KeyType.ED25519, "auth-ed25519", plan.ed25519_keys), (KeyType.RSA, "auth-rsa", plan.rsa_keys))
    for kind, row, count in wanted:
        if plan.wants(row):
            made = _make_auth_requests(pool, kind, count, begin(f"{kind} keys", count))
            _preauthorize(database, tenant, made)
            fleet.auth_requests[kind] = [asking.auth_request(*each) for each in made]
    return fleet


def _add_devices(database: Database, tenant: identity.Tenant, count: int, advance: Advance) -> list[tuple[str, str]]:
    """Accepted devices with an auth set and an inventory each; the ids of set and device."""
    public_key = _some_public_key()
    sets: list[tuple[str, str]] = []
    for start in range(0, count, PIECE):
        piece = range(start, min(start + PIECE, count))
        rows = [_rows_of_device(tenant.id, number, public_key) for number in piece]
        with database.across_tenants("devices for the bench") as tx:
            for name in ("devices", "auth_sets", "inventories"):
                tx.run(_insert(metadata.tables[name], rows[0][name]), [row[name] for row in rows])
        sets += [(row["auth_sets"]["id"], row["devices"]["id"]) for row in rows]
        advance(len(piece))
    return sets


def _insert(table: sa.Table, row: dict[str, Any]) -> sa.Insert:
    documents = {name: as_document(sa.bindparam(name, type_=sa.Text)) for name in row if name in _AS_JSON}
    return sa.insert(table).values(documents) if documents else sa.insert(table)


def _rows_of_device(tenant_id: str, number: int, public_key: str) -> dict[str, dict[str, Any]]:
    device_id, now = str(uuid.uuid4()), clock.now()
    claimed = devices.read_identity(json.dumps({"mac": f"0a:00:00:{number:012x}"}))
    common = {"tenant_id": tenant_id, "created_at": now}
    return {
        "devices": {
            **common,
            "id": device_id,
            "identity_digest": claimed.digest,
            "identity": claimed.canonical,
            "status": devices.Status.ACCEPTED.value,
            "updated_at": now,
        },
        "auth_sets": {
            **common,
            "id": str(uuid.uuid4()),
            "device_id": device_id,
            "credential": hashlib.sha256(device_id.encode()).hexdigest(),
            "public_key": public_key,
            "identity": claimed.canonical,
            "status": devices.Status.ACCEPTED.value,
            "token_live": True,
            "token_generation": 0,
        },
        "inventories": {
            **common,
            "device_id": device_id,
            "reported": devices.report_of(tenant_id, device_id, asking.attributes(number), replace=True).document,
            "assigned": "{}",
            "updated_at": now,
        },
    }


def _some_public_key() -> str:
    """These devices never ask to be let in, so one key of the usual length will do for all."""
    key = rsa.generate_private_key(65537, crew.RSA_BITS).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


def _sign(pool: Executor, tenant: identity.Tenant, sets: Sequence[tuple[str, str]], advance: Advance) -> list[bytes]:
    pieces = [sets[start : start + PIECE] for start in range(0, len(sets), PIECE)]
    futures = [pool.submit(crew.sign_tokens, piece, tenant.id, tenant.plan) for piece in pieces]
    for done in as_completed(futures):
        advance(len(done.result()))
    return [token for future in futures for token in future.result()]


def _make_auth_requests(pool: Executor, kind: KeyType, count: int, advance: Advance) -> list[tuple[bytes, bytes]]:
    piece = 5 if kind is KeyType.RSA else 500
    futures = [
        pool.submit(crew.make_auth_requests, kind, start, min(piece, count - start)) for start in range(0, count, piece)
    ]
    for done in as_completed(futures):
        advance(len(done.result()))
    return [request for future in futures for request in future.result()]


def _preauthorize(database: Database, tenant: identity.Tenant, requests: Sequence[tuple[bytes, bytes]]) -> None:
    """Vouch for these devices: their first request, which is not measured, gets them accepted."""
    with database.begin(system_scope(tenant.id)) as tx:
        for body, _ in requests:
            said = json.loads(body)
            devices.preauthorize(tx, json.loads(said["id_data"]), said["pubkey"])
