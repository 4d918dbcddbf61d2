"""What does a JSON definition say, and which ones are refused?"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec

from fairlead.domain.workflows.model import BadDefinition
from fairlead.domain.workflows.substitution import is_deeper_than, references, texts_in

LARGEST_DEFINITION = 256 * 1024
MOST_TASKS = 100
MOST_NAMES = 200
DEEPEST = 32
TYPES = ("http", "cli", "smtp", "nats")
METHODS = frozenset({"", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_RESERVED = frozenset({"workflow", "env"})
_FREE_PARTS = frozenset({"json", "data"})
"""What stands below these goes out as it is: a null is a null there, and not something left out."""

Seconds = Annotated[int, msgspec.Meta(ge=0, le=7 * 24 * 3600)]
Text = Annotated[str, msgspec.Meta(max_length=LARGEST_DEFINITION)]
Names = Annotated[list[str], msgspec.Meta(max_length=MOST_NAMES)]
Code = Annotated[int, msgspec.Meta(ge=100, le=599)]


class HttpTask(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A request. It succeeds with a status below 400, or with one of `statusCodes` if there are any."""

    uri: Text
    method: str = "GET"
    content_type: str = ""
    body: Text = ""
    json: Any = None
    headers: dict[str, str] = {}
    status_codes: list[Code] = []
    connection_time_out: Seconds = 0
    read_time_out: Seconds = 0


class CliTask(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A program with its arguments. Never a shell."""

    command: Annotated[list[Text], msgspec.Meta(min_length=1, max_length=1000)]
    execution_time_out: Seconds = 0


class SmtpTask(msgspec.Struct, frozen=True, omit_defaults=True):
    """A letter, as text, as HTML, or as both."""

    to: Names = []
    cc: Names = []
    bcc: Names = []
    from_: str = msgspec.field(name="from", default="")
    subject: str = ""
    body: Text = ""
    html: Text = ""


class NatsTask(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message that is published on a subject, as JSON."""

    subject: str
    data: Any = None


class Task(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    name: str
    type: str
    retries: Annotated[int, msgspec.Meta(ge=0, le=1000)] = 0
    retry_delay_seconds: Seconds = 0
    requires: Names = []
    http: HttpTask | None = None
    cli: CliTask | None = None
    smtp: SmtpTask | None = None
    nats: NatsTask | None = None


class Definition(msgspec.Struct, frozen=True):
    """A workflow. `inputParameters` names what must be given when it is started.

    The version of its schema has two spellings, the reference's and that of Mender's own definitions.
    """

    name: str = ""
    description: str = ""
    version: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)] = 0
    schemaversion: int = 0
    schema_version: int = msgspec.field(name="schemaVersion", default=0)
    tasks: Annotated[list[Task], msgspec.Meta(max_length=MOST_TASKS)] = []
    input_parameters: Names = msgspec.field(name="inputParameters", default_factory=list)


def read(document: bytes | str) -> Definition:
    """The definition in a JSON document; `BadDefinition` says what is wrong with it."""
    return _read(document, _no_file)


def read_file(path: Path) -> Definition:
    """The definition in a file. Texts of its letters that are `@NAME` stand in the files of that name beside it."""
    try:
        if path.stat().st_size > LARGEST_DEFINITION:
            raise BadDefinition(reason=f"a definition may have at most {LARGEST_DEFINITION} bytes")
        document = path.read_bytes()
    except OSError as problem:
        raise BadDefinition(reason=f"it cannot be read: {problem.strerror}") from None
    return _read(document, _Folder(path.parent).text)


def _read(document: bytes | str, text_of_file: Callable[[str], str]) -> Definition:
    if len(document) > LARGEST_DEFINITION:
        raise BadDefinition(reason=f"a definition may have at most {LARGEST_DEFINITION} bytes")
    try:
        said = msgspec.json.decode(document)
        if is_deeper_than(DEEPEST, said):
            raise BadDefinition(reason=f"it is nested too deeply: at most {DEEPEST} levels")
        definition = msgspec.convert(_without_nulls(said), Definition)
    except RecursionError:
        raise BadDefinition(reason="it is nested too deeply") from None
    except (msgspec.MsgspecError, ValueError) as problem:
        raise BadDefinition(reason=str(problem)) from None
    definition = msgspec.structs.replace(
        definition, tasks=[_with_its_files(task, text_of_file) for task in definition.tasks]
    )
    make_sure_it_is_good(definition)
    return definition


