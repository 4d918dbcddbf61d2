"""Scientific work: projects with their members and data, jobs with what they were given and what they left."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fairlead.base.database import Moment

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.create_table(
        "portal_job_services",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "content_hash", name=op.f("portal_job_services_key")),
    )
    op.create_table(
        "portal_notifications",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("type", sa.Integer(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), server_default="", nullable=False),
        sa.Column("read", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("portal_notifications_key")),
    )
    op.create_index("portal_notifications_by_user", "portal_notifications", ["tenant_id", "user_number", "number"])
    op.create_table(
        "portal_projects",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("owner", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("public", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("notebook", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("portal_projects_key")),
    )
    op.create_index("portal_projects_by_name", "portal_projects", ["tenant_id", "name"])
    op.create_index("portal_projects_by_owner", "portal_projects", ["tenant_id", "owner"])
    op.create_table(
        "portal_data",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.Column("tags", sa.Text(), nullable=False),
        sa.Column("data_terms", sa.Text(), nullable=False),
        sa.Column("format_terms", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), server_default="", nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("public", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("persistent", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), server_default="", nullable=False),
        sa.Column("produced_by", sa.BigInteger(), nullable=True),
        sa.Column("produced_as", sa.Text(), server_default="", nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("blob_key", sa.Text(), server_default="", nullable=False),
        sa.Column("added_by", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project"],
            ["portal_projects.tenant_id", "portal_projects.number"],
            name=op.f("portal_data_of_portal_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("portal_data_key")),
    )
    op.create_index("portal_data_by_age", "portal_data", ["persistent", "updated_at"])
    op.create_index("portal_data_by_job", "portal_data", ["tenant_id", "produced_by"])
    op.create_index("portal_data_by_project", "portal_data", ["tenant_id", "project", "number"])
    op.create_table(
        "portal_favorites",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project"],
            ["portal_projects.tenant_id", "portal_projects.number"],
            name=op.f("portal_favorites_of_portal_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "project", "user_number", "position", name=op.f("portal_favorites_key")),
    )
    op.create_table(
        "portal_jobs",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("user_number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("service_version", sa.Text(), server_default="", nullable=False),
        sa.Column("service_hash", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("likeness", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.Column("wish", sa.Text(), server_default="", nullable=False),
        sa.Column("events", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("runs", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("node", sa.Text(), server_default="", nullable=False),
        sa.Column("system", sa.Text(), server_default="", nullable=False),
        sa.Column("native_id", sa.Text(), server_default="", nullable=False),
        sa.Column("command_line", sa.Text(), server_default="", nullable=False),
        sa.Column("spec", sa.Text(), server_default="", nullable=False),
        sa.Column("outcome", sa.Text(), server_default="", nullable=False),
        sa.Column("exit_code", sa.Integer(), nullable=True),
        sa.Column("parent_job", sa.BigInteger(), nullable=True),
        sa.Column("parent_task", sa.Text(), nullable=True),
        sa.Column("asked_key", sa.Text(), nullable=True),
        sa.Column("asked_hash", sa.Text(), server_default="", nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.Column("started_at", Moment, nullable=True),
        sa.Column("ended_at", Moment, nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project"],
            ["portal_projects.tenant_id", "portal_projects.number"],
            name=op.f("portal_jobs_of_portal_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "number", name=op.f("portal_jobs_key")),
    )
    op.create_index("portal_jobs_by_end", "portal_jobs", ["ended_at"])
    op.create_index("portal_jobs_by_project", "portal_jobs", ["tenant_id", "project", "number"])
    op.create_index("portal_jobs_by_status", "portal_jobs", ["status", "tenant_id", "number"])
    op.create_index("portal_jobs_one_key", "portal_jobs", ["tenant_id", "user_number", "asked_key"], unique=True)
    op.create_index("portal_jobs_one_task", "portal_jobs", ["tenant_id", "parent_job", "parent_task"], unique=True)
    op.create_table(
        "portal_members",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("project", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "project"],
            ["portal_projects.tenant_id", "portal_projects.number"],
            name=op.f("portal_members_of_portal_projects"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "project", "kind", "name", name=op.f("portal_members_key")),
    )
    op.create_index("portal_members_by_name", "portal_members", ["tenant_id", "kind", "name"])
    op.create_table(
        "portal_job_events",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("job", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job"],
            ["portal_jobs.tenant_id", "portal_jobs.number"],
            name=op.f("portal_job_events_of_portal_jobs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "job", "number", name=op.f("portal_job_events_key")),
    )
    op.create_table(
        "portal_job_files",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("job", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("parameter", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("blob_key", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job"],
            ["portal_jobs.tenant_id", "portal_jobs.number"],
            name=op.f("portal_job_files_of_portal_jobs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "job", "parameter", "position", name=op.f("portal_job_files_key")),
    )
    op.create_table(
        "portal_job_inputs",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("job", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("parameter", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("data", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("file_name", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("sha256", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "job"],
            ["portal_jobs.tenant_id", "portal_jobs.number"],
            name=op.f("portal_job_inputs_of_portal_jobs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "job", "parameter", "position", name=op.f("portal_job_inputs_key")),
    )
    op.create_index("portal_job_inputs_by_data", "portal_job_inputs", ["tenant_id", "data"])
