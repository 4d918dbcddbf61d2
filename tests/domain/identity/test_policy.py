"""What do roles add up to?"""

import pytest

from fairlead.base.scope import Actor, ActorKind, NotAllowed, Scope, system_scope
from fairlead.domain import identity
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
from fairlead.domain.identity.policy import (
    BadExpression,
    DeviceLimit,
    covers,
    for_request,
    make_sure_expression_is_good,
)

ALL, OBSERVER, CI, TERMINAL = BUILT_IN_ROLES
DEVICES = "/api/management/v2/devauth/devices"


def on(deed: Deed, *groups: str, device: str = "") -> list[OnDevices]:
    ids = [OnDevices(deed, Which.DEVICE, device)] if device else []
    return [OnDevices(deed, Which.GROUP, group) for group in groups] + ids


def on_any(deed: Deed) -> OnDevices:
    return OnDevices(deed, Which.ANY)


def groups(*names: str) -> DeviceLimit:
    return DeviceLimit(frozenset(names))


def scope(policy: Policy) -> Scope:
    return Scope("acme", Actor(ActorKind.USER, "ada"), policy)


@pytest.mark.parametrize("role", BUILT_IN_ROLES)
def test_a_built_in_role_allows_its_own_and_nothing_else(role):
    policy = policy_of([role], [])

    assert {permission for permission in Permission if permission in policy} == BUILT_IN_ROLES[role]
    assert (policy.sight, policy.deploys_to, policy.terminals) == (None, None, None)


def test_no_role_allows_nothing():
    assert policy_of([], []) == Policy.NOBODY
    assert [permission for permission in Permission if permission in Policy.NOBODY] == []


def test_roles_that_are_not_there_any_more_allow_nothing():
    assert policy_of(["gone", "rbac_role_permit_all"], []) == Policy.NOBODY


def test_roles_add_up():
    policy = policy_of([OBSERVER, TERMINAL], [])

    assert policy.permissions == BUILT_IN_ROLES[OBSERVER] | BUILT_IN_ROLES[TERMINAL]
    assert not policy.everything


def test_what_adds_up_to_everything_is_everything():
    assert policy_of([ALL], []).everything
    assert policy_of([], [Everything()]).everything
    assert all(permission in policy_of([], [Everything()]) for permission in Permission)


@pytest.mark.parametrize(
    ("deed", "allowed"),
    [
        (Deed.VIEW, {Permission.VIEW_DEVICES}),
        (
            Deed.DEPLOY,
            {
                Permission.VIEW_DEVICES,
                Permission.VIEW_ARTIFACTS,
                Permission.VIEW_DEPLOYMENTS,
                Permission.MANAGE_DEPLOYMENTS,
            },
        ),
        (Deed.TERMINAL, {Permission.VIEW_DEVICES, Permission.USE_TERMINAL}),
    ],
)
def test_a_deed_on_devices_allows_what_it_takes(deed, allowed):
    for grants in ([on_any(deed)], on(deed, "doors"), on(deed, device="1")):
        assert policy_of([], grants).permissions == allowed


@pytest.mark.parametrize(
    ("roles", "grants", "sight", "deploys_to", "terminals"),
    [
        ([], on(Deed.VIEW, "a"), groups("a"), groups("a"), groups("a")),
        ([ALL], on(Deed.VIEW, "a"), groups("a"), groups("a"), groups("a")),
        ([ALL], on(Deed.DEPLOY, "a"), groups("a"), groups("a"), groups("a")),
        ([ALL], on(Deed.VIEW, "a", "b"), groups("a", "b"), groups("a", "b"), groups("a", "b")),
        ([], on(Deed.VIEW, "a") + on(Deed.DEPLOY, "b"), groups("a", "b"), groups("b"), groups("a", "b")),
        ([CI], on(Deed.TERMINAL, "a") + on(Deed.DEPLOY, "b"), groups("a", "b"), groups("b"), groups("a")),
        ([], on(Deed.VIEW, device="1"), *[DeviceLimit(ids=frozenset("1"))] * 3),
        ([ALL], [on_any(Deed.VIEW)], None, None, None),
        ([], [on_any(Deed.VIEW), *on(Deed.DEPLOY, "a")], None, groups("a"), None),
        ([], [on_any(Deed.VIEW), on_any(Deed.DEPLOY), *on(Deed.DEPLOY, "a")], None, None, None),
        ([], [on_any(Deed.DEPLOY), *on(Deed.DEPLOY, "a")], groups("a"), groups("a"), groups("a")),
        ([], [on_any(Deed.DEPLOY), *on(Deed.VIEW, "a")], groups("a"), groups("a"), groups("a")),
        ([], [Everything(), *on(Deed.VIEW, "a")], groups("a"), groups("a"), groups("a")),
        ([], [OnRequests("any", ".*"), *on(Deed.VIEW, "a")], groups("a"), groups("a"), groups("a")),
    ],
)
def test_naming_groups_limits_whatever_else_is_allowed(roles, grants, sight, deploys_to, terminals):
    policy = policy_of(roles, grants)

    assert (policy.sight, policy.deploys_to, policy.terminals) == (sight, deploys_to, terminals)


