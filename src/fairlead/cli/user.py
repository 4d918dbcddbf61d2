"""`fairlead user create|list|password|reset-2fa`: works whether or not the server runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from fairlead.base.database import Database
from fairlead.base.scope import Scope, system_scope
from fairlead.cli.options import ConfigFile, Data, DatabaseUrl, Keys, Multitenant, settings_of
from fairlead.cli.plain import cells
from fairlead.domain import identity
from fairlead.parts import prepare
from fairlead.settings import BadSetting

users = typer.Typer(no_args_is_help=True)

Email = Annotated[str, typer.Option("--email", help="The e-mail by which the user logs in.")]
Password = Annotated[
    str | None,
    typer.Option("--password", help="The password; asked for (or read from a pipe) when it is left out."),
]
TenantId = Annotated[str, typer.Option("--tenant-id", help="The tenant the user belongs to; only with --multitenant.")]


def _open(
    data: object, database: object, keys: object, multitenant: object, config: object, tenant_id: str
) -> tuple[Database, Scope]:
    settings = settings_of(config, data=data, database=database, keys=keys, multitenant=multitenant)  # type: ignore[arg-type]
    opened = prepare(settings)
    with opened.across_tenants("is there such a tenant?", writing=False) as tx:
        identity.find_tenant(tx, tenant_id)
    return opened, system_scope(tenant_id, "command line")


def _user_called(database: Database, email: str) -> identity.User:
    with database.across_tenants("whose e-mail is this?", writing=False) as tx:
        user = identity.find_user_by_email(tx, email)
    if user is None:
        raise BadSetting(name="--email", reason=f"there is no user {email}; see: fairlead user list")
    return user


def asked_password(password: str | None) -> str:
    if password is not None:
        return password
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    answer: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    return answer


@users.command("create")
def create(
    email: Email,
    password: Password = None,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
    role: Annotated[list[str] | None, typer.Option("--role", help="A role; may be repeated.")] = None,
) -> None:
    """Make a user and print the id."""
    password_hash = identity.prepare_password(asked_password(password))
    opened, scope = _open(data, database, keys, multitenant, config, tenant_id)
    with opened.begin(scope) as tx:
        user = identity.add_user(tx, email, password_hash, role)
    print(user.id)


@users.command("list")
def list_users(
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Show who may log in."""
    opened, scope = _open(data, database, keys, multitenant, config, tenant_id)
    with opened.read(scope) as tx:
        found = identity.search_users(tx)
    table = Table("E-mail", "Roles", "Last login", "Id")
    for user in found:
        seen = user.logged_in_at.strftime("%Y-%m-%d %H:%M UTC") if user.logged_in_at else "never"
        table.add_row(*cells(user.email, ", ".join(user.roles), seen, user.id))
    Console().print(table)


@users.command("password")
def change_password(
    email: Email,
    password: Password = None,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
) -> None:
    """Give a user another password. All their sessions end."""
    password_hash = identity.prepare_password(asked_password(password))
    opened = prepare(settings_of(config, data=data, database=database, keys=keys, multitenant=multitenant))
    user = _user_called(opened, email)
    with opened.begin(system_scope(user.tenant_id, "command line")) as tx:
        identity.change_user(tx, user.id, identity.UserChange(password=password_hash))
    print(f"The password of {email} is changed, and all sessions of {email} have ended.")


@users.command("reset-2fa")
def reset_second_factor(
    email: Email,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
) -> None:
    """Take the second factor from a user who lost it. All their sessions end."""
    opened = prepare(settings_of(config, data=data, database=database, keys=keys, multitenant=multitenant))
    user = _user_called(opened, email)
    with opened.begin(system_scope(user.tenant_id, "command line")) as tx:
        identity.reset_second_factor(tx, user.id)
    print(f"{email} can log in with the password alone, and all sessions of {email} have ended.")
