"""What is acknowledged must survive a power cut."""

from fairlead.base.database import Database


def test_sqlite_waits_for_the_disk_before_it_says_that_something_is_written(tmp_path, real_durability):
    database = Database(f"sqlite:///{tmp_path}/records.db")

    with database.across_tenants("how is it opened?", writing=False) as tx:
        said = [tx._connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("synchronous", "journal_mode")]

    assert said == [2, "wal"]  # 2: FULL
    database.close()
