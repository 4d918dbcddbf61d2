"""`fairlead account create|show`, `account user …`, `account client …`: who may use `/v3`, and through what."""

from __future__ import annotations

import json
import shlex
from typing import Annotated

import typer

from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.cli.opening import look_into, open_for
from fairlead.cli.options import ConfigFile, Data, DatabaseUrl, Keys, Listen, Multitenant, PublicUrl, settings_of
from fairlead.cli.tables import Whole, print_table
from fairlead.cli.user import Email, TenantId, asked_password
from fairlead.domain import identity
from fairlead.settings import Settings

accounts = typer.Typer(no_args_is_help=True)
members = typer.Typer(no_args_is_help=True)
clients = typer.Typer(no_args_is_help=True)
accounts.add_typer(members, name="user", help="Users of the account besides its masters; they log in by a name.")
accounts.add_typer(clients, name="client", help="Credentials of programs: each login at /v3 goes through one.")

PASSWORD_LENGTH = 20
ASK = "-"

Password = Annotated[
    str | None,
    typer.Option(
        "--password",
        help="The password; - asks for it (or reads it from a pipe). Left out, one is made up and printed once.",
    ),
]
Name = Annotated[str, typer.Argument(metavar="NAME", help="The name by which the user logs in.", show_default=False)]


class NotAMaster(Refusal):
    kind = Kind.CONFLICT
    message = (
        "{email} is a user here already, and may not do everything: take another e-mail, or give them the role "
        "RBAC_ROLE_PERMIT_ALL."
    )


def _settings(data: object, database: object, keys: object, multitenant: object, config: object) -> Settings:
    return settings_of(config, data=data, database=database, keys=keys, multitenant=multitenant)  # type: ignore[arg-type]


def _chosen(password: str | None) -> tuple[str, bool]:
    """The password to set, and whether it was made up here, so that it has to be told."""
    if password is None:
        return identity.random_text(PASSWORD_LENGTH), True
    return (asked_password(None) if password == ASK else password), False


