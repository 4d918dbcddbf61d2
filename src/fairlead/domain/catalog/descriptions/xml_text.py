"""Which service does an XML file of Mobyle 1 describe? It is turned into a plain document, and read as one.

Nothing outside of the text is looked at: a part that it includes (`xi:include`) comes from the caller or is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from xml.etree.ElementTree import Element, ParseError, tostring

import defusedxml
from defusedxml.ElementTree import fromstring

from .documents import read_document
from .mobyle1 import SIMPLE, data_terms, format_terms
from .model import Service
from .problems import BadDescription, Problem, bad
from .python_conditions import condition_of

MOST_BYTES = 1024 * 1024
MOST_ELEMENTS = 100_000
DEEPEST = 60
_INCLUDE = "{http://www.w3.org/2001/XInclude}include"
_TRUE = ("1", "true", "yes")


def read_xml(text: bytes | str, includes: Mapping[str, bytes] | None = None) -> Service:
    """The program or workflow that the text describes. `includes` are the parts that it may include, by `href`."""
    root = _parsed(text)
    _include(root, includes or {})
    if root.tag == "program":
        return read_document(_program(root))
    if root.tag == "workflow":
        return read_document(_workflow(root))
    raise BadDescription([Problem(str(root.tag)[:60], "must be a program or a workflow")])


def _parsed(text: bytes | str) -> Element:
    data = text.encode() if isinstance(text, str) else text
    if len(data) > MOST_BYTES:
        raise bad(f"A description may have at most {MOST_BYTES} bytes.")
    try:
        root: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, defusedxml.DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise bad(f"The description is not XML that can be read: {str(error)[:300]}.") from None
    below, seen, depth = [root], 0, 0
    while below:
        seen, depth = seen + len(below), depth + 1
        if seen > MOST_ELEMENTS or depth > DEEPEST:
            raise bad("The description is too large or nested too deeply.")
        below = [child for element in below for child in element]
    return root


def _include(element: Element, includes: Mapping[str, bytes]) -> None:
    for index, child in reversed(list(enumerate(element))):
        if child.tag != _INCLUDE:
            _include(child, includes)
            continue
        element.remove(child)
        part = includes.get(child.get("href", ""))
        if part is not None:
            element.insert(index, _parsed(part))


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
    start, end = element.get("fromTask"), element.get("toTask")
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
        "authors": _said(doc, "authors"),
        "comment": _said(doc, "comment"),
        "references": [
            {"label": _prose(each), "doi": each.get("doi"), "url": each.get("url")} for each in doc.findall("reference")
        ],
        "documentation_links": _texts(doc, "doclink"),
        "source_links": _texts(doc, "sourcelink"),
        "homepage_links": _texts(doc, "homepagelink"),
        "package": None if package is None else _said(package, "name") or _text(package) or None,
    }


def _command(head: Element) -> str | None:
    return _said(head, "command")


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
    precond = _code(element.find("precond"))
    return {
        "name": _said(element, "name"),
        "prompt": _said(element, "prompt"),
        "comment": _said(element, "comment"),
        "argpos": _said(element, "argpos"),
        "precond": condition_of(precond) if precond else None,
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
    return {
        "mandatory": _is_true(element.get("ismandatory")),
        "command": _is_true(element.get("iscommand")),
        "paramfile": _said(element, "paramfile"),
        "format": _code(element.find("format")) or _format_of_choices(element),
        "ctrls": [
            {"message": _said(each, "message"), "test": condition_of(code)}
            for each in element.findall("ctrl")
            if (code := _code(each))
        ],
    }


def _output(element: Element) -> dict[str, Any]:
    kind = next((kind for kind in ("stdout", "stderr") if _is_true(element.get(f"is{kind}"))), "file")
    return {"output_type": kind, "filenames": _code(element.find("filenames"))}


def _format_of_choices(element: Element) -> str | None:
    """A list of choices (`flist`) each of which has a format of its own: the one that is chosen."""
    formats = [(_said(each, "value") or "", _code(each)) for each in element.findall("flist/felem")]
    chosen = "''"
    for value, code in reversed([(value, code) for value, code in formats if code]):
        chosen = f"(({code}) if value == {value!r} else {chosen})"
    return chosen if formats else None


def _type(element: Element) -> dict[str, Any] | None:
    written = element.find("type")
    if written is None:
        return None
    classes = [each for each in (_said(written, f"datatype/{name}") for name in ("class", "superclass")) if each]
    kind = next((SIMPLE[each] for each in classes if each in SIMPLE), None)
    options = [_option(each) for path in ("vlist/velem", "flist/felem") for each in element.findall(path)]
    defaults = _texts(element, "vdef/value")
    if "MultipleChoice" in classes:
        separator = element.findtext("separator")
        items = {"_type": "StringType", "options": options}
        array = {"_type": "ArrayType", "items_type": items, "default": defaults or None}
        return array | ({} if separator is None else {"separator": separator})
    if kind:
        return {"_type": kind, "default": defaults[0] if defaults else None} | ({"options": options} if options else {})
    return {
        "_type": "FormattedType",
        "data_terms": list(data_terms(classes, _texts(written, "biotype"))),
        "format_terms": list(format_terms(classes, _texts(written, "dataFormat"))),
    }


def _option(element: Element) -> dict[str, Any]:
    value = None if _is_true(element.get("undef")) else _said(element, "value")
    return {"label": _said(element, "label"), "value": value}


def _code(element: Element | None) -> str | None:
    """The Python of it; there is Perl in old descriptions as well."""
    if element is None:
        return None
    codes = element.findall("code")
    return next((each.text for each in codes if each.get("proglang", "python") == "python"), None)


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
