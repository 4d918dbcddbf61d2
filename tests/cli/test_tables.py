"""What is listed can be used: nothing of it is cut, whoever reads it."""

from __future__ import annotations

import io

from rich.console import Console

from fairlead.cli.tables import Whole, print_table

COLUMNS = (Whole("E-mail"), "Roles", Whole("Id"))
ROW = ("somebody.with.a.long.name@a-long-domain.example", "ROLE_ONE, ROLE_TWO, ROLE_THREE", "a0172d07afb6a6c4d0e1f2a3")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(file: io.StringIO, rows, width: int = 80) -> str:
    print_table(COLUMNS, rows, Console(file=file, width=width, color_system=None))
    return file.getvalue()


def test_a_program_gets_a_line_for_each_row_and_a_tab_between_its_parts():
    assert shown(io.StringIO(), [ROW, ROW]) == "\t".join(ROW) + "\n" + "\t".join(ROW) + "\n"


def test_at_a_terminal_ids_and_e_mails_are_whole_however_narrow_it_is():
    for width in (20, 80, 200):
        table = shown(Terminal(), [ROW], width)

        assert ROW[0] in table
        assert ROW[2] in table
        assert "…" not in table


def test_what_does_not_fit_goes_on_in_the_next_line():
    table = shown(Terminal(), [ROW])

    assert all(role in table for role in ("ROLE_ONE", "ROLE_TWO", "ROLE_THREE"))


def test_a_table_of_nothing_has_its_head_and_a_program_gets_nothing():
    assert "E-mail" in shown(Terminal(), [])
    assert shown(io.StringIO(), []) == ""


def test_a_name_is_shown_as_it_is_and_says_nothing_to_the_terminal():
    row = ("[red]a@b.example[/red]", "a\tb\nc\x1b]0;title\x07", "1")

    assert shown(io.StringIO(), [row]) == "[red]a@b.example[/red]\ta\ufffdb\ufffdc\ufffd]0;title\ufffd\t1\n"
    table = shown(Terminal(), [row])
    assert row[0] in table
    assert "\x1b" not in table