@accounts.command("create")
def create(
    email: Email,
    password: Password = None,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Make a user who is master of the account, and print the account's id.

    A master who is there already stays as they are, password included.
    """
    opened, scope = open_for(_settings(data, database, keys, multitenant, config), tenant_id)
    with opened.read(scope) as tx:
        is_there = _is_master(tx, email)
    chosen, is_made_up = ("", False) if is_there else _chosen(password)
    password_hash = "" if is_there else identity.prepare_password(chosen)
    with opened.begin(scope) as tx:
        account = identity.account_id(tx)
        if not is_there:
            identity.add_user(tx, email, password_hash)
    print(f"account   {account}")
    print(f"master    {email}{' (was there, and has the same password as before)' if is_there else ''}")
    if is_made_up:
        print(f"password  {chosen}")


def _is_master(tx: Tx, email: str) -> bool:
    """Is there a master with this e-mail? Refuses when it is that of a user who is none."""
    if not identity.search_users(tx, emails=[email]):
        return False
    if all(user.email.lower() != email.lower() for user in identity.masters(tx)):
        raise NotAMaster(email=email)
    return True


@accounts.command("show")
def show(
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Print the account's id, and who and what belongs to it, as JSON."""
    opened, scope = open_for(_settings(data, database, keys, multitenant, config), tenant_id)
    with opened.begin(scope) as tx:
        said = {
            "account": identity.account_id(tx),
            "tenant": tenant_id,
            "masters": [user.email for user in identity.masters(tx)],
            "users": [member.username for member in identity.list_members(tx)],
            "clients": [program.id for program in identity.list_programs(tx)],
        }
    print(json.dumps(said, indent=2))


@members.command("add")
def add_user(
    name: Name,
    password: Password = None,
    email: Annotated[str, typer.Option("--email", help="An e-mail that is shown with the user.")] = "",
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Take a user into the account. Until they have a role, they go by the default one for users."""
    chosen, is_made_up = _chosen(password)
    password_hash = identity.prepare_password(chosen)
    opened, scope = open_for(_settings(data, database, keys, multitenant, config), tenant_id)
    with opened.begin(scope) as tx:
        identity.add_member(tx, name, password_hash, email)
    print(f"user      {name}")
    if is_made_up:
        print(f"password  {chosen}")


@members.command("list")
def list_users(
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Show the users of the account and their roles."""
    opened, scope = look_into(_settings(data, database, keys, multitenant, config), tenant_id)
    with opened.read(scope) as tx:
        rows = [_row(tx, member) for member in identity.list_members(tx)]
    print_table((Whole("Name"), Whole("E-mail"), "Role", "Since"), rows)


def _row(tx: Tx, member: identity.Member) -> tuple[str, ...]:
    roles = ", ".join(f"{each.role.name} ({each.role.id})" for each in identity.roles_of(tx, member.username))
    return member.username, member.email, roles or "the default", f"{member.created_at:%Y-%m-%d}"


@members.command("remove")
def remove_user(
    name: Name,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Take a user out of the account. Their tokens are refused at once; their stacks stay."""
    opened, scope = open_for(_settings(data, database, keys, multitenant, config), tenant_id)
    with opened.begin(scope) as tx:
        identity.remove_member(tx, name)
    print(f"{name} is removed, and the tokens of {name} are refused.")


@members.command("password")
def change_password(
    name: Name,
    password: Password = None,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Give a user another password. Their tokens are refused at once."""
    chosen, is_made_up = _chosen(password)
    password_hash = identity.prepare_password(chosen)
    opened, scope = open_for(_settings(data, database, keys, multitenant, config), tenant_id)
    with opened.begin(scope) as tx:
        identity.change_member_password(tx, name, password_hash)
    print(f"The password of {name} is changed, and the tokens of {name} are refused.")
    if is_made_up:
        print(f"password  {chosen}")


@clients.command("add")
def add_client(
    name: Annotated[str, typer.Option("--name", help="What it is for.")] = "",
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    listen: Listen = None,
    public_url: PublicUrl = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Make credentials for a program, and print them this once, with the line that logs in with them.

    It is no line for mobingi-cli, whose login would send the secret to Mobingi: see docs/operations.md.
    """
    given = {"data": data, "database": database, "keys": keys, "multitenant": multitenant}
    settings = settings_of(config, listen=listen, public_url=public_url, **given)
    opened, scope = open_for(settings, tenant_id)
    with opened.begin(scope) as tx:
        program, secret = identity.add_program(tx, name)
    said = {"client_id": program.id, "client_secret": secret, "grant_type": "password"}
    fields = [word for name, value in said.items() for word in ("-d", f"{name}={value}")]
    line = shlex.join(["curl", f"{settings.home_url}/v3/access_token", *fields])
    print(f"client id      {program.id}")
    print(f"client secret  {secret}")
    print(f"\n{line} -d username=NAME --data-urlencode password=PASSWORD")


@clients.command("list")
def list_clients(
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Show which programs have credentials. Their secrets are not kept."""
    opened, scope = look_into(_settings(data, database, keys, multitenant, config), tenant_id)
    with opened.read(scope) as tx:
        found = identity.list_programs(tx)
    rows = ((program.id, program.name, f"{program.created_at:%Y-%m-%d}") for program in found)
    print_table((Whole("Client id"), "Name", "Since"), rows)


@clients.command("remove")
def remove_client(
    client_id: Annotated[str, typer.Argument(metavar="CLIENT_ID", help="See: fairlead account client list.")],
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
    tenant_id: TenantId = identity.DEFAULT_TENANT_ID,
) -> None:
    """Take its credentials from a program: nobody gets in through it any more."""
    opened, scope = open_for(_settings(data, database, keys, multitenant, config), tenant_id)
    with opened.begin(scope) as tx:
        identity.remove_program(tx, client_id)
    print(f"{client_id} is removed.")
