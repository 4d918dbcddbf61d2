"""What is no job is refused before anything is started."""

from __future__ import annotations

import json

import pytest

from fairlead.domain.jobs.execution import BadSpec, JobSpec, Limits, Pipe, Stage, one


@pytest.mark.parametrize("name", ["", ".", "..", "/etc/passwd", "../secret", "a/../../b", "a//b", "a\0b", "x" * 256])
def test_a_file_outside_of_the_folder_is_refused(name):
    for where in ("stdin", "stdout", "stderr"):
        with pytest.raises(BadSpec):
            Stage(("cat",), **{where: name})
    with pytest.raises(BadSpec):
        JobSpec(one("cat"), stdout=name)


def test_a_file_in_a_folder_of_the_job_is_accepted():
    assert Stage(("cat",), stdin="in put/a b.fasta").stdin == "in put/a b.fasta"


@pytest.mark.parametrize(
    "argv", [(), ("",), ("-rf",), ("A=b",), ("cat", "a\0b"), ("cat", "\ud800"), ("cat", "x" * 131072)]
)
def test_words_that_are_no_command_are_refused(argv):
    with pytest.raises(BadSpec):
        Stage(argv)


def test_more_arguments_than_the_system_takes_are_refused():
    with pytest.raises(BadSpec, match="longer than the system takes"):
        Stage(("cat", *["x" * 100_000] * 11))


@pytest.mark.parametrize("name", ["", "1A", "A B", "A=B", "A\n"])
def test_names_that_an_environment_cannot_have_are_refused(name):
    with pytest.raises(BadSpec):
        JobSpec(one("cat"), environment={name: "x"})


def test_a_value_with_a_nul_is_refused():
    with pytest.raises(BadSpec, match="NUL"):
        JobSpec(one("cat"), environment={"A": "x\0y"})


@pytest.mark.parametrize("limit", ["seconds", "memory_bytes", "file_bytes", "output_bytes", "processes", "cpu_seconds"])
@pytest.mark.parametrize("value", [0, -1, 2**60])
def test_a_limit_of_nothing_or_of_too_much_is_refused(limit, value):
    with pytest.raises(BadSpec, match=limit):
        Limits(**{limit: value})


def test_a_pipe_in_which_a_file_stands_in_the_way_is_refused():
    with pytest.raises(BadSpec):
        Pipe((Stage(("cat",), stdout="x"), Stage(("cat",))))
    with pytest.raises(BadSpec):
        Pipe((Stage(("cat",)), Stage(("cat",), stdin="x")))
    with pytest.raises(BadSpec):
        Pipe(())


def test_errors_go_to_one_place():
    with pytest.raises(BadSpec):
        Stage(("cat",), merge=True, stderr="x")
    with pytest.raises(BadSpec):
        JobSpec(one("cat"), stdout="x", stderr="x")


def test_a_job_without_a_program_or_with_hundreds_is_refused():
    with pytest.raises(BadSpec):
        JobSpec(())
    with pytest.raises(BadSpec):
        JobSpec(one("true") * 101)


@pytest.mark.parametrize("cpus", [0, -1, 5000])
def test_a_number_of_processors_that_no_machine_has_is_refused(cpus):
    with pytest.raises(BadSpec):
        JobSpec(one("true"), cpus=cpus)


def test_when_a_pipe_runs_is_one_of_three():
    with pytest.raises(BadSpec, match="'sometimes'"):
        Pipe((Stage(("true",)),), when="sometimes")


def test_all_of_it_is_in_its_document():
    spec = JobSpec(
        (Pipe((Stage(("a", "b"), stdin="i"), Stage(("c",), stdout="o", append=True, merge=True)), when="success"),),
        environment={"A": "b"},
        limits=Limits(seconds=5),
        network=True,
        cpus=2,
    )

    document = json.loads(json.dumps(spec.as_document()))

    assert document["pipes"][0]["when"] == "success"
    assert document["pipes"][0]["stages"][0] == {
        "argv": ["a", "b"], "stdin": "i", "stdout": None, "append": False, "stderr": None, "merge": False,
    }  # fmt: skip
    assert document["pipes"][0]["stages"][1]["merge"] is True
    assert document["limits"]["seconds"] == 5
    assert (document["environment"], document["network"], document["cpus"]) == ({"A": "b"}, True, 2)
