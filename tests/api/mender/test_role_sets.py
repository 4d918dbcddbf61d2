"""Does every route decide as the roles say? Random sets of roles, random requests, and a second reading of the rules.

The reading in `Reading` is written from the description of the roles and knows nothing of the one in the server.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from operations import MANAGEMENT, Operation, call, filled, unknown_ids

from fairlead.api.mender import needs
from fairlead.api.mender.roles import WireObject, WirePermission, _grant
from fairlead.base.scope import Actor, ActorKind, Scope
from fairlead.domain import identity
from house.roles import ALL, CI, OBSERVER, TERMINAL, Someone, deploy, http, permission, role, someone, view, view_any
from house.world import ADA, DEPLOYMENTS, DEVAUTH, INVENTORY, USERADM, Organization, settled

ROLE_SETS = {"sqlite": 230, "postgresql": 60}
REQUESTS = 7  # for each set of roles: more than 2,000 in all
GROUP_OF = {"door": "doors", "gate": "gates"}
WORDS = ("look at devices", "change devices", "look at deployments", "deploy", "look at artifacts", "change artifacts")
EVERYTHING = {*WORDS, "look at people", "change people", "open terminals", "audit", "organization"}
LOOK = {"look at devices", "look at deployments", "look at artifacts"}
BUILT_IN = {
    ALL: EVERYTHING,
    OBSERVER: LOOK | {"look at people"},
    CI: LOOK | {"deploy", "change artifacts"},
    TERMINAL: {"look at devices", "open terminals"},
}
OF_ACTION = {
    "any": EVERYTHING,
    "VIEW_DEVICE": {"look at devices"},
    "CREATE_DEPLOYMENT": LOOK | {"deploy"},
    "REMOTE_TERMINAL": {"look at devices", "open terminals"},
}


def needed(method: str, path: str) -> str | None:
    """The word for what the request takes; None is open to everybody."""
    version, service, rest = re.fullmatch(r"/api/management/(v\d)/(\w+)/(.*)", path).groups()
    looks = method == "GET" or rest.endswith("/search")
    kind = {"devauth": "devices", "inventory": "devices", "auditlogs": "audit"}.get(service, "")
    if service == "deployments":
        kind = "deployments" if re.match(r"deployments(/|$)", rest) else "artifacts"
    if service == "useradm" and re.match(r"(users|roles)(/|$)", rest):
        kind = "people"
    if service == "tenantadm" and version == "v2":
        kind = "organization"
    if kind in ("audit", "organization"):
        return kind
    if kind == "deployments" and not looks:
        return "deploy"
    return f"{'look at' if looks else 'change'} {kind}" if kind else None


@dataclass(frozen=True)
class Reading:
    """What these roles, and permissions as the API writes them, come to."""

    roles: tuple[str, ...]
    permissions: tuple[dict[str, Any], ...]
    ids: dict[str, str]  # of the devices, by their names

    def _of(self, *actions: str) -> list[tuple[str, str]]:
        return [
            (each["object"]["type"], each["object"]["value"]) for each in self.permissions if each["action"] in actions
        ]

    def may(self, method: str, path: str) -> bool:
        for type_, value in self._of("http"):
            if type_ in ("any", method) and re.match(value, path, re.DOTALL):
                return True
        rights = set().union(*(BUILT_IN[name] for name in self.roles))
        rights = rights.union(*(OF_ACTION.get(each["action"], set()) for each in self.permissions))
        return needed(method, path) in rights | {None}

    def _names(self, device: str, objects: list[tuple[str, str]]) -> bool:
        wanted = ("DEVICE_GROUP", GROUP_OF.get(device)), ("DEVICE_ID", self.ids.get(device))
        return any(each in objects for each in wanted)

    @property
    def is_limited(self) -> bool:
        named = [type_ for type_, _ in self._of(*OF_ACTION) if type_ != "any"]
        return bool(named) and "any" not in [type_ for type_, _ in self._of("VIEW_DEVICE")]

    def sees(self, device: str) -> bool:
        return not self.is_limited or self._names(device, self._of(*OF_ACTION))

    def may_deploy_to(self, device: str) -> bool:
        named = self._of("CREATE_DEPLOYMENT")
        if not named or "any" in [type_ for type_, _ in named]:
            return self.sees(device)
        return self._names(device, named)

    def may_fill(self, group: str) -> bool:
        return not self.is_limited or ("DEVICE_GROUP", group) in self._of(*OF_ACTION)


@dataclass(frozen=True)
class Target:
    """What the names in an operation stand for, and which devices that concerns."""

    ids: dict[str, str]
    devices: tuple[str, ...]


@dataclass
class Stage:
    organization: Organization
    carl: Someone
    targets: dict[str, Target]
    devices: dict[str, str]
    asked: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)

    def give(self, roles: tuple[str, ...], permissions: tuple[dict[str, Any], ...]) -> Reading:
        """Let Carl have these, in place of what he had."""
        grants = [_grant(WirePermission(each["action"], WireObject(**each["object"]))) for each in permissions]
        with self.organization.server.fairlead.database.begin(self.organization.scope) as tx:
            identity.change_role(tx, "random", "", grants)
            identity.change_user(tx, self.carl.id, identity.UserChange(roles=["random", *roles]))
        return Reading(roles, permissions, self.devices)


# Changing operations, made so that nothing changes when they are allowed: other names for the ids, and another body.
HARMLESS: dict[str, tuple[dict[str, str], Any]] = {
    f"POST {DEVAUTH}/devices": ({}, {"identity_data": {"mac": "x"}, "pubkey": "garbage"}),
    f"PUT {DEVAUTH}/devices/{{id}}/auth/{{aid}}/status": ({}, {"status": "accepted"}),
    f"PUT {INVENTORY}/devices/{{id}}/group": ({}, {"group": "{group}"}),
    f"PATCH {INVENTORY}/groups/{{name}}/devices": ({}, ["{device}"]),
    f"DELETE {INVENTORY}/groups/{{name}}/devices": ({}, ["nowhere"]),
    f"POST {DEPLOYMENTS}/deployments": ({}, {"name": "more", "artifact_name": "release-1", "devices": ["{device}"]}),
    f"POST {DEPLOYMENTS}/deployments/group/{{name}}": ({}, {"name": "more", "artifact_name": "release-1"}),
    f"PUT {DEPLOYMENTS}/deployments/{{deployment_id}}/status": ({}, {"status": "aborted"}),
    f"DELETE {DEPLOYMENTS}/deployments/devices/{{id}}": ({}, None),
    f"POST {USERADM}/users": ({}, {"email": "garbage"}),
    f"PUT {USERADM}/users/{{id}}": ({}, {}),
    f"POST {USERADM}/roles": ({}, {"name": "", "permissions": []}),
}
DESTROYS = {
    f"DELETE {DEVAUTH}/devices/{{id}}",
    f"DELETE {DEVAUTH}/devices/{{id}}/auth/{{aid}}",
    f"DELETE {DEVAUTH}/tokens/{{id}}",
    f"DELETE {INVENTORY}/devices/{{id}}",
    f"DELETE {INVENTORY}/devices/{{id}}/group/{{name}}",
}
WALKED = [each for each in MANAGEMENT if each.is_built and not each.is_open and not each.path.endswith("/logout")]
DECIDED = [each for each in WALKED if not each.is_own]


def is_about_devices(operation: Operation) -> bool:
    return bool({"device", "auth_set", "group", "deployment"} & set(operation.names.split()))


def expected(reading: Reading, operation: Operation, path: str, target: Target) -> set[str]:
    """What may come of it: forbidden, hidden (404), not own (405) or done."""
    key, devices = str(operation), target.devices
    sees = any(reading.sees(each) for each in devices)
    if not reading.may(operation.method, path):
        return {"forbidden"}
    if "/auditlogs/" in path or key == f"POST {DEVAUTH}/devices":
        return {"forbidden"} if reading.is_limited else {"done"}
    if key in (f"PUT {INVENTORY}/devices/{{id}}/group", f"PATCH {INVENTORY}/groups/{{name}}/devices"):
        if not reading.may_fill(target.ids["group"]):
            return {"forbidden"}
        return {"done"} if sees or operation.method == "PATCH" else {"hidden"}
    if key.startswith(f"POST {DEPLOYMENTS}/deployments"):
        limited = reading.is_limited or not reading.may_deploy_to("elsewhere")
        return {"not own"} if limited and not all(map(reading.may_deploy_to, devices or ["nowhere"])) else {"done"}
    if key.startswith(f"PUT {DEPLOYMENTS}/deployments"):
        return {"not own"} if sees and not all(map(reading.may_deploy_to, devices)) else {"done"}
    if key.startswith("DELETE") and is_about_devices(operation):
        return {"done", "hidden"}
    if is_about_devices(operation):
        return {"done"} if sees else {"hidden"}
    return {"done", "hidden"}  # what is not about devices, and may not be there


def ask(stage: Stage, operation: Operation, target: Target) -> tuple[str, str]:
    """The path that is asked for, and what comes of it."""
    key = str(operation)
    ids, body = HARMLESS.get(key, ({}, operation.body))
    ids = {**target.ids, **ids}
    if key in DESTROYS or (operation.changes and key not in HARMLESS):
        ids = unknown_ids() | {"group": "nowhere"}
    wanted = replace(operation, body=body)
    status = call(stage.carl, wanted, ids).status_code
    assert status not in (401, 500, 501), (key, status)
    return filled(wanted, ids)[0], {403: "forbidden", 404: "hidden", 405: "not own"}.get(status, "done")


def set_up(organization: Organization) -> Stage:
    """A door and a gate, each in a group and with a deployment that is over, and one that was for both."""
    ada = organization.mender.as_(ADA)
    organization.artifact("release-1")
    found = {name: organization.device(name) for name in GROUP_OF}
    for name, device in found.items():
        assert ada.patch(f"{INVENTORY}/groups/{GROUP_OF[name]}/devices", json=[device.id]).status_code == 200
    targets = {}
    for name, devices in {"door": ["door"], "gate": ["gate"], "both": ["door", "gate"]}.items():
        deployment = organization.deploy(devices=[found[each].id for each in devices])
        for each in devices:
            assert organization.offers(found[each]) == deployment
            found[each].log(deployment, "done")
            assert found[each].status(deployment, "success").status_code == 204
        first = found[devices[0]]
        own = {"device": first.id, "auth_set": first.auth_set, "group": GROUP_OF[devices[0]], "deployment": deployment}
        targets[name] = Target(unknown_ids() | own, tuple(devices))
    targets["nothing"] = Target(unknown_ids() | {"group": "elsewhere"}, ())
    role(organization, "random")
    carl = someone(organization, "random")
    return Stage(organization, carl, targets, {name: device.id for name, device in found.items()})


@pytest.fixture(scope="module")
def stage(server) -> Iterator[Stage]:
    with settled(server, "acme", {ADA: ALL}) as organization:
        yield set_up(organization)


METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "any")
EXPRESSIONS = (
    ".*",
    "^/api/management/v1/.*",
    f"^{DEVAUTH}/.*",
    f"{DEVAUTH}/devices$",
    ".*users.*",
    f"^{DEPLOYMENTS}/deployments",
    f"^{DEPLOYMENTS}/(artifacts|releases)",
    f"{INVENTORY}/groups",
    "^/api/management/v1/(auditlogs|useradm)/",
    "users",
    "^$",
)


def permissions_on(devices: dict[str, str]) -> st.SearchStrategy[dict[str, Any]]:
    objects = [("any", "any"), *(("DEVICE_GROUP", group) for group in (*GROUP_OF.values(), "nowhere"))]
    objects += [("DEVICE_ID", id_) for id_ in devices.values()]
    actions = st.sampled_from(["VIEW_DEVICE", "CREATE_DEPLOYMENT", "REMOTE_TERMINAL"])
    on_devices = st.builds(lambda action, what: permission(action, *what), actions, st.sampled_from(objects))
    on_requests = st.builds(http, st.sampled_from(METHODS), st.sampled_from(EXPRESSIONS))
    return st.one_of(on_devices, on_devices, on_requests, st.just(permission("any", "any", "any")))


def test_every_route_decides_as_the_roles_say(engine, stage):
    role_sets = st.tuples(
        st.sampled_from([(), (ALL,), (CI,), (OBSERVER,), (TERMINAL,), (OBSERVER, CI), (CI, TERMINAL), (ALL, OBSERVER)]),
        st.lists(permissions_on(stage.devices), max_size=3).map(tuple),
    )
    limited = [each for each in DECIDED if is_about_devices(each) or "{device}" in str(each.body)]
    operations = st.sampled_from(DECIDED) | st.sampled_from(limited)
    requests = st.tuples(operations, st.sampled_from(list(stage.targets)))

    @settings(
        max_examples=ROLE_SETS[engine.name],
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(role_sets, st.lists(requests, min_size=REQUESTS, max_size=REQUESTS))
    def decide(roles, asked):
        reading = stage.give(*roles)
        for operation, name in asked:
            target = stage.targets[name]
            if name == "both" and operation.names.split() != ["deployment"]:
                target = stage.targets["door"]
            path, came = ask(stage, operation, target)
            assert came in expected(reading, operation, path, target), f"{operation} for {name} by {roles}"
            stage.asked += 1
            stage.outcomes[came] = stage.outcomes.get(came, 0) + 1

    decide()

    assert stage.asked >= REQUESTS * ROLE_SETS[engine.name]
    if engine.name == "sqlite":  # with fewer requests not everything has to come up
        assert set(stage.outcomes) == {"forbidden", "hidden", "not own", "done"}


@pytest.mark.parametrize(
    "roles",
    [
        (),
        *((name,) for name in BUILT_IN),
        (http("any", ".*"),),
        (http("GET", ".*"),),
        (http("any", f"^{DEVAUTH}/devices"), http("PUT", ".*users.*")),
        (view("doors"),),
        (deploy("doors"), view_any()),
        (permission("REMOTE_TERMINAL", "any", "any"),),
    ],
    ids=lambda roles: " and ".join(str(each)[:60] for each in roles) or "none",
)
def test_what_a_gateway_is_told_is_what_the_routes_decide(stage, roles):
    """Limits are another matter: may_request speaks of permissions only."""
    names = tuple(each for each in roles if isinstance(each, str))
    permissions = tuple(each for each in roles if isinstance(each, dict))
    reading = stage.give(names, permissions)
    grants = [_grant(WirePermission(each["action"], WireObject(**each["object"]))) for each in permissions]
    scope = Scope("acme", Actor(ActorKind.USER, stage.carl.id), identity.policy_of(names, grants))

    differing = {}
    for operation in WALKED:
        path, came = ask(stage, operation, stage.targets["door"])
        is_told = needs.may_request(scope, operation.method, path)
        if is_told is (came == "forbidden") and not (is_told and reading.is_limited):
            differing[str(operation)] = (came, is_told)

    assert differing == {}


def test_own_affairs_are_everybodys_for_the_gateway_too(stage):
    scope = Scope("acme", Actor(ActorKind.USER, stage.carl.id), identity.Policy.NOBODY)
    stage.give((), ())
    me = f"{USERADM}/users/"

    for own in ("me", stage.carl.id):
        assert stage.carl.get(me + own).status_code == 200
        assert stage.carl.put(me + own, json={}).status_code == 400
        assert stage.carl.delete(me + own).status_code == 403
        assert [needs.may_request(scope, m, me + own) for m in ("GET", "PUT", "DELETE")] == [True, True, False]
    assert stage.carl.get(me + "someone").status_code == 403
    assert not needs.may_request(scope, "GET", me + "someone")
