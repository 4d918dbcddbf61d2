"""The portal of scientific services: its people, its catalogue, and the servers that it knows."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fairlead.base.database import Moment

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_table(
        "catalog_closed",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("everything", sa.Boolean(), nullable=False),
        sa.Column("patterns", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("catalog_closed_key")),
    )
    op.create_table(
        "catalog_files",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("catalog_files_key")),
    )
    op.create_table(
        "catalog_peers",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("own_name", sa.Text(), nullable=False),
        sa.Column("found_name", sa.Text(), nullable=False),
        sa.Column("token_out", sa.Text(), nullable=False),
        sa.Column("token_in_hash", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("etag", sa.Text(), nullable=False),
        sa.Column("due_at", Moment, nullable=False),
        sa.Column("seen_at", Moment, nullable=True),
        sa.Column("registered_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("catalog_peers_key")),
        sa.UniqueConstraint("token_in_hash", name=op.f("catalog_peers_one_token_in_hash")),
    )
    op.create_index(op.f("catalog_peers_by_due_at"), "catalog_peers", ["due_at"])
    op.create_table(
        "catalog_services",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("package", sa.Text(), nullable=False),
        sa.Column("topics", sa.Text(), nullable=False),
        sa.Column("operations", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("exported", sa.Boolean(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("access", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "project", "name", name=op.f("catalog_services_key")),
    )
    op.create_table(
        "portal_counters",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("last_number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "kind", name=op.f("portal_counters_key")),
    )
    op.create_table(
        "portal_users",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("authentication_type", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("directory_id", sa.Text(), nullable=True),
        sa.Column("first_name", sa.Text(), server_default="", nullable=False),
        sa.Column("last_name", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("status_message", sa.Text(), server_default="", nullable=False),
        sa.Column("is_admin", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("notify_project", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("notify_job", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("notify_data", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("default_project", sa.BigInteger(), nullable=True),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("logged_in_at", Moment, nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("portal_users_key")),
    )
    op.create_index("portal_users_by_type", "portal_users", ["type", "created_at"])
    op.create_index("portal_users_one_email", "portal_users", ["tenant_id", sa.text("lower(email)")], unique=True)
    op.create_index("portal_users_one_account", "portal_users", ["tenant_id", "account_id"], unique=True)
    op.create_index("portal_users_one_directory_entry", "portal_users", ["tenant_id", "directory_id"], unique=True)
    op.create_table(
        "catalog_peer_services",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("peer", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("authorized", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("fetched_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "peer"],
            ["catalog_peers.tenant_id", "catalog_peers.name"],
            name=op.f("catalog_peer_services_of_catalog_peers"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "peer", "project", "name", name=op.f("catalog_peer_services_key")),
    )
    op.create_table(
        "catalog_versions",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("project", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("registered_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project", "name"],
            ["catalog_services.tenant_id", "catalog_services.project", "catalog_services.name"],
            name=op.f("catalog_versions_of_catalog_services"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "project", "name", "version", name=op.f("catalog_versions_key")),
    )
    op.create_table(
        "portal_groups",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("user_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_number"],
            ["portal_users.tenant_id", "portal_users.number"],
            name=op.f("portal_groups_of_portal_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "name", "user_number", name=op.f("portal_groups_key")),
    )
    op.create_index("portal_groups_by_user", "portal_groups", ["tenant_id", "user_number"])
    op.create_table(
        "portal_letters",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("user_number", sa.BigInteger(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_number"],
            ["portal_users.tenant_id", "portal_users.number"],
            name=op.f("portal_letters_of_portal_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("portal_letters_key")),
    )
    op.create_index("portal_letters_by_user", "portal_letters", ["tenant_id", "user_number"])
    op.create_table(
        "portal_tokens",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("user_number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("as_admin", sa.Boolean(), nullable=False),
        sa.Column("proof", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "user_number"],
            ["portal_users.tenant_id", "portal_users.number"],
            name=op.f("portal_tokens_of_portal_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("portal_tokens_key")),
    )
    op.create_index("portal_tokens_by_end", "portal_tokens", ["expires_at"])
    op.create_index("portal_tokens_by_user", "portal_tokens", ["tenant_id", "user_number"])
