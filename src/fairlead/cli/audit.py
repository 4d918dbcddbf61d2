"""`fairlead audit verify`: is the record of who did what as it was written? Works whether or not the server runs."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from fairlead import migrations
from fairlead.base.database import Database
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import system_scope
from fairlead.cli.options import ConfigFile, Data, DatabaseUrl, settings_of
from fairlead.cli.plain import plain
from fairlead.domain import audit, identity
from fairlead.parts import open_database
from fairlead.settings import BadSetting, Settings

trail = typer.Typer(no_args_is_help=True)

TenantId = Annotated[str, typer.Option("--tenant-id", help="Only the trail of this tenant.", show_default=False)]
Noted = Annotated[
    str,
    typer.Option(
        "--head",
        help="A digest that was printed earlier and kept elsewhere: it must still be part of a trail.",
        show_default=False,
    ),
]


class NothingToVerify(Refusal):
    kind = Kind.UNAVAILABLE
    message = "{reason}"


@trail.callback()
def about() -> None:
    """The record of who did what."""


@trail.command("verify")
def verify(
    data: Data = None,
    database: DatabaseUrl = None,
    config: ConfigFile = None,
    tenant_id: TenantId = "",
    head: Noted = "",
) -> None:
    """Walk every audit trail and name the first entry that was altered, removed, moved or inserted.

    Prints the number of entries and the digest of the newest one for each tenant. Keep that digest elsewhere: with it
    (--head) even a trail that was rewritten as a whole is found out. Exit code 1 if something is wrong.
    """
    noted = _digest(head)
    opened = _open(settings_of(config, data=data, database=database))
    try:
        code = _verify_all(opened, tenant_id, noted)
    finally:
        opened.close()
    raise typer.Exit(code)


def _digest(text: str) -> str:
    if text and not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise BadSetting(name="--head", reason="a digest has 64 hexadecimal digits, as fairlead audit verify prints it")
    return text.lower()


def _open(settings: Settings) -> Database:
    """The database as it is: who looks for traces leaves none."""
    opened = open_database(settings)
    if opened.is_sqlite and not Path(str(opened.url.database)).exists():
        raise NothingToVerify(reason=f"There is no database {opened.describe()}.")
    has, should = migrations.current(opened)
    if has != should:
        opened.close()
        at = f"{opened.describe()} is at revision {has or 'none'}"
        raise NothingToVerify(reason=f"{at}, and this version needs {should}: start the server once.")
    return opened


def _verify_all(opened: Database, tenant_id: str, noted: str) -> int:
    with opened.across_tenants("whose trails are there?", writing=False) as tx:
        living = set(identity.tenant_ids(tx))
        found = living | set(audit.tenants_with_trails(tx))
    if tenant_id and tenant_id not in found:
        raise identity.TenantNotFound
    findings = [
        _verify_one(opened, each, each in living, noted) for each in ([tenant_id] if tenant_id else sorted(found))
    ]
    code = int(any(finding.fault is not None for finding in findings))
    if noted and not any(finding.has_noted for finding in findings):
        print(f"The digest {noted} was found in no trail, as far as they are as written: what it stood for is gone.")
        code = 1
    return code


def _verify_one(opened: Database, tenant_id: str, is_living: bool, noted: str) -> audit.Finding:
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*columns, transient=True, disable=not sys.stderr.isatty(), console=Console(stderr=True)) as progress:
        task = progress.add_task(tenant_id, total=None)
        with opened.read(system_scope(tenant_id, "command line")) as tx:
            finding = audit.verify(
                tx,
                founded_by=identity.FOUNDED if is_living else "",
                noted=noted,
                progress=lambda count: progress.update(task, description=f"{tenant_id}: {count} entries"),
            )
    print(plain(_worded(tenant_id, finding)), flush=True)
    return finding


def _worded(tenant_id: str, finding: audit.Finding) -> str:
    fault = finding.fault
    if fault is None:
        return f"{tenant_id}: {finding.entries} entries, head {finding.digest}"
    said = f" ({fault.action}, {fault.at})" if fault.action else ""
    good = f"{finding.entries} {'entry is' if finding.entries == 1 else 'entries are'} as written up to there"
    return f"{tenant_id}: entry {fault.number}{said} {fault.problem} ({good})"
