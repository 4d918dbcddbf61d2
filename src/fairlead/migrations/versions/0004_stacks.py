"""Accounts whose members go by scope documents; stacks with their versions, instances, agents and containers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fairlead.base.database import Document, Moment

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "accounts",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("accounts_key")),
        sa.UniqueConstraint("user_id", name=op.f("accounts_one_user_id")),
    )
    op.create_table(
        "cloud_credentials",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("secret", sa.Text(), nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "vendor", "id", name=op.f("cloud_credentials_key")),
    )
    op.create_table(
        "document_roles",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("document_roles_key")),
    )
    op.create_index("document_roles_by_tenant", "document_roles", ["tenant_id", "created_at"])
    op.create_table(
        "members",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), server_default="", nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("tokens_from", Moment, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("members_key")),
        sa.UniqueConstraint("tenant_id", "username", name=op.f("members_one_tenant_id_username")),
    )
    op.create_table(
        "programs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("programs_key")),
    )
    op.create_index("programs_by_tenant", "programs", ["tenant_id", "created_at"])
    op.create_table(
        "stacks",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("nickname", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("vendor", sa.Text(), nullable=False),
        sa.Column("region", sa.Text(), nullable=False),
        sa.Column("credential", sa.Text(), server_default="", nullable=False),
        sa.Column("auth_token", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("cause", sa.Text(), server_default="", nullable=False),
        sa.Column("operation", sa.Integer(), server_default="1", nullable=False),
        sa.Column("job_id", sa.Text(), server_default="", nullable=False),
        sa.Column("version_id", sa.Text(), nullable=False),
        sa.Column("good_version_id", sa.Text(), server_default="", nullable=False),
        sa.Column("plan", sa.Text(), server_default="", nullable=False),
        sa.Column("planned_for", sa.Integer(), server_default="0", nullable=False),
        sa.Column("settings", sa.Text(), server_default="", nullable=False),
        sa.Column("began_at", Moment, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("stacks_key")),
    )
    op.create_index("stacks_by_tenant", "stacks", ["tenant_id", "created_at", "id"])
    op.create_table(
        "member_roles",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("member_id", sa.Text(), nullable=False),
        sa.Column("role_id", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["members.id"], name=op.f("member_roles_of_members"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["role_id"], ["document_roles.id"], name=op.f("member_roles_of_document_roles"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("member_roles_key")),
        sa.UniqueConstraint("member_id", name=op.f("member_roles_one_member_id")),
    )
    op.create_index("member_roles_by_role", "member_roles", ["role_id"])
    op.create_table(
        "stack_agents",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("stack_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("instance_id", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["stack_id"], ["stacks.id"], name=op.f("stack_agents_of_stacks"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stack_id", "agent_id", name=op.f("stack_agents_key")),
    )
    op.create_table(
        "stack_containers",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("stack_id", sa.Text(), nullable=False),
        sa.Column("agent_id", sa.Text(), nullable=False),
        sa.Column("instance_id", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["stack_id"], ["stacks.id"], name=op.f("stack_containers_of_stacks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stack_id", "id", name=op.f("stack_containers_key")),
    )
    op.create_index("stack_containers_by_id", "stack_containers", ["tenant_id", "id"])
    op.create_index("stack_containers_by_instance", "stack_containers", ["tenant_id", "instance_id"])
    op.create_table(
        "stack_instances",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("stack_id", sa.Text(), nullable=False),
        sa.Column("flag", sa.Text(), nullable=False),
        sa.Column("is_spot", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("details", Document, nullable=False),
        sa.Column("is_leaving", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["stack_id"], ["stacks.id"], name=op.f("stack_instances_of_stacks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("stack_id", "id", name=op.f("stack_instances_key")),
    )
    op.create_index("stack_instances_by_id", "stack_instances", ["id"])
    op.create_table(
        "stack_layers",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("stack_id", sa.Text(), nullable=False),
        sa.Column("flag", sa.Text(), nullable=False),
        sa.Column("stamp", sa.BigInteger(), nullable=False),
        sa.Column("container_digest", sa.Text(), nullable=False),
        sa.Column("private_key", sa.Text(), server_default="", nullable=False),
        sa.Column("public_key", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["stack_id"], ["stacks.id"], name=op.f("stack_layers_of_stacks"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stack_id", "flag", name=op.f("stack_layers_key")),
    )
    op.create_table(
        "stack_versions",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("stack_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["stack_id"], ["stacks.id"], name=op.f("stack_versions_of_stacks"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("stack_versions_key")),
        sa.UniqueConstraint("stack_id", "number", name=op.f("stack_versions_one_stack_id_number")),
    )
