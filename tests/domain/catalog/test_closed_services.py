"""Which services can administrators close for everybody?"""

from __future__ import annotations

import pytest

from fairlead.base.errors import Kind
from fairlead.domain import catalog
from house.portals import PROJECT, described, workflow


@pytest.fixture
def filled(here):
    here.register(described("needle"), described("water"), described("clustalw-multialign"))
    here.register(workflow("draft"), project=PROJECT)
    return here


def close(here, *patterns, **said):
    here.do(here.admin, catalog.change_closed, catalog.Closed(patterns=patterns, **said))


def closed(here):
    return {service.name for service in here.seen_by(here.admin).values() if service.disabled}


@pytest.mark.parametrize(
    ("patterns", "names"),
    [
        ((), set()),
        (("here.needle",), {"needle"}),
        (("local.needle",), {"needle"}),
        (("here.*a*", "local.d?aft"), {"water", "clustalw-multialign", "draft"}),
        (("*.*",), {"needle", "water", "clustalw-multialign", "draft"}),
        (("there.*",), set()),
        (("here.need",), set()),
        (("here.NEEDLE",), set()),
    ],
)
def test_a_pattern_closes_what_it_matches(filled, patterns, names):
    close(filled, *patterns)

    assert closed(filled) == names
    assert {each.name for each in filled.seen_by(filled.admin).values() if not each.authorized} == names


def test_all_can_be_closed_at_once_with_a_word_and_opened_again(filled):
    close(filled, everything=True, message="Back on Monday.")
    assert closed(filled) == {"needle", "water", "clustalw-multialign", "draft"}
    with pytest.raises(catalog.ServiceIsDisabled, match="Back on Monday"):
        filled.do(filled.ada, catalog.find_callable, filled.own, "needle::here")

    close(filled)

    assert closed(filled) == set()
    assert filled.log()[-2:] == ["portal.close_services"] * 2


def test_what_a_service_says_itself_comes_first(filled):
    filled.change("needle::here", disabled=True, message="Its databank is renewed.")

    close(filled, "here.needle", message="Closed.")

    assert filled.find(filled.ada, "needle::here").message == "Its databank is renewed."
    close(filled)
    assert closed(filled) == {"needle"}


def test_the_same_again_is_not_put_on_record(filled):
    close(filled, "here.needle")
    close(filled, "here.needle")

    assert filled.log().count("portal.close_services") == 1
    assert filled.do(filled.admin, catalog.find_closed) == catalog.Closed(patterns=("here.needle",))


def test_another_organization_keeps_its_services_open(filled, new_portal):
    other = new_portal()
    other.register(described("needle"))

    close(filled, everything=True)

    assert closed(other) == set()


@pytest.mark.parametrize("pattern", ["needle", "", ".", "here.", ".needle", "here." + "x" * 200, "here.a\nb"])
def test_a_pattern_that_is_none_is_refused(filled, pattern):
    with pytest.raises(catalog.BadPattern):
        close(filled, pattern)
    with pytest.raises(catalog.BadPattern):
        close(filled, *["here.x"] * 201)


@pytest.mark.parametrize("message", ["x" * 501, "a\0b", "a\x1bb"])
def test_a_message_that_is_too_long_or_cannot_be_shown_is_refused(filled, message):
    with pytest.raises(catalog.MessageTooLong) as refused:
        close(filled, message=message)
    assert refused.value.kind is Kind.INVALID
    with pytest.raises(catalog.MessageTooLong):
        filled.change("needle::here", message=message)


def test_a_pattern_that_is_made_to_take_long_does_not(filled):
    filled.register(described("a" * 90))

    close(filled, "here." + "*a" * 90 + "b")

    assert closed(filled) == set()
