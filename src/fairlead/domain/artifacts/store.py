"""Where artifacts are kept, besides their bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from fairlead.base import clock
from fairlead.base.database import TENANT, Moment, Tx, list_of_strings, metadata, tenant_column
from fairlead.domain.artifacts.model import Artifact, ArtifactIdTaken

artifacts = sa.Table(
    "artifacts",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("description", sa.Text, nullable=False),
    sa.Column("format", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("signed", sa.Boolean, nullable=False),
    sa.Column("device_types", sa.Text, nullable=False),
    sa.Column("updates", sa.Text, nullable=False),
    sa.Column("provides", sa.Text, nullable=False),
    sa.Column("depends", sa.Text, nullable=False),
    sa.Column("clears", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("blob_key", sa.Text, nullable=False, unique=True),
    sa.Column("modified_at", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("artifacts_by_name", "tenant_id", "name"),
)

_AS_JSON = ("device_types", "updates", "provides", "depends", "clears")
_AS_TUPLE = ("device_types", "updates", "clears")

_own = sa.select(artifacts).where(artifacts.c.tenant_id == TENANT)
_by_id = _own.where(artifacts.c.id == sa.bindparam("id"))
_by_name = _own.where(artifacts.c.name == sa.bindparam("name")).order_by(artifacts.c.size_bytes, artifacts.c.id)
_used = sa.select(sa.func.coalesce(sa.func.sum(artifacts.c.size_bytes), 0)).where(artifacts.c.tenant_id == TENANT)


def find(tx: Tx, artifact_id: str) -> Artifact | None:
    row = tx.one(_by_id, {"id": artifact_id})
    return row and _as_artifact(row)


def of_name(tx: Tx, name: str) -> list[Artifact]:
    """The artifacts of a release, the smallest first."""
    return [_as_artifact(row) for row in tx.all(_by_name, {"name": name})]


def of_ids(tx: Tx, ids: Sequence[str]) -> list[Artifact]:
    """Those of the artifacts that are still there, the smallest first."""
    found = _own.where(artifacts.c.id.in_(list_of_strings(ids))).order_by(artifacts.c.size_bytes, artifacts.c.id)
    return [_as_artifact(row) for row in tx.all(found)]


def search(tx: Tx, name: str | None = None) -> list[Artifact]:
    """All artifacts, or those with this name, by name and age."""
    found = _own.order_by(artifacts.c.name, artifacts.c.created_at, artifacts.c.id)
    if name:
        found = found.where(artifacts.c.name == name)
    return [_as_artifact(row) for row in tx.all(found)]


def add(tx: Tx, artifact: Artifact) -> None:
    values: dict[str, Any] = {name: getattr(artifact, name) for name in Artifact.__dataclass_fields__}
    values |= {name: msgspec.json.encode(values[name]).decode() for name in _AS_JSON}
    try:
        tx.run(sa.insert(artifacts), {**values, "created_at": clock.now()})
    except IntegrityError:
        raise ArtifactIdTaken from None


def change_description(tx: Tx, artifact_id: str, description: str, at: datetime) -> None:
    tx.run(
        sa.update(artifacts)
        .where(artifacts.c.tenant_id == TENANT, artifacts.c.id == artifact_id)
        .values(description=description, modified_at=at)
    )


def remove(tx: Tx, artifact_id: str) -> None:
    tx.run(sa.delete(artifacts).where(artifacts.c.tenant_id == TENANT, artifacts.c.id == artifact_id))


def used_bytes(tx: Tx) -> int:
    return int(tx.scalar(_used))


def blob_keys(tx: Tx) -> set[str]:
    """Across tenants: the keys of all payloads that belong to an artifact."""
    return set(tx.run(sa.select(artifacts.c.blob_key)).scalars())


def remove_with_payloads(tx: Tx, keys: Sequence[str]) -> None:
    """Across tenants: take away the artifacts that these payloads belong to."""
    tx.run(sa.delete(artifacts).where(artifacts.c.blob_key.in_(list_of_strings(keys))))


def _as_artifact(row: sa.Row[Any]) -> Artifact:
    values = {name: getattr(row, name) for name in Artifact.__dataclass_fields__}
    values |= {name: msgspec.json.decode(values[name]) for name in _AS_JSON}
    return Artifact(**{**values, **{name: tuple(values[name]) for name in _AS_TUPLE}})
