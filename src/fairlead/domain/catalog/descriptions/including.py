"""Which other files does an XML file include (`xi:include`), and what does it say with them in their places?

Files are known by their way from the file that is read, such as `Env/databases.xml`. Whoever reads it says what is in
them: nothing is looked for here. A part that is not there is never left out in silence, because the rest would mean
something else: what the file says for that case (`xi:fallback`) takes its place, or the file is refused.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit
from xml.etree.ElementTree import Element

from .problems import BadDescription, Problem, bad, quoted
from .xml_parsing import MOST_ELEMENTS, make_sure_it_is_small, parsed

MOST_PARTS = 200
MOST_NESTED = 5

_SPACE = "{http://www.w3.org/2001/XInclude}"
_INCLUDE, _FALLBACK = f"{_SPACE}include", f"{_SPACE}fallback"

Parts = Mapping[str, bytes]


def parts_of(text: bytes, find: Callable[[str], bytes | None]) -> dict[str, bytes]:
    """All files that it includes, and that these include, as far as `find` has them."""
    parts: dict[str, bytes] = {}
    looked_for: set[str] = set()
    waiting = [("", text)]
    while waiting:
        place, content = waiting.pop()
        for way in _ways(_parsed_part(content, place), place):
            if way in looked_for:
                continue
            looked_for.add(way)
            if len(looked_for) > MOST_PARTS:
                raise bad(f"The description includes more than {MOST_PARTS} files.")
            part = find(way)
            if part is not None:
                parts[way] = part
                waiting.append((way, part))
    return parts


def include(root: Element, parts: Parts) -> None:
    """Put into it what it includes; `BadDescription` names all that is missing."""
    work = _Inclusion(parts)
    work.complete(root, "", ())
    if work.problems:
        raise BadDescription(work.problems)
    make_sure_it_is_small(root)


def _ways(root: Element, place: str) -> Iterator[str]:
    ways = (_way(element, place) for element in root.iter(_INCLUDE))
    return (way for way in ways if way is not None)


def _way(element: Element, place: str) -> str | None:
    """None if it is not simply a file: an address, a part of a file, or a text that is not to be read as XML."""
    try:
        split = urlsplit(element.get("href", "").strip())
    except ValueError:
        return None
    path = unquote(split.path)
    is_whole = element.get("parse", "xml") == "xml" and not element.get("xpointer") and not split.fragment
    is_elsewhere = split.scheme or split.netloc or split.query or path.startswith("/") or "\\" in path or "\0" in path
    if not path or not is_whole or is_elsewhere:
        return None
    return posixpath.normpath(posixpath.join(posixpath.dirname(place), path))


def _parsed_part(content: bytes, place: str) -> Element:
    """Problems with a part are told with its name."""
    try:
        return parsed(content)
    except BadDescription as refusal:
        raise BadDescription(Problem(place, str(each)) for each in refusal.problems) from None


@dataclass(slots=True)
class _Inclusion:
    parts: Parts
    problems: list[Problem] = field(default_factory=list)
    elements: int = 0

    def complete(self, element: Element, place: str, above: tuple[str, ...]) -> None:
        """`above` are the parts that it is in, the outermost first."""
        for index in reversed(range(len(element))):
            child = element[index]
            if child.tag == _INCLUDE:
                _replace(element, index, *self.instead_of(child, place, above))
            else:
                self.complete(child, place, above)

    def instead_of(self, element: Element, place: str, above: tuple[str, ...]) -> tuple[str, list[Element]]:
        """The text and the elements that come into its place."""
        way = _way(element, place)
        if way is not None and way in self.parts:
            return "", self.part(way, above)
        fallback = element.find(_FALLBACK)
        if fallback is None:
            what = f"of {quoted(element.get('href', ''))} cannot be followed: import the folder that has both files"
            self.problems.append(Problem("xi:include", f"{what}, or write that part into this one"))
            return "", []
        self.complete(fallback, place, above)
        return fallback.text or "", list(fallback)

    def part(self, way: str, above: tuple[str, ...]) -> list[Element]:
        if way in above or len(above) >= MOST_NESTED:
            raise bad(f"The description includes {quoted(way)} within itself, or too deeply.")
        root = _parsed_part(self.parts[way], way)
        holder = root.makeelement("part", {})
        holder.append(root)
        self.elements += make_sure_it_is_small(holder)
        if self.elements > MOST_ELEMENTS:
            raise bad("The description includes too much.")
        self.complete(holder, way, (*above, way))
        return list(holder)


def _replace(element: Element, index: int, text: str, instead: list[Element]) -> None:
    after = element[index].tail or ""
    element[index : index + 1] = instead
    if instead:
        instead[-1].tail = (instead[-1].tail or "") + after
    else:
        text += after
    if index == 0:
        element.text = (element.text or "") + text
    else:
        element[index - 1].tail = (element[index - 1].tail or "") + text
