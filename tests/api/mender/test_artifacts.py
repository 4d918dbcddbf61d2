"""What is shown of artifacts, and how they change and go."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid1, uuid4

import pytest

from artifact_maker import Payload, make_artifact, sha256
from house.world import ADA, BEN, DEPLOYMENTS, ZOE

ARTIFACTS = f"{DEPLOYMENTS}/artifacts"
FILE = b"an image"


def moment(text: str) -> datetime:
    assert text.endswith("Z")
    return datetime.fromisoformat(text)


def test_an_artifact_is_shown_as_its_header_says(mender, acme):
    payload = Payload(
        "rootfs-image",
        {"image.ext4": FILE},
        meta_data={"sectors": 8},
        provides={"rootfs-image.version": "7"},
        depends={"bootloader": "2", "rootfs-image.version": ["5", "6"]},
        clears=["rootfs-image.*"],
    )
    content = make_artifact(name="release-1", device_types=["pi", "bone"], payloads=[payload], group="beta")
    mender.as_(ADA).upload(content, "for the doors")

    [shown] = mender.as_(ADA).get(ARTIFACTS).json()

    assert abs(moment(shown.pop("modified")) - datetime.now(UTC)) < timedelta(minutes=1)
    assert moment(shown["updates"][0]["files"][0].pop("date")) == datetime.fromtimestamp(0, UTC)
    assert shown == {
        "id": shown["id"],
        "name": "release-1",
        "description": "for the doors",
        "device_types_compatible": ["pi", "bone"],
        "info": {"format": "mender", "version": 3},
        "signed": False,
        "updates": [
            {
                "type_info": {"type": "rootfs-image"},
                "files": [{"name": "image.ext4", "checksum": sha256(FILE), "size": len(FILE)}],
                "meta_data": {"sectors": 8},
            }
        ],
        "artifact_provides": {"artifact_name": "release-1", "artifact_group": "beta", "rootfs-image.version": "7"},
        "artifact_depends": {
            "device_type": ["pi", "bone"],
            "bootloader": "2",
            "rootfs-image.version": ["5", "6"],
        },
        "clears_artifact_provides": ["rootfs-image.*"],
        "size": len(content),
    }


@pytest.mark.parametrize("meta_data", [None, b"", {}], ids=["absent", "empty", "an-empty-object"])
def test_empty_meta_data_is_left_out_for_mender_cli(mender, acme, meta_data):
    acme.artifact(payloads=[Payload(files={"a": FILE}, meta_data=meta_data)])

    [shown] = mender.as_(ADA).get(ARTIFACTS).json()

    assert "meta_data" not in shown["updates"][0]


def test_one_artifact_is_shown_as_in_the_list(mender, acme):
    one, _ = acme.artifact("release-1"), acme.artifact("release-2")

    listed = mender.as_(BEN).get(ARTIFACTS).json()

    assert [each["name"] for each in listed] == ["release-1", "release-2"]
    assert mender.as_(BEN).get(f"{ARTIFACTS}/{one}").json() == listed[0]
    assert mender.as_(BEN).get(f"{ARTIFACTS}/{one.upper()}").json() == listed[0]


@pytest.mark.parametrize(("method", "tail"), [("GET", ""), ("PUT", ""), ("DELETE", ""), ("GET", "/download")])
@pytest.mark.parametrize(
    ("artifact_id", "status", "error"),
    [
        (str(uuid4()), 404, "Resource not found"),
        (str(uuid1()), 400, "ID is not UUIDv4"),
        ("release-1", 400, "ID is not UUIDv4"),
        (uuid4().hex, 400, "ID is not UUIDv4"),
        (f"{{{uuid4()}}}", 400, "ID is not UUIDv4"),
        ("%00", 404, "not found"),
        ("%ff", 400, "ID is not UUIDv4"),
    ],
)
def test_an_artifact_that_is_not_there_is_not_found(standing, method, tail, artifact_id, status, error):
    body = {"json": {"description": "new"}} if method == "PUT" else {}

    reply = standing.mender.as_(ADA).request(method, f"{ARTIFACTS}/{artifact_id}{tail}", **body)

    assert (reply.status_code, reply.json()["error"]) == (status, error)


def test_nothing_of_another_tenants_artifacts_can_be_seen_or_done(mender, acme, zenith):
    path = f"{ARTIFACTS}/{acme.artifact()}"
    zoe = mender.as_(ZOE)

    assert zoe.get(ARTIFACTS).json() == []
    assert [zoe.get(path).status_code, zoe.get(f"{path}/download").status_code] == [404, 404]
    assert [zoe.put(path, json={"description": "mine"}).status_code, zoe.delete(path).status_code] == [404, 404]
    assert mender.as_(ADA).get(path).json()["description"] == ""


def test_a_description_can_be_changed_until_the_artifact_is_used(mender, acme):
    path = f"{ARTIFACTS}/{acme.artifact()}"
    before = mender.as_(ADA).get(path).json()

    reply = mender.as_(ADA).put(path, json={"description": "ü" * 4096})

    assert (reply.status_code, reply.content) == (204, b"")
    after = mender.as_(ADA).get(path).json()
    assert after == before | {"description": "ü" * 4096, "modified": after["modified"]}
    assert moment(after["modified"]) > moment(before["modified"])
    acme.device("door")
    acme.deploy()
    reply = mender.as_(ADA).put(path, json={"description": "too late"})
    assert (reply.status_code, reply.json()["error"]) == (422, "Image has already been used in deployment")
    assert acme.log()[:2] == ["ada artifact.upload", "ada artifact.update"]


def test_a_description_has_an_end(mender, acme):
    reply = mender.as_(ADA).put(f"{ARTIFACTS}/{acme.artifact()}", json={"description": "d" * 4097})

    assert reply.status_code == 400
    assert "description" in reply.json()["error"]


def test_an_artifact_is_deleted_with_its_payload(mender, acme):
    path = f"{ARTIFACTS}/{acme.artifact()}"
    link = mender.as_(ADA).get(f"{path}/download").json()["uri"]
    assert mender.client.get(link).status_code == 200

    reply = mender.as_(ADA).delete(path)

    assert (reply.status_code, reply.content) == (204, b"")
    assert mender.as_(ADA).get(path).status_code == 404
    assert mender.as_(ADA).delete(path).status_code == 404
    assert mender.client.get(link).status_code == 404
    assert acme.traces() == []
    assert acme.log() == ["ada artifact.upload", "ada artifact.delete"]


def test_an_artifact_stays_while_a_running_deployment_offers_it(mender, acme):
    path, device = f"{ARTIFACTS}/{acme.artifact()}", acme.device("door")
    deployment = acme.deploy()

    reply = mender.as_(ADA).delete(path)

    assert (reply.status_code, reply.json()["error"]) == (409, "Artifact is used in active deployment")
    assert acme.offers(device) == deployment
    device.status(deployment, "success")
    assert mender.as_(ADA).delete(path).status_code == 204
    assert acme.deployment(deployment)["status"] == "finished"


def test_an_artifact_of_an_aborted_deployment_can_go(mender, acme):
    path, _ = f"{ARTIFACTS}/{acme.artifact()}", acme.device("door")
    deployment = acme.deploy()
    mender.as_(ADA).put(f"{DEPLOYMENTS}/deployments/{deployment}/status", json={"status": "aborted"})

    assert mender.as_(ADA).delete(path).status_code == 204


def test_someone_who_may_only_look_changes_nothing(mender, acme):
    path = f"{ARTIFACTS}/{acme.artifact()}"

    assert mender.as_(BEN).put(path, json={"description": "mine"}).status_code == 403
    assert mender.as_(BEN).delete(path).status_code == 403
    assert mender.as_(BEN).get(path).json()["description"] == ""


def test_storage_counts_the_bytes_of_all_artifacts(mender, acme):
    storage = f"{DEPLOYMENTS}/limits/storage"
    assert mender.as_(BEN).get(storage).json() == {"limit": 0, "usage": 0}

    first = acme.artifact("release-1")
    acme.artifact("release-2")

    sizes = [each["size"] for each in mender.as_(ADA).get(ARTIFACTS).json()]
    assert mender.as_(BEN).get(storage).json() == {"limit": 0, "usage": sum(sizes)}
    mender.as_(ADA).delete(f"{ARTIFACTS}/{first}")
    assert mender.as_(BEN).get(storage).json() == {"limit": 0, "usage": sizes[1]}
