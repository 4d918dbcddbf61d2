"""How are rows shown: as a table to somebody at a terminal, as lines with tabs to whatever else reads them?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from fairlead.cli.plain import plain

NARROWEST = 12


class Whole(str):
    """The name of a column whose texts are put into other commands: they stay in one piece, however wide it gets."""

    __slots__ = ()


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], console: Console | None = None) -> None:
    """Show all of it: nothing is cut. Programs get the rows alone.

    Others wrote the texts: what is in them does nothing to a terminal, and makes no more lines.
    """
    console = console or Console()
    shown = [[plain(text) for text in row] for row in rows]
    if console.file.isatty():
        console.print(_table(columns, shown, console.width), crop=False)
        return
    for row in shown:
        console.file.write("\t".join(row) + "\n")


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Table:
    texts = zip(*rows, strict=True) if rows else ((),) * len(columns)
    table = Table(*(_column(name, texts_of_it) for name, texts_of_it in zip(columns, texts, strict=True)))
    for row in rows:
        table.add_row(*map(Text, row))
    least = sum(column.min_width or 0 for column in table.columns) + len("│  ") * len(columns) + len("│")
    table.width = least if least > width else None
    return table


def _column(name: str, texts: Iterable[str]) -> Column:
    longest = max(map(cell_len, (name, *texts)))
    if isinstance(name, Whole):
        return Column(name, no_wrap=True, min_width=longest)
    return Column(name, overflow="fold", min_width=min(longest, NARROWEST))
