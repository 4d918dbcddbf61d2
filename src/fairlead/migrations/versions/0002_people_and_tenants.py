"""Roles, second factors, password resets, the life of an organization, mail, and the chain of the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fairlead.base.database import Moment
from fairlead.domain import audit

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _tenants()
    _people()
    _mail()
    _audit()


def _tenants() -> None:
    op.add_column("tenants", sa.Column("trial_ends_at", Moment))
    op.add_column("tenants", sa.Column("api_limits", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("tenants", sa.Column("billing", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("tenants", sa.Column("cancelled_at", Moment))
    op.add_column("tenants", sa.Column("cancel_reason", sa.Text(), nullable=False, server_default=""))


def _people() -> None:
    op.add_column("users", sa.Column("settings", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("users", sa.Column("second_factor", sa.Text()))
    op.add_column("users", sa.Column("second_factor_on", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.add_column("users", sa.Column("second_factor_step", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column(
        "users", sa.Column("second_factor_verified_step", sa.BigInteger(), nullable=False, server_default="0")
    )
    op.create_table(
        "roles",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("permissions", sa.Text(), nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.Column("updated_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "name", name=op.f("roles_key")),
    )
    op.create_table(
        "password_resets",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Text(), nullable=False),
        sa.Column("expires_at", Moment, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("password_resets_of_users"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("digest", name=op.f("password_resets_key")),
    )
    op.create_index("password_resets_by_user", "password_resets", ["user_id"])
    op.create_table(
        "failed_logins",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("failed_logins_key")),
    )


def _mail() -> None:
    op.create_table(
        "letters",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_try_at", Moment, nullable=False),
        sa.Column("created_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("letters_key")),
    )
    op.create_index("letters_by_next_try", "letters", ["next_try_at"])


def _audit() -> None:
    op.add_column("audit_entries", sa.Column("number", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("audit_entries", sa.Column("object_name", sa.Text(), nullable=False, server_default=""))
    op.add_column("audit_entries", sa.Column("digest", sa.Text(), nullable=False, server_default=""))
    op.create_table(
        "audit_heads",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("audit_heads_key")),
    )
    _chain_what_is_there()
    op.create_index("audit_entries_by_number", "audit_entries", ["tenant_id", "number"])
    op.create_index("audit_entries_by_time", "audit_entries", ["tenant_id", "at", "number"])


_entries = sa.table(
    "audit_entries",
    sa.column("id"),
    sa.column("tenant_id"),
    sa.column("number"),
    sa.column("at", Moment),
    sa.column("actor_kind"),
    sa.column("actor_id"),
    sa.column("actor_name"),
    sa.column("action"),
    sa.column("object_id"),
    sa.column("object_name"),
    sa.column("details"),
    sa.column("digest"),
)
_chain = (
    sa.update(_entries)
    .where(_entries.c.id == sa.bindparam("row"))
    .values(number=sa.bindparam("new_number"), digest=sa.bindparam("new_digest"))
)
_heads = sa.table("audit_heads", sa.column("tenant_id"), sa.column("number"), sa.column("digest"))


def _chain_what_is_there() -> None:
    """Entries from before there was a chain are tied together as they stand now."""
    connection = op.get_bind()
    heads: dict[str, tuple[int, str]] = {}
    last_id = 0
    while rows := connection.execute(
        sa.select(_entries).where(_entries.c.id > last_id).order_by(_entries.c.id).limit(1000)
    ).all():
        chained = []
        for row in rows:
            number, previous = heads.get(row.tenant_id, (0, audit.BEGINNING))
            entry = audit.Entry(
                row.at, row.actor_kind, row.actor_id, row.actor_name, row.action, row.object_id, {}, row.object_name
            )
            digest = audit.digest_of(previous, row.tenant_id, number + 1, entry, row.details)
            chained.append({"row": row.id, "new_number": number + 1, "new_digest": digest})
            heads[row.tenant_id] = (number + 1, digest)
        connection.execute(_chain, chained)
        last_id = rows[-1].id
    for tenant_id, (number, digest) in heads.items():
        connection.execute(sa.insert(_heads).values(tenant_id=tenant_id, number=number, digest=digest))
