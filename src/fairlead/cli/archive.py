"""`fairlead backup` and `fairlead restore`: while the server runs, and back again."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from pathlib import Path
from typing import Annotated, Any

import sqlalchemy as sa
import typer
from rich.progress import Progress

from fairlead import __version__, migrations
from fairlead.base import clock
from fairlead.base.blobs import BlobIsMissing, Blobs, open_blobs
from fairlead.base.database import Database
from fairlead.base.errors import Kind, Refusal
from fairlead.cli.options import BlobsUrl, ConfigFile, Data, DatabaseUrl, Keys, settings_of
from fairlead.domain import artifacts
from fairlead.parts import open_database
from fairlead.settings import Settings

ABOUT = "about.json"
RECORDS_SQLITE = "records.sqlite"
RECORDS_POSTGRESQL = "records.pgdump"
KEYS = "keys"
PAYLOADS = "payloads"


class BackupRefused(Refusal):
    kind = Kind.UNAVAILABLE
    message = "{reason}"


Archive = Annotated[Path, typer.Argument(help="The backup: a .tar file.", show_default=False)]


def backup(
    archive: Archive,
    data: Data = None,
    database: DatabaseUrl = None,
    blobs: BlobsUrl = None,
    keys: Keys = None,
    config: ConfigFile = None,
) -> None:
    """Write records, payloads and keys into one file. The server may go on running.

    Records are a snapshot of one moment; payloads never change, and those that came later are simply not in it.
    The file holds the signing keys: keep it as safe as they are.
    """
    settings = settings_of(config, data=data, database=database, blobs=blobs, keys=keys)
    if archive.exists():
        raise BackupRefused(reason=f"{archive} exists already: choose another name, or remove it first")
    opened, store = open_database(settings), open_blobs(settings.blobs_url)
    _make_sure_there_is_something(opened)
    aside = archive.with_name(archive.name + ".part")
    try:
        with tempfile.TemporaryDirectory(dir=archive.parent) as folder, tarfile.open(aside, "w") as tar:
            aside.chmod(0o600)
            name = _dump(opened, Path(folder))
            _add_text(tar, ABOUT, _about(opened, name))
            tar.add(Path(folder) / name, name)
            if settings.keys_folder.is_dir():
                tar.add(settings.keys_folder, KEYS)
            count = _add_payloads(tar, store, _used_payloads(Path(folder) / name, opened))
        _make_durable(aside)
        aside.rename(archive)
    finally:
        aside.unlink(missing_ok=True)
        opened.close()
    print(f"{archive}: records, keys and {count} payloads, {archive.stat().st_size / 1e6:.1f} MB")


def _make_sure_there_is_something(database: Database) -> None:
    is_missing = database.is_sqlite and not Path(str(database.url.database)).exists()
    if is_missing or migrations.current(database)[0] is None:
        raise BackupRefused(reason=f"{database.describe()} holds no records: there is nothing to back up")


def _make_durable(file: Path) -> None:
    with file.open("rb") as written:
        os.fsync(written.fileno())


def _about(database: Database, records: str) -> str:
    has, _ = migrations.current(database)
    about = {"version": __version__, "revision": has, "records": records, "made_at": clock.rfc3339(clock.now())}
    return json.dumps(about, indent=2)


def _add_text(tar: tarfile.TarFile, name: str, text: str) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(text.encode())
    tar.addfile(entry, io.BytesIO(text.encode()))


def _dump(database: Database, folder: Path) -> str:
    """A consistent copy of all records, in the engine's own form."""
    if database.is_sqlite:
        source = sqlite3.connect(Path(str(database.url.database)).absolute().as_uri() + "?mode=ro", uri=True)
        target = sqlite3.connect(folder / RECORDS_SQLITE)
        with contextlib.closing(source), contextlib.closing(target):
            source.backup(target)  # in one go: in pieces it would begin anew with each write of a busy server
        return RECORDS_SQLITE
    _run_tool("pg_dump", database, "--format=custom", f"--file={folder / RECORDS_POSTGRESQL}")
    return RECORDS_POSTGRESQL


