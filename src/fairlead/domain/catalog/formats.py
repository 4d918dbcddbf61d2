"""In which formats are descriptions handed in and given out?"""

from __future__ import annotations

import enum
from pathlib import PurePath

import msgspec
import yaml

from fairlead.base.errors import Refusal
from fairlead.domain.catalog.descriptions.including import Parts
from fairlead.domain.catalog.descriptions.json_text import read_json
from fairlead.domain.catalog.descriptions.model import Service
from fairlead.domain.catalog.descriptions.writing import as_document
from fairlead.domain.catalog.descriptions.xml_text import read_xml
from fairlead.domain.catalog.descriptions.yaml_text import read_yaml


class Format(enum.StrEnum):
    YAML = "yaml"
    JSON = "json"
    XML = "xml"


class UnknownFormat(Refusal):
    message = "{what} is in no format that descriptions have: " + ", ".join(Format)


_BEFORE = b"\xef\xbb\xbf\xff\xfe\0 \t\r\n"
"""What may stand before the first character, which may be of two bytes."""
_SUFFIXES = {".yaml": Format.YAML, ".yml": Format.YAML, ".json": Format.JSON, ".xml": Format.XML}


def format_called(name: str) -> Format:
    if name.lower() not in list(Format):
        raise UnknownFormat(what=repr(name[:30]))
    return Format(name.lower())


def format_of_file(path: PurePath) -> Format | None:
    """By the end of its name; None if it is no file of descriptions."""
    return _SUFFIXES.get(path.suffix.lower())


def format_of(content: bytes) -> Format:
    """By how it begins: for those who do not say."""
    match content.lstrip(_BEFORE)[:1]:
        case b"<":
            return Format.XML
        case b"{":
            return Format.JSON
        case _:
            return Format.YAML


def read_description(content: bytes, format_: Format | None = None, includes: Parts | None = None) -> Service:
    """The service that is described, or `BadDescription` with all that is wrong. Only XML includes other files."""
    match format_ or format_of(content):
        case Format.YAML:
            return read_yaml(content)
        case Format.JSON:
            return read_json(content)
        case Format.XML:
            return read_xml(content, includes)


def written_as(service: Service, format_: Format) -> str:
    """The description as text, which reads back equal."""
    document = as_document(service)
    match format_:
        case Format.JSON:
            return msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n"
        case Format.YAML:
            return yaml.safe_dump(document, allow_unicode=True, sort_keys=False)
        case Format.XML:
            raise UnknownFormat(what="What is read as XML and not written as such")
