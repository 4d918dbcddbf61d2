"""Which tables hold workflows? They belong to no tenant: who works on them works for all."""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.base.database import Moment, metadata

workflow_definitions = sa.Table(
    "workflow_definitions",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
)

workflow_jobs = sa.Table(
    "workflow_jobs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("workflow", sa.Text, nullable=False),
    sa.Column("for_tenant", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),  # the definition as it was when the job was started
    sa.Column("inputs", sa.Text, nullable=False),  # sealed
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("step", sa.Integer, nullable=False, server_default="0"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("takeovers", sa.Integer, nullable=False, server_default="0"),
    sa.Column("problem", sa.Text, nullable=False, server_default=""),
    sa.Column("not_before", Moment, nullable=False),
    sa.Column("worker", sa.Text, nullable=False, server_default=""),
    sa.Column("leased_until", Moment),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Index("workflow_jobs_by_age", "created_at", "id"),
)
_open = workflow_jobs.c.status.in_(["pending", "processing"])
sa.Index(
    "workflow_jobs_due",
    workflow_jobs.c.for_tenant,
    workflow_jobs.c.not_before,
    sqlite_where=_open,
    postgresql_where=_open,
)
sa.Index(
    "workflow_jobs_by_worker",
    workflow_jobs.c.worker,
    sqlite_where=workflow_jobs.c.worker != "",
    postgresql_where=workflow_jobs.c.worker != "",
)

workflow_steps = sa.Table(
    "workflow_steps",
    metadata,
    sa.Column("job_id", sa.Text, sa.ForeignKey("workflow_jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("result", sa.Text, nullable=False),  # sealed
    sa.Column("at", Moment, nullable=False),
)
