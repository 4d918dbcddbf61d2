"""`fairlead doctor`: is everything as the server needs it?"""

from __future__ import annotations

import os
import resource
import shutil
import socket
import sqlite3
import ssl
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import typer
from cryptography import x509
from rich.console import Console

from fairlead import migrations
from fairlead.app import open_database, open_tokens
from fairlead.base.blobs import open_blobs
from fairlead.base.errors import Refusal
from fairlead.cli.options import (
    BlobsUrl,
    ConfigFile,
    Data,
    DatabaseUrl,
    InternalListen,
    Keys,
    Listen,
    PublicUrl,
    TlsCert,
    TlsKey,
    settings_of,
)
from fairlead.settings import Settings, address_of

LEAST_FREE_BYTES = 1024**3
OLDEST_SQLITE = (3, 35, 0)
FEW_FILES = 4096


class Unwell(Exception):
    """Something that a person should mend; the text says what and how."""


def doctor(
    data: Data = None,
    listen: Listen = None,
    internal_listen: InternalListen = None,
    database: DatabaseUrl = None,
    blobs: BlobsUrl = None,
    keys: Keys = None,
    public_url: PublicUrl = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    config: ConfigFile = None,
) -> None:
    """Check the set-up and say what is wrong, and how to mend it. Exit code 1 if something is."""
    given = {name: value for name, value in locals().items() if name != "config"}
    settings = settings_of(config, **given)
    console = Console(highlight=False)
    unwell = [name for name, check in CHECKS.items() if not _passes(console, name, check, settings)]
    if unwell:
        console.print(f"\n{len(unwell)} of {len(CHECKS)} checks found something to mend.")
        raise typer.Exit(1)
    console.print("\nEverything is as it should be.")


def _passes(console: Console, name: str, check: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        finding = check(settings)
    except (Unwell, Refusal, OSError, ssl.SSLError) as problem:
        console.print(f"[red]✗[/red] {name}: {problem}")
        return False
    console.print(f"[green]✓[/green] {name}: {finding}")
    return True


def _data_folder(settings: Settings) -> str:
    settings.data.mkdir(parents=True, exist_ok=True)
    if not os.access(settings.data, os.W_OK | os.X_OK):
        raise Unwell(f"{settings.data} cannot be written by this user: change its owner or choose another --data")
    free = shutil.disk_usage(settings.data).free
    if free < LEAST_FREE_BYTES:
        raise Unwell(f"only {free // 1024**2} MiB are free at {settings.data}: make room for at least 1 GiB")
    return f"{settings.data}, {free // 1024**3} GiB free"


def _database(settings: Settings) -> str:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise Unwell(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
    opened = open_database(settings)
    try:
        has, should = migrations.current(opened)
    except Exception as problem:
        raise Unwell(f"{opened.describe()} does not answer: {str(problem).splitlines()[0]}") from None
    finally:
        opened.close()
    if has is None:
        return f"{opened.describe()} is empty; its tables are made at the first start"
    if has != should:
        return f"{opened.describe()} is at revision {has}; the next start brings it to {should}"
    return f"{opened.describe()} is up to date"


def _payloads(settings: Settings) -> str:
    store = open_blobs(settings.blobs_url)
    store.check()
    return store.describe()


def _keys(settings: Settings) -> str:
    open_tokens(settings)
    for file in settings.keys_folder.glob("*.pem"):
        if stat.S_IMODE(file.stat().st_mode) & 0o077:
            raise Unwell(f"{file} can be read by others: chmod 600 {file}")
    return str(settings.keys_folder)


def _listeners(settings: Settings) -> str:
    texts = [text for text in (settings.listen, settings.internal_listen) if text]
    busy = [text for text in texts if _answers(*address_of("--listen", text))]
    if busy:
        return f"{', '.join(busy)} answers already (the server runs, or something else does)"
    return f"{' and '.join(texts)} are free"


def _answers(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def _internal_listener(settings: Settings) -> str:
    if not settings.internal_listen:
        return "not served"
    host, _ = address_of("--internal-listen", settings.internal_listen)
    if not (host.startswith("127.") or host in {"localhost", "::1"}):
        raise Unwell(f"{settings.internal_listen} can be reached from other machines, and asks nobody for a token")
    return f"{settings.internal_listen}, this machine only"


def _certificate(settings: Settings) -> str:
    if not settings.is_tls:
        return "none; put a TLS proxy in front, or set --tls-cert and --tls-key"
    ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(settings.tls_cert, settings.tls_key)
    until = x509.load_pem_x509_certificate(Path(settings.tls_cert).read_bytes()).not_valid_after_utc
    if until < datetime.now(UTC) + timedelta(days=14):
        raise Unwell(f"{settings.tls_cert} is good only until {until:%Y-%m-%d}: renew it")
    return f"{settings.tls_cert}, good until {until:%Y-%m-%d}"


def _open_files(settings: Settings) -> str:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < FEW_FILES:
        raise Unwell(f"at most {most} files can be open, one for each connection: raise the limit (ulimit -Hn)")
    return f"up to {most} connections"


CHECKS: dict[str, Callable[[Settings], str]] = {
    "data folder": _data_folder,
    "database": _database,
    "payload store": _payloads,
    "keys": _keys,
    "addresses": _listeners,
    "internal API": _internal_listener,
    "certificate": _certificate,
    "open files": _open_files,
}
