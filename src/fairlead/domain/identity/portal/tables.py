"""Tables of the portal's people: their accounts, groups, the tokens that stand for them, and what was sent to them."""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.base.database import Moment, metadata, tenant_column

portal_counters = sa.Table(
    "portal_counters",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("last_number", sa.BigInteger, nullable=False),
)
"""The last number that was given to something of a kind: a user, a project, a job, data."""

portal_users = sa.Table(
    "portal_users",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("authentication_type", sa.Text),
    sa.Column("email", sa.Text),
    sa.Column("password_hash", sa.Text, nullable=False, server_default=""),
    sa.Column("account_id", sa.Text),  # of the user of the organization that they are
    sa.Column("directory_id", sa.Text),  # of the entry in a directory that they are
    sa.Column("first_name", sa.Text, nullable=False, server_default=""),
    sa.Column("last_name", sa.Text, nullable=False, server_default=""),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("status_message", sa.Text, nullable=False, server_default=""),
    sa.Column("is_admin", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("notify_project", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("notify_job", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("notify_data", sa.Boolean, nullable=False, server_default=sa.true()),
    sa.Column("default_project", sa.BigInteger),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("updated_at", Moment, nullable=False),
    sa.Column("logged_in_at", Moment),
    sa.Index("portal_users_one_email", "tenant_id", sa.func.lower(sa.literal_column("email")), unique=True),
    sa.Index("portal_users_one_account", "tenant_id", "account_id", unique=True),
    sa.Index("portal_users_one_directory_entry", "tenant_id", "directory_id", unique=True),
    sa.Index("portal_users_by_type", "type", "created_at"),
)


def _of_a_user() -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", "user_number"], ["portal_users.tenant_id", "portal_users.number"], ondelete="CASCADE"
    )


portal_groups = sa.Table(
    "portal_groups",
    metadata,
    sa.Column("tenant_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("user_number", sa.BigInteger, primary_key=True, autoincrement=False),
    _of_a_user(),
    sa.Index("portal_groups_by_user", "tenant_id", "user_number"),
)
"""Who belongs to which group. A group is there for as long as somebody belongs to it."""

portal_tokens = sa.Table(
    "portal_tokens",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("id", sa.Text, nullable=False),
    sa.Column("user_number", sa.BigInteger, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("as_admin", sa.Boolean, nullable=False),
    sa.Column("proof", sa.Text, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    _of_a_user(),
    sa.Index("portal_tokens_by_user", "tenant_id", "user_number"),
    sa.Index("portal_tokens_by_end", "expires_at"),
)
"""Sessions, and tokens that people made for programs. `proof` is a digest of the password that was shown for it."""

portal_letters = sa.Table(
    "portal_letters",
    metadata,
    sa.Column("digest", sa.Text, primary_key=True),
    tenant_column(),
    sa.Column("user_number", sa.BigInteger, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("password_hash", sa.Text, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    _of_a_user(),
    sa.Index("portal_letters_by_user", "tenant_id", "user_number"),
)
"""Secrets that were sent by mail: whoever shows one has read what came to that address."""
