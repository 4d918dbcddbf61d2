"""What do other services ask and tell deployments? `/api/internal/v1/deployments`."""

import uuid

import httpx
import pytest

from artifact_maker import make_artifact
from house.forms import CONTENT_TYPE, form, in_pieces
from house.world import ADA, DEPLOYMENTS, ZOE

INTERNAL = "/api/internal/v1/deployments"
ARTIFACT = make_artifact(name="release-1", device_types=["door-lock"])


def artifacts(person) -> list[dict]:
    return person.get(f"{DEPLOYMENTS}/artifacts").json()


@pytest.fixture
def upload(internal, acme):
    """Upload an artifact for Acme: fields first, then the file."""

    def send(content: bytes = ARTIFACT, tenant: str = acme.tenant.id, **fields: str) -> httpx.Response:
        parts = [(name, value.encode()) for name, value in fields.items()]
        return internal.post(
            f"{INTERNAL}/tenants/{tenant}/artifacts",
            content=form(*parts, ("artifact", content)),
            headers={"Content-Type": CONTENT_TYPE},
        )

    return send


def test_the_storage_limit_is_set_and_told_and_counts(internal, mender, acme):
    limit = f"{INTERNAL}/tenants/{acme.tenant.id}/limits/storage"
    assert internal.get(limit).json() == {"limit": 0, "usage": 0}
    acme.artifact("release-1")
    used = internal.get(limit).json()["usage"]
    assert used > 0

    assert internal.put(limit, json={"limit": used + 1}).status_code == 204

    assert internal.get(limit).json() == {"limit": used + 1, "usage": used}
    assert mender.as_(ADA).get(f"{DEPLOYMENTS}/limits/storage").json() == {"limit": used + 1, "usage": used}
    assert mender.as_(ADA).upload(make_artifact(name="release-2", device_types=["door-lock"])).status_code == 422
    assert internal.put(limit, json={"limit": 0}).status_code == 204
    assert mender.as_(ADA).upload(make_artifact(name="release-2", device_types=["door-lock"])).status_code == 201


@pytest.mark.parametrize("body", [{"limit": -1}, {"limit": "5"}, {"limit": None}, {"limit": 2**70}, {}, []])
def test_a_limit_that_is_none_is_refused(internal, acme, body):
    limit = f"{INTERNAL}/tenants/{acme.tenant.id}/limits/storage"

    assert internal.put(limit, json=body).status_code == 400
    assert internal.get(limit).json()["limit"] == 0


def test_a_tenant_that_is_not_there_is_not_found(internal, upload):
    path = f"{INTERNAL}/tenants/nowhere"

    assert internal.get(f"{path}/limits/storage").status_code == 404
    assert internal.put(f"{path}/limits/storage", json={"limit": 1}).status_code == 404
    assert internal.get(f"{path}/deployments").status_code == 404
    assert upload(tenant="nowhere").status_code == 404


def test_a_tenants_deployments_are_listed_as_its_people_see_them(internal, mender, acme, zenith):
    acme.device("door")
    acme.artifact("release-1")
    ids = [acme.deploy("release-1", name=name) for name in ("first", "second", "third")]
    path = f"{INTERNAL}/tenants/{acme.tenant.id}/deployments"

    listed = internal.get(path)

    assert listed.json() == mender.as_(ADA).get(f"{DEPLOYMENTS}/deployments").json()
    assert [each["id"] for each in listed.json()] == ids[::-1]
    assert listed.headers["x-total-count"] == "3"
    assert [each["id"] for each in internal.get(path, params={"search": "second"}).json()] == [ids[1]]
    assert internal.get(path, params={"status": "finished"}).json() == []
    page = internal.get(path, params={"page": 2, "per_page": 2})
    assert [each["id"] for each in page.json()] == ids[:1]
    assert page.headers["x-total-count"] == "3"
    assert f"<{path}?page=1&per_page=2>" in page.headers.get_list("link")[0]
    assert internal.get(f"{INTERNAL}/tenants/{zenith.tenant.id}/deployments").json() == []


@pytest.mark.parametrize("query", [{"status": "happy"}, {"page": "0"}, {"created_after": "yesterday"}])
def test_a_list_that_makes_no_sense_is_refused(internal, acme, query):
    assert internal.get(f"{INTERNAL}/tenants/{acme.tenant.id}/deployments", params=query).status_code == 400


