"""Mender's workflows service: definitions are registered, jobs are started, and run."""

import json
import os
import time

import httpx
import pytest

from house.outside import Outside

METADATA = "/api/v1/metadata/workflows"
SHIPPED = {
    "provision_device",
    "decommission_device",
    "update_device_status",
    "update_device_inventory",
    "generate_artifact",
    "create_organization",
    "update_tenant_status",
    "cancel_tenant",
    "send_password_reset_email",
    "emit_auditlog",
}


@pytest.fixture
def service(server):
    with httpx.Client(base_url=server.internal_url, verify=False, timeout=30) as client:
        yield client


def finished(service, name: str, job_id: str) -> dict:
    """The job once it is over."""
    until = time.monotonic() + 20
    while True:
        job = service.get(f"/api/v1/workflow/{name}/{job_id}").json()
        if job["status"] in {"done", "failed"} or time.monotonic() > until:
            return job
        time.sleep(0.05)


def run(service, name: str, **inputs: object) -> dict:
    reply = service.post(f"/api/v1/workflow/{name}", json=inputs)
    assert reply.status_code == 201, reply.text
    assert reply.json()["name"] == name
    return finished(service, name, reply.json()["id"])


def test_the_workflows_that_mender_ships_are_there(service):
    listed = {each["name"]: each for each in service.get(METADATA).json()}

    assert set(listed) >= SHIPPED
    assert listed["provision_device"]["version"] == 4
    assert listed["provision_device"]["inputParameters"] == ["request_id", "authorization", "device_id", "tenant_id"]
    assert all({"name", "version", "tasks"} <= set(each) for each in listed.values())


def test_an_unknown_workflow_and_an_unknown_job_are_not_found(service, acme):
    started = service.post("/api/v1/workflow/nothing", json={})
    job = service.get("/api/v1/workflow/provision_device/nothing")
    other = run(service, "update_tenant_status", request_id="r", tenant_id=acme.tenant.id, status="active")

    assert (started.status_code, job.status_code) == (404, 404)
    assert set(started.json()) == {"error", "request_id"}
    assert service.get(f"/api/v1/workflow/provision_device/{other['id']}").status_code == 404


def test_missing_inputs_are_named(service):
    reply = service.post("/api/v1/workflow/provision_device", json={"device_id": "1", "tenant_id": "2"})

    assert reply.status_code == 400
    assert reply.json()["error"] == "Missing input parameters: [request_id, authorization]"


@pytest.mark.parametrize("body", [b"", b"[1]", b'"text"', b"{", b"5", b'[{"value": "x"}]'])
def test_what_are_no_inputs_is_refused(service, body):
    reply = service.post(
        "/api/v1/workflow/provision_device", content=body, headers={"Content-Type": "application/json"}
    )

    assert reply.status_code == 400
    assert set(reply.json()) == {"error", "request_id"}


def test_inputs_may_be_a_list_as_in_the_reference_and_values_become_texts(service, acme):
    inputs = [
        {"name": "request_id", "value": 7},
        {"name": "tenant_id", "value": acme.tenant.id},
        {"name": "status", "value": "active"},
        {"name": "more", "value": ["a", 1, True]},
    ]

    reply = service.post("/api/v1/workflow/update_tenant_status", json=inputs)

    job = finished(service, "update_tenant_status", reply.json()["id"])
    assert {each["name"]: each["value"] for each in job["inputParameters"]} == {
        "request_id": "7",
        "tenant_id": acme.tenant.id,
        "status": "active",
        "more": "a,1,true",
    }


def test_a_list_of_objects_stays_the_json_that_it_is(service, acme):
    """As Mender's deviceauth sends the devices of update_device_status."""
    devices = [{"id": f"{acme.tenant.id}-lamp", "revision": 1}, {"id": f"{acme.tenant.id}-gate", "revision": 2}]
    reply = service.post(
        "/api/v1/workflow/update_device_status",
        json={"request_id": "r", "tenant_id": acme.tenant.id, "devices": devices, "device_status": "accepted"},
    )

    job = finished(service, "update_device_status", reply.json()["id"])

    inputs = {each["name"]: each["value"] for each in job["inputParameters"]}
    assert json.loads(inputs["devices"]) == devices
    assert job["status"] == "done", job


