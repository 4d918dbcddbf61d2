"""How is a service written down? As plain data for JSON and YAML, of which the reader makes the same service."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from .conditions import Condition
from .expressions import Expression
from .model import Input, Output, Paragraph, Program, Service

_NAMES = {"items": "items_type"}


def as_document(service: Service) -> dict[str, Any]:
    """What is empty or as usual is left out."""
    kind = "Program" if isinstance(service, Program) else ""
    document = {"_type": type(service).__name__} | _fields(service, kind)
    document.pop("warnings", None)
    return document


def _fields(part: Any, kind: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for field in dataclasses.fields(part):
        value = getattr(part, field.name)
        if field.name in ("inputs", "outputs"):
            made[field.name] = _paragraph(value, "Input" if field.name == "inputs" else "Output", "")
        elif value != _usual(field):
            made[_NAMES.get(field.name, field.name)] = _written(value, kind)
    return made


def _usual(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return field.default


def _paragraph(paragraph: Paragraph[Any], way: str, kind: str) -> dict[str, Any]:
    said = _fields(dataclasses.replace(paragraph, children=()), kind)
    children = [
        _paragraph(each, way, "Program") if isinstance(each, Paragraph) else _parameter(each, way)
        for each in paragraph.children
    ]
    return {"_type": f"{way}{kind}Paragraph"} | said | {"children": children}


def _parameter(parameter: Input | Output, way: str) -> dict[str, Any]:
    return {"_type": f"{way}ProgramParameter"} | _fields(parameter, "")


def _written(value: Any, kind: str) -> Any:
    if isinstance(value, Condition):
        return value.written
    if isinstance(value, Expression):
        return value.text
    if dataclasses.is_dataclass(value):
        named = type(value).__name__
        return ({"_type": named} if named.endswith("Type") else {}) | _fields(value, kind)
    if isinstance(value, list | tuple):
        return [_written(each, kind) for each in value]
    if isinstance(value, Mapping):
        return {key: _written(each, kind) for key, each in value.items()}
    return value
