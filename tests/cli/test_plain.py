"""Can what somebody wrote into a name, an input or a reason do anything to the terminal on which it is shown?"""

from __future__ import annotations

import sys

import pytest
import sqlalchemy as sa

from fairlead.base.scope import system_scope
from fairlead.cli import main
from fairlead.cli.plain import plain, plain_lines
from fairlead.domain import identity, workflows
from fairlead.domain.workflows import Result, Status, store
from fairlead.domain.workflows.definition import read
from fairlead.parts import open_seal, prepare
from fairlead.settings import Settings

ORDERS = "[/x][bold]\x1b[2J\x07\u202eevil"
SHOWN = "[/x][bold]\ufffd[2J\ufffd\ufffdevil"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Grüße, 世界 :smile: [bold]", "Grüße, 世界 :smile: [bold]"),
        (ORDERS, SHOWN),
        ("a\nb\tc\r", "a\ufffdb\ufffdc\ufffd"),
        ("\x9b2J\u2028\u200b\ud800", "\ufffd2J\ufffd\ufffd\ufffd"),
    ],
)
def test_what_is_no_mark_to_be_seen_is_replaced(text, shown):
    assert plain(text) == shown


def test_lines_stay_lines():
    assert plain_lines("a\n\tb\x1b\r\n\nc") == ["a", "    b\ufffd", "", "c"]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def database(data):
    opened = prepare(Settings(data=data))
    yield opened
    opened.close()


@pytest.fixture
def fairlead(database, data, monkeypatch, capsys):
    """Runs a command in this process, on a wide terminal; what it printed."""
    monkeypatch.setenv("COLUMNS", "300")

    def fairlead(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["fairlead", *arguments, "--data", str(data)])
        with pytest.raises(SystemExit) as ended:
            main()
        assert not ended.value.code
        return capsys.readouterr().out

    return fairlead


@pytest.fixture
def failed(database, data):
    """A job that failed at its second step, of which this came."""

    def failed(result: dict, problem: str, **inputs: str) -> str:
        seal = open_seal(Settings(data=data))
        document = '{"name": "order", "version": 1}'
        with database.across_tenants("a job for a test") as tx:
            if not [each for each in workflows.definitions(tx) if each.name == "order"]:
                workflows.register(tx, read(document))
            job_id = workflows.start(tx, seal, "order", inputs)
            store.keep_result(tx, seal, job_id, 0, Result("ask", "http", success=True), again=False)
            store.keep_result(tx, seal, job_id, 1, Result("run", "cli", success=False, data=result), again=False)
            store.let_go(tx, job_id, Status.FAILED, step=1, problem=problem)
        return job_id

    return failed


def test_problems_and_inputs_of_jobs_are_shown_and_do_nothing(fairlead, failed):
    job_id = failed({}, f"'{ORDERS}' is no http or https address", **{ORDERS: "hush-hush"})

    listed, shown = fairlead("workflows", "list"), fairlead("workflows", "show", job_id)

    for said in (listed, shown):
        assert f"'{SHOWN}' is no http or https address" in said
        assert "hush-hush" not in said
        assert "\x1b" not in said
    assert f"inputs: {SHOWN}\n" in shown


@pytest.mark.parametrize(
    ("result", "lines"),
    [
        ({"cli": {"command": ["x"], "output": "", "error": f"no:\n{ORDERS}\n", "exitCode": 1}}, ["no:", SHOWN]),
        ({"cli": {"command": ["x"], "output": "on the other one", "error": "", "exitCode": 1}}, ["on the other one"]),
        ({"response": {"statusCode": 503, "body": '{"error": "away"}'}, "request": {}}, ['503 {"error": "away"}']),
        ({"response": {"statusCode": 500, "body": "x" * 3000}}, ["500 " + "x" * 1996 + "…"]),
        ({"request": {}}, []),
        ({}, []),
    ],
)
def test_what_was_said_of_a_failure_is_shown_with_its_step(fairlead, failed, result, lines):
    shown = fairlead("workflows", "show", failed(result, "it rains")).splitlines()

    assert shown[2:] == [
        "step 0 ask (http): done",
        "step 1 run (cli): failed",
        *(f"    {line}" for line in lines),
        "problem: it rains",
    ]


def test_names_in_tables_are_shown_and_do_nothing(fairlead, database):
    with database.begin(system_scope(identity.DEFAULT_TENANT_ID)) as tx:
        identity.add_program(tx, "[/x]reports")
    with database.across_tenants("a name for a test") as tx:
        tx.run(sa.text("UPDATE tenants SET name = :name"), {"name": ORDERS})

    assert "[/x]reports" in fairlead("account", "client", "list")
    assert SHOWN in fairlead("tenant", "list")
