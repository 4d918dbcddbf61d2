"""Remember when an agent last turned to what it was told to run: what it says before that is of no newer version.

Old processes may still run: they never name the column, so it stays NULL, and everything that is said counts.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fairlead.base.database import Moment

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("stack_containers", sa.Column("begun_at", Moment))
