"""Having an artifact made of a file: what is taken, what is refused, and what becomes of it."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import time
import uuid
from datetime import timedelta
from functools import partial

import httpx
import pytest
import sqlalchemy as sa

from artifact_maker import make_artifact
from fairlead.api.mender import generating as edge
from fairlead.base import clock
from fairlead.base.errors import Kind, Refusal
from fairlead.base.http.links import Links
from fairlead.base.keys import KeyFolder
from fairlead.base.scope import system_scope
from fairlead.domain import artifacts, workflows
from fairlead.domain.artifacts import FileUpload
from fairlead.domain.identity.store import tenants
from fairlead.parts import makes_artifacts
from fairlead.settings import Settings
from house.forms import CONTENT_TYPE, END, form, in_pieces, part
from house.world import ADA, BEN, DEPLOYMENTS, ZOE

GENERATE = f"{DEPLOYMENTS}/artifacts/generate"
ARTIFACTS = f"{DEPLOYMENTS}/artifacts"
LOCATION = re.compile(r"\./management/v1/deployments/artifacts/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
CONTENT = b"Be quick, but not in a hurry.\n" * 20_000
ARGS = {"filename": "motto.txt", "dest_dir": "/etc/motto"}
GOOD = {
    "name": "motto-1",
    "description": "for the door",
    "device_types_compatible": "door-lock, gate ,door-lock",
    "type": "single_file",
    "args": json.dumps(ARGS),
}


def body(file: bytes | None = CONTENT, **changes: str | None) -> bytes:
    said = {name: text for name, text in (GOOD | changes).items() if text is not None}
    parts = [(name, text.encode()) for name, text in said.items()]
    return form(*parts, *([] if file is None else [("file", file)]))


def send(person, content, content_type: str = CONTENT_TYPE) -> httpx.Response:
    return person.post(GENERATE, content=content, headers={"Content-Type": content_type})


def accepted(reply: httpx.Response) -> str:
    """The id that the artifact will have."""
    assert reply.status_code == 201, reply.text
    assert reply.content == b""
    return LOCATION.fullmatch(reply.headers["location"]).group(1)


def files_of(organization) -> list[str]:
    """The uploaded files that wait for being made into artifacts."""
    folder = organization.server.settings.data / "blobs" / "kept" / "generate" / organization.tenant.id
    return [path.name for path in folder.glob("*")]


def jobs_of(organization) -> list[workflows.Job]:
    fairlead = organization.server.fairlead
    with fairlead.database.across_tenants("what is there to do?", writing=False) as tx:
        ours = [job for job in workflows.list_jobs(tx) if job.tenant_id == organization.tenant.id]
        return [workflows.find_job(tx, fairlead.seal, "", job.id) for job in ours]


def wait_until(is_so, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.05)


def payload_of(artifact: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(artifact)) as outer:
        packed = outer.extractfile("data/0000.tar.gz").read()
    with tarfile.open(fileobj=io.BytesIO(packed), mode="r:gz") as payload:
        return {member.name: payload.extractfile(member).read() for member in payload}


def test_a_file_becomes_an_artifact_that_can_be_deployed(mender, acme):
    ada = mender.as_(ADA)

    artifact_id = accepted(send(ada, in_pieces(body(), 100_000)))
    wait_until(lambda: ada.get(f"{ARTIFACTS}/{artifact_id}").status_code == 200)

    shown = ada.get(f"{ARTIFACTS}/{artifact_id}").json()
    assert (shown["name"], shown["description"]) == ("motto-1", "for the door")
    assert shown["device_types_compatible"] == ["door-lock", "gate"]
    assert shown["updates"][0]["type_info"] == {"type": "single-file"}
    assert shown["artifact_provides"] == {"artifact_name": "motto-1", "rootfs-image.single-file.version": "motto-1"}
    made = mender.client.get(ada.get(f"{ARTIFACTS}/{artifact_id}/download").json()["uri"]).content
    told = {"dest_dir": b"/etc/motto\n", "filename": b"motto.txt\n", "permissions": b"644\n"}
    assert payload_of(made) == {**told, "motto.txt": CONTENT}
    wait_until(lambda: jobs_of(acme)[0].status is workflows.Status.DONE)
    assert files_of(acme) == []
    acme.device("door")
    acme.deploy("motto-1")
    assert acme.devices["door"].next().json()["artifact"]["artifact_name"] == "motto-1"
    assert acme.log()[:1] == ["ada artifact.generate"]


def test_the_workflow_is_started_with_all_that_it_needs(mender, acme):
    args = {**ARGS, "software_name": "motto", "colour": "blue"}

    artifact_id = accepted(send(mender.as_(ADA), body(args=json.dumps(args))))

    [job] = jobs_of(acme)
    inputs = dict(job.inputs)
    assert job.workflow == "generate_artifact"
    assert json.loads(inputs.pop("args")) == {**ARGS, "software_name": "motto"}
    get_uri, delete_uri = inputs.pop("get_artifact_uri"), inputs.pop("delete_artifact_uri")
    assert inputs == {
        "artifact_id": artifact_id,
        "name": "motto-1",
        "description": "for the door",
        "device_types_compatible": "door-lock,gate",
        "tenant_id": acme.tenant.id,
        "token": "",
    }
    links = Links(KeyFolder(acme.server.settings.keys_folder).ed25519("links"))
    download = links.verify(get_uri, clock.now() + timedelta(days=7, minutes=-1))
    assert (download.blob_key, download.size_bytes) == (f"generate/{acme.tenant.id}/{artifact_id}", len(CONTENT))
    assert links.verify_removal(delete_uri, clock.now()) == download.blob_key


def test_where_no_artifact_could_arrive_no_file_is_taken(mender, acme):
    fairlead = acme.server.fairlead
    wish = artifacts.read_wish("motto-1", "", ["door-lock"], "single_file", json.dumps(ARGS))

    with fairlead.database.read(system_scope(acme.tenant.id)) as tx:
        artifacts.may_generate(tx, wish, can_be_made=True)
        with pytest.raises(Refusal, match="--internal-listen") as refused:
            artifacts.may_generate(tx, wish, can_be_made=False)

    assert refused.value.kind is Kind.UNAVAILABLE


@pytest.mark.parametrize(
    ("said", "can_be_made"),
    [
        ({}, True),
        ({"internal_listen": ""}, False),
        ({"internal_listen": "", "workflow_env": "DEPLOYMENTS_ADDR=deployments.example:8080"}, True),
        ({"internal_listen": "", "workflow_env": "OTHER=1"}, False),
    ],
)
def test_artifacts_are_made_where_there_is_an_internal_api_for_them(said, can_be_made):
    assert makes_artifacts(Settings(**said)) is can_be_made


def test_the_list_of_device_types_may_come_in_many_parts_as_the_reference_has_it(mender, acme):
    types = [("device_types_compatible", each) for each in (b"door-lock", b"gate,fence", b"", b"T\xc3\xbcr")]
    others = [(name, text.encode()) for name, text in GOOD.items() if name != "device_types_compatible"]

    accepted(send(mender.as_(ADA), form(*others, *types, ("file", b""))))

    assert jobs_of(acme)[0].inputs["device_types_compatible"] == "door-lock,gate,fence,Tür"


NO_FILE = "request does not contain the artifact file"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (body(name=None), "request does not contain the name of the artifact"),
        (body(name=""), "request does not contain the name of the artifact"),
        (body(type=None), "request does not contain the type of artifact"),
        (body(device_types_compatible=None), "request does not contain the list of compatible device types"),
        (body(device_types_compatible=" , ,"), "request does not contain the list of compatible device types"),
        (body(file=None), NO_FILE),
        (END, NO_FILE),
        (b"", NO_FILE),
        (body(type="rootfs_image"), "type: 'rootfs_image' cannot be generated, only single_file"),
        (body(name="n" * 1025), "name: the length must be no more than 1024 bytes"),
        (body(name="ü" * 513), "name: the length must be no more than 1024 bytes"),
        (body(device_types_compatible="d" * 4097), "device_types_compatible: the length must be no more than 4096"),
        (body(description="d" * 4097), "description: the length must be no more than 4096"),
        (body(name="a\0b"), "name: NUL characters are not allowed"),
        (body(args=None), "args: Input data was truncated"),
        (body(args="{}"), "args: Object missing required field `filename`"),
        (body(args=json.dumps({**ARGS, "filename": "../x"})), "args: filename may have letters, digits"),
        (body(args=json.dumps({**ARGS, "dest_dir": "etc"})), "args: dest_dir must be an absolute path"),
        (body(args="a" * 70_000), "args: longer than 65536 bytes"),
        (body().replace(b"motto-1", b"motto-\xff"), "name: is not UTF-8"),
        (part("file", b"first") + body(), "request does not contain the name of the artifact"),
        (body()[: -len(END) - 2], "multipart: the artifact file ends before"),
    ],
)
def test_what_cannot_be_made_is_refused_with_the_reason(standing, content, reason):
    before = len(jobs_of(standing))

    reply = send(standing.mender.as_(ADA), content)

    assert reply.status_code == 400, reply.text
    assert reply.json()["error"].startswith(reason)
    assert reply.json()["request_id"] == reply.headers["x-men-requestid"]
    assert (len(jobs_of(standing)), files_of(standing)) == (before, [])


def test_a_body_that_is_no_form_is_refused(standing):
    reply = send(standing.mender.as_(ADA), body(), "application/json")

    assert (reply.status_code, reply.json()["error"]) == (400, NO_FILE)


@pytest.mark.parametrize(
    ("device_types", "status"), [(["door-lock", "other"], 422), (["other"], 201)], ids=["same", "others"]
)
def test_an_artifact_that_would_get_in_the_way_of_another_is_refused(mender, acme, device_types, status):
    ada = mender.as_(ADA)
    assert ada.upload(make_artifact(name="motto-1", device_types=device_types)).status_code == 201

    reply = send(ada, body())

    assert reply.status_code == status, reply.text
    if status == 422:
        assert reply.json()["error"] == "Artifact not unique"
        assert (jobs_of(acme), files_of(acme)) == ([], [])


def test_another_tenants_artifacts_are_in_nobodys_way(mender, acme, zenith):
    assert mender.as_(ZOE).upload(make_artifact(name="motto-1", device_types=["door-lock"])).status_code == 201

    accepted(send(mender.as_(ADA), body()))


def test_someone_who_may_only_look_is_refused_before_the_upload(mender, acme):
    reply = send(mender.as_(BEN), body())

    assert reply.status_code == 403
    assert (jobs_of(acme), files_of(acme), acme.log()) == ([], [], [])


def test_a_file_beyond_the_limit_is_refused_on_its_way(mender, acme, monkeypatch):
    monkeypatch.setattr(edge, "FileUpload", partial(FileUpload, largest_bytes=100_000))

    reply = send(mender.as_(ADA), in_pieces(body(), 65536))

    assert reply.status_code == 400
    assert reply.json()["error"] == "Artifact file too large: at most 100000 bytes"
    assert (jobs_of(acme), files_of(acme), acme.traces()) == ([], [], [])


def test_what_is_taken_fits_into_an_artifact_however_little_it_can_be_compressed():
    largest = artifacts.generating.LARGEST_FILE_BYTES

    assert 10 * 1024**3 - largest > largest // 2048 + 1024**2  # zlib adds 5 bytes to each 16 KiB at most


def test_a_full_tenant_is_told_so(mender, acme, server):
    with server.fairlead.database.across_tenants("a small tenant") as tx:
        tx.run(sa.update(tenants).where(tenants.c.id == acme.tenant.id).values(storage_limit_bytes=1000))

    reply = send(mender.as_(ADA), body())

    assert reply.status_code == 422
    assert reply.json()["error"].startswith("Storage limit reached")
    assert (jobs_of(acme), files_of(acme)) == ([], [])


def test_a_file_that_nobody_came_for_is_swept_after_two_days(acme, server):
    blobs = server.fairlead.blobs
    kept = server.settings.data / "blobs" / "kept"
    old, young = (f"generate/{acme.tenant.id}/{uuid.uuid4()}" for _ in range(2))
    for key, days in ((old, 2.1), (young, 1.9)):
        with blobs.receive(key) as incoming:
            incoming.write(b"x")
            incoming.keep()
        at = time.time() - days * 24 * 3600
        os.utime(kept / key, (at, at))

    artifacts.sweep_payloads(server.fairlead.database, blobs)

    assert (blobs.size(old), blobs.size(young)) == (None, 1)


def test_a_file_is_not_swept_while_its_artifact_is_still_to_be_made(acme, server):
    """Workers may have been away for long."""
    blobs, artifact_id = server.fairlead.blobs, str(uuid.uuid4())
    key = f"generate/{acme.tenant.id}/{artifact_id}"
    with blobs.receive(key) as incoming:
        incoming.write(b"x")
        incoming.keep()
    os.utime(server.settings.data / "blobs" / "kept" / key, (time.time() - 3 * 24 * 3600,) * 2)
    (generate,) = (each for each in workflows.shipped() if each.name == "generate_artifact")
    with server.fairlead.database.across_tenants("it is on its way") as tx:
        inputs = dict.fromkeys(generate.input_parameters, "-")
        start = {"tenant_id": acme.tenant.id, "key": artifact_id}
        job_id = workflows.start(tx, server.fairlead.seal, generate.name, inputs, **start)

    artifacts.sweep_payloads(server.fairlead.database, blobs)
    waiting = blobs.size(key)
    with server.fairlead.database.across_tenants("it is given up") as tx:
        workflows.cancel(tx, server.fairlead.seal, job_id)
    artifacts.sweep_payloads(server.fairlead.database, blobs)

    assert (waiting, blobs.size(key)) == (1, None)