def test_an_artifact_gets_the_id_that_is_asked_for(mender, acme, zenith, upload):
    artifact_id = str(uuid.uuid4())

    reply = upload(artifact_id=artifact_id, size=str(len(ARTIFACT)), description="made elsewhere")

    assert reply.status_code == 201, reply.text
    expected = f"./internal/v1/deployments/tenants/{acme.tenant.id}/artifacts/{artifact_id}"
    assert reply.headers["location"] == expected
    (found,) = artifacts(mender.as_(ADA))
    assert (found["id"], found["name"], found["description"]) == (artifact_id, "release-1", "made elsewhere")
    assert artifacts(mender.as_(ZOE)) == []
    link = mender.as_(ADA).get(f"{DEPLOYMENTS}/artifacts/{artifact_id}/download").json()["uri"]
    assert mender.client.get(link).content == ARTIFACT
    acme.device("door")
    acme.deploy("release-1")
    assert acme.devices["door"].next().json()["artifact"]["artifact_name"] == "release-1"


def test_without_an_id_an_artifact_gets_a_new_one(mender, acme, upload):
    for fields in ({}, {"artifact_id": ""}):
        assert upload(make_artifact(name=f"release-{len(fields)}"), **fields).status_code == 201

    assert len({uuid.UUID(each["id"]) for each in artifacts(mender.as_(ADA))}) == 2


def test_an_id_that_is_taken_is_refused_and_nothing_is_lost(mender, acme, zenith, upload):
    artifact_id = str(uuid.uuid4())
    assert upload(artifact_id=artifact_id).status_code == 201
    other = make_artifact(name="release-2", device_types=["door-lock"])
    before = acme.traces()

    again = upload(other, artifact_id=artifact_id)
    elsewhere = upload(other, artifact_id=artifact_id, tenant=zenith.tenant.id)

    assert (again.status_code, elsewhere.status_code) == (409, 409)
    assert acme.traces() == before
    assert zenith.traces() == []
    link = mender.as_(ADA).get(f"{DEPLOYMENTS}/artifacts/{artifact_id}/download").json()["uri"]
    assert mender.client.get(link).content == ARTIFACT


@pytest.mark.parametrize(
    "artifact_id", ["x", "../../etc/passwd", "1" * 36, "ä" * 36, "00000000-0000-1000-8000-000000000000"]
)
def test_an_id_that_is_no_uuid_is_refused(acme, upload, artifact_id):
    reply = upload(artifact_id=artifact_id)

    assert (reply.status_code, reply.json()["error"]) == (400, "ID is not UUIDv4")
    assert acme.traces() == []


def test_what_is_no_artifact_is_refused_and_leaves_nothing(internal, acme, upload):
    assert upload(b"not an artifact", artifact_id=str(uuid.uuid4())).status_code == 400
    empty = internal.post(
        f"{INTERNAL}/tenants/{acme.tenant.id}/artifacts", content=form(), headers={"Content-Type": CONTENT_TYPE}
    )

    assert (empty.status_code, empty.json()["error"]) == (400, "request does not contain the artifact file")
    assert acme.traces() == []


def test_the_same_release_twice_is_a_conflict(upload):
    assert upload().status_code == 201
    assert upload().status_code == 409


def test_an_artifact_of_unknown_size_is_taken(internal, mender, acme):
    body = in_pieces(form(("artifact", ARTIFACT)))
    path = f"{INTERNAL}/tenants/{acme.tenant.id}/artifacts"

    assert internal.post(path, content=body, headers={"Content-Type": CONTENT_TYPE}).status_code == 201

    assert [each["name"] for each in artifacts(mender.as_(ADA))] == ["release-1"]


def test_a_person_cannot_choose_an_id(mender, acme):
    wanted = str(uuid.uuid4())
    body = form(("artifact_id", wanted.encode()), ("artifact", ARTIFACT))

    reply = mender.as_(ADA).post(f"{DEPLOYMENTS}/artifacts", content=body, headers={"Content-Type": CONTENT_TYPE})

    assert reply.status_code == 201
    assert wanted not in reply.headers["location"]


def test_the_only_tenant_is_called_default(alone):
    path = f"{INTERNAL}/tenants/default"
    artifact_id = str(uuid.uuid4())
    body = form(("artifact_id", artifact_id.encode()), ("artifact", ARTIFACT))

    reply = alone.internal.post(f"{path}/artifacts", content=body, headers={"Content-Type": CONTENT_TYPE})

    assert reply.status_code == 201
    assert [each["id"] for each in artifacts(alone.ada)] == [artifact_id]
    assert alone.internal.get(f"{path}/deployments").json() == []
    assert alone.internal.put(f"{path}/limits/storage", json={"limit": 2**40}).status_code == 204
    assert alone.internal.get(f"{path}/limits/storage").json()["limit"] == 2**40
    assert alone.internal.get(f"{path}/limits/storage").json()["usage"] == len(ARTIFACT)
