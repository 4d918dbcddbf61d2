"""Whatever is written into a free text is a text: no second command runs, and nothing is left that it would leave."""

from __future__ import annotations

import itertools
import os
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fairlead.domain.catalog import Program, StringType, read_description

from . import by_hand
from .cases import CASES, OTHER_INPUTS
from .descriptions import program, takes, text
from .laboratory import Laboratory, command_lines, file
from .test_real_programs import FILES

HOSTILE = (
    "x; touch CANARY",
    "x' ; touch CANARY ; '",
    'x" ; touch CANARY ; "',
    "$(touch CANARY)",
    "`touch CANARY`",
    "x && touch CANARY",
    "x | touch CANARY ;",
    "x _SQ_; touch CANARY; _SQ_",
    "x _DQ_; touch CANARY; _DQ_",
    "x > CANARY",
    "x\ntouch CANARY",
    "touch CANARY |",
    "| touch CANARY",
)
REFUSED = {"x\ntouch CANARY", "touch CANARY |", "| touch CANARY"}
ECHO = program(
    "own-echo",
    r"printf '%s\n'",
    [
        text("plain", '" " + str(value)', argpos=1),
        text("single", '" \'" + str(value) + "\'"', argpos=2),
        text("double", "' \"' + str(value) + '\"'", argpos=3),
        text("answer", "str(value) + '\\n'", paramfile="answers.txt", argpos=4),
    ],
)
PATTERN = program(
    "own-fuzznuc",
    "fuzznuc -auto -outfile=found.report",
    [takes("sequence", '" -sequence=" + str(value)'), text("pattern", '" -pattern=@" + str(value)', type=None)],
)


class Canaries:
    """Each is a file's name of its own, that nobody else would give a file."""

    def __init__(self) -> None:
        self.mark = f"canary-{uuid.uuid4().hex}"
        self._numbers = itertools.count()

    def in_text(self, hostile: str) -> str:
        return hostile.replace("CANARY", f"{self.mark}-{next(self._numbers)}")

    def left_in(self, *folders: Path) -> list[str]:
        """Names alone, since a text may well become a part of an output's name."""
        walked = itertools.chain.from_iterable(os.walk(folder) for folder in folders)
        return [name for _, _, names in walked for name in names if self._is_one(name)]

    def running(self) -> list[str]:
        return [line for line in command_lines() if self.mark in line]

    def _is_one(self, name: str) -> bool:
        return name.startswith(self.mark) and name.removeprefix(f"{self.mark}-").isdigit()


@pytest.fixture
def canaries(laboratory, tmp_path) -> Iterator[Canaries]:
    """At the end none may be anywhere where a job, or the server, could have left it."""
    made = Canaries()
    yield made
    data = laboratory.place.server.settings.data
    assert made.left_in(data) == []
    for folder in ("/", tempfile.gettempdir(), os.getcwd(), Path.home()):
        assert [name for name in os.listdir(folder) if made.mark in name] == []
    assert made.running() == []


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_shell_would_have_run_them(tmp_path, hostile):
    """What the other tests look for is there, if it goes wrong."""
    canaries = Canaries()
    written = canaries.in_text(hostile).replace("_SQ_", "'").replace("_DQ_", '"')

    for line in (f"printf {written}", f"printf '{written}'", f'printf "{written}"', written, f"true {written}"):
        by_hand.run(line, tmp_path, [])
    if hostile.endswith("|"):
        by_hand.run(f"fuzznuc -auto -sequence=dna.fa -outfile=x.report -pattern='@{written}'", tmp_path, ["dna.fa"])

    assert canaries.left_in(tmp_path)


def test_a_text_is_one_argument_however_it_is_quoted(laboratory, canaries):
    service = laboratory.register(ECHO)
    texts = [canaries.in_text(hostile) for hostile in HOSTILE if hostile not in REFUSED]

    jobs = {
        laboratory.submit(service, dict.fromkeys(("plain", "single", "double", "answer"), text)): text for text in texts
    }

    for job, told in laboratory.wait(jobs).items():
        assert told["status"] == "finished", told
        assert laboratory.output(job, "stdout").decode() == f"{jobs[job]}\n" * 3
        assert (laboratory.folder(job) / "answers.txt").read_text() == f"{jobs[job]}\n"


@pytest.mark.parametrize("hostile", sorted(REFUSED))
def test_a_text_that_is_more_than_a_line_or_that_programs_themselves_would_run_is_refused(
    laboratory, canaries, hostile
):
    service = laboratory.register(PATTERN)

    reply = laboratory.send(service, {"sequence": file("dna.fa"), "pattern": canaries.in_text(hostile)})

    assert reply.status_code == 422
    assert list(reply.json()["errors"]) == ["pattern"]


@pytest.mark.parametrize("name", ["touch CANARY |", "| touch CANARY", "@list.txt", "list::list.txt", "$(touch CANARY)"])
def test_a_file_is_given_a_name_that_is_nothing_but_a_name(laboratory, canaries, name):
    service = laboratory.register(PATTERN)
    hostile = file("dna.fa") | {"filename": canaries.in_text(name)}

    job = laboratory.run(service, {"sequence": hostile, "pattern": file("pattern.pat")})

    assert job["status"] == "finished", job
    word = next(each for each in job["command_line"].split() if each.startswith("-sequence="))
    assert not set(word.partition("=")[2]) & set("@|:$() ")


def free_texts(service: Program) -> list[str]:
    inputs = [each.parameter for each in service.inputs.placed() if not each.parameter.hidden]
    return [
        each.name
        for each in inputs
        if each.type is None or (isinstance(each.type, StringType) and not each.type.choices)
    ]


@pytest.mark.skipif(not FILES, reason="the real descriptions are not here")
def test_the_free_texts_of_real_services_leave_no_trace(laboratory, canaries):
    inputs: dict[str, Any] = {case.name: case.inputs for case in CASES} | OTHER_INPUTS
    hostile = itertools.cycle(HOSTILE)
    jobs: list[str] = []

    for name, described in FILES.items():
        service = read_description(described.read_bytes())
        texts = {each: canaries.in_text(next(hostile)) for each in free_texts(service)}
        if texts:
            jobs += submitted(laboratory, laboratory.register(described.read_bytes()), inputs[name], texts)

    statuses = [told["status"] for told in laboratory.wait(jobs).values()]
    assert len(jobs) >= 50
    assert set(statuses) <= {"finished", "error"}


def submitted(laboratory: Laboratory, service: str, inputs: dict[str, Any], texts: dict[str, str]) -> list[str]:
    """The job with those of the texts that are not refused; none where the service cannot be run at all."""
    for _ in range(4):
        reply = laboratory.send(service, {**inputs, **texts})
        if reply.status_code == 201:
            return [reply.json()["id"]]
        assert reply.status_code in {400, 422}, reply.text
        refused = reply.json().get("errors", {})
        if not refused:
            assert "cannot be run" in reply.text
            return []
        assert refused.keys() <= texts.keys(), reply.text
        harmless = {} if any(texts[each] == "harmless" for each in refused) else dict.fromkeys(refused, "harmless")
        texts = {each: text for each, text in texts.items() if each not in refused} | harmless
    raise AssertionError(f"{service} goes on refusing: {refused}")
