"""Workflows: their definitions, the jobs that run, and what came of each step."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fairlead.base.database import Moment

revision = "0003"
down_revision = "0002"

_open = sa.column("status").in_(["pending", "processing"])
_is_held = sa.column("worker") != ""


def upgrade() -> None:
    op.create_table(
        "workflow_definitions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("workflow_definitions_key")),
    )
    op.create_table(
        "workflow_jobs",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("workflow", sa.Text(), nullable=False),
        sa.Column("for_tenant", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("inputs", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("takeovers", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("problem", sa.Text(), nullable=False, server_default=""),
        sa.Column("not_before", Moment, nullable=False),
        sa.Column("worker", sa.Text(), nullable=False, server_default=""),
        sa.Column("leased_until", Moment),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("workflow_jobs_key")),
    )
    op.create_index("workflow_jobs_by_age", "workflow_jobs", ["created_at", "id"])
    op.create_index(
        "workflow_jobs_due",
        "workflow_jobs",
        ["for_tenant", "not_before"],
        sqlite_where=_open,
        postgresql_where=_open,
    )
    op.create_index(
        "workflow_jobs_by_worker", "workflow_jobs", ["worker"], sqlite_where=_is_held, postgresql_where=_is_held
    )
    op.create_table(
        "workflow_steps",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("result", sa.Text(), nullable=False),
        sa.Column("at", Moment, nullable=False),
        sa.ForeignKeyConstraint(
            ["job_id"], ["workflow_jobs.id"], name=op.f("workflow_steps_of_workflow_jobs"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("job_id", "number", name=op.f("workflow_steps_key")),
    )
    op.create_table(
        "heard_keys",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("heard_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("heard_keys_key")),
    )
