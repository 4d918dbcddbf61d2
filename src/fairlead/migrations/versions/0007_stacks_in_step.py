"""Remember when agents turn to what they are told to run, and how many instances each stack has on this host.

What an agent says before it turns to a version is not about that one. Old processes may still run: they never name the
column, so it stays NULL, and everything that is said counts. The stacks that they make take no places, until something
is planned for them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from fairlead.base.database import Moment

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("stack_containers", sa.Column("begun_at", Moment))
    op.create_table(
        "local_places",
        sa.Column("stack_id", sa.Text(), nullable=False),
        sa.Column("instances", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["stack_id"], ["stacks.id"], name=op.f("local_places_of_stacks"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stack_id", name=op.f("local_places_key")),
    )
    counted = "SELECT stack_id, count(*) FROM stack_instances GROUP BY stack_id"
    op.execute(f"INSERT INTO local_places (stack_id, instances) {counted}")
