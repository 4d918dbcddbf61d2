"""Which part of a file does a request want, and does it still want it? RFC 9110, sections 13 and 14, without I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

_ONE_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,40})-([0-9]{0,40})[ \t]*", re.IGNORECASE)
_ENTITY_TAG = re.compile(r'(W/)?"[\x21\x23-\x7e\x80-\xff]*"')


@dataclass(frozen=True)
class Span:
    """So many bytes from here on."""

    start: int
    length: int

    def of(self, total: int) -> str:
        """As Content-Range says it: both ends belong to it."""
        return f"bytes {self.start}-{self.start + self.length - 1}/{total}"


NOWHERE = Span(0, 0)
"""A range that lies beyond the end."""


@dataclass(frozen=True)
class Version:
    """What identifies the bytes behind an address. The tag is a strong one, with its quotes."""

    etag: str
    modified_at: datetime
    size_bytes: int

    @property
    def last_modified(self) -> str:
        return http_date(self.modified_at)


@dataclass(frozen=True)
class Verdict:
    """The status to answer with, and which bytes."""

    status: int
    span: Span = NOWHERE


def decide(method: str, headers: Mapping[str, str], version: Version) -> Verdict:
    """Weigh the conditions in the order of RFC 9110, 13.2.2. Header names are lower case."""
    if not _still_the_expected(headers, version):
        return Verdict(412)
    if _already_known(headers, version):
        return Verdict(304)
    whole = Span(0, version.size_bytes)
    if method != "GET" or "range" not in headers or not _range_applies(headers, version):
        return Verdict(200, whole)
    match find_span(headers["range"], version.size_bytes):
        case None:
            return Verdict(200, whole)
        case span if span == NOWHERE:
            return Verdict(416)
        case span:
            return Verdict(206, span)


def find_span(value: str, total: int) -> Span | None:
    """The bytes that a Range header asks for; None when it is to be ignored: malformed, several ranges, other units."""
    found = _ONE_RANGE.fullmatch(value)
    if not found or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        return _up_to_the_end(max(total - int(last), 0), total) if int(last) else NOWHERE
    if not last:
        return _up_to_the_end(int(first), total)
    if int(last) < int(first):
        return None
    return _up_to_the_end(int(first), min(int(last) + 1, total))


def joined(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Raw headers by name. What came more than once is one list, as RFC 9110 reads it."""
    by_name: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1").strip()
        by_name[name] = f"{by_name[name]}, {value}" if name in by_name else value
    return by_name


def http_date(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC).replace(microsecond=0), usegmt=True)


def _up_to_the_end(start: int, end: int) -> Span:
    return Span(start, end - start) if start < end else NOWHERE


def _still_the_expected(headers: Mapping[str, str], version: Version) -> bool:
    if "if-match" in headers:
        wanted = headers["if-match"]
        return wanted == "*" or version.etag in _tags(wanted)
    limit = _date(headers.get("if-unmodified-since"))
    return limit is None or _seconds(version.modified_at) <= limit


def _already_known(headers: Mapping[str, str], version: Version) -> bool:
    if "if-none-match" in headers:
        known = headers["if-none-match"]
        return known == "*" or version.etag in {tag.removeprefix("W/") for tag in _tags(known)}
    limit = _date(headers.get("if-modified-since"))
    return limit is not None and _seconds(version.modified_at) <= limit


def _range_applies(headers: Mapping[str, str], version: Version) -> bool:
    """If-Range wants exactly this version. A blob never changes under its key, so its date is as good as its tag."""
    if "if-range" not in headers:
        return True
    wanted = headers["if-range"]
    return wanted == version.etag or _date(wanted) == _seconds(version.modified_at)


def _tags(value: str) -> set[str]:
    return {found.group() for found in _ENTITY_TAG.finditer(value)}


def _date(value: str | None) -> datetime | None:
    """What is not a date is no condition."""
    try:
        moment = parsedate_to_datetime(value) if value else None
        return moment and (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _seconds(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)
