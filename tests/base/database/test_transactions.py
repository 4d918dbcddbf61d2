"""What holds inside a transaction, and what others see of it?"""

import threading
import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from fairlead.base.database import TENANT, BadDatabaseUrl, Database, DatabaseCannotBeUsed, DatabaseIsAway, StorageIsFull
from fairlead.base.errors import Refusal
from house.boats import ACME, ZENITH, boats

OWN = sa.select(boats.c.id).where(boats.c.tenant_id == TENANT).order_by(boats.c.id)


def ids(database, scope=ACME):
    with database.read(scope) as tx:
        return [row.id for row in tx.all(OWN)]


@pytest.mark.parametrize("problem", [RuntimeError, Refusal, KeyboardInterrupt])
def test_nothing_of_a_transaction_that_fails_is_kept(database, problem):
    deeds = []
    with pytest.raises(problem), database.begin(ACME) as tx:
        tx.run(sa.insert(boats), {"id": "1"})
        tx.announce("launched", "1")
        tx.afterwards(lambda: deeds.append("told"))
        raise problem

    assert ids(database) == []
    assert deeds == []
    with database.across_tenants("what was announced?", writing=False) as tx:
        assert tx.scalar(sa.text("SELECT count(*) FROM changes")) == 0


def test_a_failing_statement_undoes_the_whole_transaction(database):
    with pytest.raises(sa.exc.IntegrityError), database.begin(ACME) as tx:
        tx.run(sa.insert(boats), {"id": "1"})
        tx.run(sa.insert(boats), {"id": "1"})

    assert ids(database) == []


def test_what_is_to_be_done_afterwards_is_done_once_others_can_see_the_change(database):
    seen = []
    with database.begin(ACME) as tx:
        tx.run(sa.insert(boats), {"id": "1"})
        tx.within(ZENITH).afterwards(lambda: seen.append(ids(database)))
        assert seen == []

    assert seen == [["1"]]


def test_a_reader_never_waits_for_a_writer(open_database):
    one, other = open_database(), open_database()
    with one.begin(ACME) as tx:
        tx.run(sa.insert(boats), {"id": "1"})
        began_at = time.monotonic()
        assert ids(other) == []
        assert time.monotonic() - began_at < 1


