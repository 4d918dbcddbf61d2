"""Is this XML that we are willing to look at? Nothing outside of the text is, whatever it refers to."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, ParseError

import defusedxml
from defusedxml.ElementTree import DefusedXMLParser

from .problems import bad

MOST_BYTES = 1024 * 1024
MOST_ELEMENTS = 100_000
DEEPEST = 60


class _Parser(DefusedXMLParser):
    """A document type that only says where its grammar is does no harm, because that is never fetched."""

    def defused_start_doctype_decl(self, name: str, sysid: Any, pubid: Any, has_internal_subset: bool) -> None:
        if has_internal_subset:
            raise defusedxml.DTDForbidden(name, sysid, pubid)


def parsed(text: bytes | str) -> Element:
    """The element that the text is; `BadDescription` if it is none, or too large."""
    data = text.encode() if isinstance(text, str) else text
    if len(data) > MOST_BYTES:
        raise bad(f"A description may have at most {MOST_BYTES} bytes.")
    parser = _Parser(forbid_dtd=True)
    try:
        parser.feed(data)
        root: Element = parser.close()
    except (ParseError, defusedxml.DefusedXmlException, ValueError, LookupError, RecursionError) as error:
        raise bad(f"The description is not XML that can be read: {str(error)[:300]}.") from None
    make_sure_it_is_small(root)
    return root


def make_sure_it_is_small(root: Element) -> int:
    """How many elements it has, if they are not too many."""
    below, seen, depth = [root], 0, 0
    while below:
        seen, depth = seen + len(below), depth + 1
        if seen > MOST_ELEMENTS or depth > DEEPEST:
            raise bad("The description is too large or nested too deeply.")
        below = [child for element in below for child in element]
    return seen
