"""Tables of the catalogue. A service of the whole server, and not of a project, has the project 0."""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.base.database import Moment, metadata, tenant_column

catalog_services = sa.Table(
    "catalog_services",
    metadata,
    tenant_column(),
    sa.Column("project", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("package", sa.Text, nullable=False),
    sa.Column("topics", sa.Text, nullable=False),
    sa.Column("operations", sa.Text, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("exported", sa.Boolean, nullable=False),
    sa.Column("disabled", sa.Boolean, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("access", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("tenant_id", "project", "name"),
)
"""`version` and all that is said of the content are those of the version that answers by the name; `topics` and
`operations` are lists of EDAM terms, `access` is who may call the service, all three in JSON."""

catalog_versions = sa.Table(
    "catalog_versions",
    metadata,
    tenant_column(),
    sa.Column("project", sa.Integer, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("registered_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("tenant_id", "project", "name", "version"),
    sa.ForeignKeyConstraint(
        ["tenant_id", "project", "name"],
        ["catalog_services.tenant_id", "catalog_services.project", "catalog_services.name"],
        ondelete="CASCADE",
    ),
)

catalog_peers = sa.Table(
    "catalog_peers",
    metadata,
    tenant_column(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("own_name", sa.Text, nullable=False),
    sa.Column("found_name", sa.Text, nullable=False),
    sa.Column("token_out", sa.Text, nullable=False),
    sa.Column("token_in_hash", sa.Text, nullable=False, unique=True),
    sa.Column("active", sa.Boolean, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False),
    sa.Column("problem", sa.Text, nullable=False),
    sa.Column("etag", sa.Text, nullable=False),
    sa.Column("due_at", Moment, nullable=False, index=True),
    sa.Column("seen_at", Moment),
    sa.Column("registered_at", Moment, nullable=False),
    sa.PrimaryKeyConstraint("tenant_id", "name"),
)
"""`own_name` is what an administrator says that the server calls itself, `found_name` what it turned out to be.
`token_out` is sealed: with it we call the server. With the token of `token_in_hash` it calls us."""

catalog_peer_services = sa.Table(
    "catalog_peer_services",
    metadata,
    tenant_column(),
    sa.Column("peer", sa.Text, nullable=False),
    sa.Column("project", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("authorized", sa.Boolean, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("fetched_at", Moment),
    sa.PrimaryKeyConstraint("tenant_id", "peer", "project", "name"),
    sa.ForeignKeyConstraint(
        ["tenant_id", "peer"], ["catalog_peers.tenant_id", "catalog_peers.name"], ondelete="CASCADE"
    ),
)
"""`project` is what the peer calls the project, empty for a service of the whole peer."""

catalog_closed = sa.Table(
    "catalog_closed",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("everything", sa.Boolean, nullable=False),
    sa.Column("patterns", sa.Text, nullable=False),
    sa.Column("message", sa.Text, nullable=False),
)

catalog_files = sa.Table(
    "catalog_files",
    metadata,
    tenant_column(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("digest", sa.Text, nullable=False),
    sa.PrimaryKeyConstraint("tenant_id", "name"),
)
"""The files that services were loaded from at a start, as they were then."""
