"""Which tables hold devices?"""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.base.database import Document, Moment, metadata, tenant_column

devices = sa.Table(
    "devices",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("identity_digest", sa.Text, nullable=False),
    sa.Column("identity", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("last_seen_at", Moment),
    sa.UniqueConstraint("tenant_id", "identity_digest"),
    sa.Index("devices_by_age", "tenant_id", "created_at", "id"),
    sa.Index("devices_by_status", "tenant_id", "status", "created_at", "id"),
)

auth_sets = sa.Table(
    "auth_sets",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("device_id", sa.Text, sa.ForeignKey("devices.id", ondelete="CASCADE"), nullable=False),
    sa.Column("credential", sa.Text, nullable=False, unique=True),
    sa.Column("public_key", sa.Text, nullable=False),
    sa.Column("identity", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("token_live", sa.Boolean, nullable=False),
    sa.Column("token_generation", sa.Integer, nullable=False),
    sa.Index("auth_sets_by_device", "device_id"),
)

inventories = sa.Table(
    "inventories",
    metadata,
    sa.Column("device_id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("reported", Document, nullable=False),  # scope inventory: what the device says of itself
    sa.Column("assigned", Document, nullable=False),  # every other scope
    sa.Column("group_name", sa.Text),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("inventories_by_age", "tenant_id", "created_at", "device_id"),
    sa.Index("inventories_by_group", "tenant_id", "group_name", "created_at", "device_id"),
)
