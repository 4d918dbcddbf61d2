"""A program runs if the operator allows it, without a shell, and what it says is there for later tasks."""

from __future__ import annotations

import sys

import pytest

from fairlead.base.errors import Kind, Refusal

from .running import JOB_ID, carry_out, definition, failure_of, tools

PROGRAMS = {
    "echo": ["/bin/echo"],
    "say": ["/usr/bin/printf", "%s"],
    "sh": ["/bin/sh", "-c"],
    "missing": ["/no/such/program"],
    "python": [sys.executable, "-I", "-c"],
}


@pytest.fixture
def using(tmp_path):
    return tools(tmp_path, programs=PROGRAMS)


def cli(*command: str, name: str = "run", **more) -> dict:
    return {"name": name, "type": "cli", "cli": {"command": list(command), **more}}


def test_what_it_says_is_told_and_read_by_later_tasks(using):
    said = definition(cli("say", '{"id": [7]}'), cli("echo", "<${run.json.id.[0]}>", name="second"))

    results = carry_out(said, using)

    assert results["run"].data == {
        "cli": {"command": ["say", '{"id": [7]}'], "output": '{"id": [7]}', "error": "", "exitCode": 0},
        "json": {"id": [7]},
    }
    assert results["second"].data["cli"]["output"] == "<7>\n"


@pytest.mark.parametrize(
    "value", ["; echo x", "$(id)", "`id`", "a b", "", "--version", "*", "| cat", "\n", "${env.HOME}"]
)
def test_an_input_is_one_argument_and_nothing_else(using, value):
    said = definition(cli("say", "<${workflow.input.v}>"))

    assert carry_out(said, using, {"v": value})["run"].data["cli"]["output"] == f"<{value}>"


def test_one_that_is_not_allowed_does_not_run(using):
    for program in ("rm", "/bin/echo", "./echo", "ECHO", ""):
        failed = failure_of(definition(cli(program, "x")), using)

        assert "is not allowed: the operator can allow it with --workflow-programs" in str(failed)
        assert failed.for_good


def test_one_that_ends_badly_is_worth_another_attempt(using):
    failed = failure_of(definition(cli("sh", "echo out; echo err >&2; exit 3")), using)

    assert (str(failed), failed.for_good) == ("sh ended with 3", False)
    assert failed.result.data["cli"]["exitCode"] == 3
    assert (failed.result.data["cli"]["output"], failed.result.data["cli"]["error"]) == ("out\n", "err\n")


def test_one_that_is_not_there_says_so(using):
    failed = failure_of(definition(cli("missing")), using)

    assert str(failed) == "missing ended with 127"
    assert failed.result.data["cli"]["error"] == "/no/such/program: No such file or directory\n"


def test_its_time_is_what_the_definition_says(using):
    failed = failure_of(definition(cli("sh", "echo begun; sleep 100", executionTimeOut=1)), using)

    assert (str(failed), failed.for_good) == ("sh: it was stopped after 1 seconds", False)
    assert failed.result.data["cli"]["output"] == "begun\n"
    assert failed.result.data["cli"]["error"] == "it was stopped after 1 seconds"


def test_one_whose_job_is_taken_over_is_stopped_and_has_not_failed(using):
    with pytest.raises(Refusal) as refused:
        carry_out(definition(cli("sh", "sleep 100")), using, alive=lambda: False)

    assert refused.value.kind is Kind.UNAVAILABLE


def test_it_is_told_the_key_and_nothing_of_our_environment(using, monkeypatch):
    monkeypatch.setenv("FAIRLEAD_SECRET", "hunter2")

    output = carry_out(definition(cli("sh", "env")), using)["run"].data["cli"]["output"]

    assert f"IDEMPOTENCY_KEY={JOB_ID}:0\n" in output
    assert "FAIRLEAD" not in output


def test_an_argument_with_nul_is_refused(using):
    failed = failure_of(definition(cli("say", "${workflow.input.v}")), using, {"v": "a\0b"})

    assert (str(failed), failed.for_good) == ("an argument must not contain NUL", True)


def test_arguments_that_the_system_does_not_take_are_told(using):
    failed = failure_of(definition(cli("say", "${workflow.input.v}")), using, {"v": "x" * 1_000_000})

    assert failed.result.data["cli"]["exitCode"] == 126
    assert "Argument list too long" in failed.result.data["cli"]["error"]


def test_its_output_is_bounded(using):
    output = carry_out(definition(cli("python", "print('x' * 1_000_000)")), using)["run"].data["cli"]["output"]

    assert output == "x" * 65536


def test_a_task_that_lacks_what_it_requires_does_not_run(using):
    said = {**cli("missing"), "requires": ["${workflow.input.v}"]}

    assert carry_out(definition(said), using)["run"].skipped
