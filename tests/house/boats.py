"""Tables of the tests' own, for what the database package does: it knows none itself."""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.base.database import Document, Moment, tenant_column
from fairlead.base.scope import system_scope

metadata = sa.MetaData()
boats = sa.Table(
    "boats",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("name", sa.Text),
    sa.Column("papers", Document),
    sa.Column("built_at", Moment),
)
crews = sa.Table(
    "crews",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("boat_id", sa.Text),
)
harbours = sa.Table("harbours", metadata, sa.Column("id", sa.Text, primary_key=True))

ACME, ZENITH = system_scope("acme"), system_scope("zenith")
