"""How is the result shown: as a table for people, as JSON for programs?"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from fairlead import __version__
from fairlead.cli.bench.aims import AIMED_AT_DEVICES, Verdict, judge
from fairlead.cli.bench.cores import Cores
from fairlead.cli.bench.plan import Plan
from fairlead.cli.bench.rows import PER_SECOND, Figure

WIDTH = 100
FEW = frozenset({"s", "jobs/s", "×"})
"""Units of figures so small that what is behind the point matters."""


def print_report(console: Console, plan: Plan, cores: Cores, figures: Sequence[Figure]) -> None:
    console.width = max(console.width, WIDTH)
    console.print(_table(figures))
    console.print()
    for line in (*_caveats(plan, cores), *_notes(figures)):
        console.print(line, style="dim", soft_wrap=True, highlight=False)
    for verdict in judge(figures):
        console.print(_sentence(verdict), highlight=False, soft_wrap=True)
    for figure in figures:
        if figure.wrong:
            console.print(f"[red]wrong[/red]   {figure.what}: {figure.note}", highlight=False, soft_wrap=True)


def _notes(figures: Sequence[Figure]) -> Iterator[str]:
    for figure in figures:
        if figure.note and not figure.wrong:
            by = f" by {figure.generator}" if figure.row == "floor" else ""
            yield f"{figure.what.strip()}{by}: {figure.note}"


def write_json(path: Path, plan: Plan, cores: Cores, figures: Sequence[Figure]) -> None:
    """All figures with what one needs to know to compare them."""
    verdicts = [
        {"row": v.aim.row, "bound": v.aim.bound, "unit": v.aim.unit, "value": v.value, "met": v.is_met}
        for v in judge(figures)
    ]
    said = {
        "version": __version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cpus": os.cpu_count(),
        "one_core_for_both": cores.is_shared,
        "database": plan.database.split(":")[0] or "sqlite",
        "devices": plan.devices,
        "seconds": plan.seconds,
        "connections": plan.connections,
        "figures": [asdict(figure) for figure in figures],
        "aims": verdicts,
    }
    path.write_text(json.dumps(said, indent=2) + "\n")


def _table(figures: Sequence[Figure]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("", no_wrap=True)
    for heading in ("", "p50 ms", "p99 ms", "of floor", "cpu µs", "busy"):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("load", no_wrap=True)
    for figure in figures:
        table.add_row(
            figure.what,
            _number(figure.value, figure.unit),
            _decimals(figure.p50_ms, 2),
            _decimals(figure.p99_ms, 2),
            _share(figure.of_floor),
            _decimals(figure.cpu_us, 1),
            _share(figure.busy),
            figure.generator,
        )
    return table


def _number(value: float, unit: str) -> str:
    if unit == PER_SECOND:
        return f"{value:,.0f}/s"
    return f"{value:,.2f} {unit}" if unit in FEW else f"{value:,.0f} {unit}"


def _decimals(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _caveats(plan: Plan, cores: Cores) -> list[str]:
    lines = [f"Server on core {cores.server}, load on core {cores.load}, {plan.connections} connections, keep-alive."]
    if cores.is_shared:
        lines = ["This machine gives us one core: server and load share it, so nothing here is the server's speed."]
    if plan.database and not plan.database.startswith("sqlite"):
        lines.append("The database server runs on whichever cores it likes.")
    if plan.devices != AIMED_AT_DEVICES:
        lines.append(f"The aims are meant for {AIMED_AT_DEVICES:,} devices; this run had {plan.devices:,}.")
    return lines


def _sentence(verdict: Verdict) -> str:
    aim = verdict.aim
    word = "[green]met[/green]    " if verdict.is_met else "[red]missed[/red] "
    value = f"{verdict.value:.0%}" if aim.of_floor else _number(verdict.value, aim.unit)
    bound = f"{aim.bound:.0%} {aim.unit}" if aim.of_floor else _number(aim.bound, aim.unit)
    limit = "at most" if aim.at_most else "at least"
    own_time = ""
    if aim.of_floor and verdict.figure.cpu_of_floor is not None:
        own_time = f"; by the server's own time {verdict.figure.cpu_of_floor:.0%}"
    return f"{word} {verdict.figure.what}: {value}, aim {limit} {bound} ({verdict.margin:+.0%}){own_time}"
