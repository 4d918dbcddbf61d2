"""How is text shown on a terminal that somebody else wrote? So that it is seen, and does nothing there.

Names, inputs and reasons come from whoever may call an API: to a terminal, or to the library that draws tables, parts
of them could be orders.
"""

from __future__ import annotations

_NOT_PRINTABLE = "\N{REPLACEMENT CHARACTER}"


def plain(text: str) -> str:
    """The text on one line."""
    return "".join(mark if mark.isprintable() else _NOT_PRINTABLE for mark in text)


def plain_lines(text: str) -> list[str]:
    """The text line by line."""
    return [plain(line.expandtabs(4)) for line in text.splitlines()]