@pytest.mark.parametrize("value", ["[" * 400 + "]" * 400, '{"a":' * 400 + "1" + "}" * 400], ids=["lists", "objects"])
@pytest.mark.parametrize("shape", ['{"a": %s}', '[{"name": "a", "value": %s}]'], ids=["object", "list"])
def test_inputs_that_are_nested_too_deeply_are_refused(service, shape, value):
    reply = service.post(
        "/api/v1/workflow/update_tenant_status",
        content=shape % value,
        headers={"Content-Type": "application/json"},
    )

    assert reply.status_code == 400
    assert reply.json()["error"] == "failed to decode input parameters: nested too deeply"


@pytest.mark.parametrize(("length", "status"), [(129, 400), (20_000, 400), (128, 201)])
def test_a_tenant_id_has_a_length(service, length, status):
    define(service, "nothing_to_do")

    reply = service.post("/api/v1/workflow/nothing_to_do", json={"tenant_id": os.urandom(length).hex()[:length]})

    assert reply.status_code == status, reply.text
    if status == 400:
        assert reply.json()["error"] == "tenant_id may have at most 128 characters"


def test_a_job_is_told_with_what_came_of_each_task_in_both_spellings(service, acme):
    job = run(service, "update_tenant_status", request_id="r", tenant_id=acme.tenant.id, status="active")

    (result,) = job["results"]
    assert job["status"] == "done"
    assert job["workflowName"] == "update_tenant_status"
    assert job["insert_time"].endswith("Z")
    assert (result["name"], result["type"], result["success"], result["skipped"]) == (
        "change_status",
        "http",
        True,
        False,
    )
    assert result["httpResponse"]["statusCode"] == result["request"]["statusCode"] == 200
    assert result["httpRequest"]["method"] == result["response"]["method"] == "PUT"
    assert result["cli"] is None


def define(service, name: str, *tasks: dict, version: int = 1, inputs: tuple[str, ...] = ()) -> httpx.Response:
    definition = {"name": name, "version": version, "tasks": list(tasks), "inputParameters": list(inputs)}
    return service.post(METADATA, json=definition)


def http(name: str, uri: str, **more: object) -> dict:
    return {"name": name, "type": "http", "http": {"uri": uri, "method": "POST", **more}}


def test_a_higher_version_takes_the_place_of_a_lower_one_and_no_other_does(service):
    statuses = [
        define(service, "versions", http("x", "http://x.example"), version=version).status_code
        for version in (3, 3, 2, 4)
    ]
    again = define(service, "versions", version=4)

    assert statuses == [201, 409, 409, 201]
    assert again.json()["error"] == "Workflow already exists"
    assert [each["version"] for each in service.get(METADATA).json() if each["name"] == "versions"] == [4]


