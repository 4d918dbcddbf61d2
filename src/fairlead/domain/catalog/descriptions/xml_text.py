"""Which service does an XML file of Mobyle 1 describe? It is turned into a plain document, and read as one.

Nothing outside of the text is looked at: the parts that it includes (`xi:include`) come from the caller.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, tostring

from .choosing import NUMBERS, format_of_chosen, separator_for
from .codes import calculated_bounds, python_in, without_python, written_bounds
from .documents import read_document
from .including import Parts, include
from .mobyle1 import SIMPLE, data_terms, format_terms
from .model import Service
from .problems import BadDescription, Problem
from .python_conditions import condition_of
from .xml_parsing import parsed

_TRUE = ("1", "true", "yes")
_PARTS = {
    "package", "tutorial", "env", "vlist", "velem", "flist", "felem", "parameters", "parameter", "paragraph", "head",
    "doc", "type", "datatype", "format", "precond", "ctrl", "code", "comment", "reference", "category", "interface",
}  # fmt: skip
"""What stands in files of its own, to be included or to be read by people."""


class OnlyAPart(BadDescription):
    """The file describes no service, and need not."""


def read_xml(text: bytes | str, includes: Parts | None = None) -> Service:
    """The service that the text describes. `includes` are the files that it may include, by their way from it."""
    root = parsed(text)
    kinds = {"program": _program, "workflow": _workflow, "viewer": _viewer}
    if root.tag in _PARTS:
        raise OnlyAPart([Problem(root.tag, "is a part of descriptions, and no service")])
    if root.tag not in kinds:
        raise BadDescription([Problem(str(root.tag)[:60], "must be a program, a workflow or a viewer")])
    include(root, includes or {})
    return read_document(kinds[root.tag](root), _left_out(root))


def _left_out(root: Element) -> Iterator[Problem]:
    """What is said that a service cannot keep."""
    for element in root.iter():
        if element.tag in ("parameter", "paragraph"):
            yield from without_python(element, _said(element, "name") or element.tag)
    if root.tag == "viewer" and root.find("head/interface") is not None:
        yield Problem("interface", "was left out: this portal has viewers of its own")


def _program(root: Element) -> dict[str, Any]:
    head = _child(root, "head")
    inputs, outputs = _children(_child(root, "parameters"), _parameter)
    return _software(head) | {
        "_type": "Program",
        "command": _command(head),
        "env": {each.get("name", ""): _text(each) for each in head.findall("env")},
        "inputs": {"children": inputs},
        "outputs": {"children": outputs},
    }


def _viewer(root: Element) -> dict[str, Any]:
    inputs, outputs = _children(_child(root, "parameters"), _parameter)
    said = _software(_child(root, "head"))
    return said | {"_type": "Widget", "inputs": {"children": inputs}, "outputs": {"children": outputs}}


def _workflow(root: Element) -> dict[str, Any]:
    flow, parameters = _child(root, "flow"), _child(root, "parameters")
    names = {each.get("id", ""): _said(each, "name") for each in parameters.iter("parameter")}
    inputs, outputs = _children(parameters, _parameter)
    return _software(_child(root, "head")) | {
        "_type": "Workflow",
        "inputs": {"children": inputs},
        "outputs": {"children": outputs},
        "tasks": [_task(each) for each in flow.findall("task")],
        "links": [_link(each, names) for each in flow.findall("link")],
    }


def _task(element: Element) -> dict[str, Any]:
    return {
        "id": element.get("id"),
        "service": element.get("service"),
        "server": None if element.get("server") == "local" else element.get("server"),
        "suspend": _is_true(element.get("suspend")),
        "description": _said(element, "description"),
        "values": [
            {"name": each.get("name"), "value": _text(each) or None, "reference": each.get("reference")}
            for each in element.findall("inputValue")
        ],
    }


def _link(element: Element, names: Mapping[str, str | None]) -> dict[str, Any]:
    """Parameters of the workflow are named by their ids."""
    start, end = element.get("fromTask") or None, element.get("toTask") or None
    source, target = element.get("fromParameter", ""), element.get("toParameter", "")
    return {
        "from_task": start,
        "to_task": end,
        "from_parameter": source if start else names.get(source, source),
        "to_parameter": target if end else names.get(target, target),
    }


def _software(head: Element) -> dict[str, Any]:
    doc, package = _child(head, "doc"), head.find("package")
    return {
        "name": _said(head, "name"),
        "version": _said(head, "version"),
        "title": _said(doc, "title"),
        "description": _said(doc, "description"),
        "authors": ", ".join(filter(None, map(_prose, doc.findall("authors")))) or None,
        "comment": _said(doc, "comment"),
        "references": [
            {"label": _prose(each), "doi": each.get("doi"), "url": each.get("url")} for each in doc.findall("reference")
        ],
        "documentation_links": _texts(doc, "doclink"),
        "source_links": _texts(doc, "sourcelink"),
        "homepage_links": _texts(doc, "homepagelink"),
        "package": None if package is None else _said(package, "name") or _text(package) or None,
        "categories": _texts(head, "category"),
    }


def _command(head: Element) -> dict[str, Any] | None:
    command = head.find("command")
    return None if command is None else {"path": command.get("path"), "value": _prose(command)}


Pair = tuple[list[dict[str, Any]], list[dict[str, Any]]]


def _children(parameters: Element, read: Any) -> Pair:
    """What is in a paragraph, inputs and outputs apart. An empty paragraph is none."""
    inputs: list[dict[str, Any]] = []
    outputs: list[dict[str, Any]] = []
    for element in parameters:
        if element.tag == "parameter":
            (outputs if _is_output(element) else inputs).append(read(element))
        elif element.tag == "paragraph":
            said = _para(element)
            for found, kept in zip(_children(_child(element, "parameters"), read), (inputs, outputs), strict=True):
                if found:
                    kept.append(said | {"children": found})
    return inputs, outputs


def _is_output(element: Element) -> bool:
    return any(_is_true(element.get(each)) for each in ("isout", "isstdout", "isstderr"))


def _para(element: Element) -> dict[str, Any]:
    return {
        "name": _said(element, "name"),
        "prompt": _said(element, "prompt"),
        "comment": _said(element, "comment"),
        "argpos": _said(element, "argpos"),
        "precond": [condition_of(code) for code in _codes(element, "precond")],
    }


def _parameter(element: Element) -> dict[str, Any]:
    said = _para(element) | {
        "hidden": _is_true(element.get("ishidden")),
        "simple": _is_true(element.get("issimple")),
        "main": _is_true(element.get("ismaininput")) or _is_true(element.get("ismain")),
        "type": _type(element),
    }
    return said | (_output(element) if _is_output(element) else _input(element))


def _input(element: Element) -> dict[str, Any]:
    controls = [
        {"message": _said(each, "message"), "test": condition_of(code)}
        for each in element.findall("ctrl")
        for code in python_in(each)[:1]
    ]
    return {
        "mandatory": _is_true(element.get("ismandatory")),
        "command": _is_true(element.get("iscommand")),
        "paramfile": _said(element, "paramfile"),
        "format": next(iter(_codes(element, "format")), None) or _format_of_choices(element),
        "ctrls": [*controls, *(calculated_bounds(element) if _kind(element) in NUMBERS else ())],
    }


def _output(element: Element) -> dict[str, Any]:
    kind = next((kind for kind in ("stdout", "stderr") if _is_true(element.get(f"is{kind}"))), "file")
    return {"output_type": kind, "filenames": _codes(element, "filenames")}


def _format_of_choices(element: Element) -> str | None:
    elements = element.findall("flist/felem")
    formats = [(_said(each, "value") or "", code) for each in elements for code in python_in(each)[:1]]
    return format_of_chosen(formats, _kind(element), _separator(element)) if elements else None


def _type(element: Element) -> dict[str, Any] | None:
    written = element.find("type")
    if written is None:
        return None
    kind = _kind(element)
    if kind is None:
        classes = _classes(element)
        return {
            "_type": "FormattedType",
            "data_terms": list(data_terms(classes, _texts(written, "biotype"))),
            "format_terms": list(format_terms(classes, _texts(written, "dataFormat"))),
        }
    choices = [each for path in ("vlist/velem", "flist/felem") for each in element.findall(path)]
    options = [_option(each, kind) for each in choices]
    nothing = {_said(each, "value") for each in choices} - {each["value"] for each in options}
    defaults = [each for each in _texts(element, "vdef/value") if each not in nothing]
    if kind == "ArrayType":
        items = {"_type": "StringType", "options": options}
        return {"_type": kind, "items_type": items, "default": defaults or None, "separator": _separator(element)}
    made: dict[str, Any] = {"_type": kind, "default": defaults[0] if defaults else None}
    return made | ({"options": options} if options else {}) | (written_bounds(element) if kind in NUMBERS else {})


def _classes(element: Element) -> list[str]:
    named = [_said(element, f"type/datatype/{name}") for name in ("class", "superclass")]
    return [each for each in named if each]


def _kind(element: Element) -> str | None:
    """None for a file."""
    classes = _classes(element)
    if "MultipleChoice" in classes:
        return "ArrayType"
    return next((SIMPLE[each] for each in classes if each in SIMPLE), None)


def _separator(element: Element) -> str:
    """Nothing, if it says none: what is chosen is one word then."""
    values = [_said(each, "value") or "" for each in element.findall("flist/felem")]
    return element.findtext("separator") or (separator_for(values) if values else "")


def _option(element: Element, kind: str) -> dict[str, Any]:
    """Numbers cannot be chosen for nothing: each is what it is."""
    is_nothing = _is_true(element.get("undef")) and kind not in NUMBERS
    return {"label": _said(element, "label"), "value": None if is_nothing else _said(element, "value")}


def _codes(element: Element, path: str) -> list[str]:
    return [code for found in element.findall(path) for code in python_in(found)]


def _child(element: Element, name: str) -> Element:
    found = element.find(name)
    return Element(name) if found is None else found


def _said(element: Element, path: str) -> str | None:
    """What stands there, in the first of several languages, or in all of several paragraphs."""
    found = element.find(path)
    return None if found is None else _prose(found) or None


def _prose(element: Element) -> str:
    parts = [_text(each) for each in element if each.tag == "text"]
    if parts:
        return "\n".join(parts)
    if len(element) == 0:
        return _text(element)
    return (element.text or "").strip() + "".join(_markup(element))


def _markup(element: Element) -> Iterator[str]:
    return (tostring(each, encoding="unicode").strip() for each in element)


def _texts(element: Element, path: str) -> list[str]:
    return [text for text in _all_texts(element.findall(path)) if text]


def _all_texts(elements: Iterable[Element]) -> Iterator[str]:
    return (_text(each) for each in elements)


def _text(element: Element) -> str:
    return re.sub(r"\s+", " ", "".join(element.itertext())).strip()


def _is_true(word: str | None) -> bool:
    return (word or "").lower() in _TRUE
