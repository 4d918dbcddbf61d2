"""Which tables hold deployments?"""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.base.database import Moment, metadata, tenant_column
from fairlead.domain.deployments.model import COUNTED, DeviceStatus


def counter_name(status: DeviceStatus) -> str:
    """The column that counts the devices of this status: one row to change per report, whatever the fleet's size."""
    return "n_" + status.value.replace("-", "_")


deployments = sa.Table(
    "deployments",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("artifact_name", sa.Text, nullable=False),
    sa.Column("artifact_ids", sa.Text, nullable=False),
    sa.Column("words", sa.Text, nullable=False),
    sa.Column("phases", sa.Text, nullable=False),
    sa.Column("retries", sa.Integer, nullable=False),
    sa.Column("max_devices", sa.Integer, nullable=False),
    sa.Column("aborted", sa.Boolean, nullable=False),
    sa.Column("starts_at", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("finished_at", Moment),
    *(sa.Column(counter_name(status), sa.Integer, nullable=False, server_default="0") for status in COUNTED),
    sa.Index("deployments_by_age", "tenant_id", "created_at", "id"),
)

device_deployments = sa.Table(
    "device_deployments",
    metadata,
    sa.Column("deployment_id", sa.Text, sa.ForeignKey("deployments.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("device_id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),  # the device may still be offered it, or is at it
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", Moment),
    sa.Column("finished_at", Moment),
    sa.Column("device_type", sa.Text),
    sa.Column("substate", sa.Text, nullable=False, server_default=""),
    sa.Column("artifact_id", sa.Text),
    sa.Column("phase", sa.Integer),
    sa.Column("has_log", sa.Boolean, nullable=False, server_default=sa.false()),
    sqlite_with_rowid=False,
)
sa.Index(
    "device_deployments_open",
    device_deployments.c.device_id,
    sqlite_where=device_deployments.c.open.is_(True),
    postgresql_where=device_deployments.c.open.is_(True),
)
sa.Index(
    "device_deployments_using",
    device_deployments.c.artifact_id,
    sqlite_where=sa.and_(device_deployments.c.open.is_(True), device_deployments.c.artifact_id.is_not(None)),
    postgresql_where=sa.and_(device_deployments.c.open.is_(True), device_deployments.c.artifact_id.is_not(None)),
)

deployment_logs = sa.Table(
    "deployment_logs",
    metadata,
    sa.Column("deployment_id", sa.Text, sa.ForeignKey("deployments.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("device_id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("messages", sa.Text, nullable=False),
)
