"""`fairlead bench`: from what was typed to figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from fairlead.cli.bench.cores import Cores
from fairlead.cli.bench.plan import ROWS, make_plan
from fairlead.cli.bench.report import print_report, write_json
from fairlead.cli.bench.run import run

Devices = Annotated[
    int | None, typer.Option("--devices", help="How many devices the server knows; by default 100,000.")
]
Seconds = Annotated[float | None, typer.Option("--seconds", help="How long each rate is measured; by default 5.")]
Connections = Annotated[int, typer.Option("--connections", help="How many connections ask at once.")]
Only = Annotated[
    list[str] | None,
    typer.Option("--only", help=f"Measure only this row; may be repeated. One of {', '.join(ROWS)}."),
]
Quick = Annotated[bool, typer.Option("--quick", help="1,000 devices, one second a row, a small upload.")]
DatabaseUrl = Annotated[
    str, typer.Option("--database", help="Measure on this empty database; by default on SQLite in a temporary folder.")
]
AsJson = Annotated[Path | None, typer.Option("--json", help="Write the figures to this file too.")]


def bench(
    devices: Devices = None,
    seconds: Seconds = None,
    connections: Connections = 64,
    only: Only = None,
    quick: Quick = False,
    database: DatabaseUrl = "",
    json: AsJson = None,
) -> None:
    """Measure how fast a server on one core is here, against a bare server in the same run.

    The bench makes a server of its own with made-up devices, and removes it at the end. It exits with 1 when
    answers were wrong; a missed aim is said, and is no error.
    """
    plan = make_plan(devices, seconds, connections, only or [], quick, database)
    cores = Cores.find()
    figures = run(plan, cores, Console(stderr=True))
    if json is not None:
        write_json(json, plan, cores, figures)
    print_report(Console(), plan, cores, figures)
    if any(figure.wrong for figure in figures):
        raise typer.Exit(1)
