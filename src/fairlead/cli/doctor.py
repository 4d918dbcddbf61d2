"""`fairlead doctor`: is everything as the server needs it?"""

from __future__ import annotations

import os
import pwd
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
from rich.markup import escape

from fairlead import migrations
from fairlead.base.blobs import open_blobs
from fairlead.base.errors import Refusal
from fairlead.base.smtp import NotTaken, SmtpServer
from fairlead.cli.options import (
    BlobsUrl,
    ConfigFile,
    Data,
    DatabaseUrl,
    InternalListen,
    JobFolders,
    JobSlots,
    Keys,
    Listen,
    LocalJobs,
    LocalStacks,
    MailFrom,
    Multitenant,
    PublicUrl,
    SmtpHost,
    SmtpPassword,
    SmtpPort,
    SmtpSecurity,
    SmtpUser,
    TlsCert,
    TlsKey,
    settings_of,
)
from fairlead.domain import jobs
from fairlead.parts import open_database, open_mail, open_seal, open_tokens
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
    smtp_host: SmtpHost = None,
    smtp_port: SmtpPort = None,
    smtp_security: SmtpSecurity = None,
    smtp_user: SmtpUser = None,
    smtp_password: SmtpPassword = None,
    mail_from: MailFrom = None,
    multitenant: Multitenant = None,
    local_stacks: LocalStacks = None,
    local_jobs: LocalJobs = None,
    job_slots: JobSlots = None,
    job_folders: JobFolders = None,
    config: ConfigFile = None,
) -> None:
    """Check the set-up and say what is wrong, and how to mend it. Exit code 1 if something is."""
    given = {name: value for name, value in locals().items() if name != "config"}
    settings = settings_of(config, **given)
    console = Console(highlight=False, soft_wrap=True)
    unwell = [name for name, check in CHECKS.items() if not _passes(console, name, check, settings)]
    if unwell:
        console.print(f"\n{len(unwell)} of {len(CHECKS)} checks found something to mend.")
        raise typer.Exit(1)
    console.print("\nEverything is as it should be.")


def _passes(console: Console, name: str, check: Callable[[Settings], str], settings: Settings) -> bool:
    try:
        finding = check(settings)
    except (Unwell, Refusal, OSError, ssl.SSLError) as problem:
        console.print(f"[red]✗[/red] {name}: {escape(str(problem))}")
        return False
    console.print(f"[green]✓[/green] {name}: {escape(finding)}")
    return True


def _data_folder(settings: Settings) -> str:
    there = next(each for each in (settings.data.absolute(), *settings.data.absolute().parents) if each.exists())
    if not there.is_dir() or not os.access(there, os.W_OK | os.X_OK):
        raise Unwell(f"{there} cannot be written by this user: change its owner or choose another --data")
    free = shutil.disk_usage(there).free
    if free < LEAST_FREE_BYTES:
        raise Unwell(f"only {free // 1024**2} MiB are free at {there}: make room for at least 1 GiB")
    made = "" if settings.data.exists() else " (made at the first start)"
    return f"{settings.data}{made}, {free // 1024**3} GiB free"


def _database(settings: Settings) -> str:
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise Unwell(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
    opened = open_database(settings)
    if opened.is_sqlite and not Path(str(opened.url.database)).exists():
        return f"{opened.describe()} is made at the first start"
    try:
        has, should = migrations.current(opened)
    finally:
        opened.close()
    if has is None:
        return f"{opened.describe()} is empty; its tables are made at the first start"
    if not migrations.is_known(has):
        raise Unwell(f"{opened.describe()} is at revision {has}, which a newer version of Fairlead has made")
    if has != should:
        return f"{opened.describe()} is at revision {has}; the next start brings it to {should}"
    return f"{opened.describe()} is up to date"


def _payloads(settings: Settings) -> str:
    store = open_blobs(settings.blobs_url)
    if not settings.blobs and not settings.data.exists():
        return f"{store.describe()} (made at the first start)"
    store.check()
    return store.describe()


def _keys(settings: Settings) -> str:
    if not any(settings.keys_folder.glob("*.pem")):
        return f"{settings.keys_folder} (made at the first start)"
    open_tokens(settings)
    if (settings.keys_folder / "secrets.key").exists():
        open_seal(settings)
    for file in (each for each in settings.keys_folder.iterdir() if each.suffix in {".pem", ".key"}):
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
    try:
        socket.create_connection((host, port), timeout=1).close()
    except socket.gaierror as problem:
        raise Unwell(f"{host} is not the name or address of this machine: {problem.strerror}") from None
    except OSError:
        return False
    return True


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


def _mail(settings: Settings) -> str:
    carrier = open_mail(settings)
    if not isinstance(carrier, SmtpServer):
        return f"no --smtp-host: letters become files in {settings.mail_folder}"
    try:
        carrier.check()
    except NotTaken as problem:
        raise Unwell(f"{problem}: check the --smtp-… settings, and that the server is there") from None
    return f"{carrier.describe()}, security {settings.smtp_security}"


def _open_files(settings: Settings) -> str:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < FEW_FILES:
        raise Unwell(f"at most {most} files can be open, one for each connection: raise the limit (ulimit -Hn)")
    return f"up to {most} connections"


def _stacks(settings: Settings) -> str:
    if not settings.has_local_stacks:
        return "none is run on this host"
    vendors = ", ".join(["local", *settings.vendors_on_local])
    return f"those of {vendors} run on this host, as {_own_user()}, who may do all that the server may"


def _scientific_jobs(settings: Settings) -> str:
    if not settings.has_local_jobs:
        return "none is run on this host"
    return jobs.describe_local(settings.job_slots or None)


def _own_user() -> str:
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"


CHECKS: dict[str, Callable[[Settings], str]] = {
    "data folder": _data_folder,
    "database": _database,
    "payload store": _payloads,
    "keys": _keys,
    "addresses": _listeners,
    "internal API": _internal_listener,
    "certificate": _certificate,
    "mail": _mail,
    "open files": _open_files,
    "stacks": _stacks,
    "scientific jobs": _scientific_jobs,
}
