"""`fairlead service import|list|export|disable|enable|remove`: works whether or not the server runs."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from fairlead.base.database import Database
from fairlead.base.scope import Scope
from fairlead.cli.opening import look_into, open_for
from fairlead.cli.options import ConfigFile, Data, DatabaseUrl, Keys, Multitenant, PortalName, settings_of
from fairlead.cli.tables import Whole, print_table
from fairlead.domain import catalog, identity
from fairlead.parts import own_server
from fairlead.settings import Settings

services = typer.Typer(no_args_is_help=True)

FullName = Annotated[str, typer.Argument(help="The full name, as `list` shows it.", show_default=False)]
TenantId = Annotated[str, typer.Option("--tenant-id", help="The tenant it is about; only with --multitenant.")]
Opening = Callable[[Settings, str], tuple[Database, Scope]]
Chosen = Annotated[
    list[Path], typer.Argument(help="Files of descriptions, or folders with such files.", show_default=False)
]


def _open(
    data: object,
    database: object,
    keys: object,
    multitenant: object,
    portal_name: object,
    config: object,
    tenant_id: str,
    opening: Opening = open_for,
) -> tuple[Database, Scope, catalog.OwnServer]:
    settings = settings_of(
        config,  # type: ignore[arg-type]
        data=data,
        database=database,
        keys=keys,
        multitenant=multitenant,
        portal_name=portal_name,
    )
    return *opening(settings, tenant_id), own_server(settings, tenant_id)


@services.command("import")
def import_services(
    paths: Chosen,
    export: Annotated[bool, typer.Option("--export", help="Let other servers call those that are new.")] = False,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    portal_name: PortalName = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Register what files describe, for the whole server. Exits with 1 if some of them cannot be read."""
    for path in paths:
        catalog.files_in(path)
    opened, scope, own = _open(data, database, keys, multitenant, portal_name, config, tenant_id)
    loaded = catalog.import_files(opened, scope, own, paths, exported=export)
    for outcome, names in loaded.done.items():
        if names:
            print(f"{outcome.value}: {len(names)}")
    for file, note in loaded.skipped.items():
        print(f"{file}: skipped: {note}", file=sys.stderr)
    for file, warnings in loaded.warnings.items():
        for warning in warnings:
            print(f"{file}: warning: {warning}", file=sys.stderr)
    for file, problem in loaded.problems.items():
        print(f"{file}: {problem}", file=sys.stderr)
    if loaded.problems:
        raise typer.Exit(1)


@services.command("list")
def list_services(
    text: Annotated[str, typer.Option("--text", help="Those with these words in what people read of them.")] = "",
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    portal_name: PortalName = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Show the services of this server and of the others that it knows."""
    opened, scope, own = _open(data, database, keys, multitenant, portal_name, config, tenant_id, look_into)
    with opened.read(scope) as tx:
        found = catalog.search(tx, own, catalog.Wanted(text=text))
    print_table((Whole("Service"), "Type", "Version", "State", "Title"), map(_row, found))


def _row(service: catalog.Listed) -> tuple[str, ...]:
    state = "disabled" if service.disabled else "exported" if service.exported else ""
    return service.full_name, service.type.value, service.version, state, service.title


@services.command("export")
def export_service(
    full_name: FullName,
    format_: Annotated[str, typer.Option("--format", help="yaml or json.")] = "yaml",
    version: Annotated[str, typer.Option("--version", help="This version, and not the newest.")] = "",
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    portal_name: PortalName = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Print the description of a service."""
    kind = catalog.format_called(format_)
    opened, scope, own = _open(data, database, keys, multitenant, portal_name, config, tenant_id, look_into)
    with opened.read(scope) as tx:
        service = catalog.find_description(tx, own, full_name, version)
    print(catalog.written_as(service, kind), end="")


@services.command("disable")
def disable(
    full_name: FullName,
    message: Annotated[str, typer.Option("--message", help="What those are told who call it meanwhile.")] = "",
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    portal_name: PortalName = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Let nobody call a service until it is enabled again. Jobs that run go on."""
    opened, scope, own = _open(data, database, keys, multitenant, portal_name, config, tenant_id)
    with opened.begin(scope) as tx:
        catalog.change_service(tx, own, full_name, catalog.ServiceChange(disabled=True, message=message))
    print(f"{full_name} is disabled.")


@services.command("enable")
def enable(
    full_name: FullName,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    portal_name: PortalName = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Let a service be called again."""
    opened, scope, own = _open(data, database, keys, multitenant, portal_name, config, tenant_id)
    with opened.begin(scope) as tx:
        catalog.change_service(tx, own, full_name, catalog.ServiceChange(disabled=False, message=""))
    print(f"{full_name} is enabled.")


@services.command("remove")
def remove(
    full_name: FullName,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    portal_name: PortalName = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Remove a service with all its versions. Its jobs stay as they are."""
    opened, scope, own = _open(data, database, keys, multitenant, portal_name, config, tenant_id)
    with opened.begin(scope) as tx:
        catalog.remove_service(tx, own, full_name)
    print(f"{full_name} is removed.")
