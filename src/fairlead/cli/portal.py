"""`fairlead portal user add|list|suspend|activate|admin`: works whether or not the server runs."""

from __future__ import annotations

from typing import Annotated

import typer

from fairlead.base.database import Database
from fairlead.base.scope import Scope
from fairlead.cli.opening import look_into, open_for
from fairlead.cli.options import ConfigFile, Data, DatabaseUrl, Keys, Multitenant, settings_of
from fairlead.cli.plain import plain
from fairlead.cli.tables import Whole, print_table
from fairlead.cli.user import Email, Password, TenantId, asked_password
from fairlead.domain import identity
from fairlead.domain.identity import portal
from fairlead.settings import BadSetting, Settings

IN_ONE_GO = 500

portals = typer.Typer(no_args_is_help=True)
users = typer.Typer(no_args_is_help=True)
portals.add_typer(users, name="user", help="People who use the portal of scientific services.")

Who = Annotated[
    str, typer.Argument(metavar="USER", help="The e-mail or the id of the user; see: fairlead portal user list.")
]


def _settings(data: object, database: object, keys: object, multitenant: object, config: object) -> Settings:
    return settings_of(config, data=data, database=database, keys=keys, multitenant=multitenant)  # type: ignore[arg-type]


@users.command("add")
def add(
    email: Email,
    password: Password = None,
    admin: Annotated[bool, typer.Option("--admin", help="Let the user administer the portal.")] = False,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Make a user of the portal, who may use it at once, and print the id."""
    password_hash = identity.prepare_password(asked_password(password))
    opened, scope = open_for(_settings(data, database, keys, multitenant, config), tenant_id)
    with opened.begin(scope) as tx:
        print(portal.add_user(tx, email, password_hash, is_admin=admin).id)


@users.command("list")
def list_users(
    status: Annotated[
        str, typer.Option("--status", help="Only those who are pending, active or suspended.", show_default=False)
    ] = "",
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Show who uses the portal."""
    wanted = _standing(status) if status else None
    opened, scope = look_into(_settings(data, database, keys, multitenant, config), tenant_id)
    columns = (Whole("Id"), Whole("E-mail"), "Type", "Status", "Administrator", "Groups", "Last login")
    print_table(columns, map(_row, _all_users(opened, scope, wanted)))


def _row(user: portal.User) -> tuple[str, ...]:
    seen = user.logged_in_at.strftime("%Y-%m-%d %H:%M UTC") if user.logged_in_at else "never"
    kind = user.authentication_type or user.type
    administers = "yes" if user.is_admin else ""
    return user.id, user.email, kind.value, user.status.value, administers, ", ".join(user.groups), seen


def _standing(name: str) -> portal.Standing:
    try:
        return portal.Standing(name)
    except ValueError:
        raise BadSetting(name="--status", reason=f"{name!r} is none of pending, active, suspended") from None


def _all_users(database: Database, scope: Scope, status: portal.Standing | None) -> list[portal.User]:
    found: list[portal.User] = []
    while True:
        with database.read(scope) as tx:
            more = portal.search_users(tx, portal.Search(status=status, skip=len(found), at_most=IN_ONE_GO))
        found += more
        if len(more) < IN_ONE_GO:
            return found


@users.command("suspend")
def suspend(
    user: Who,
    message: Annotated[str, typer.Option("--message", help="What the user is told, whatever they try to do.")] = "",
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Shut a user out. Their sessions and tokens are refused from now on."""
    opened, scope = open_for(_settings(data, database, keys, multitenant, config), tenant_id)
    with opened.begin(scope) as tx:
        found = portal.find_user_called(tx, user)
        portal.suspend_user(tx, found.number, message)
    print(f"{plain(found.name)} is suspended.")


@users.command("activate")
def activate(
    user: Who,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Let a user in who is suspended, or has not confirmed the e-mail yet."""
    opened, scope = open_for(_settings(data, database, keys, multitenant, config), tenant_id)
    with opened.begin(scope) as tx:
        found = portal.find_user_called(tx, user)
        portal.activate_user(tx, found.number)
    print(f"{plain(found.name)} is active.")


@users.command("admin")
def change_admin(
    user: Who,
    revoke: Annotated[bool, typer.Option("--revoke", help="Let the user administer the portal no more.")] = False,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Let a user administer the portal, or no more."""
    opened, scope = open_for(_settings(data, database, keys, multitenant, config), tenant_id)
    with opened.begin(scope) as tx:
        found = portal.find_user_called(tx, user)
        portal.change_is_admin(tx, found.number, is_admin=not revoke)
    print(f"{plain(found.name)} {'administers the portal no more' if revoke else 'administers the portal'}.")
