"""The rules of ranges and conditions, by calling them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fairlead.base.http.ranges import NOWHERE, Span, Verdict, Version, decide, find_span, http_date, joined

MADE_AT = datetime(2026, 2, 1, 8, 30, 0, 123456, tzinfo=UTC)
VERSION = Version('"v1"', MADE_AT, 100)
WHOLE = Verdict(200, Span(0, 100))
PART = Verdict(206, Span(10, 10))
DATE = http_date(MADE_AT)
EARLIER = http_date(MADE_AT - timedelta(seconds=1))
LATER = http_date(MADE_AT + timedelta(days=1))


@pytest.mark.parametrize(
    ("value", "span"),
    [
        ("bytes=0-0", Span(0, 1)),
        ("bytes=0-99", Span(0, 100)),
        ("bytes=10-", Span(10, 90)),
        ("bytes=99-", Span(99, 1)),
        ("bytes=90-1000", Span(90, 10)),
        ("bytes=-1", Span(99, 1)),
        ("bytes=-1000", Span(0, 100)),
        ("BYTES= 5-6 ", Span(5, 2)),
        ("bytes=100-", NOWHERE),
        ("bytes=100-200", NOWHERE),
        ("bytes=-0", NOWHERE),
        (f"bytes={9 * 10**30}-", NOWHERE),
        ("bytes=7-6", None),
        ("bytes=-", None),
        ("bytes=", None),
        ("bytes", None),
        ("", None),
        ("bytes=a-b", None),
        ("bytes=1-2,5-6", None),
        ("bytes=--1", None),
        ("bytes=+1-2", None),
        ("bytes=1.0-2", None),
        ("items=0-1", None),
        (f"bytes={'9' * 10_000}-", None),
        ("bytes=٣-٤", None),
    ],
)
def test_a_range_means(value, span):
    assert find_span(value, 100) == span


@pytest.mark.parametrize("value", ["bytes=0-0", "bytes=0-", "bytes=-5"])
def test_nothing_is_a_part_of_an_empty_file(value):
    assert find_span(value, 0) == NOWHERE


numbers = some.integers(0, 40)


@given(numbers, numbers, some.integers(0, 30))
def test_two_ends_pick_the_bytes_between_them(first, last, total):
    content = bytes(range(total))

    span = find_span(f"bytes={first}-{last}", total)

    assert picked(content, span) == (content[first : last + 1] if first <= last else "ignored")


@given(numbers, some.integers(0, 30))
def test_an_open_range_picks_all_that_follows(first, total):
    content = bytes(range(total))

    assert picked(content, find_span(f"bytes={first}-", total)) == content[first:]


@given(numbers, some.integers(0, 30))
def test_a_suffix_picks_the_last_bytes(count, total):
    content = bytes(range(total))

    assert picked(content, find_span(f"bytes=-{count}", total)) == content[max(total - count, 0) :]


@given(some.one_of(some.text(), some.from_regex(r"bytes=[0-9,\- ]*", fullmatch=True)), some.integers(0, 2**63))
def test_no_header_picks_a_byte_that_is_not_there(value, total):
    span = find_span(value, total)

    assert span in (None, NOWHERE) or (0 <= span.start < total and 0 < span.length <= total - span.start)


def picked(content: bytes, span: Span | None) -> bytes | str:
    return "ignored" if span is None else content[span.start :][: span.length]


def test_content_range_names_both_ends_and_the_total():
    assert Span(10, 10).of(100) == "bytes 10-19/100"


@pytest.mark.parametrize(
    ("headers", "verdict"),
    [
        ({}, WHOLE),
        ({"range": "bytes=10-19"}, PART),
        ({"range": "bytes=100-"}, Verdict(416)),
        ({"range": "nonsense"}, WHOLE),
        ({"if-match": '"v1"'}, WHOLE),
        ({"if-match": '"v0", "v1"'}, WHOLE),
        ({"if-match": "*"}, WHOLE),
        ({"if-match": '"v0"'}, Verdict(412)),
        ({"if-match": 'W/"v1"'}, Verdict(412)),
        ({"if-match": '"v1"', "if-unmodified-since": EARLIER}, WHOLE),
        ({"if-unmodified-since": DATE}, WHOLE),
        ({"if-unmodified-since": LATER}, WHOLE),
        ({"if-unmodified-since": EARLIER}, Verdict(412)),
        ({"if-unmodified-since": "one day"}, WHOLE),
        ({"if-none-match": '"v1"'}, Verdict(304)),
        ({"if-none-match": '"v0", W/"v1"'}, Verdict(304)),
        ({"if-none-match": "*"}, Verdict(304)),
        ({"if-none-match": '"v0"'}, WHOLE),
        ({"if-none-match": '"v0"', "if-modified-since": LATER}, WHOLE),
        ({"if-modified-since": DATE}, Verdict(304)),
        ({"if-modified-since": LATER}, Verdict(304)),
        ({"if-modified-since": EARLIER}, WHOLE),
        ({"if-modified-since": "Sunday, 01-Feb-26 08:30:00 GMT"}, Verdict(304)),
        ({"if-modified-since": "Sun Feb  1 08:30:00 2026"}, Verdict(304)),
        ({"if-match": '"v0"', "if-none-match": '"v1"'}, Verdict(412)),
        ({"if-none-match": '"v1"', "range": "bytes=10-19"}, Verdict(304)),
        ({"if-match": '"v0"', "range": "bytes=100-"}, Verdict(412)),
        ({"if-range": '"v1"', "range": "bytes=10-19"}, PART),
        ({"if-range": DATE, "range": "bytes=10-19"}, PART),
        ({"if-range": '"v0"', "range": "bytes=10-19"}, WHOLE),
        ({"if-range": 'W/"v1"', "range": "bytes=10-19"}, WHOLE),
        ({"if-range": LATER, "range": "bytes=10-19"}, WHOLE),
        ({"if-range": "nonsense", "range": "bytes=10-19"}, WHOLE),
        ({"if-range": '"v0"', "range": "bytes=100-"}, WHOLE),
    ],
)
def test_conditions_are_weighed_in_the_order_of_the_standard(headers, verdict):
    assert decide("GET", headers, VERSION) == verdict


def test_ranges_are_for_get_alone_and_conditions_for_both():
    assert decide("HEAD", {"range": "bytes=10-19"}, VERSION) == WHOLE
    assert decide("HEAD", {"range": "bytes=100-"}, VERSION) == WHOLE
    assert decide("HEAD", {"if-none-match": '"v1"'}, VERSION) == Verdict(304)


conditions = ["range", "if-range", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"]


@given(some.dictionaries(some.sampled_from(conditions), some.text(some.characters(max_codepoint=255))))
def test_no_header_of_a_stranger_breaks_the_rules(headers):
    assert decide("GET", headers, VERSION).status in {200, 206, 304, 412, 416}


def test_a_header_that_came_twice_is_one_list():
    raw = [(b"If-None-Match", b'"a"'), (b"Host", b" here "), (b"if-none-match", b'"b"')]

    assert joined(raw) == {"if-none-match": '"a", "b"', "host": "here"}


def test_two_range_headers_are_several_ranges_and_ignored():
    assert decide("GET", joined([(b"Range", b"bytes=0-1"), (b"Range", b"bytes=2-3")]), VERSION) == WHOLE
