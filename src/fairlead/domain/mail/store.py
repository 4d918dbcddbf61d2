"""Where letters wait until they are sent."""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.base.database import Moment, metadata

letters = sa.Table(
    "letters",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("sealed", sa.Text, nullable=False),  # who it is for and what it says: it may hold a secret
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_try_at", Moment, nullable=False),
    sa.Column("created_at", Moment, nullable=False),
    sa.Index("letters_by_next_try", "next_try_at"),
)
