"""Tables of projects, their data, and their jobs. Their numbers are those that people see, per tenant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from fairlead.base.database import Moment, metadata, tenant_column


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, autoincrement=False)


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default="")


def _flag(name: str) -> sa.Column[bool]:
    return sa.Column(name, sa.Boolean, nullable=False, server_default=sa.false())


def _of(table: str) -> Callable[[str], Any]:
    def column(name: str) -> sa.ForeignKeyConstraint:
        there = [f"{table}.tenant_id", f"{table}.number"]
        return sa.ForeignKeyConstraint(["tenant_id", name], there, ondelete="CASCADE")

    return column


_of_project = _of("portal_projects")
_of_job = _of("portal_jobs")

portal_projects = sa.Table(
    "portal_projects",
    metadata,
    tenant_column(),
    _number("number"),
    sa.Column("name", sa.Text, nullable=False),
    _text("description"),
    _number("owner"),
    _flag("public"),
    _text("notebook"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("tenant_id", "number"),
    sa.Index("portal_projects_by_owner", "tenant_id", "owner"),
    sa.Index("portal_projects_by_name", "tenant_id", "name"),
)

portal_members = sa.Table(
    "portal_members",
    metadata,
    tenant_column(),
    _number("project"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    _of_project("project"),
    sa.PrimaryKeyConstraint("tenant_id", "project", "kind", "name"),
    sa.Index("portal_members_by_name", "tenant_id", "kind", "name"),
)
"""Who belongs to a project besides its owner: users, by their id, and groups, by their name."""

portal_favorites = sa.Table(
    "portal_favorites",
    metadata,
    tenant_column(),
    _number("project"),
    _number("user_number"),
    _number("position"),
    sa.Column("service", sa.Text, nullable=False),
    _of_project("project"),
    sa.PrimaryKeyConstraint("tenant_id", "project", "user_number", "position"),
)

portal_data = sa.Table(
    "portal_data",
    metadata,
    tenant_column(),
    _number("number"),
    _number("project"),
    sa.Column("name", sa.Text, nullable=False),
    _text("description"),
    sa.Column("tags", sa.Text, nullable=False),
    sa.Column("data_terms", sa.Text, nullable=False),
    sa.Column("format_terms", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    _text("sha256"),
    sa.Column("status", sa.Text, nullable=False),
    _text("message"),
    _flag("public"),
    _flag("persistent"),
    sa.Column("source", sa.Text, nullable=False),
    _text("url"),
    sa.Column("produced_by", sa.BigInteger),
    _text("produced_as"),
    _number("position"),
    _text("blob_key"),
    _number("added_by"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    _of_project("project"),
    sa.PrimaryKeyConstraint("tenant_id", "number"),
    sa.Index("portal_data_by_project", "tenant_id", "project", "number"),
    sa.Index("portal_data_by_job", "tenant_id", "produced_by"),
    sa.Index("portal_data_by_age", "persistent", "updated_at"),
)
"""`tags` and both terms are lists in JSON. `produced_by` is the job whose output `produced_as` it was, the file at
`position` of it. Without a `blob_key` its bytes are not there yet."""

portal_job_services = sa.Table(
    "portal_job_services",
    metadata,
    tenant_column(),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("tenant_id", "content_hash"),
)
"""The descriptions with which jobs were run, whatever has become of the services since."""

portal_jobs = sa.Table(
    "portal_jobs",
    metadata,
    tenant_column(),
    _number("number"),
    _number("project"),
    _number("user_number"),
    _text("name"),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("service", sa.Text, nullable=False),
    _text("service_version"),
    sa.Column("service_hash", sa.Text, nullable=False),
    sa.Column("inputs", sa.Text, nullable=False),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("likeness", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    _text("message"),
    _text("wish"),
    _number("events"),
    _number("runs"),
    _text("node"),
    _text("system"),
    _text("native_id"),
    _text("command_line"),
    _text("spec"),
    _text("outcome"),
    sa.Column("exit_code", sa.Integer),
    sa.Column("parent_job", sa.BigInteger),
    sa.Column("parent_task", sa.Text),
    sa.Column("asked_key", sa.Text),
    _text("asked_hash"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("started_at", Moment),
    sa.Column("ended_at", Moment),
    _of_project("project"),
    sa.PrimaryKeyConstraint("tenant_id", "number"),
    sa.Index("portal_jobs_by_project", "tenant_id", "project", "number"),
    sa.Index("portal_jobs_by_status", "status", "tenant_id", "number"),
    sa.Index("portal_jobs_by_end", "ended_at"),
    sa.Index("portal_jobs_one_task", "tenant_id", "parent_job", "parent_task", unique=True),
    sa.Index("portal_jobs_one_key", "tenant_id", "user_number", "asked_key", unique=True),
)
"""`inputs`, `plan`, `spec` and `outcome` are JSON: the values as they were given; the services of a workflow's tasks;
what was run, and with what it was run; how its execution system saw it end. `likeness` is equal for jobs that would do
the same. `wish` is what was asked for and has not come about. `node` is the folder of jobs in which it runs."""

portal_job_events = sa.Table(
    "portal_job_events",
    metadata,
    tenant_column(),
    _number("job"),
    _number("number"),
    sa.Column("at", Moment, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    _text("message"),
    _of_job("job"),
    sa.PrimaryKeyConstraint("tenant_id", "job", "number"),
)
"""Every status that a job has had. Rows are added and never changed."""

portal_job_inputs = sa.Table(
    "portal_job_inputs",
    metadata,
    tenant_column(),
    _number("job"),
    sa.Column("parameter", sa.Text, nullable=False),
    _number("position"),
    _number("data"),
    sa.Column("file_name", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0"),
    _text("sha256"),
    _of_job("job"),
    sa.PrimaryKeyConstraint("tenant_id", "job", "parameter", "position"),
    sa.Index("portal_job_inputs_by_data", "tenant_id", "data"),
)
"""The data that a job reads, by the names that they have in its folder."""

portal_job_files = sa.Table(
    "portal_job_files",
    metadata,
    tenant_column(),
    _number("job"),
    sa.Column("parameter", sa.Text, nullable=False),
    _number("position"),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.Text, nullable=False),
    sa.Column("blob_key", sa.Text, nullable=False),
    _of_job("job"),
    sa.PrimaryKeyConstraint("tenant_id", "job", "parameter", "position"),
)
"""What a job has left behind. One file may be several outputs."""

portal_notifications = sa.Table(
    "portal_notifications",
    metadata,
    tenant_column(),
    _number("number"),
    _number("user_number"),
    sa.Column("type", sa.Integer, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    _text("about"),
    _flag("read"),
    sa.Column("created_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("tenant_id", "number"),
    sa.Index("portal_notifications_by_user", "tenant_id", "user_number", "number"),
)