def test_one_at_a_time_keeps_others_of_the_tenant_out(open_database):
    """Each counts what is there and adds one only while there are fewer than three: in the end there are three."""
    processes = [open_database() for _ in range(4)]

    def add(database: Database, name: str) -> None:
        with database.begin(ACME) as tx:
            tx.one_at_a_time("admission")
            if len(tx.all(OWN)) < 3:
                time.sleep(0.02)
                tx.run(sa.insert(boats), {"id": name})

    threads = [threading.Thread(target=add, args=(each, f"{n}")) for n, each in enumerate(processes * 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ids(processes[0])) == 3


def test_one_at_a_time_holds_up_neither_another_tenant_nor_another_matter(open_database):
    one, other = open_database(), open_database()
    if one.is_sqlite:
        pytest.skip("SQLite lets only one transaction write anyway")
    with one.begin(ACME) as tx:
        tx.one_at_a_time("admission")
        for scope, what in ((ZENITH, "admission"), (ACME, "upload")):
            with other.begin(scope) as inner:
                inner.one_at_a_time(what)


def test_announcements_are_heard_here_before_the_transaction_is_over_and_in_their_order(database):
    heard = []
    database.changes.on("launched", heard.append)

    with database.begin(ACME) as tx:
        for name in ("1", "2", "3"):
            tx.announce("launched", name)
        tx.within(ZENITH).announce("launched", "4")
        assert heard == []

    assert heard == ["1", "2", "3", "4"]


def test_the_order_of_announcements_is_the_order_of_commits(open_database):
    """A reader that has seen one change must never find an older one later."""
    listener = open_database()
    heard: list[str] = []
    listener.changes.on("launched", heard.append)
    listener.changes.start()
    writers = [open_database() for _ in range(3)]

    def announce(database: Database, who: int) -> None:
        for number in range(15):
            with database.begin(ACME) as tx:
                tx.announce("launched", f"{who}-{number}")
                time.sleep(0.002 * who)

    threads = [threading.Thread(target=announce, args=(each, n)) for n, each in enumerate(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    listener.changes.read()

    assert len(heard) == len(set(heard)) == 45
    for who in range(3):
        assert [h for h in heard if h.startswith(f"{who}-")] == [f"{who}-{n}" for n in range(15)]


def test_who_announces_later_commits_later(open_database):
    """Else a reader that has seen the later one would never look for the earlier one again."""
    first, second, listener = open_database(), open_database(), open_database()
    heard: list[str] = []
    listener.changes.on("launched", heard.append)

    def announce_second() -> None:
        with second.begin(ACME) as tx:
            tx.announce("launched", "2")

    thread = threading.Thread(target=announce_second)
    with first.begin(ACME) as tx:
        tx.announce("launched", "1")
        tx.write_announcements()  # what the end of the transaction does
        thread.start()
        time.sleep(0.3)
        listener.changes.read()
        assert heard == []
    thread.join()
    listener.changes.read()

    assert sorted(set(heard)) == ["1", "2"]


def test_a_moment_keeps_its_point_in_time_whatever_its_zone(database):
    moment = datetime(2026, 3, 29, 1, 30, 0, 123456, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    with database.begin(ACME) as tx:
        tx.run(sa.insert(boats), {"id": "1", "built_at": moment})
        tx.run(sa.insert(boats), {"id": "2"})

    with database.read(ACME) as tx:
        earlier = boats.c.built_at <= moment.astimezone(UTC)
        found = tx.all(sa.select(boats.c.built_at).where(boats.c.tenant_id == TENANT, earlier))
        nothing = tx.scalar(sa.select(boats.c.built_at).where(boats.c.tenant_id == TENANT, boats.c.id == "2"))

    assert [row.built_at for row in found] == [moment]
    assert found[0].built_at.tzinfo is UTC
    assert nothing is None


def test_a_moment_without_a_zone_is_refused(database):
    with pytest.raises(sa.exc.StatementError, match="without a zone"), database.begin(ACME) as tx:
        tx.run(sa.insert(boats), {"id": "1", "built_at": datetime(2026, 1, 1)})


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mysql://host/name",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:x?mode=memory",
        "nonsense",
        "postgresql://ada:secret@host:port/name",
        "oracle://ada:secret@host/name",
    ],
)
def test_a_database_of_another_kind_is_refused_without_telling_the_password(url):
    with pytest.raises(BadDatabaseUrl) as refused:
        Database(url)

    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_where_the_records_are_is_told_without_the_password():
    assert Database("postgresql://ada:secret@host/name").describe() == "postgresql://ada:***@host/name"


def test_a_database_that_is_away_is_told_so(tmp_path):
    nobody = Database("postgresql://ada:secret@127.0.0.1:1/name")
    with pytest.raises(DatabaseIsAway), nobody.read(ACME) as tx:
        tx.all(OWN)

    with pytest.raises(DatabaseCannotBeUsed, match=r"refused") as told, nobody.outside():
        pass
    assert "secret" not in str(told.value)
    assert "\n" not in str(told.value)


def test_a_file_that_is_no_database_is_told_so(tmp_path):
    (tmp_path / "letters.db").write_text("dear diary, " * 500)

    with (
        pytest.raises(DatabaseCannotBeUsed, match="not a database"),
        Database(f"sqlite:///{tmp_path}/letters.db").outside(),
    ):
        pass


def test_a_full_disk_is_told_and_undone(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/small.db")
    with database.outside() as connection, connection.begin():
        boats.create(connection)
        size = connection.exec_driver_sql("PRAGMA page_count").scalar()

    with pytest.raises(StorageIsFull), database.begin(ACME) as tx:
        tx._connection.exec_driver_sql(f"PRAGMA max_page_count={size + 2}")
        for number in range(1000):
            tx.run(sa.insert(boats), {"id": str(number), "name": "x" * 1000})

    assert ids(database) == []
    database.close()


def test_the_records_are_readable_by_the_server_only(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/new/records.db")
    assert not (tmp_path / "new").exists()
    with database.outside() as connection, connection.begin():
        boats.create(connection)

        modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "new").iterdir()}

    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert modes == {"records.db": 0o600, "records.db-wal": 0o600, "records.db-shm": 0o600}
    database.close()


def test_what_a_key_stands_for_is_done_once(database):
    with database.begin(ACME) as tx:
        assert [tx.once("launch 1"), tx.once("launch 1"), tx.once("launch 2")] == [True, False, True]
    with database.begin(ZENITH) as tx:
        assert not tx.once("launch 1")
        assert all((tx.once(""), tx.once("")))


def test_a_key_of_what_was_undone_is_as_good_as_new(database):
    with pytest.raises(Refusal), database.begin(ACME) as tx:
        assert tx.once("launch 3")
        raise Refusal

    with database.begin(ACME) as tx:
        assert tx.once("launch 3")
