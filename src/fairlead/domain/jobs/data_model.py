"""What is data of a project, and what may be said of it?"""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import datetime

from fairlead.base.errors import Kind, Refusal
from fairlead.domain import catalog
from fairlead.domain.identity import portal

LONGEST_NAME = 200
LONGEST_DESCRIPTION = 4000
LONGEST_TAG = 50
MOST_TAGS = 30
MOST_TERMS = 20
LARGEST_TEXT = 4 * 1024 * 1024
"""So many bytes of text may come within a request that says more than the text."""


class DataStatus(enum.StrEnum):
    QUEUED = "queued"
    DOWNLOADING = "downloading"
    READY = "ready"
    ERROR = "error"

    @property
    def is_awaited(self) -> bool:
        return self in (DataStatus.QUEUED, DataStatus.DOWNLOADING)


class Source(enum.StrEnum):
    """Where it came from."""

    UPLOAD = "upload"
    TEXT = "text"
    URL = "url"
    JOB = "job"


@dataclass(frozen=True, slots=True)
class Data:
    """`produced_by` is the number of the job whose output it was, `added_by` that of the user."""

    number: int
    project: int
    name: str
    description: str
    tags: tuple[str, ...]
    data_terms: tuple[str, ...]
    format_terms: tuple[str, ...]
    size_bytes: int
    sha256: str
    status: DataStatus
    message: str
    public: bool
    persistent: bool
    source: Source
    url: str
    produced_by: int | None
    produced_as: str
    position: int
    blob_key: str
    added_by: int
    created_at: datetime
    updated_at: datetime

    @property
    def id(self) -> str:
        return portal.written(self.number)


@dataclass(frozen=True, slots=True)
class Draft:
    """What is said of data by whoever adds it. Terms are EDAM's."""

    name: str
    description: str = ""
    tags: tuple[str, ...] = ()
    data_terms: tuple[str, ...] = ()
    format_terms: tuple[str, ...] = ()
    public: bool = False
    persistent: bool = False


@dataclass(frozen=True, slots=True)
class DataChange:
    """What becomes different; None stays."""

    name: str | None = None
    description: str | None = None
    tags: tuple[str, ...] | None = None
    data_terms: tuple[str, ...] | None = None
    format_terms: tuple[str, ...] | None = None
    public: bool | None = None
    persistent: bool | None = None


class BadData(Refusal):
    message = "{reason}"


class DataTooLarge(Refusal):
    kind = Kind.TOO_LARGE
    message = "Data may have at most {most} bytes."


class ProjectIsFull(Refusal):
    kind = Kind.LIMIT
    message = "The project may hold {limit} bytes and has room for {room} more."


class DataIsInUse(Refusal):
    kind = Kind.CONFLICT
    message = "{job} uses this data and is under way."


class DataIsNotReady(Refusal):
    kind = Kind.CONFLICT
    message = "This data cannot be read: {reason}"


def checked(draft: Draft) -> Draft:
    """The same with its terms as EDAM writes them, or `BadData`."""
    make_sure_words_are_good(draft.name, draft.description, draft.tags)
    return replace(
        draft,
        tags=tuple(dict.fromkeys(draft.tags)),
        data_terms=known_terms(draft.data_terms, "data"),
        format_terms=known_terms(draft.format_terms, "format"),
    )


def encoded_size_is_good(text: str) -> bool:
    """Is it a text that may come within a request?"""
    try:
        return len(text) <= LARGEST_TEXT and len(text.encode()) <= LARGEST_TEXT
    except UnicodeEncodeError:
        return False


def make_sure_words_are_good(name: str, description: str, tags: tuple[str, ...]) -> None:
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or "/" in name:
        raise BadData(reason=f"name: it is printable, has no slash, and has 1 to {LONGEST_NAME} characters.")
    if len(description) > LONGEST_DESCRIPTION or "\0" in description:
        raise BadData(reason=f"description: it has at most {LONGEST_DESCRIPTION} characters.")
    if len(tags) > MOST_TAGS or not all(0 < len(tag) <= LONGEST_TAG and tag.isprintable() for tag in tags):
        raise BadData(reason=f"tags: at most {MOST_TAGS}, each printable and of 1 to {LONGEST_TAG} characters.")


def known_terms(terms: tuple[str, ...], branch: str) -> tuple[str, ...]:
    """As EDAM writes them. Terms that EDAM does not have, or has of something else, are refused."""
    if len(terms) > MOST_TERMS:
        raise BadData(reason=f"{branch}_terms: there are at most {MOST_TERMS}.")
    found = []
    for term in terms:
        known = catalog.find_term(term)
        if known is None or not known.id.startswith(f"EDAM_{branch}:"):
            raise BadData(reason=f"{branch}_terms: {term[:60]!r} is no {branch} of EDAM.")
        found.append(known.id)
    return tuple(dict.fromkeys(found))
