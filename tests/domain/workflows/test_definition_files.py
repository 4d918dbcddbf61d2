"""Texts of letters may stand in files beside the definition, and in no others: Mender's `@file`."""

from __future__ import annotations

import json
import os

import pytest

from fairlead.domain.workflows import BadDefinition, read, read_file
from fairlead.domain.workflows.definition import LARGEST_DEFINITION

from .running import definition

ASK = {"name": "ask", "type": "http", "http": {"uri": "http://example.com/", "body": "@everyone"}}
RUN = {"name": "run", "type": "cli", "cli": {"command": ["true", "@x"]}}
WRITE = {"name": "write", "type": "smtp", "smtp": {"to": ["ada@acme.example"], "body": "Hello"}}


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "workflows"
    folder.mkdir()
    (tmp_path / "secret").write_text("hunter2")
    return folder


def letter_in(folder, **letter: str):
    path = folder / "letter.json"
    path.write_text(json.dumps(definition({**WRITE, "smtp": {"to": ["ada@acme.example"], **letter}})))
    return path


def refused_file(path) -> str:
    with pytest.raises(BadDefinition) as refusal:
        read_file(path)
    assert "hunter2" not in str(refusal.value)
    return str(refusal.value)


def test_a_file_beside_the_definition_is_put_in_when_it_is_read(folder):
    (folder / "texts").mkdir()
    (folder / "texts" / "hello.txt").write_text("Gr\u00fc\u00dfe, ${workflow.input.name}\n@hello.html")
    (folder / "hello.html").write_text("<p>${encoding=html;workflow.input.name}</p>")

    letter = read_file(letter_in(folder, body="@texts/hello.txt", html="@hello.html")).tasks[0].smtp

    assert letter.body == "Gr\u00fc\u00dfe, ${workflow.input.name}\n@hello.html"
    assert letter.html == "<p>${encoding=html;workflow.input.name}</p>"


def test_only_letters_are_looked_at(folder):
    path = folder / "x.json"
    path.write_text(json.dumps(definition(ASK, RUN)))

    assert read_file(path).tasks[0].http.body == "@everyone"


@pytest.mark.parametrize(
    "name", ["../secret", "{outside}", "texts/../../secret", "link", "", ".", "missing", "\0", "/etc/passwd"]
)
def test_no_other_file_is_read(folder, tmp_path, name):
    (folder / "texts").mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")

    refused_file(letter_in(folder, body="@" + name.format(outside=tmp_path / "secret")))


def test_what_is_no_file_of_text_is_refused(folder):
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    os.mkfifo(folder / "pipe")
    (folder / "huge").write_text("x" * (LARGEST_DEFINITION + 1))
    (folder / "half").write_text("x" * (LARGEST_DEFINITION // 2 + 1))

    assert "no UTF-8" in refused_file(letter_in(folder, body="@binary"))
    assert "is no file" in refused_file(letter_in(folder, body="@pipe"))
    assert "262144 bytes together" in refused_file(letter_in(folder, body="@huge"))
    assert "262144 bytes together" in refused_file(letter_in(folder, body="@half", html="@half"))


def test_expressions_in_a_file_are_looked_at_too(folder):
    (folder / "bad").write_text("${later.json.x}")

    assert "not a task before it" in refused_file(letter_in(folder, body="@bad"))


def test_a_definition_from_elsewhere_cannot_name_a_file():
    for part in ("body", "html"):
        said = json.dumps(definition({**WRITE, "smtp": {"to": ["a@b.example"], part: "@/etc/passwd"}}))
        with pytest.raises(BadDefinition, match="'@/etc/passwd': only a definition in the workflows folder can name"):
            read(said)


def test_a_file_that_cannot_be_read_is_told(folder):
    assert "No such file" in refused_file(folder / "missing.json")
    assert "Is a directory" in refused_file(folder)
    (folder / "large.json").write_text(" " * (LARGEST_DEFINITION + 1))
    assert "at most 262144 bytes" in refused_file(folder / "large.json")
