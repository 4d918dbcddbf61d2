"""Which commands are there, and how is a no told to someone at a shell?"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from fairlead import __version__
from fairlead.base.errors import Refusal
from fairlead.cli.plain import plain_lines


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command is defined. One that has commands of its own is told of here."""

    module: str
    name: str
    help: str = ""


COMMANDS = {
    "serve": Place("server", "serve"),
    "worker": Place("worker", "worker"),
    "registry-certificate": Place("registry", "registry_certificate"),
    "doctor": Place("doctor", "doctor"),
    "backup": Place("archive", "backup"),
    "restore": Place("archive", "restore"),
    "simulate": Place("simulate", "simulate"),
    "bench": Place("bench", "bench"),
    "user": Place("user", "users", "People who may log in."),
    "audit": Place("audit", "trail", "The record of who did what."),
    "tenant": Place("tenant", "tenants", "Organizations; only with --multitenant."),
    "account": Place("account", "accounts", "Who may use /v3, and the programs they use it with."),
    "service": Place("services", "services", "Scientific services of the portal."),
    "portal": Place("portal", "portals", "The portal of scientific services."),
    "workflows": Place("workflows", "workflows", "Work that outlives requests, and what became of it."),
    "create-artifact": Place("create_artifact", "create_artifact", "Make artifacts of files: a step of a workflow."),
}


def _new_app(**said: Any) -> typer.Typer:
    return typer.Typer(add_completion=False, rich_markup_mode="rich", pretty_exceptions_enable=False, **said)


@cache
def load(name: str) -> Any:
    """The command of this name, with all that it needs."""
    place, one = COMMANDS[name], _new_app()
    found = getattr(import_module(f"fairlead.cli.{place.module}"), place.name)
    if isinstance(found, typer.Typer):
        one.add_typer(found, name=name, help=place.help)
    else:
        one.command(name)(found)
    return typer.main.get_group(one).commands[name]


class _Commands(TyperGroup):
    """Loads the command that is meant and no other: loading all of them takes longer than most of them do."""

    def __init__(self, **said: Any) -> None:
        super().__init__(**said)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]  # names to suggest

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        return load(cmd_name) if cmd_name in COMMANDS else None

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)


app = _new_app(
    name="fairlead",
    cls=_Commands,
    no_args_is_help=True,
    help="One server for everything an organization runs in the field. Start with [bold]fairlead serve[/bold].",
)


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
