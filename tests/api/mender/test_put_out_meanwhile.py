"""What becomes of a request whose sender is put out while its body is still on its way?"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import pytest

from artifact_maker import make_artifact
from fairlead.domain import artifacts, identity
from house.slowly import in_two_halves
from house.world import ADA, DEPLOYMENTS, LOGIN, PASSWORD, USERADM, Person

_numbers = itertools.count(1)
JSON = "application/json"
UPLOAD = f"{DEPLOYMENTS}/artifacts"


def eve() -> bytes:
    return json.dumps({"email": f"eve{next(_numbers)}@late.example", "password": "let me in, please"}).encode()


def form_with(artifact: bytes) -> tuple[bytes, str]:
    head = '--border\r\nContent-Disposition: form-data; name="artifact"; filename="a.mender"\r\n\r\n'
    return head.encode() + artifact + b"\r\n--border--\r\n", "multipart/form-data; boundary=border"


@pytest.fixture
def send(mender):
    """Sends a body in two halves, and calls something between them."""

    def send(method: str, path: str, token: str, body: bytes, kind: str, meanwhile: Callable[[], object]) -> int:
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        return in_two_halves(mender.client.build_request(method, path, content=body, headers=headers), meanwhile)

    return send


@pytest.fixture
def put_out(server, mender, acme):
    def put_out(how: str) -> None:
        if how == "logged out":
            assert mender.as_(ADA).post(f"{USERADM}/auth/logout").status_code == 202
            return
        with server.fairlead.database.across_tenants("suspended by the test") as tx:
            identity.suspend_tenant(tx, acme.tenant.id)

    return put_out


def traces(server, acme) -> list[str]:
    """Who is there besides the cast, and which artifacts there are."""
    with server.fairlead.database.read(acme.scope) as tx:
        people = [user.email for user in identity.search_users(tx) if user.email.startswith("eve")]
        return people + [each.name for each in artifacts.search(tx)]


@pytest.mark.parametrize("how", ["logged out", "organization suspended"])
@pytest.mark.parametrize("what", ["a new user", "an artifact"])
def test_it_does_nothing_any_more(server, mender, acme, send, put_out, how, what):
    method, path = "POST", f"{USERADM}/users" if what == "a new user" else UPLOAD
    body, kind = (eve(), JSON) if what == "a new user" else form_with(make_artifact(name="late"))

    status = send(method, path, mender.tokens[ADA], body, kind, lambda: put_out(how))

    assert status == 401
    assert traces(server, acme) == []


def test_what_a_device_sends_counts_no_more_once_it_is_rejected(mender, acme, send):
    door = acme.device("door")
    acme.artifact("release-1", device_types=("door-lock",))
    door.report({"device_type": "door-lock"})
    deployment = acme.deploy("release-1")
    assert door.next().status_code == 200
    log = json.dumps({"messages": [{"timestamp": "2021-01-20T10:00:00Z", "level": "info", "message": "x" * 999}]})
    path = f"/api/devices/v1/deployments/device/deployments/{deployment}/log"

    status = send("PUT", path, door.token, log.encode(), JSON, lambda: acme.change_status(door, "rejected"))

    assert status == 401
    assert mender.as_(ADA).get(f"{DEPLOYMENTS}/deployments/{deployment}/devices/{door.id}/log").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PATCH", "inventory/device/attributes", [{"name": "colour", "value": "late"}]),
        ("POST", "deployments/device/deployments/next", {"artifact_name": "a", "device_type": "door-lock"}),
    ],
)
def test_what_is_answered_in_front_of_the_router_waits_for_the_body_as_well(acme, send, method, path, body):
    door = acme.device("door")
    door.report({"device_type": "door-lock"})
    assert door.next().status_code == 204
    said, path = json.dumps(body).encode(), f"/api/devices/v1/{path}"

    status = send(method, path, door.token, said, JSON, lambda: acme.change_status(door, "rejected"))

    assert status == 401


def test_a_question_that_takes_long_is_answered_with_what_there_is_at_its_end(acme, send):
    door = acme.device("door")
    door.report({"device_type": "door-lock"})
    acme.artifact("release-1")
    assert door.next().status_code == 204
    question = json.dumps({"artifact_name": "old", "device_type": "door-lock"}).encode()
    path = "/api/devices/v1/deployments/device/deployments/next"

    assert send("POST", path, door.token, question, JSON, lambda: acme.deploy("release-1")) == 200


def test_who_logs_out_elsewhere_goes_on_here(server, mender, acme, send):
    email = mender.as_(ADA).get(f"{USERADM}/users/me").json()["email"]
    elsewhere = Person(mender.client, mender.client.post(LOGIN, auth=(email, PASSWORD)).text)

    def log_out_there() -> None:
        assert elsewhere.post(f"{USERADM}/auth/logout").status_code == 202

    status = send("POST", f"{USERADM}/users", mender.tokens[ADA], eve(), JSON, log_out_there)

    assert status == 201
    assert len(traces(server, acme)) == 1


def test_what_one_may_do_is_what_one_may_do_at_the_end(server, mender, acme, send):
    path = f"{USERADM}/users"
    email = f"carl{next(_numbers)}@late.example"
    ada = mender.as_(ADA)
    carl = ada.post(path, json={"email": email, "password": "long enough"}).headers["location"].rsplit("/", 1)[1]
    token = mender.client.post(LOGIN, auth=(email, "long enough")).text

    def demote() -> None:
        assert ada.put(f"{path}/{carl}", json={"roles": ["RBAC_ROLE_OBSERVER"]}).status_code == 204

    assert send("POST", path, token, eve(), JSON, demote) == 403
    assert traces(server, acme) == []
