"""What does a description say that was registered, and by which mark is it known that it is still the same?"""

from __future__ import annotations

import hashlib
from typing import Any

import msgspec

from fairlead.base.database import Tx
from fairlead.domain.catalog import store
from fairlead.domain.catalog.descriptions.json_text import read_json
from fairlead.domain.catalog.descriptions.model import Program, Service, Widget, Workflow
from fairlead.domain.catalog.descriptions.writing import as_document
from fairlead.domain.catalog.model import (
    DescriptionTooLarge,
    Listed,
    ServiceNotFound,
    ServiceType,
    VersionNotFound,
)

LARGEST = 900 * 1024
"""So many bytes of JSON a description may be: less than what one server takes from another."""
LONGEST_SUMMARY = 2000
LONGEST_TITLE = 200
MOST_TERMS = 100


def content_of(tx: Tx, listed: Listed, version: str = "") -> Service:
    """The description of a service of this server, in this version or in the one that answers by its name."""
    document = store.document(tx, listed.project_number, listed.name, version or listed.version)
    if document is None and version:
        raise VersionNotFound(name=listed.full_name, version=version[:60])
    if document is None:
        raise ServiceNotFound(name=listed.full_name)
    return read_json(document.encode())


def text_of(service: Service) -> str:
    """The description as it is kept: always the same for the same content."""
    text = msgspec.json.encode(as_document(service), order="sorted")
    if len(text) > LARGEST:
        raise DescriptionTooLarge(most=LARGEST)
    return text.decode()


def content_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def version_of(service: Service) -> str:
    """Its version, empty if it says none."""
    return service.version or ""


def type_of(service: Service) -> ServiceType:
    match service:
        case Program():
            return ServiceType.PROGRAM
        case Workflow():
            return ServiceType.WORKFLOW
        case Widget():
            return ServiceType.WIDGET


def summary_of(service: Service) -> dict[str, Any]:
    """What is listed of a service, in the columns that keep it."""
    return {
        "title": (service.title or service.public_name or "")[:LONGEST_TITLE],
        "summary": (service.description or "")[:LONGEST_SUMMARY],
        "package": (service.package or "")[:LONGEST_TITLE],
        "topics": _terms(service.topics),
        "operations": _terms(service.operations),
    }


def _terms(terms: tuple[str, ...]) -> str:
    return msgspec.json.encode(terms[:MOST_TERMS]).decode()
