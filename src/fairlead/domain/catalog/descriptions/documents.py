"""Is this plain document (of texts, numbers, lists and mappings) a service, and which?

What it is, is said by `_type`, as in Mobyle2's own database: `Program`, `InputProgramParagraph`, `StringType`. Older
descriptions have other shapes in a few places, which are read as well. Little is required, and what is not known is
left out with a warning; what could do harm is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from .conditions import Condition
from .expressions import Expression, together
from .model import (
    Control,
    Image,
    Input,
    Output,
    Paragraph,
    Program,
    Reference,
    Service,
    Widget,
    Workflow,
)
from .problems import BadDescription, Problem, Report, bad, below, quoted
from .said import LONGEST_NAME, Said
from .types import numbers_among, read_type
from .workflows import checked_graph, read_links, read_tasks

MOST_VALUES = 200_000
DEEPEST = 60

_UNSAFE_NAME = re.compile(r"::|/|\\|^[.\-]|^\s|\s$")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SOFTWARE_TEXTS = ("public_name", "title", "description", "authors", "comment")
_LINKS = ("documentation_links", "source_links", "homepage_links")
_KNOWN = {
    "_type", "_id", "name", "version", "references", "operations", "topics", "package", "inputs", "outputs",
    "command", "env", "cpu", "mem", "network", "containers", "tasks", "links", "url", "project", "categories",
    "classifications",
    *_SOFTWARE_TEXTS, *_LINKS,
}  # fmt: skip


def read_document(document: Any, warnings: Iterable[Problem] = ()) -> Service:
    """The service that the document is; `BadDescription` lists all that is wrong with it.

    `warnings` are about what was left out before it became a document.
    """
    make_sure_it_is_small(document)
    if not isinstance(document, Mapping):
        raise bad("A description must be a mapping.")
    report = Report()
    for each in warnings:
        report.warn(each.place, each.text)
    service = _service(Said(document, "", report))
    if report.problems or service is None:
        raise BadDescription(report.problems)
    return service


def make_sure_it_is_small(document: Any) -> None:
    """However often a part is referred to, it counts each time."""
    seen = 0
    waiting = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        seen += 1
        if seen > MOST_VALUES:
            raise bad(f"The description has more than {MOST_VALUES} values.")
        if depth > DEEPEST:
            raise bad("The description is nested too deeply.")
        parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        waiting.extend((part, depth + 1) for part in parts)


def _service(said: Said) -> Service | None:
    kinds = {"program": _program, "workflow": _workflow, "widget": _widget}
    kind = said.kind or ("workflow" if said.get("tasks") else "program")
    if kind not in kinds:
        said.problem("_type", f"must be a program, a workflow or a widget, and is {quoted(said.kind)}")
        return None
    return kinds[kind](said)


def _program(said: Said) -> Service | None:
    software, name = _software(said), _service_name(said)
    software["outputs"] = _with_streams(software["outputs"], name)
    read: dict[str, Any] = {
        "command": _command(said),
        "env": _env(said),
        "cpu": _positive(said, "cpu"),
        "mem": _positive(said, "mem"),
        "network": said.flag("network"),
        "containers": tuple(
            Image(each.text("type"), each.text("id"), each.text("url")) for each in said.each("containers")
        ),
    }
    return None if said.report.problems else Program(**software, **read, warnings=tuple(said.report.warnings))


def _workflow(said: Said) -> Service | None:
    software = _software(said)
    tasks, links = read_tasks(said), read_links(said)
    checked_graph(said, tasks, links, software["inputs"], software["outputs"])
    if said.report.problems:
        return None
    return Workflow(**software, tasks=tasks, links=links, warnings=tuple(said.report.warnings))


def _widget(said: Said) -> Service | None:
    software, url = _software(said), said.text("url")
    return None if said.report.problems else Widget(**software, url=url, warnings=tuple(said.report.warnings))


def _software(said: Said) -> dict[str, Any]:
    said.warn_of_unknown(_KNOWN)
    inputs, outputs = _paragraph(said, "inputs", _input), _paragraph(said, "outputs", _output)
    _check_names(said, inputs, outputs)
    return (
        {"name": _service_name(said) or "", "version": said.text("version"), "package": _package(said)}
        | {key: said.text(key) for key in _SOFTWARE_TEXTS}
        | {key: said.texts(key) for key in _LINKS}
        | {key: said.terms(key) for key in ("operations", "topics")}
        | {"categories": _categories(said), "references": _references(said), "inputs": inputs, "outputs": outputs}
    )


def _service_name(said: Said) -> str | None:
    """It is part of addresses and of the names of files."""
    name = Said(said.values, said.place, Report()).name()
    if name is None:
        return said.name() if not _told(said, "name") else None
    if _UNSAFE_NAME.search(name):
        if not _told(said, "name"):
            said.problem("name", "must not begin with a dot, a dash or a blank, nor have a slash in it")
        return None
    return name


def _told(said: Said, key: str) -> bool:
    return any(problem.place == said.at(key) for problem in said.report.problems)


def _package(said: Said) -> str | None:
    if isinstance(said.get("package"), Mapping):
        package = said.mapping("package")
        return package.text("name") if package else None
    return said.text("package")


def _categories(said: Said) -> tuple[str, ...]:
    """Older descriptions have them with whose categories they are."""
    older = said.get("classifications")
    named = (
        [each.get("classification") for each in older if isinstance(each, Mapping)] if isinstance(older, list) else []
    )
    classified = Said({"classifications": [each for each in named if each]}, said.place, said.report)
    return tuple(dict.fromkeys((*said.texts("categories"), *classified.texts("classifications"))))


def _references(said: Said) -> tuple[Reference, ...]:
    return tuple(Reference(each.text("label"), each.text("doi"), each.text("url")) for each in said.each("references"))


def _command(said: Said) -> str | None:
    """Older descriptions have its folder apart."""
    if isinstance(said.get("command"), Mapping):
        command = said.mapping("command")
        if command and command.text("path"):
            command.warn("path", "was left out: a program is looked for where this server has its programs")
        return (command.text("value") or None) if command else None
    return said.text("command") or None


def _env(said: Said) -> dict[str, str]:
    """Older descriptions have a list of names and values."""
    written = said.get("env")
    if isinstance(written, list):
        written = {each.text("name") or "": each.text("value") or "" for each in said.each("env")}
    if not written:
        return {}
    variables = Said({"env": written}, said.place, said.report).mapping("env")
    read = {} if variables is None else {key: variables.text(key) or "" for key in variables.values}
    for key in read:
        if not _VARIABLE.fullmatch(key):
            said.problem("env", f"has {quoted(key)}, which is no name of a variable")
    return read


def _positive(said: Said, key: str) -> int | None:
    number = said.whole(key)
    if number is not None and number < 1:
        said.problem(key, "must be at least 1")
    return number


def _paragraph(said: Said, key: str, read: Any) -> Paragraph[Any]:
    written = said.get(key)
    paragraph = Said({key: {"children": written}}, said.place, said.report) if isinstance(written, list) else said
    found = paragraph.mapping(key)
    return Paragraph() if found is None else _read_paragraph(found, read)


def _read_paragraph(said: Said, read: Any) -> Paragraph[Any]:
    said.warn_of_unknown({"_type", "children", "name", "prompt", "comment", "precond", "argpos"})
    children = [_read_paragraph(each, read) if _is_paragraph(each) else read(each) for each in said.each("children")]
    return Paragraph(
        children=tuple(each for each in children if each is not None),
        name=said.text("name", longest=LONGEST_NAME),
        prompt=said.text("prompt"),
        comment=said.text("comment"),
        precond=_condition(said, "precond"),
        argpos=said.whole("argpos"),
    )


def _is_paragraph(said: Said) -> bool:
    return said.kind.endswith("paragraph") or (not said.kind and "children" in said.values)


_PARAMETER = {"_type", "name", "prompt", "comment", "precond", "main", "hidden", "simple", "type", "argpos"}


def _input(said: Said) -> Input | None:
    said.warn_of_unknown(_PARAMETER | {"mandatory", "ctrls", "ctrl", "format", "paramfile", "command"})
    name = said.name()
    if said.kind.startswith("output"):
        said.problem("_type", "is an output among the inputs")
    shared = _shared(said)
    only = numbers_among(said, shared["type"])
    made = Input(
        name=name or "",
        mandatory=said.flag("mandatory"),
        ctrls=_controls(said) + ((only,) if only else ()),
        format=_expression(said, "format"),
        paramfile=_paramfile(said),
        command=said.flag("command"),
        **shared,
    )
    return made if name else None


def _output(said: Said) -> Output | None:
    said.warn_of_unknown(_PARAMETER | {"filenames", "output_type", "progress"})
    name = said.name()
    if said.kind.startswith("input"):
        said.problem("_type", "is an input among the outputs")
    kind = said.text("output_type") or "file"
    if kind not in ("file", "stdout", "stderr", "progress"):
        said.problem("output_type", "must be file, stdout, stderr or progress")
        kind = "file"
    if kind == "file" and name == "stderr":
        kind = "stderr"
    made = Output(
        name=name or "",
        filenames=_patterns(said),
        output_type=kind,  # type: ignore[arg-type]
        progress=said.flag("progress"),
        **_shared(said),
    )
    return made if name else None


def _shared(said: Said) -> dict[str, Any]:
    return {
        "prompt": said.text("prompt"),
        "comment": said.text("comment"),
        "precond": _condition(said, "precond"),
        "main": said.flag("main"),
        "hidden": said.flag("hidden"),
        "simple": said.flag("simple"),
        "argpos": said.whole("argpos"),
        "type": read_type(said, "type"),
    }


def _expression(said: Said, key: str) -> Expression | None:
    written = said.get(key)
    if isinstance(written, Mapping):  # by language, in older descriptions
        code = said.mapping(key)
        text = code.text("python") if code else None
    else:
        text = said.text(key)
    if text is None or not text.strip():
        return None
    expression = Expression(text)
    wrong = expression.wrong()
    if wrong:
        said.problem(key, wrong)
    return expression


def _patterns(said: Said) -> Expression | None:
    """Several are one expression, which makes all of them."""
    written = said.get("filenames")
    if not isinstance(written, list):
        return _expression(said, "filenames")
    listed = Said(dict(enumerate(written)), said.at("filenames"), said.report)  # type: ignore[arg-type]
    read = [_expression(listed, index) for index in range(len(written))]  # type: ignore[arg-type]
    good = [each for each in read if each is not None and each.wrong() is None]
    made = together(good)
    wrong = made.wrong() if made else None
    if wrong:
        said.problem("filenames", wrong)
    return made


def _condition(said: Said, key: str) -> Condition | None:
    """None as well where it is wrong, which is told."""
    written = said.get(key)
    if isinstance(written, Mapping) and "python" in written:
        code = written["python"]
        written = None if isinstance(code, str) and not code.strip() else {"#python": code}
    if isinstance(written, list) and len(written) == 1:
        written = written[0]
    if written is None or written in ("", [], {}):
        return None
    condition = Condition(written)
    wrongs = list(condition.wrongs())
    for way, text in wrongs:
        place = said.at(key)
        for step in way:
            place = below(place, step if isinstance(step, int) else str(step))
        said.report.problem(place, text)
    return None if wrongs else condition


def _controls(said: Said) -> tuple[Control, ...]:
    source = said
    if "ctrl" in said.values and "ctrls" not in said.values:
        source = Said({"ctrls": [said.get("ctrl")]}, said.place, said.report)
    read = [(each.text("message"), _condition(each, "test")) for each in source.each("ctrls")]
    return tuple(Control(test, message) for message, test in read if test is not None)


def _paramfile(said: Said) -> str | None:
    name = said.text("paramfile", longest=LONGEST_NAME)
    if not name:
        return None
    if _UNSAFE_NAME.search(name) or any(unicodedata.category(each) == "Cc" for each in name):
        said.problem("paramfile", "must be the name of a file in the job's folder")
    return name


def _with_streams(outputs: Paragraph[Output], name: str | None) -> Paragraph[Output]:
    """A program always has what it prints as outputs."""
    kinds = {each.parameter.output_type for each in outputs.placed()}
    streams: list[Output] = []
    if "stdout" not in kinds:
        streams.append(_stream("stdout", "Standard output", f"{name}.out"))
    if "stderr" not in kinds:
        streams.append(_stream("stderr", "Standard error", f"{name}.err"))
    children = (*outputs.children, *streams)
    return Paragraph(children, outputs.name, outputs.prompt, outputs.comment, outputs.precond, outputs.argpos)


def _stream(kind: Any, prompt: str, file: str) -> Output:
    return Output(name=kind, prompt=prompt, filenames=Expression(repr(file)), output_type=kind)


def _check_names(said: Said, inputs: Paragraph[Input], outputs: Paragraph[Output]) -> None:
    """Nothing is refused for a name that is not there: whoever evaluates it finds no value."""
    placed = list(inputs.placed())
    known = {each.parameter.name for each in placed} | {"value", "vdef"}
    _warn_of_twice(said, "inputs", [each.parameter.name for each in placed])
    _warn_of_twice(said, "outputs", [each.parameter.name for each in outputs.placed()])
    for entry in placed:
        asked = _asked_by(entry.preconds, entry.parameter.format)
        _warn_of_missing(said, "inputs", entry.parameter.name, asked - known)
    for out in outputs.placed():
        asked = _asked_by(out.preconds, out.parameter.filenames)
        _warn_of_missing(said, "outputs", out.parameter.name, asked - known)


def _asked_by(conditions: tuple[Condition, ...], expression: Expression | None) -> frozenset[str]:
    inside = expression.names() if expression else frozenset()
    return inside.union(*(each.names() for each in conditions))


def _warn_of_twice(said: Said, key: str, names: list[str]) -> None:
    for name in dict.fromkeys(each for each in names if names.count(each) > 1):
        said.warn(key, f"has {quoted(name)} more than once")


def _warn_of_missing(said: Said, key: str, name: str, missing: frozenset[str]) -> None:
    for each in sorted(missing):
        said.warn(key, f"has {quoted(name)}, which asks for {quoted(each)}: there is no such parameter")
