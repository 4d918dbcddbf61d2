"""A host has room for so many instances, whoever's stacks they belong to."""

from __future__ import annotations

import threading

import pytest

from fairlead.domain import stacks
from fairlead.domain.stacks import NoRoomOnHost, Status

from .scripted import Cloud, Place, template

ROOM = 5


@pytest.fixture
def place(own_database, tokens):
    place = Place(own_database, tokens, local_instances=ROOM)
    yield place
    place.close()


def asked(place: Place, count: int) -> str:
    """What is said to somebody who asks for so many more."""
    with pytest.raises(NoRoomOnHost) as refused:
        place.apply(template(count))
    return str(refused.value)


def test_a_template_that_asks_for_more_than_are_left_is_refused_and_told_why(place):
    place.apply(template(3))

    said = asked(place, 3)

    assert said == (
        "The stacks on this server's own host may have 5 instances together (--local-instances): others have 3, and "
        "the template asks for 3. Ask for fewer, delete a stack that is not needed, or have the limit raised."
    )
    assert place.log() == ["ada stack.create"]
    place.apply(template(2))


def test_the_stacks_of_all_organizations_share_the_host(place, own_database, tokens):
    other = Place(own_database, tokens, local_instances=ROOM)
    other.apply(template(4))

    assert "others have 4" in asked(place, 2)
    other.close()
    place.apply(template(2))


def test_stacks_of_a_vendor_whose_templates_run_here_count_and_those_elsewhere_do_not(place):
    place.tools.drivers["alicloud"] = Cloud("paper")
    place.apply(template(4, vendor="aws"))
    place.apply(template(100, vendor="alicloud").replace('"alicloud": {}', '"alicloud": {"cred": "a", "region": "b"}'))

    assert "others have 4" in asked(place, 2)


def test_a_stack_that_is_gone_has_left_its_places(place):
    stack_id = place.running(template(ROOM))
    place.delete(stack_id)
    place.gone(stack_id)

    place.apply(template(ROOM))


def test_a_stack_may_grow_into_what_is_left_and_always_shrink(place):
    stack_id = place.running(template(4))
    place.apply(template(1))
    with pytest.raises(NoRoomOnHost, match="others have 1, and the template asks for 5"):
        place.update(stack_id, template(5))
    place.update(stack_id, template(3))
    place.settled(stack_id, Status.UPDATE_COMPLETE)
    place.apply(template(1))

    place.tools = stacks.Tools(place.tools.seal, place.tools.drivers, place.tools.api_url, local_instances=1)
    place.update(stack_id, template(2))

    assert place.settled(stack_id, Status.UPDATE_COMPLETE)


def test_what_a_stack_was_rolled_back_to_counts(place):
    stack_id = place.running(template(4))
    answers = {Status.UPDATE_IN_PROGRESS: ("error", "no")}
    place.agents_say = lambda flag, instance: answers.get(place.find(stack_id).status, ("complete", ""))

    place.update(stack_id, template(1))
    place.settled(stack_id, Status.UPDATE_ROLLBACK_COMPLETE)

    assert "others have 4" in asked(place, 2)


def test_of_two_who_take_the_last_places_at_the_same_moment_one_gets_them(place):
    start, outcomes = threading.Barrier(2), []

    def apply() -> None:
        start.wait()
        try:
            outcomes.append(place.apply(template(3)))
        except NoRoomOnHost as refused:
            outcomes.append(refused)

    both = [threading.Thread(target=apply) for _ in range(2)]
    for each in both:
        each.start()
    for each in both:
        each.join()

    assert sorted(isinstance(each, NoRoomOnHost) for each in outcomes) == [False, True]


def test_a_template_that_never_fits_is_told_so_before_it_is_applied(place):
    stacks.verify_template(place.tools, template(ROOM))

    with pytest.raises(NoRoomOnHost, match=r"may have 5 instances together .*asks for 1000"):
        stacks.verify_template(place.tools, template(1000))


def test_without_a_limit_there_is_room_for_any_number(own_database, tokens):
    place = Place(own_database, tokens)

    place.apply(template(1000))

    place.close()
