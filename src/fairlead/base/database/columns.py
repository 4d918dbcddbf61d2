"""Which kinds of column do our tables share?"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_by_%(column_0_N_name)s",
        "uq": "%(table_name)s_one_%(column_0_N_name)s",
        "fk": "%(table_name)s_of_%(referred_table_name)s",
        "pk": "%(table_name)s_key",
    }
)

TENANT: sa.BindParameter[str] = sa.bindparam("scope_tenant_id", type_=sa.Text)
"""Stands for the tenant of the scope: `where(devices.c.tenant_id == TENANT)`. Only a transaction fills it in."""


def tenant_column() -> sa.Column[str]:
    """The column that makes a table a tenant's own. Statements on it must bind `TENANT`."""
    return sa.Column("tenant_id", sa.Text, nullable=False)


class Moment(sa.types.TypeDecorator[datetime]):
    """A point in time, always with its zone. SQLite forgets zones, so UTC goes in and UTC comes out."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment without a zone cannot be stored.")
        in_utc = value.astimezone(UTC)
        return in_utc.replace(tzinfo=None) if dialect.name == "sqlite" else in_utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
