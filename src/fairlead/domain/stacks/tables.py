"""Tables of stacks. What may hold secrets (templates, plans, keys, credentials) is sealed."""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.base.database import Document, Moment, metadata, tenant_column


def _of_stack() -> sa.Column[str]:
    return sa.Column("stack_id", sa.Text, sa.ForeignKey("stacks.id", ondelete="CASCADE"), nullable=False)


stacks = sa.Table(
    "stacks",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("nickname", sa.Text, nullable=False),
    sa.Column("owner", sa.Text, nullable=False),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("region", sa.Text, nullable=False),
    sa.Column("credential", sa.Text, nullable=False, server_default=""),
    sa.Column("auth_token", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("cause", sa.Text, nullable=False, server_default=""),
    sa.Column("operation", sa.Integer, nullable=False, server_default="1"),
    sa.Column("job_id", sa.Text, nullable=False, server_default=""),
    sa.Column("version_id", sa.Text, nullable=False),
    sa.Column("good_version_id", sa.Text, nullable=False, server_default=""),
    sa.Column("plan", sa.Text, nullable=False, server_default=""),
    sa.Column("planned_for", sa.Integer, nullable=False, server_default="0"),
    sa.Column("settings", sa.Text, nullable=False, server_default=""),
    sa.Column("began_at", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
)
"""`operation` counts what was begun with the stack, at `began_at`: a job with another number is void.
`job_id` is the job that works on it, empty once that has come to an end.
`good_version_id` is the version that was last in force without failing; `plan` is the driver's, sealed, and was made in
operation `planned_for`, which is 0 when its instances could not be replaced."""
sa.Index("stacks_by_tenant", stacks.c.tenant_id, stacks.c.created_at, stacks.c.id)

stack_versions = sa.Table(
    "stack_versions",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    _of_stack(),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("template", sa.Text, nullable=False),
    sa.Column("size_bytes", sa.Integer, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.UniqueConstraint("stack_id", "number"),
)

stack_instances = sa.Table(
    "stack_instances",
    metadata,
    sa.Column("id", sa.Text, nullable=False),
    tenant_column(),
    _of_stack(),
    sa.Column("flag", sa.Text, nullable=False),
    sa.Column("is_spot", sa.Boolean, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("details", Document, nullable=False),
    sa.Column("is_leaving", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("created_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("stack_id", "id"),
)
"""`is_leaving`: it has died, or was told that it will be taken away, and another has to be there in its place."""
sa.Index("stack_instances_by_id", stack_instances.c.id)

stack_layers = sa.Table(
    "stack_layers",
    metadata,
    tenant_column(),
    _of_stack(),
    sa.Column("flag", sa.Text, nullable=False),
    sa.Column("stamp", sa.BigInteger, nullable=False),
    sa.Column("container_digest", sa.Text, nullable=False),
    sa.Column("private_key", sa.Text, nullable=False, server_default=""),
    sa.Column("public_key", sa.Text, nullable=False, server_default=""),
    sa.PrimaryKeyConstraint("stack_id", "flag"),
)
"""`stamp` tells agents whether to deploy; the keys are those with which people log in to the layer's instances."""

stack_agents = sa.Table(
    "stack_agents",
    metadata,
    tenant_column(),
    _of_stack(),
    sa.Column("agent_id", sa.Text, nullable=False),
    sa.Column("instance_id", sa.Text, nullable=False, server_default=""),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False, server_default=""),
    sa.Column("updated_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("stack_id", "agent_id"),
)

stack_containers = sa.Table(
    "stack_containers",
    metadata,
    sa.Column("id", sa.Text, nullable=False),
    tenant_column(),
    _of_stack(),
    sa.Column("agent_id", sa.Text, nullable=False),
    sa.Column("instance_id", sa.Text, nullable=False, server_default=""),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("begun_at", Moment),
    sa.PrimaryKeyConstraint("stack_id", "id"),
)
"""`begun_at` is when its agent last said that it turns to what it has just been told to run."""
sa.Index("stack_containers_by_id", stack_containers.c.tenant_id, stack_containers.c.id)
sa.Index("stack_containers_by_instance", stack_containers.c.tenant_id, stack_containers.c.instance_id)

local_places = sa.Table(
    "local_places",
    metadata,
    _of_stack(),
    sa.Column("instances", sa.Integer, nullable=False),
    sa.PrimaryKeyConstraint("stack_id"),
)
"""How many instances each stack has on this server's own host, where there is room for so many and no more. It has no
tenant: the host is everybody's."""

cloud_credentials = sa.Table(
    "cloud_credentials",
    metadata,
    tenant_column(),
    sa.Column("vendor", sa.Text, nullable=False),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("account", sa.Text, nullable=False),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("tenant_id", "vendor", "id"),
)
