"""Every real description makes the command that it should, and no value makes another."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import pytest

from fairlead.domain.catalog import (
    ArrayType,
    BooleanType,
    FloatType,
    Input,
    IntegerType,
    Program,
    StringType,
    read_yaml,
)
from fairlead.domain.jobs.commands import (
    BadValues,
    Checked,
    Command,
    File,
    NeedsShell,
    build,
    check,
    outputs,
    why_not_runnable,
)

SERVICES = Path(__file__).parents[4] / "shared" / "mobyle-services"
FILES = {file.stem: file for file in sorted(SERVICES.glob("*.yaml"))}
HARMLESS = "harmless"
HOSTILE = "x'\"; touch pwned $(id) `id` ${HOME} && a | b > c < d & * ? [a] {b,c} ~ # \\ _SQ_ _DQ_ -rf ! é\u00a0 %s"
NOT_RUNNABLE = {"AbPrimerFinder_1.0"}
FOR_A_SHELL = {"annotateBed_2.15.0", "bowtie_0.12.7", "consense", "dnadist", "drawgram", "protdist"}
"""Those whose descriptions have pipes, sequences or redirections: all but one that needs more can do with ours."""

pytestmark = pytest.mark.skipif(not FILES, reason="the real descriptions are not here")


@functools.cache
def service(name: str) -> Program:
    read = read_yaml(FILES[name].read_bytes())
    assert isinstance(read, Program)
    return read


def plausible(parameter: Input) -> Any:
    match parameter.type:
        case BooleanType():
            return True
        case IntegerType(default=default) | FloatType(default=default):
            return 3 if default is None else default
        case StringType(options=options) as type_ if options and type_.choices:
            return type_.choices[-1]
        case StringType():
            return HARMLESS
        case ArrayType():
            return None
    return File(f"{parameter.name}.dat")


def checked(name: str, values: dict[str, Any]) -> Checked:
    """With what is needed besides, and numbers that the controls are content with."""
    values = dict(values)
    for number in (3, 0.5, 0, 10, 40, -1):
        for _ in range(9):
            try:
                return check(service(name), values)
            except BadValues as refused:
                needed = {each for each, messages in refused.errors.items() if messages == ["A value is needed."]}
                values |= {each: plausible(service(name).find_input(each)) for each in needed}
                bad = refused.errors.keys() - needed
                if not needed:
                    values |= {each: number for each in bad if not isinstance(values[each], str | bool)}
                    break
    return check(service(name), values)


def everything(name: str) -> dict[str, Any]:
    inputs = [each.parameter for each in service(name).inputs.placed()]
    return {each.name: value for each in inputs if not each.hidden and (value := plausible(each)) is not None}


def words(command: Command) -> list[str]:
    parts = [(*stage.argv, stage.stdin, stage.stdout) for pipe in command.pipes for stage in pipe.stages]
    return [word or "" for part in parts for word in part]


def free_texts(name: str) -> list[str]:
    """Parameters in which somebody may write what they like."""
    inputs = [each.parameter for each in service(name).inputs.placed() if not each.parameter.hidden]
    return [
        each.name
        for each in inputs
        if each.type is None or (isinstance(each.type, StringType) and not each.type.choices)
    ]


def namers_of_files(name: str) -> set[str]:
    """In these a backslash is refused, as a slash is."""
    outputs_of = [each.parameter.filenames for each in service(name).outputs.placed()]
    return {each for expression in outputs_of if expression for each in expression.names()}


@pytest.mark.parametrize("name", sorted(FILES.keys() - NOT_RUNNABLE))
@pytest.mark.parametrize("given", ["little", "everything"])
def test_it_makes_a_command_and_knows_its_outputs(name, given):
    program = service(name)
    values = checked(name, {} if given == "little" else everything(name))

    command = build(program, values)
    rules = outputs(program, values)

    assert why_not_runnable(program) is None
    assert all(stage.argv[0] for pipe in command.pipes for stage in pipe.stages)
    assert not any("None" in word for word in words(command))
    assert "stderr" in {rule.kind for rule in rules}
    assert not any(rule.ignored for rule in rules)


@pytest.mark.parametrize("name", sorted(NOT_RUNNABLE))
def test_what_counts_on_a_shell_says_so_and_is_not_run(name):
    assert "takes a shell" in why_not_runnable(service(name))
    with pytest.raises(NeedsShell):
        build(service(name), checked(name, {}))


@pytest.mark.parametrize("name", sorted(FOR_A_SHELL))
def test_pipes_sequences_and_redirections_need_no_shell(name):
    commands = [build(service(name), checked(name, values)) for values in ({}, everything(name))]
    stages = [stage for command in commands for pipe in command.pipes for stage in pipe.stages]

    assert len(stages) > len(commands) or any(stage.stdin or stage.stdout for stage in stages)


@pytest.mark.parametrize("name", sorted(FILES.keys() - NOT_RUNNABLE))
def test_whatever_is_written_into_a_free_text_stays_in_one_piece(name):
    """The command is the one with a harmless text, with the other text in its place."""
    basis = checked(name, everything(name)).values

    for parameter in free_texts(name):
        hostile_text = HOSTILE.replace("\\", "") if parameter in namers_of_files(name) else HOSTILE
        harmless = build(service(name), Checked(dict(basis) | {parameter: "harmless&unique"}))
        hostile = build(service(name), Checked(dict(basis) | {parameter: hostile_text}))

        assert words(hostile) == [word.replace("harmless&unique", hostile_text) for word in words(harmless)]
        assert hostile.paramfiles == {
            file: text.replace("harmless&unique", hostile_text) for file, text in harmless.paramfiles.items()
        }
        for rule, expected in zip(
            outputs(service(name), Checked(dict(basis) | {parameter: hostile_text})),
            outputs(service(name), Checked(dict(basis) | {parameter: "harmless&unique"})),
            strict=True,
        ):
            assert len(rule.patterns) == len(expected.patterns)


@pytest.mark.parametrize("name", sorted(FILES.keys() - NOT_RUNNABLE))
def test_a_free_text_is_refused_where_it_would_leave_its_line_or_be_an_option(name):
    basis = dict(checked(name, everything(name)).values)

    for parameter in set(free_texts(name)) & basis.keys():
        for text in ("a\nb", "a\0b", "a\rb", "x" * 100_000):
            with pytest.raises(BadValues) as refused:
                check(service(name), basis | {parameter: text})
            assert parameter in refused.value.errors
        try:
            dashed = build(service(name), check(service(name), basis | {parameter: "-unwanted"}))
        except BadValues as refusal:
            assert parameter in refusal.errors
        else:
            assert "-unwanted" not in words(dashed)


A, B, SEQ = File("a.fa"), File("b.fa"), File("s.fa")


@pytest.mark.parametrize(
    ("name", "values", "line"),
    [
        (
            "needle",
            {"asequence": A, "bsequence": B, "gapopen": 10, "gapextend": 0.5},
            "needle -asequence=a.fa -bsequence=b.fa -gapopen=10.0 -gapextend=0.5 -nobrief -outfile=needle.align"
            " -auto -stdout",
        ),
        (
            "needle",
            {
                "asequence": A,
                "bsequence": B,
                "gapopen": "12",
                "gapextend": "1e-1",
                "datafile": "EBLOSUM62",
                "endweight": True,
                "brief": True,
                "aformat_outfile": "FASTA",
                "outfile": "mine",
            },
            "needle -asequence=a.fa -bsequence=b.fa -datafile=EBLOSUM62 -gapopen=12.0 -gapextend=0.1 -endweight"
            " -outfile=mine -aformat=FASTA -auto -stdout",
        ),
        (
            "water",
            {"asequence": A, "bsequence": B, "gapopen": 10, "gapextend": 0.5},
            "water -asequence=a.fa -bsequence=b.fa -gapopen=10.0 -gapextend=0.5 -nobrief -outfile=water.align"
            " -auto -stdout",
        ),
        (
            "clustalw-multialign",
            {"sequences_input": SEQ, "typeseq": "protein", "gapopen": 5, "hgapresidues": "GP S"},
            "clustalw -align -infile=s.fa -type=protein -gapopen=5.0 '-hgapresidues=GP S'",
        ),
        (
            "clustalO-multialign",
            {"sequences_input": SEQ, "output_format": "clustal", "iterations": 2},
            "clustalo --infile=s.fa --outfmt=clustal --iter=2 -v --force --log=clustalO_log",
        ),
        ("hmmbuild", {"alignfile": A, "hmmname": "my model"}, "hmmbuild -n 'my model' a.fa.hmm a.fa"),
        ("makeblastdb", {"input_file": SEQ, "dbtype": "prot"}, "makeblastdb -in s.fa -dbtype prot"),
        ("dnadist", {"infile": A}, "ln -s a.fa infile && dnadist < dnadist.params"),
        (
            "dnadist",
            {"infile": A, "seqboot": True, "seqboot_seed": 7, "replicates": 50},
            "ln -s a.fa infile && seqboot < seqboot.params && mv outfile seqboot.outfile && rm infile"
            " && ln -s seqboot.outfile infile && dnadist < dnadist.params",
        ),
        ("protdist", {"infile": A}, "ln -s a.fa infile && protdist < protdist.params"),
        ("consense", {"infile": A}, "ln -s a.fa intree && consense < consense.params"),
        ("seqret", {"sequence": SEQ}, "seqret -sequence=s.fa -outseq=seqret.outseq -auto -stdout"),
        (
            "revseq",
            {"sequence": SEQ, "reverse": True, "complement": True},
            "revseq -sequence=s.fa -outseq=outseq.rev -auto -stdout",
        ),
        (
            "transeq",
            {"sequence": SEQ, "frame": "2", "regions": "1-30"},
            "transeq -sequence=s.fa -frame=2 -regions=1-30 -auto -stdout",
        ),
    ],
)
def test_the_command_is_known(name, values, line):
    assert build(service(name), check(service(name), values)).line == line


def test_the_answers_of_dnadist_are_known():
    program = service("dnadist")
    values = check(program, {"infile": A, "ratio": 3, "seqboot": True, "seqboot_seed": 7, "replicates": 50})

    assert build(program, values).paramfiles == {
        "dnadist.params": "0\nT\n3.0\nM\nD\n50\nF\n0.25 0.25 0.25 0.25\ny\n",
        "seqboot.params": "0\nR\n50\ny\n7\n",
    }


def test_the_outputs_of_needle_are_known():
    program = service("needle")
    given = {"asequence": A, "bsequence": B, "gapopen": 10, "gapextend": 0.5, "outfile": "mine[1]"}

    rules = outputs(program, check(program, given))

    assert [(rule.name, rule.kind, rule.patterns) for rule in rules] == [
        ("outfile_out2", "file", ("mine[[]1]",)),
        ("stdout", "stdout", ()),
        ("stderr", "stderr", ()),
    ]


def test_dnadist_refuses_a_file_that_has_the_name_of_its_own():
    with pytest.raises(BadValues) as refused:
        check(service("dnadist"), {"infile": File("infile")})

    assert list(refused.value.errors) == ["infile"]
    assert '"infile" or "outfile"' in refused.value.errors["infile"][0]
