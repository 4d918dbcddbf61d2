"""Where are credentials for vendors kept? Sealed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from fairlead.base.database import TENANT, Tx
from fairlead.domain.stacks.model import Credential
from fairlead.domain.stacks.tables import cloud_credentials

_kept = cloud_credentials.c
_told = (_kept.vendor, _kept.id, _kept.account, _kept.updated_at)
_of_vendor = (_kept.tenant_id == TENANT, _kept.vendor == sa.bindparam("of_vendor"))
_all = sa.select(*_told).where(*_of_vendor).order_by(_kept.updated_at, _kept.id)
_one = sa.select(*_told).where(*_of_vendor, _kept.id == sa.bindparam("of_id"))
_secret = sa.select(_kept.secret).where(*_of_vendor, _kept.id == sa.bindparam("of_id"))
_called = (
    sa.select(_kept.id)
    .where(*_of_vendor, sa.or_(_kept.id == sa.bindparam("called"), _kept.account == sa.bindparam("called")))
    .order_by(sa.case((_kept.id == sa.bindparam("called"), 0), else_=1), _kept.updated_at, _kept.id)
    .limit(1)
)
_remove = sa.delete(cloud_credentials).where(*_of_vendor, _kept.id == sa.bindparam("of_id"))


def search(tx: Tx, vendor: str) -> list[Credential]:
    """Those of a vendor, oldest first."""
    return [_as_credential(row) for row in tx.all(_all, {"of_vendor": vendor})]


def find(tx: Tx, vendor: str, credential_id: str) -> Credential | None:
    row = tx.one(_one, {"of_vendor": vendor, "of_id": credential_id})
    return row and _as_credential(row)


def find_called(tx: Tx, vendor: str, name: str) -> str | None:
    """The id of those that have this id; if none have it, of the oldest with this account."""
    found: str | None = tx.scalar(_called, {"of_vendor": vendor, "called": name})
    return found


def find_secret(tx: Tx, vendor: str, credential_id: str) -> str | None:
    """The sealed secret."""
    found: str | None = tx.scalar(_secret, {"of_vendor": vendor, "of_id": credential_id})
    return found


def add(tx: Tx, vendor: str, credential_id: str, account: str, secret: str, now: datetime) -> None:
    row = {"vendor": vendor, "id": credential_id, "account": account, "secret": secret, "updated_at": now}
    tx.run(sa.insert(cloud_credentials), row)


def remove(tx: Tx, vendor: str, credential_id: str) -> None:
    tx.run(_remove, {"of_vendor": vendor, "of_id": credential_id})


def _as_credential(row: sa.Row[Any]) -> Credential:
    return Credential(row.vendor, row.id, row.account, row.updated_at)
