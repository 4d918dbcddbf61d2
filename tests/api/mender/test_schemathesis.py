"""Mender's own API files, and what a fuzzer makes of them: nothing of it is ever our mistake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode

from house.devices import sign
from house.world import ADA, settled

SPECS = Path(__file__).parents[4] / "shared" / "specs" / "mender-2.6"
FILES = (
    "deviceauth_devices",
    "deviceauth_management",
    "inventory_devices_api",
    "inventory_management_api",
    "deployments_devices_api",
    "deployments_management_api",
    "useradm_management_api",
)
NOT_BUILT = {"POST /artifacts/generate"}
ENDS_THE_SESSION = {"POST /auth/logout"}

pytestmark = pytest.mark.skipif(not SPECS.exists(), reason="Mender's API files are not beside this checkout")


def operations() -> Iterator[Any]:
    for file in FILES if SPECS.exists() else ():
        schema = schemathesis.openapi.from_path(SPECS / f"{file}.yml")
        for found in schema.get_all_operations():
            operation = found.ok()
            label = f"{operation.method.upper()} {operation.path}"
            if label not in NOT_BUILT | ENDS_THE_SESSION:
                yield pytest.param(file, operation, id=f"{file} {label}")


@pytest.fixture(scope="module")
def battered(server) -> Iterator[Any]:
    """An Acme that is used to anything."""
    with settled(server, "acme", {ADA: "RBAC_ROLE_PERMIT_ALL"}) as acme:
        acme.device("door")
        yield acme


@pytest.fixture(scope="module")
def session(battered) -> Iterator[requests.Session]:
    """Signs what it sends with the device's key: only auth requests are looked at for that."""

    def signed(request: Any) -> Any:
        body = request.body or b""
        request.headers["X-MEN-Signature"] = sign(
            battered.devices["door"].key, body if isinstance(body, bytes) else b""
        )
        return request

    with requests.Session() as opened:
        opened.auth = signed
        yield opened


@pytest.mark.parametrize(("file", "operation"), list(operations()))
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=["good", "bad"])
def test_no_call_of_an_operation_is_ever_our_mistake(battered, session, file, operation, mode):
    base_url = battered.server.url + operation.schema.base_path.rstrip("/")
    token = battered.devices["door"].token if "devices" in file else battered.mender.tokens[ADA]
    headers = {"Authorization": f"Bearer {token}"}

    @settings(max_examples=8, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def call(data: Any) -> None:
        case = data.draw(operation.as_strategy(generation_mode=mode))
        reply = case.call(base_url=base_url, session=session, headers=headers)
        assert reply.status_code < 500, (case.formatted_path, case.body, reply.text)
        if reply.status_code >= 400 and reply.status_code != 409:
            assert set(reply.json()) == {"error", "request_id"}

    call()
    assert battered.mender.client.get("/alive").status_code == 204
