"""`fairlead user create|list|password|reset-2fa`: works whether or not the server runs."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fairlead.base.database import Database
from fairlead.base.scope import system_scope
from fairlead.cli.opening import OPERATOR, look_into, open_for
from fairlead.cli.options import ConfigFile, Data, DatabaseUrl, Keys, Multitenant, settings_of
from fairlead.cli.tables import Whole, print_table
from fairlead.domain import identity
from fairlead.parts import bring_up_to_date
from fairlead.settings import BadSetting

users = typer.Typer(no_args_is_help=True)

Email = Annotated[str, typer.Option("--email", help="The e-mail by which the user logs in.")]
Password = Annotated[
    str | None,
    typer.Option("--password", help="The password; asked for (or read from a pipe) when it is left out."),
]
TenantId = Annotated[str, typer.Option("--tenant-id", help="The tenant the user belongs to; only with --multitenant.")]


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
    settings = settings_of(config, data=data, database=database, keys=keys, multitenant=multitenant)
    opened, scope = open_for(settings, tenant_id)
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
    settings = settings_of(config, data=data, database=database, keys=keys, multitenant=multitenant)
    opened, scope = look_into(settings, tenant_id)
    with opened.read(scope) as tx:
        found = identity.search_users(tx)
    print_table((Whole("E-mail"), "Roles", "Last login", Whole("Id")), map(_row, found))


def _row(user: identity.User) -> tuple[str, ...]:
    seen = user.logged_in_at.strftime("%Y-%m-%d %H:%M UTC") if user.logged_in_at else "never"
    return user.email, ", ".join(user.roles), seen, user.id


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
    opened = bring_up_to_date(settings_of(config, data=data, database=database, keys=keys, multitenant=multitenant))
    user = _user_called(opened, email)
    with opened.begin(system_scope(user.tenant_id, OPERATOR)) as tx:
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
    opened = bring_up_to_date(settings_of(config, data=data, database=database, keys=keys, multitenant=multitenant))
    user = _user_called(opened, email)
    with opened.begin(system_scope(user.tenant_id, OPERATOR)) as tx:
        identity.reset_second_factor(tx, user.id)
    print(f"{email} can log in with the password alone, and all sessions of {email} have ended.")
