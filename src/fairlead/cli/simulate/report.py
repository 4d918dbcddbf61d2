"""What do people see of it? A live picture on a terminal, a line now and then elsewhere, and a table at the end."""

import asyncio
import time
from collections import Counter

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from fairlead.cli.simulate.figures import Figures
from fairlead.cli.simulate.result import Result

LOOK_EVERY_SECONDS = 0.5
LINE_EVERY_SECONDS = 5.0
ERRORS_SHOWN = 8


class Pace:
    """Requests per second since it was last asked."""

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.began = self.asked_at = time.monotonic()
        self.requests = 0

    def take(self) -> float:
        now = time.monotonic()
        pace = (self.figures.requests - self.requests) / max(now - self.asked_at, 1e-9)
        self.asked_at, self.requests = now, self.figures.requests
        return pace

    def elapsed(self) -> float:
        return time.monotonic() - self.began


async def show(figures: Figures, console: Console) -> None:
    """Until cancelled."""
    pace = Pace(figures)
    if console.is_terminal:
        with Live(picture(figures, pace), console=console, auto_refresh=False, transient=True) as live:
            while True:
                await asyncio.sleep(LOOK_EVERY_SECONDS)
                live.update(picture(figures, pace), refresh=True)
    while True:
        await asyncio.sleep(LINE_EVERY_SECONDS)
        console.print(line(figures, pace), soft_wrap=True, highlight=False, markup=False)


def line(figures: Figures, pace: Pace) -> str:
    per_second = pace.take()
    parts = [
        f"{pace.elapsed():.0f} s",
        counted(figures.states),
        f"{per_second:,.0f} requests/s",
        f"finished: {counted(figures.outcomes) or 'none'}",
        f"errors: {sum(figures.errors.values()):,}",
    ]
    return " | ".join(parts)


def picture(figures: Figures, pace: Pace) -> Group:
    per_second = pace.take()
    grid = Table.grid(padding=(0, 2))
    grid.add_row("devices", counted(figures.states))
    grid.add_row("finished", counted(figures.outcomes) or "none yet")
    grid.add_row("requests", f"{per_second:,.0f}/s, {figures.requests:,} in {pace.elapsed():.0f} s")
    grid.add_row("downloaded", size(figures.bytes_downloaded))
    for what, count in figures.errors.most_common(ERRORS_SHOWN):
        grid.add_row(Text("error", style="red"), Text(f"{count:,} × {what}"))
    return Group(grid, Text("Ctrl-C ends it and shows the result.", style="dim"))


def print_result(result: Result, console: Console) -> None:
    console.print(timings_of(result))
    facts = Table.grid(padding=(0, 2))
    facts.add_row("devices", counted(result.states))
    facts.add_row("deployments", counted(result.outcomes) or "none finished")
    facts.add_row(
        "requests", f"{result.requests:,} in {result.seconds:,.1f} s: {result.requests_per_second:,.0f} per second"
    )
    facts.add_row("downloaded", size(result.bytes_downloaded))
    for what, count in result.notes.items():
        facts.add_row(what, f"{count:,}")
    for what, count in result.errors.items():
        facts.add_row(Text("error", style="red"), Text(f"{count:,} × {what}"))
    console.print(facts)
    for sentence in result.sentences:
        console.print(Text(sentence), soft_wrap=True)


def timings_of(result: Result) -> Table:
    table = Table("request")
    for title in ("count", "p50", "p90", "p99", "max"):
        table.add_column(title, justify="right")
    for kind, timing in result.timings.items():
        times = (timing.p50_ms, timing.p90_ms, timing.p99_ms, timing.max_ms)
        table.add_row(kind, f"{timing.count:,}", *(f"{milliseconds:,.1f} ms" for milliseconds in times))
    return table


def counted(counts: Counter[str] | dict[str, int]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)


def size(count: float) -> str:
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit == "bytes" else f"{count:,.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} TiB"
