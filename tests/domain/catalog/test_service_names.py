"""What are services called, and which version is the newest?"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.domain.catalog import FullName, read_full_name
from fairlead.domain.catalog.names import in_order, problem_of_name


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("needle::public::here", FullName("needle", "", "here")),
        ("needle::here", FullName("needle", "", "here")),
        ("tree::00000000007::here", FullName("tree", "00000000007", "here")),
        ("a:b::here", FullName("a:b", "", "here")),
        ("needle", None),
        ("needle::", None),
        ("::here", None),
        ("needle::::here", None),
        ("needle::public::here::", None),
        ("", None),
        ("x" * 301 + "::here", None),
    ],
)
def test_a_full_name_has_three_parts_or_two(text, parts):
    assert read_full_name(text) == parts


good = st.text(min_size=1, max_size=100).filter(lambda name: not problem_of_name(name))


@given(
    good,
    st.one_of(st.just(""), good.filter(lambda name: name != "public")),
    st.from_regex(r"[a-z]{1,9}", fullmatch=True),
)
def test_what_is_written_is_read_as_the_same(name, project, server):
    full = FullName(name, project, server)

    assert read_full_name(str(full)) == (full if len(str(full)) <= 300 else None)


def test_versions_are_in_the_order_that_people_mean():
    ordered = ["", "0.9", "1", "1.0", "1.0b", "1.0rc2", "1.0rc10", "1.1", "1.2.3", "1.2.10", "1.10", "2", "10", "beta"]
    backwards = list(reversed(ordered))

    assert sorted(backwards, key=in_order) == ordered


@given(st.lists(st.text(max_size=60), max_size=5))
def test_any_versions_can_be_put_in_an_order(versions):
    assert sorted(sorted(versions, key=in_order, reverse=True), key=in_order) == sorted(versions, key=in_order)
    assert len({in_order(version) for version in versions}) == len(set(versions))
