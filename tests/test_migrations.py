"""The tables that migrations make are those that the code knows, on both engines, whoever gets there first."""

import itertools
import re
import threading

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from fairlead import app, migrations  # noqa: F401 - the application knows every table
from fairlead.base.database import Database, metadata

_numbers = itertools.count(1)


@pytest.fixture
def url(engine) -> str:
    return engine.url(f"migrated{next(_numbers)}")


@pytest.fixture
def fresh(url):
    opened = Database(url)
    yield opened
    opened.close()


ON_SQLITE = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'"
ON_POSTGRESQL = """
    SELECT table_name || '.' || column_name, concat_ws(' ', data_type, is_nullable, column_default)
    FROM information_schema.columns WHERE table_schema = 'public'
    UNION ALL SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
"""


def described(database: Database) -> dict[str, list[str]]:
    """Everything that there is, in the engine's own words; the order of columns and constraints means nothing.

    Neither does where SQLite breaks the lines of a table to which columns were added.
    """
    with database.outside() as connection:
        found = connection.execute(sa.text(ON_SQLITE if database.is_sqlite else ON_POSTGRESQL)).all()
    return {name: _parts(sql) for name, sql in found}


def _parts(sql: str) -> list[str]:
    parts = (part.strip() for part in re.split(r"[\n,]", sql.strip().removesuffix(")")))
    return sorted(part for part in parts if part)


@pytest.mark.filterwarnings("ignore:.*expression-based index")
def test_the_migrated_schema_is_the_one_that_the_code_knows(fresh):
    migrations.upgrade(fresh)

    with fresh.outside() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrated_tables_are_like_those_made_from_the_code(engine, fresh):
    """What the comparison above cannot see: partial indexes, expressions, keys."""
    migrations.upgrade(fresh)
    made = Database(engine.url(f"made{next(_numbers)}"))
    with made.outside() as connection, connection.begin():
        metadata.create_all(connection)

    migrated = described(fresh)
    migrated = {name: sql for name, sql in migrated.items() if not name.startswith("alembic_version")}
    assert migrated == described(made)
    made.close()


def test_upgrading_twice_changes_nothing(fresh):
    migrations.upgrade(fresh)
    before = described(fresh)
    migrations.upgrade(fresh)

    assert described(fresh) == before
    has, should = migrations.current(fresh)
    assert has == should


def test_several_processes_may_upgrade_at_once(url):
    databases, problems = [Database(url) for _ in range(4)], []

    def upgrade(database: Database) -> None:
        try:
            migrations.upgrade(database)
        except Exception as problem:
            problems.append(problem)

    threads = [threading.Thread(target=upgrade, args=(each,)) for each in databases]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert problems == []
    assert migrations.current(databases[0])[0] is not None
    for database in databases:
        database.close()


def test_a_database_of_a_newer_version_is_refused_in_one_line_and_left_alone(fresh):
    migrations.upgrade(fresh)
    with fresh.outside() as connection, connection.begin():
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(migrations.DatabaseIsNewer, match="9999") as refused:
        migrations.upgrade(fresh)

    assert "\n" not in str(refused.value)
    assert migrations.current(fresh)[0] == "9999"


def test_a_migration_that_fails_leaves_nothing_behind(fresh):
    with fresh.outside() as connection, connection.begin():
        connection.execute(sa.text("CREATE TABLE deployment_logs (id INTEGER)"))

    with pytest.raises(Exception, match="deployment_logs"):
        migrations.upgrade(fresh)

    assert sorted(sa.inspect(fresh.engine).get_table_names()) == ["deployment_logs"]
