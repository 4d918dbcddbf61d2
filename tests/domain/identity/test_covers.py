"""Does nobody hand out more than they have? Whatever `covers` says yes to, must never allow more."""

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from fairlead.domain.identity import (
    BUILT_IN_ROLES,
    Deed,
    Everything,
    OnDevices,
    OnRequests,
    Permission,
    Policy,
    Which,
    policy_of,
)

ALL, OBSERVER, CI, TERMINAL = BUILT_IN_ROLES
GROUPS, IDS = ["a", "b"], ["1", "2"]
PATHS = ["/", "/devices", "/devices/1", "/users", "/users/me", "/deployments/group/a\nb"]
METHODS = ["GET", "PUT"]
EXPRESSIONS = [".*", ".*$", "^", "/devices", "^/devices$", "/users", "^/users/.*", ".*me", "(?-s).*$"]
ON_DEVICES = (Permission.VIEW_DEVICES, Permission.MANAGE_DEVICES)

on_devices = st.one_of(
    st.builds(OnDevices, st.sampled_from(Deed), st.just(Which.ANY)),
    st.builds(OnDevices, st.sampled_from(Deed), st.just(Which.GROUP), st.sampled_from(GROUPS)),
    st.builds(OnDevices, st.sampled_from(Deed), st.just(Which.DEVICE), st.sampled_from(IDS)),
)
on_requests = st.builds(OnRequests, st.sampled_from([*METHODS, "any"]), st.sampled_from(EXPRESSIONS))
roles = st.lists(st.sampled_from(list(BUILT_IN_ROLES)), max_size=2, unique=True)
grants = st.lists(st.one_of(on_devices, on_requests, st.just(Everything())), max_size=4)
policies = st.builds(policy_of, roles, grants)


@st.composite
def somebody_and_somebody_like_them(draw) -> tuple[Policy, Policy]:
    """The second has some of what the first has, and perhaps one thing more."""
    theirs, named = draw(roles), draw(grants)
    some = [each for each in named if draw(st.booleans())] + draw(st.lists(on_devices | on_requests, max_size=1))
    return policy_of(theirs, named), policy_of([each for each in theirs if draw(st.booleans())], some)


def deeds(policy: Policy) -> set[tuple[str, ...]]:
    """All that the policy allows, one by one, in a world of two methods, six paths and three devices."""
    found = set()
    for method in METHODS:
        for path in PATHS:
            here = policy.at(method, path)
            found |= {(method, path, right) for right in Permission if right in here and right not in ON_DEVICES}
            for device, group in (("1", "a"), ("2", "b"), ("3", "")):
                inside = {
                    Permission.VIEW_DEVICES: policy.sight,
                    Permission.MANAGE_DEVICES: policy.sight,
                    Permission.VIEW_DEPLOYMENTS: policy.sight,
                    Permission.MANAGE_DEPLOYMENTS: policy.deploys_to,
                    Permission.USE_TERMINAL: policy.terminals,
                }
                for right, limit in inside.items():
                    if right in here and (limit is None or device in limit.ids or group in limit.groups):
                        found.add((method, path, right, device))
    return found


@settings(max_examples=1000, deadline=None)
@given(somebody_and_somebody_like_them())
def test_what_is_covered_allows_nothing_that_the_other_does_not(two):
    own, other = two
    event("covered" if own.covers(other) and other != Policy.NOBODY else "not covered")
    if own.covers(other):
        assert deeds(other) <= deeds(own)


@settings(max_examples=300, deadline=None)
@given(policies)
def test_everybody_covers_themselves_and_nobody_at_all(own):
    assert own.covers(own)
    assert own.covers(Policy.NOBODY)


@settings(max_examples=300, deadline=None)
@given(policies)
def test_who_may_do_everything_everywhere_covers_everybody(other):
    assert policy_of([ALL], []).covers(other)


def view(*groups: str) -> list[OnDevices]:
    return [OnDevices(Deed.VIEW, Which.GROUP, group) for group in groups]


def http(*rules: tuple[str, str]) -> Policy:
    return policy_of([], [OnRequests(*rule) for rule in rules])


@pytest.mark.parametrize(
    ("own", "other", "is_covered"),
    [
        (policy_of([OBSERVER], []), policy_of([ALL], []), False),
        (policy_of([CI], []), policy_of([OBSERVER], []), False),
        (policy_of([OBSERVER, CI], []), policy_of([OBSERVER], []), True),
        (policy_of([ALL], view("a")), policy_of([ALL], view("a")), True),
        (policy_of([ALL], view("a")), policy_of([ALL], []), False),
        (policy_of([ALL], view("a")), policy_of([OBSERVER], []), False),
        (policy_of([ALL], view("a")), policy_of([], view("b")), False),
        (policy_of([ALL], view("a", "b")), policy_of([ALL], view("b")), True),
        (policy_of([ALL], view("a")), policy_of([ALL], view("a", "b")), False),
        (policy_of([ALL], view("a")), policy_of([], [OnDevices(Deed.VIEW, Which.ANY)]), False),
        (policy_of([ALL], view("a")), policy_of([], [OnDevices(Deed.VIEW, Which.DEVICE, "1")]), False),
        (policy_of([ALL], view("a")), http(("GET", "/devices")), False),
        (http(("any", ".*")), http(("GET", "/users")), True),
        (http(("GET", ".*")), http(("PUT", "/users")), False),
        (http(("GET", ".*")), http(("any", "/users")), False),
        (http(("GET", "/users")), http(("GET", "/users")), True),
        (http(("GET", "/users")), http(("GET", "/users/me")), False),  # it does match less, which nobody can tell
        (http(("GET", "/users"), ("PUT", "/users")), http(("PUT", "/users")), True),
        (http(("any", ".*")), policy_of([ALL], []), False),
        (http(("any", ".*")), policy_of([], [Everything()]), False),
        (policy_of([ALL], []), http(("any", ".*")), True),
    ],
)
def test_in_doubt_nothing_is_covered(own, other, is_covered):
    assert own.covers(other) is is_covered
