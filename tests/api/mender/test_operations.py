"""Is every operation of the reference there, in the place that the reference gives it?"""

import re
from pathlib import Path

import httpx
import pytest
from operations import EVERYTHING, HEALTH, INTERNAL_SIDE, PUBLIC_SIDE, call, unknown_ids

from house.world import ADA

SEED = Path(__file__).parents[4] / "shared" / "seeds" / "mender-api-reference.txt"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_CALL = re.compile(r"^(GET|POST|PUT|PATCH|DELETE) https?://[^/\s]+(/\S*) HTTP/1\.1", re.MULTILINE)


def plain(path: str) -> str:
    return path.split("?")[0]


def methods_by_shape(operations) -> dict[str, set[str]]:
    allowed: dict[str, set[str]] = {}
    for operation in operations:
        allowed.setdefault(plain(operation.shape), set()).add(operation.method)
    return allowed


@pytest.mark.skipif(not SEED.exists(), reason="the reference is not beside this checkout")
def test_our_table_is_the_reference():
    said = sorted(f"{method} {plain(path)}" for method, path in _CALL.findall(SEED.read_text()))

    ours = sorted(f"{operation.method} {plain(operation.path)}" for operation in EVERYTHING)

    assert len(said) == 149
    assert ours == said


def test_what_is_not_built_says_so_in_the_shape_of_the_api(mender, acme):
    device = acme.device("door")
    missing = [each for each in PUBLIC_SIDE if not each.is_built]

    replies = {
        str(each): call(device if "/devices/v1/" in each.path else mender.as_(ADA), each, unknown_ids())
        for each in missing
    }

    assert {name: reply.status_code for name, reply in replies.items() if reply.status_code != 501} == {}
    assert all(set(reply.json()) == {"error", "request_id"} for reply in replies.values())
    assert all("docs/status.md" in reply.json()["error"] for reply in replies.values())


def test_what_is_not_built_of_the_internal_api_says_so_there(server):
    with httpx.Client(base_url=server.internal_url, verify=False) as internal:
        missing = [each for each in INTERNAL_SIDE if not each.is_built]
        replies = {str(each): call(internal, each, unknown_ids()) for each in missing}

    assert {name: reply.status_code for name, reply in replies.items() if reply.status_code != 501} == {}
    assert all(set(reply.json()) == {"error", "request_id"} for reply in replies.values())


def test_every_service_says_that_it_is_alive_and_well(server):
    with httpx.Client(base_url=server.internal_url, verify=False) as internal:
        replies = {each.path: internal.get(each.path) for each in HEALTH}

    assert {path: (reply.status_code, reply.content) for path, reply in replies.items()} == {
        **dict.fromkeys(replies, (204, b"")),
        "/status": (200, b'{"status":"ok"}'),
    }


@pytest.mark.parametrize("path", ["/metrics", "/api/v1/health"])
def test_the_internal_listener_has_what_operators_need(server, path):
    assert httpx.get(server.internal_url + path).status_code in {200, 204}


def test_nothing_internal_can_be_reached_from_outside(mender, acme):
    internal = [*(str(each).split() for each in INTERNAL_SIDE), ["GET", "/metrics"], ["GET", "/api/v1/health"]]

    found = [
        f"{method} {path}"
        for method, path in internal
        for spelling in (path, path.replace("/api/internal", "/api/./internal"), path.replace("/api", "//api", 1))
        if mender.as_(ADA).request(method, spelling).status_code != 404
    ]

    assert found == []


def test_the_internal_listener_serves_nothing_of_the_public_side(server):
    with httpx.Client(base_url=server.internal_url, verify=False) as internal:
        found = [str(each) for each in PUBLIC_SIDE if call(internal, each, unknown_ids()).status_code != 404]

    assert found == []


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/devices",
        "/api/management/v1/nothing",
        "/api/management/v3/devauth/devices",
        "/api/management/v2/devauth",
        "/api/management/v1/devauth/devices",
        "/api/management/v1/deployments/device/deployments/next",
        "/api/devices/v1/deployments/device/deployments/next/more",
        "/api/devices/v2/deployments/device/deployments/1/update_control_map",
        "/api/devices/v1/deviceconfig/configuration",
        "/api/devices/v3/deployments/device/deployments/next",
        "/api/management/v1/useradm/users/x/y",
        "/api/management/v1/inventory/groups/a/b/devices",
        "/api/management/v1/inventory/%2e%2e/%2e%2e/v2/devauth/devices",
    ],
)
def test_an_unknown_route_is_not_found_whoever_asks(standing, path):
    for method in METHODS:
        anyone = standing.mender.client.request(method, path)
        someone = standing.mender.as_(ADA).request(method, path, json={})

        assert (anyone.status_code, someone.status_code) == (404, 404), method
        assert set(someone.json()) == {"error", "request_id"}
        assert someone.json()["request_id"] == someone.headers["x-men-requestid"]


def test_a_method_that_a_path_does_not_have_is_refused_and_the_others_are_named(standing):
    allowed = methods_by_shape(PUBLIC_SIDE)
    wrong = {}

    for shape, methods in allowed.items():
        for method in set(METHODS) - methods:
            reply = standing.mender.as_(ADA).request(method, shape.replace("{}", "some"))
            named = set(reply.headers.get("allow", "").replace(" ", "").split(",")) - {"OPTIONS"}
            if reply.status_code != 405 or set(reply.json()) != {"error", "request_id"} or named != methods:
                wrong[f"{method} {shape}"] = (reply.status_code, named)

    assert wrong == {}


def test_options_name_every_method_that_a_path_has(standing):
    wrong = {}

    for shape, methods in methods_by_shape(PUBLIC_SIDE).items():
        reply = standing.mender.client.options(shape.replace("{}", "some"))
        named = set(reply.headers.get("allow", "").replace(" ", "").split(","))
        if reply.status_code != 200 or named != methods | {"OPTIONS"} or reply.content:
            wrong[shape] = (reply.status_code, named)

    assert wrong == {}


def test_options_of_an_unknown_route_are_not_found(standing):
    assert standing.mender.client.options("/api/management/v1/nothing").status_code == 404