def test_a_request_that_a_rule_matches_is_open_for_as_long_as_it_lasts():
    policy = policy_of([], [OnRequests("DELETE", f"^{DEVICES}/1$")])

    matching = policy.at("DELETE", f"{DEVICES}/1")
    others = [
        policy.at(method, path)
        for method, path in (("GET", f"{DEVICES}/1"), ("DELETE", f"{DEVICES}/12"), ("DELETE", f"/x{DEVICES}/1"))
    ]

    assert Permission.MANAGE_DEVICES in matching
    assert others == [policy] * 3
    assert Permission.MANAGE_DEVICES not in policy


def test_an_open_request_is_limited_like_any_other():
    policy = policy_of([], [OnRequests("any", ".*"), *on(Deed.VIEW, "a")]).at("DELETE", f"{DEVICES}/1")

    assert identity.sight(scope(policy)) == groups("a")


def test_an_open_request_gives_nothing_to_hand_out():
    policy = policy_of([], [OnRequests("any", ".*")]).at("PUT", "/api/management/v1/useradm/users/me")

    assert Permission.MANAGE_USERS in policy
    assert not policy.covers(policy_of([ALL], []))
    assert not policy.covers(policy_of([OBSERVER], []))


@pytest.mark.parametrize(
    ("expression", "path", "matches"),
    [
        ("/api", "/api/x", True),
        ("^/api$", "/api", True),
        ("^/api$", "/api/x", False),
        ("api", "/api", False),
        (".*api", "/x/api/y", True),
        (".*$", "/a\nb", True),
        ("(?i)/API", "/api", True),
        ("/api/(users|roles)$", "/api/roles", True),
        ("/api/ü", "/api/ü", True),
    ],
)
def test_an_expression_matches_from_the_start_of_the_path(expression, path, matches):
    assert OnRequests("GET", expression).matches("GET", path) is matches
    assert OnRequests("any", expression).matches("PUT", path) is matches
    assert not OnRequests("GET", expression).matches("PUT", path)


@pytest.mark.parametrize("expression", ["(", "[", "*", "a{1001}", r"\1", "(?=x)", "(?P<n", "x" * 1025, "((a{99}){99})"])
def test_what_is_no_expression_is_refused(expression):
    with pytest.raises(BadExpression):
        make_sure_expression_is_good(expression)


def test_an_expression_that_would_take_others_years_takes_no_time():
    assert not OnRequests("any", "(a*)*(a*)*(a*)*b$").matches("GET", "a" * 100_000)


def test_the_system_is_limited_by_nothing():
    system = system_scope("acme")

    assert (identity.sight(system), identity.deployment_limit(system), identity.terminal_limit(system)) == (None,) * 3
    assert for_request(system, "GET", "/") is system
    assert covers(system, policy_of([ALL], []))


def test_who_has_no_rules_for_requests_keeps_their_scope():
    ada = scope(policy_of([OBSERVER], []))

    assert for_request(ada, "GET", DEVICES) is ada
    with pytest.raises(NotAllowed):
        ada.require(Permission.MANAGE_DEVICES)