def _run_tool(tool: str, database: Database, *arguments: str) -> None:
    if shutil.which(tool) is None:
        raise BackupRefused(reason=f"{tool} is needed for a PostgreSQL database: install PostgreSQL's client programs")
    url = database.url.set(drivername="postgresql")
    # everyone on this machine can read the arguments of a program, and only its user the environment
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password is not None else {})}
    address = sa.URL.create(url.drivername, url.username, None, url.host, url.port, url.database, url.query)
    command = [tool, *arguments, f"--dbname={address.render_as_string(hide_password=False)}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["it failed"])[-1]
        raise BackupRefused(reason=f"{tool}: {reason}")


def _used_payloads(records: Path, database: Database) -> list[str]:
    """The payloads that the copied records name."""
    copied = Database(f"sqlite:///{records}") if records.name == RECORDS_SQLITE else database
    try:
        with copied.across_tenants("which payloads are to be kept?", writing=False) as tx:
            return sorted(artifacts.used_payloads(tx))
    finally:
        copied.close()


def _add_payloads(tar: tarfile.TarFile, store: Blobs, keys: list[str]) -> int:
    count = 0
    with Progress(transient=True) as progress:
        for key in progress.track(keys, description="payloads"):
            size = store.size(key)
            if size is None:  # deleted since the snapshot, together with its artifact
                continue
            entry = tarfile.TarInfo(f"{PAYLOADS}/{key}")
            entry.size = size
            try:
                with store.open(key) as reading:
                    tar.addfile(entry, reading)  # type: ignore[arg-type]
            except BlobIsMissing:  # deleted at this very moment
                continue
            count += 1
    return count


def restore(
    archive: Archive,
    data: Data = None,
    database: DatabaseUrl = None,
    blobs: BlobsUrl = None,
    keys: Keys = None,
    config: ConfigFile = None,
) -> None:
    """Put a backup in place of nothing: into an empty data folder or an empty database, while no server runs."""
    settings = settings_of(config, data=data, database=database, blobs=blobs, keys=keys)
    opened = open_database(settings)
    try:
        with tarfile.open(archive) as tar:
            about = _read_about(tar)
            _make_sure_nothing_is_lost(opened, settings, about)
            count = sum(_put_back(tar, entry, settings, opened) for entry in tar if entry.isfile())
        _forget_what_was_deleted_meanwhile(opened, open_blobs(settings.blobs_url))
    except (OSError, EOFError, tarfile.TarError) as problem:
        reason = str(problem).splitlines()[0].rstrip(":")
        raise BackupRefused(reason=f"{archive} cannot be read as a backup: {reason}") from None
    finally:
        opened.close()
    print(f"Restored {count} files from the backup of {about['made_at']}. Start the server with: fairlead serve")


def _read_about(tar: tarfile.TarFile) -> dict[str, Any]:
    first = tar.next()
    content = tar.extractfile(first) if first is not None and first.name == ABOUT else None
    if content is None:
        raise BackupRefused(reason="this is not a backup made by fairlead backup")
    try:
        about = json.load(content)
    except ValueError:
        about = None
    if not isinstance(about, dict) or not {"records", "made_at", "revision"} <= about.keys():
        raise BackupRefused(reason=f"{ABOUT} of this backup cannot be read")
    return about


def _make_sure_nothing_is_lost(database: Database, settings: Settings, about: dict[str, Any]) -> None:
    kind = RECORDS_SQLITE if database.is_sqlite else RECORDS_POSTGRESQL
    if about["records"] != kind:
        raise BackupRefused(reason=f"the backup holds {about['records']}, and {database.describe()} is another engine")
    if database.is_sqlite:
        _make_sure_nothing_is_there(Path(str(database.url.database)))
    if not database.is_sqlite and migrations.current(database)[0] is not None:
        raise BackupRefused(reason=f"{database.describe()} is not empty: restore into an empty database")
    if settings.keys_folder.exists() and any(settings.keys_folder.iterdir()):
        raise BackupRefused(reason=f"{settings.keys_folder} is not empty: restore into an empty data folder")


def _make_sure_nothing_is_there(records: Path) -> None:
    """Neither the records nor what SQLite would lay over them."""
    for path in (records, records.with_name(f"{records.name}-wal"), records.with_name(f"{records.name}-journal")):
        if path.exists():
            raise BackupRefused(reason=f"{path} exists: restore into an empty data folder")


def _forget_what_was_deleted_meanwhile(database: Database, store: Blobs) -> None:
    """Artifacts that were deleted while the backup was made are in its records, and their payloads are not."""
    with database.across_tenants("which artifacts lost their payload?") as tx:
        artifacts.forget_without_payload(tx, store)


def _put_back(tar: tarfile.TarFile, entry: tarfile.TarInfo, settings: Settings, database: Database) -> int:
    """One file of the backup; names are taken apart, never used as paths."""
    content = tar.extractfile(entry)
    if content is None:
        return 0
    top, _, rest = entry.name.partition("/")
    if top == PAYLOADS:
        with open_blobs(settings.blobs_url).receive(rest) as incoming:
            while chunk := content.read(1024 * 1024):
                incoming.write(chunk)
            incoming.keep()
    elif top == KEYS and rest and "/" not in rest and not rest.startswith("."):
        settings.keys_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(settings.keys_folder / rest, content)
    elif top == RECORDS_SQLITE:
        target = Path(str(database.url.database))
        target.parent.mkdir(parents=True, exist_ok=True)
        _write(target, content)
    elif top == RECORDS_POSTGRESQL:
        with tempfile.NamedTemporaryFile() as dump:
            shutil.copyfileobj(content, dump)
            dump.flush()
            _run_tool("pg_restore", database, "--no-owner", "--exit-on-error", dump.name)
    else:
        return 0
    return 1


def _write(path: Path, content: Any) -> None:
    with path.open("xb") as file:
        path.chmod(0o600)
        shutil.copyfileobj(content, file, 1024 * 1024)