@pytest.mark.parametrize(
    ("definition", "told"),
    [
        ({"version": 1, "tasks": []}, "Workflow missing name"),
        ({"name": "a", "version": "1"}, "version"),
        ({"name": "a", "tasks": [{"name": "t", "type": "shell"}]}, "unknown type 'shell'"),
        ({"name": "a", "tasks": [{"name": "t", "type": "http"}]}, "takes a part 'http'"),
        ({"name": "a", "tasks": [http("t", "http://x.example/${t.json.a}")]}, "not a task before it"),
        (
            {"name": "a", "tasks": [http("t", "http://x.example/${later.json.a}"), http("later", "http://x.example")]},
            "later",
        ),
        ({"name": "a", "tasks": [http("t", "http://x.example/${workflow.input.${env.A}}")]}, "inside of another"),
        ({"name": "a", "tasks": [http("t", "http://169.254.169.254/latest")]}, "not a public address"),
        ({"name": "a", "tasks": [http("t", "http://127.0.0.1:1/")]}, "not a public address"),
        ({"name": "a", "tasks": [http("t", "file:///etc/passwd")]}, "no http or https address"),
        ({"name": "a", "tasks": [http(f"t{n}", "http://x.example") for n in range(101)]}, "100"),
        ({"name": "a", "description": "x" * 300_000}, "bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_definition_is_refused_and_says_why(service, definition, told):
    reply = service.post(METADATA, json=definition)

    assert reply.status_code == 400, reply.text
    assert told in reply.json()["error"]


def test_a_program_that_the_operator_does_not_allow_is_refused(service):
    reply = define(service, "forbidden", {"name": "t", "type": "cli", "cli": {"command": ["/bin/sh", "-c", "true"]}})

    assert reply.status_code == 400
    assert "--workflow-programs" in reply.json()["error"]


def test_an_address_that_only_turns_out_to_be_private_is_not_called(service):
    with Outside() as outside:
        port = outside.url.rsplit(":", 1)[1].strip("/")
        assert (
            define(
                service, "sneaky", http("t", "http://${workflow.input.host}:" + port + "/"), version=int(time.time())
            ).status_code
            == 201
        )

        job = run(service, "sneaky", host="localhost")

        assert job["status"] == "failed"
        assert "not a public address" in job["error"]
        assert outside.asked == []


def test_devices_are_provisioned_and_decommissioned(service, mender, acme):
    def inventories() -> list[str]:
        return [each["id"] for each in mender.as_("ada").get("/api/management/v1/inventory/devices").json()]

    same = {"request_id": "r", "authorization": f"Bearer {mender.tokens['ada']}", "tenant_id": acme.tenant.id}
    provisioned = run(service, "provision_device", device_id="made-elsewhere", **same)
    assert provisioned["status"] == "done", provisioned
    assert inventories() == ["made-elsewhere"]

    decommissioned = run(service, "decommission_device", device_id="made-elsewhere", **same)

    assert decommissioned["status"] == "done", decommissioned
    assert inventories() == []


def test_attributes_and_statuses_reach_the_inventory(service, mender, acme):
    same = {"request_id": "r", "tenant_id": acme.tenant.id}
    run(service, "provision_device", device_id="lamp", authorization="", **same)

    attributes = run(
        service,
        "update_device_inventory",
        device_id="lamp",
        scope="tags",
        attributes='[{"name":"a","value":"b"}]',
        **same,
    )
    status = run(
        service, "update_device_status", devices='[{"id":"lamp","revision":1}]', device_status="accepted", **same
    )

    assert (attributes["status"], status["status"]) == ("done", "done"), (attributes, status)
    lamp = mender.as_("ada").get("/api/management/v1/inventory/devices/lamp").json()
    told = {(each["scope"], each["name"]): each["value"] for each in lamp["attributes"]}
    assert told["tags", "a"] == "b"
    assert told["identity", "status"] == "accepted"


def test_an_organization_is_founded_and_cancelled(service, mender):
    tenant_id = f"founded{time.monotonic_ns()}"
    email = f"{tenant_id}@example.org"

    founded = run(
        service,
        "create_organization",
        request_id="r",
        tenant_id=tenant_id,
        organization="Founded",
        email=email,
        password="long enough to be one",
        plan="professional",
    )
    assert founded["status"] == "done", founded
    login = mender.client.post("/api/management/v1/useradm/auth/login", auth=(email, "long enough to be one"))
    assert login.status_code == 200

    cancelled = run(service, "cancel_tenant", request_id="r", tenant_id=tenant_id)

    assert cancelled["status"] == "done", cancelled
    header = {"Authorization": f"Bearer {login.text}"}
    assert mender.client.get("/api/management/v1/useradm/users/me", headers=header).status_code == 401


def test_events_of_other_services_reach_the_audit_log(service, mender, acme):
    event = (
        '{"actor":{"id":"x","type":"user","email":"x@y.example"},"action":"create","object":{"id":"o","type":"user"}}'
    )

    job = run(service, "emit_auditlog", request_id="r", tenant_id=acme.tenant.id, event=event)

    assert job["status"] == "done", job
    logs = mender.as_("ada").get("/api/management/v1/auditlogs/logs", params={"actor_id": "x"}).json()
    assert [each["object"]["id"] for each in logs] == ["o"]


def test_a_step_that_starts_a_workflow_starts_one_job_however_often_it_is_done(service):
    """Its worker may have died before it could write the answer down."""
    asked = {"headers": {"Idempotency-Key": os.urandom(8).hex()}, "json": {"email": "", "link": ""}}

    replies = [service.post("/api/v1/workflow/send_password_reset_email", **asked) for _ in range(2)]
    asked["json"] |= {"tenant_id": "another"}
    replies.append(service.post("/api/v1/workflow/send_password_reset_email", **asked))
    replies.append(service.post("/api/v1/workflow/send_password_reset_email", json=asked["json"]))

    assert [reply.status_code for reply in replies] == [201] * 4
    ids = [reply.json()["id"] for reply in replies]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3
