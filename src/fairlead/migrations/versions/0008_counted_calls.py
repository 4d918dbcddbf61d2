"""Count the calls of those who have limits in one place, so that the limits hold for all processes together.

Old processes may still run: they count in their own memory, as before.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fairlead.base.database import Moment

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "counted_calls",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", Moment, nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("counted_calls_key")),
    )
