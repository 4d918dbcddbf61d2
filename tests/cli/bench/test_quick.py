"""Does the short form measure everything, from the first to the last row?"""

import json
import sqlite3

import pytest
import typer
from typer.testing import CliRunner

from fairlead.base.errors import Refusal
from fairlead.cli.bench import bench
from fairlead.cli.bench.plan import ROWS


@pytest.fixture
def run(tmp_path):
    """`fairlead bench` as it is typed; its exit code, its figures by row, and what it printed."""
    app = typer.Typer()
    app.command()(bench)

    def typed(*options):
        file = tmp_path / "figures.json"
        done = CliRunner().invoke(app, [*options, "--json", str(file)])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        said = json.loads(file.read_text())
        return done.exit_code, said, done.stdout

    return typed


def test_every_row_has_a_figure(run):
    exit_code, said, shown = run("--quick", "--seconds", "0.3")

    figures = said["figures"]
    assert {each["row"] for each in figures} == set(ROWS)
    assert [each for each in figures if each["value"] <= 0 or each["wrong"]] == []
    rates = [each for each in figures if each["unit"] == "/s"]
    assert [each for each in rates if not (each["of_floor"] > 0 and each["p99_ms"] > 0 and each["generator"])] == []
    assert {each["row"] for each in said["aims"]} < set(ROWS)
    assert [each["what"] for each in figures if each["what"].strip() not in shown] == []
    assert exit_code == 0


def test_one_row_alone_leaves_nothing_in_the_database_that_was_named(run, tmp_path):
    database = f"sqlite:///{tmp_path / 'named.db'}"

    exit_code, said, _ = run("--quick", "--only", "deployment", "--database", database)

    assert (exit_code, [each["row"] for each in said["figures"]]) == (0, ["deployment"])
    with sqlite3.connect(tmp_path / "named.db") as left:
        assert left.execute("SELECT name FROM sqlite_master WHERE name NOT LIKE 'sqlite%'").fetchall() == []


def test_a_database_with_something_in_it_is_left_alone(run, tmp_path):
    with sqlite3.connect(tmp_path / "named.db") as mine:
        mine.execute("CREATE TABLE mine (id)")

    with pytest.raises(Refusal, match="takes an empty one only"):
        run("--quick", "--only", "deployment", "--database", f"sqlite:///{tmp_path / 'named.db'}")

    with sqlite3.connect(tmp_path / "named.db") as mine:
        assert mine.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
