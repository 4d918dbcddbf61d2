"""How does the database get its tables, and how do they change from one version to the next?"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from fairlead.base.database import Database
from fairlead.base.errors import Kind, Refusal

FOLDER = Path(__file__).parent
_LOCK = 0x_FA1_4EAD


class DatabaseIsNewer(Refusal):
    kind = Kind.UNAVAILABLE
    message = (
        "The database was made by a newer version of Fairlead (revision {revision}): "
        "install that version, or restore a backup from before the upgrade."
    )


def upgrade(database: Database) -> None:
    """Bring the tables up to date. Several processes may try at once: one does it, the others wait."""
    config = _config()
    with database.outside() as connection:
        connection = connection.execution_options(fairlead_writing=True)
        with connection.begin():
            if not database.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
            _make_sure_it_is_not_newer(connection)
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def current(database: Database) -> tuple[str | None, str | None]:
    """The revision that the database has, and the one that it should have."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    with database.outside() as connection:
        return MigrationContext.configure(connection).get_current_revision(), head


def is_known(revision: str | None) -> bool:
    """Is this a revision that this version can start from? None is: there are no tables yet."""
    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    return revision is None or revision in known


def _make_sure_it_is_not_newer(connection: sa.Connection) -> None:
    revision = MigrationContext.configure(connection).get_current_revision()
    if not is_known(revision):
        raise DatabaseIsNewer(revision=revision)


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    return config
