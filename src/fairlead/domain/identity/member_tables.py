"""Tables of those who go by scope documents: the account that they belong to, members, programs, and their roles."""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.base.database import Moment, metadata, tenant_column

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("user_id", sa.Text, nullable=False, unique=True),
    sa.Column("created_at", Moment, nullable=False),
)
"""What the account of a tenant is called in ids (`mo-USER_ID-…`): 13 hexadecimal digits, as Mobingi's are."""

members = sa.Table(
    "members",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("username", sa.Text, nullable=False),
    sa.Column("email", sa.Text, nullable=False, server_default=""),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("tokens_from", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.UniqueConstraint("tenant_id", "username"),
)
"""Sub-users. Tokens issued before `tokens_from` are not good any more: it is set anew with a password."""

programs = sa.Table(
    "programs",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("secret_hash", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
)
"""Credentials of clients (`lg-USER_ID-…-tm`), which a person's login needs as well."""

document_roles = sa.Table(
    "document_roles",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("document", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
)
"""Roles that are written as scope documents, which are kept as they were given."""

member_roles = sa.Table(
    "member_roles",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("member_id", sa.Text, sa.ForeignKey("members.id", ondelete="CASCADE"), nullable=False, unique=True),
    sa.Column("role_id", sa.Text, sa.ForeignKey("document_roles.id", ondelete="CASCADE"), nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
)
"""Which role a member has: one at most."""
sa.Index("member_roles_by_role", member_roles.c.role_id)
sa.Index("document_roles_by_tenant", document_roles.c.tenant_id, document_roles.c.created_at)
sa.Index("programs_by_tenant", programs.c.tenant_id, programs.c.created_at)
