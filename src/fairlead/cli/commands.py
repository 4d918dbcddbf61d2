"""Which commands are there, and how is a no told to someone at a shell?"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from fairlead import __version__
from fairlead.base.errors import Refusal
from fairlead.cli.account import accounts
from fairlead.cli.archive import backup, restore
from fairlead.cli.audit import trail
from fairlead.cli.bench import bench
from fairlead.cli.create_artifact import create_artifact
from fairlead.cli.doctor import doctor
from fairlead.cli.plain import plain_lines
from fairlead.cli.portal import portals
from fairlead.cli.registry import registry_certificate
from fairlead.cli.server import serve
from fairlead.cli.services import services
from fairlead.cli.simulate import simulate
from fairlead.cli.tenant import tenants
from fairlead.cli.user import users
from fairlead.cli.worker import worker
from fairlead.cli.workflows import workflows

app = typer.Typer(
    name="fairlead",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    help="One server for everything an organization runs in the field. Start with [bold]fairlead serve[/bold].",
)
app.command("serve")(serve)
app.add_typer(users, name="user", help="People who may log in.")
app.add_typer(trail, name="audit", help="The record of who did what.")
app.add_typer(tenants, name="tenant", help="Organizations; only with --multitenant.")
app.add_typer(accounts, name="account", help="Who may use /v3, and the programs they use it with.")
app.add_typer(services, name="service", help="Scientific services of the portal.")
app.add_typer(portals, name="portal", help="The portal of scientific services.")
app.command("worker")(worker)
app.add_typer(workflows, name="workflows", help="Work that outlives requests, and what became of it.")
app.command("registry-certificate")(registry_certificate)
app.command("doctor")(doctor)
app.command("backup")(backup)
app.command("restore")(restore)
app.command("simulate")(simulate)
app.command("bench")(bench)
app.add_typer(create_artifact, name="create-artifact", help="Make artifacts of files: a step of a workflow.")


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def top(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """One server for everything an organization runs in the field."""


def main() -> None:
    """Run the command line. A no is one line on standard error and exit code 2, never a traceback."""
    try:
        app()
    except Refusal as refusal:
        print("\n".join(plain_lines(f"fairlead: {refusal}")), file=sys.stderr)
        sys.exit(2)
    except OSError as problem:
        print(f"fairlead: {problem.filename or 'the system'}: {problem.strerror or problem}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
