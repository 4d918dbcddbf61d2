"""Has this been asked for before? Whoever asks again after a power cut says so with the same key.

The key is written in the transaction of the deed, so it stands exactly if the deed does.
"""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa

from fairlead.base.database.columns import Moment, metadata

KEPT = timedelta(days=30)
LONGEST_KEY = 200

heard_keys = sa.Table(
    "heard_keys",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("heard_at", Moment, nullable=False),
)
forget = sa.delete(heard_keys).where(heard_keys.c.heard_at < sa.bindparam("before", type_=Moment))
