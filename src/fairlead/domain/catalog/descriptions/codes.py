"""Which Python stands in an element of Mobyle 1? There is Perl in old descriptions as well."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from .expressions import Expression
from .problems import Problem

_LOSSES = {
    "precond": "so it always applies",
    "format": "so it adds nothing to the command",
    "ctrl": "so no value is refused by it",
    "filenames": "so its files are not found",
    "scale/min": "so values have no least one",
    "scale/max": "so values have no largest one",
    "flist/felem": "so choosing it adds nothing to the command",
}


def python_in(element: Element | None) -> list[str]:
    """Codes that do not say their language are Python, unless they cannot be and others are."""
    if element is None:
        return []
    codes = [(each.get("proglang") or "", each.text or "") for each in element.findall("code")]
    ours = [(language, text) for language, text in codes if language.lower() in ("", "python") and text.strip()]
    readable = [(language, text) for language, text in ours if language or Expression(text).wrong() is None]
    return [text.strip() for _, text in readable or ours]


def without_python(element: Element, name: str) -> Iterator[Problem]:
    """What is left out of a parameter or a paragraph because it is in another language only."""
    for path, loss in _LOSSES.items():
        for found in element.findall(path):
            if any((each.text or "").strip() for each in found.findall("code")) and not python_in(found):
                yield Problem(f"{name}.{path.replace('/', '.')}", f"is not in Python, and was left out: {loss}")
    if element.find("vdef/code") is not None:
        yield Problem(f"{name}.vdef", "is a code and no value, and was left out")


def written_bounds(element: Element) -> dict[str, str]:
    """The least and the largest value that a parameter may have, where they are numbers."""
    found = {word: element.find(f"scale/{word}") for word in ("min", "max")}
    return {word: text for word, each in found.items() if each is not None and (text := _number_in(each))}


def calculated_bounds(element: Element) -> Iterator[dict[str, Any]]:
    """Controls for those that depend on other parameters."""
    for word, sign, least in (("min", ">=", "or more"), ("max", "<=", "or less")):
        bound = element.find(f"scale/{word}")
        if bound is not None and not _number_in(bound):
            for code in python_in(bound)[:1]:
                yield {"message": f"It must be {code} {least}.", "test": {"#python": f"value {sign} ({code})"}}


def _number_in(bound: Element) -> str | None:
    for code in python_in(bound)[:1]:
        try:
            return str(float(code))
        except ValueError:
            return None
    return (bound.findtext("value") or bound.text or "").strip() or None
