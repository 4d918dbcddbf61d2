"""`fairlead tenant create|list|show|suspend|activate`: works whether or not the server runs."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from fairlead.base.clock import rfc3339
from fairlead.base.database import Database
from fairlead.base.errors import Refusal
from fairlead.cli.opening import OPERATOR
from fairlead.cli.options import ConfigFile, Data, DatabaseUrl, Keys, Multitenant, settings_of
from fairlead.cli.tables import Whole, print_table
from fairlead.cli.user import Email, Password, asked_password
from fairlead.domain import identity
from fairlead.parts import bring_up_to_date, open_tokens
from fairlead.settings import BadSetting, Settings

IN_ONE_GO = 500

tenants = typer.Typer(no_args_is_help=True)

Id = Annotated[str | None, typer.Argument(metavar="ID", help="The id of the organization.", show_default=False)]
IdOption = Annotated[str | None, typer.Option("--id", help="The same as an option.", show_default=False)]


class NeedsManyOrganizations(Refusal):
    message = (
        "This works with --multitenant only (or FAIRLEAD_MULTITENANT=true): without it there is one organization, "
        "and it stays as it is."
    )


def _settings(data: object, database: object, keys: object, multitenant: object, config: object) -> Settings:
    return settings_of(config, data=data, database=database, keys=keys, multitenant=multitenant)  # type: ignore[arg-type]


def _make_sure_is_multitenant(settings: Settings) -> None:
    if not settings.multitenant:
        raise NeedsManyOrganizations


def _id_of(argument: str | None, option: str | None) -> str:
    if not (argument or option) or (argument and option and argument != option):
        raise BadSetting(name="ID", reason="say which organization is meant, once; see: fairlead tenant list")
    return argument or option or ""


@tenants.command("create")
def create(
    name: Annotated[str, typer.Option("--name", help="The name of the organization.")],
    email: Email,
    password: Password = None,
    plan: Annotated[str, typer.Option("--plan", help="os, professional or enterprise.")] = identity.Plan.ENTERPRISE,
    device_limit: Annotated[
        int | None,
        typer.Option(
            "--device-limit",
            help="Devices that may be accepted; 0 is any number. [dim]\\[default: its plan's][/dim]",
        ),
    ] = None,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
) -> None:
    """Found an organization with its first user, and print its id."""
    settings = _settings(data, database, keys, multitenant, config)
    _make_sure_is_multitenant(settings)
    wanted = identity.plan_called(plan)
    new = identity.NewOrganization(name, email, asked_password(password), wanted, device_limit)
    password_hash = identity.prepare_password(new.password)
    opened, tokens = bring_up_to_date(settings), open_tokens(settings)
    with opened.across_tenants("a new organization") as tx:
        print(identity.found_organization(tx, tokens, new, password_hash, by=OPERATOR).id)


@tenants.command("list")
def list_tenants(
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
) -> None:
    """Show the organizations of this server."""
    opened = bring_up_to_date(_settings(data, database, keys, multitenant, config))
    columns = (Whole("Id"), "Name", "Status", "Plan", "Devices", "Trial until")
    print_table(columns, map(_row, _all_tenants(opened)))


def _row(tenant: identity.Tenant) -> tuple[str, ...]:
    until = tenant.trial_ends_at.strftime("%Y-%m-%d") if tenant.trial_ends_at else ""
    limit = str(tenant.device_limit or "any number")
    return tenant.id, tenant.name, tenant.status.value, tenant.plan, limit, until


def _all_tenants(database: Database) -> list[identity.Tenant]:
    found: list[identity.Tenant] = []
    while True:
        with database.across_tenants("which tenants are there?", writing=False) as tx:
            more = identity.search_tenants(tx, "", "", len(found), IN_ONE_GO)
        found += more
        if len(more) < IN_ONE_GO:
            return found


@tenants.command("show")
def show(
    tenant_id: Id = None,
    id_: IdOption = None,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
) -> None:
    """Print what is known of an organization as JSON. Devices need the tenant token in it."""
    wanted = _id_of(tenant_id, id_)
    opened = bring_up_to_date(_settings(data, database, keys, multitenant, config))
    with opened.across_tenants("which tenant is this?", writing=False) as tx:
        tenant = identity.find_tenant(tx, wanted)
    said = {
        "id": tenant.id,
        "name": tenant.name,
        "status": tenant.status.value,
        "plan": tenant.plan,
        "device_limit": tenant.device_limit,
        "trial_expiration": rfc3339(tenant.trial_ends_at) if tenant.trial_ends_at else None,
        "cancelled_at": rfc3339(tenant.cancelled_at) if tenant.cancelled_at else None,
        "tenant_token": tenant.token,
    }
    print(json.dumps(said, indent=2))


@tenants.command("suspend")
def suspend(
    tenant_id: Id = None,
    id_: IdOption = None,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
) -> None:
    """Lock an organization out. Its people and devices are refused within a second, and nothing is lost."""
    wanted = _id_of(tenant_id, id_)
    settings = _settings(data, database, keys, multitenant, config)
    _make_sure_is_multitenant(settings)
    with bring_up_to_date(settings).across_tenants("the operator decides about a tenant") as tx:
        identity.suspend_tenant(tx, wanted, OPERATOR)
    print(f"{wanted} is suspended.")


@tenants.command("activate")
def activate(
    tenant_id: Id = None,
    id_: IdOption = None,
    data: Data = None,
    database: DatabaseUrl = None,
    keys: Keys = None,
    multitenant: Multitenant = None,
    config: ConfigFile = None,
) -> None:
    """Let an organization in: a new one, or one that was suspended or cancelled."""
    wanted = _id_of(tenant_id, id_)
    settings = _settings(data, database, keys, multitenant, config)
    _make_sure_is_multitenant(settings)
    with bring_up_to_date(settings).across_tenants("the operator decides about a tenant") as tx:
        identity.activate_tenant(tx, wanted, OPERATOR)
    print(f"{wanted} is active.")