def _without_nulls(said: Any) -> Any:
    """The programs that Mender is made of write null for what is left out, and read it like that."""
    if isinstance(said, list):
        return [_without_nulls(each) for each in said]
    if not isinstance(said, dict):
        return said
    return {
        name: each if name in _FREE_PARTS else _without_nulls(each) for name, each in said.items() if each is not None
    }


def _with_its_files(task: Task, text_of_file: Callable[[str], str]) -> Task:
    """The task with the texts of the files that its letter names."""
    letter = task.smtp
    if letter is None:
        return task
    texts = {part: text_of_file(text[1:]) for part in ("body", "html") if (text := getattr(letter, part))[:1] == "@"}
    return msgspec.structs.replace(task, smtp=msgspec.structs.replace(letter, **texts)) if texts else task


def _no_file(name: str) -> str:
    raise BadDefinition(reason=f"'@{name[:80]}': only a definition in the workflows folder can name a file")


@dataclass(slots=True)
class _Folder:
    """Where the definitions are, and with them the files that they may name: those, and no others."""

    folder: Path
    left: int = LARGEST_DEFINITION

    def text(self, name: str) -> str:
        inside = self.folder.resolve()
        try:
            path = (inside / name).resolve()
            if not path.is_relative_to(inside) or not path.is_file():
                raise BadDefinition(reason=f"'@{name[:80]}' is no file in the folder of the definition")
            self.left -= path.stat().st_size
            if self.left < 0:
                raise BadDefinition(reason=f"its files may have at most {LARGEST_DEFINITION} bytes together")
            return path.read_text("utf-8")
        except (OSError, ValueError) as problem:
            reason = problem.strerror if isinstance(problem, OSError) else "it is no name, or no UTF-8 text"
            raise BadDefinition(reason=f"'@{name[:80]}' cannot be read: {reason}") from None


def make_sure_it_is_good(definition: Definition) -> None:
    """Refuse what could not run: better when it is registered than in the middle of the night."""
    if not definition.name:
        raise BadDefinition(reason="Workflow missing name")
    if not _NAME.fullmatch(definition.name):
        raise BadDefinition(reason="name: letters, digits, and . _ - only, at most 128")
    for name in definition.input_parameters:
        if not _NAME.fullmatch(name):
            raise BadDefinition(reason=f"inputParameters: {name[:40]!r} is not a name")
    before: set[str] = set()
    for task in definition.tasks:
        _make_sure_task_is_good(task, before)
        _make_sure_values_can_be_known(task, before)
        before.add(task.name)


def _make_sure_task_is_good(task: Task, before: set[str]) -> None:
    if not task.name or len(task.name) > 128 or any(mark in task.name for mark in ".|;${}"):
        raise BadDefinition(
            reason=f"task {task.name[:40]!r}: a name has 1 to 128 characters, and none of . | ; $ {{ }} among them"
        )
    if task.name in _RESERVED:
        raise BadDefinition(reason=f"task {task.name!r}: this name stands for something else in expressions")
    if task.name in before:
        raise BadDefinition(reason=f"task {task.name!r}: there is another of this name")
    if task.type not in TYPES:
        raise BadDefinition(reason=f"task {task.name!r}: unknown type {task.type[:40]!r}: one of {', '.join(TYPES)}")
    if [kind for kind in TYPES if getattr(task, kind) is not None] != [task.type]:
        raise BadDefinition(reason=f"task {task.name!r}: its type {task.type} takes a part {task.type!r}, and no other")
    if task.http is not None and task.http.method.upper() not in METHODS:
        raise BadDefinition(reason=f"task {task.name!r}: {task.http.method[:20]!r} is no method that can be sent")
    if task.cli is not None and "${" in task.cli.command[0]:
        raise BadDefinition(reason=f"task {task.name!r}: which program runs must not depend on an expression")


def _make_sure_values_can_be_known(task: Task, before: set[str]) -> None:
    """A task reads of earlier ones only: whoever waits for themselves, or in a circle, waits forever."""
    for text in texts_in(msgspec.to_builtins(task)):
        try:
            needed = [reference for reference in references(text) if reference.kind == "task"]
        except BadDefinition as problem:
            raise BadDefinition(reason=f"task {task.name!r}: {problem}") from None
        for reference in needed:
            if reference.name not in before:
                raise BadDefinition(
                    reason=f"task {task.name!r} needs the answer of {reference.name[:40]!r}, "
                    "which is not a task before it"
                )
