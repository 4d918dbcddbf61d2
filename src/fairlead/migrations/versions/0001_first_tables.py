"""The tables of the first version: people, the audit trail, devices, artifacts and deployments."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fairlead.base.database import Document, Moment

revision = "0001"
down_revision = None

Counting = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    _identity()
    _audit()
    _devices()
    _artifacts()
    _deployments()


def _identity() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False),
        sa.Column("device_limit", sa.BigInteger(), nullable=False),
        sa.Column("storage_limit_bytes", sa.BigInteger(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("tenants_key")),
    )
    op.create_table(
        "users",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("logged_in_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("users_key")),
    )
    op.create_index("users_by_tenant", "users", ["tenant_id", "created_at"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("sessions_of_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("sessions_key")),
    )
    op.create_index("sessions_by_user", "sessions", ["user_id"], unique=False)
    op.create_index("users_one_email", "users", [sa.text("lower(email)")], unique=True)


def _audit() -> None:
    op.create_table(
        "audit_entries",
        sa.Column("id", Counting, autoincrement=True, nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("actor_kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Text(), nullable=False),
        sa.Column("actor_name", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object_id", sa.Text(), nullable=False),
        sa.Column("details", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_entries_key")),
        sqlite_autoincrement=True,
    )
    op.create_index("audit_entries_by_tenant", "audit_entries", ["tenant_id", "id"], unique=False)
    op.create_table(
        "changes",
        sa.Column("id", Counting, autoincrement=True, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("announced_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("changes_key")),
        sqlite_autoincrement=True,
    )


def _devices() -> None:
    op.create_table(
        "devices",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("identity_digest", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("last_seen_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("devices_key")),
        sa.UniqueConstraint("tenant_id", "identity_digest", name=op.f("devices_one_tenant_id_identity_digest")),
    )
    op.create_index("devices_by_age", "devices", ["tenant_id", "created_at", "id"], unique=False)
    op.create_index("devices_by_status", "devices", ["tenant_id", "status", "created_at", "id"], unique=False)
    op.create_table(
        "auth_sets",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("public_key", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("token_live", sa.Boolean(), nullable=False),
        sa.Column("token_generation", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["device_id"], ["devices.id"], name=op.f("auth_sets_of_devices"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("auth_sets_key")),
        sa.UniqueConstraint("credential", name=op.f("auth_sets_one_credential")),
    )
    op.create_index("auth_sets_by_device", "auth_sets", ["device_id"], unique=False)
    op.create_table(
        "inventories",
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("reported", Document, nullable=False),
        sa.Column("assigned", Document, nullable=False),
        sa.Column("group_name", sa.Text(), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("device_id", name=op.f("inventories_key")),
    )
    op.create_index("inventories_by_age", "inventories", ["tenant_id", "created_at", "device_id"], unique=False)
    op.create_index(
        "inventories_by_group", "inventories", ["tenant_id", "group_name", "created_at", "device_id"], unique=False
    )


def _artifacts() -> None:
    op.create_table(
        "artifacts",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("signed", sa.Boolean(), nullable=False),
        sa.Column("device_types", sa.Text(), nullable=False),
        sa.Column("updates", sa.Text(), nullable=False),
        sa.Column("provides", sa.Text(), nullable=False),
        sa.Column("depends", sa.Text(), nullable=False),
        sa.Column("clears", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("blob_key", sa.Text(), nullable=False),
        sa.Column("modified_at", Moment, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("artifacts_key")),
        sa.UniqueConstraint("blob_key", name=op.f("artifacts_one_blob_key")),
    )
    op.create_index("artifacts_by_name", "artifacts", ["tenant_id", "name"], unique=False)


def _deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("artifact_name", sa.Text(), nullable=False),
        sa.Column("artifact_ids", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("phases", sa.Text(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("max_devices", sa.Integer(), nullable=False),
        sa.Column("aborted", sa.Boolean(), nullable=False),
        sa.Column("starts_at", Moment, nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("finished_at", Moment, nullable=True),
        sa.Column("n_pending", sa.Integer(), server_default="0", nullable=False),
        sa.Column("n_downloading", sa.Integer(), server_default="0", nullable=False),
        sa.Column("n_installing", sa.Integer(), server_default="0", nullable=False),
        sa.Column("n_rebooting", sa.Integer(), server_default="0", nullable=False),
        sa.Column("n_success", sa.Integer(), server_default="0", nullable=False),
        sa.Column("n_failure", sa.Integer(), server_default="0", nullable=False),
        sa.Column("n_noartifact", sa.Integer(), server_default="0", nullable=False),
        sa.Column("n_already_installed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("n_aborted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("n_decommissioned", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("deployments_key")),
    )
    op.create_index("deployments_by_age", "deployments", ["tenant_id", "created_at", "id"], unique=False)
    op.create_table(
        "device_deployments",
        sa.Column("deployment_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", Moment, nullable=True),
        sa.Column("finished_at", Moment, nullable=True),
        sa.Column("device_type", sa.Text(), nullable=True),
        sa.Column("substate", sa.Text(), server_default="", nullable=False),
        sa.Column("artifact_id", sa.Text(), nullable=True),
        sa.Column("phase", sa.Integer(), nullable=True),
        sa.Column("has_log", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployments.id"], name=op.f("device_deployments_of_deployments"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("deployment_id", "device_id", name=op.f("device_deployments_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "device_deployments_open",
        "device_deployments",
        ["device_id"],
        unique=False,
        sqlite_where=sa.text("open IS 1"),
        postgresql_where=sa.text("open IS TRUE"),
    )
    op.create_index(
        "device_deployments_using",
        "device_deployments",
        ["artifact_id"],
        unique=False,
        sqlite_where=sa.text("open IS 1 AND artifact_id IS NOT NULL"),
        postgresql_where=sa.text("open IS TRUE AND artifact_id IS NOT NULL"),
    )
    op.create_table(
        "deployment_logs",
        sa.Column("deployment_id", sa.Text(), nullable=False),
        sa.Column("device_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("messages", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["deployment_id"], ["deployments.id"], name=op.f("deployment_logs_of_deployments"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("deployment_id", "device_id", name=op.f("deployment_logs_key")),
    )
