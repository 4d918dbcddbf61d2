"""Data over HTTP: uploads of any size, ranges, links, keys."""

from __future__ import annotations

import hashlib
import os
import tracemalloc

import pytest

from house.mobyle import SHOUT, Visitor

CONTENT = os.urandom(300_000)


@pytest.fixture
def ada(place) -> Visitor:
    return place.add("ada")


@pytest.fixture
def project(ada) -> str:
    return str(ada.told("/users/me")["default_project"])


def upload(who: Visitor, project: str, content: bytes = CONTENT, headers=None, **said):
    files = {"file": (said.pop("file_name", "reads.fasta"), content)}
    return who.post("/data/", data={"project": project, **said}, files=files, headers=headers or {})


def test_an_upload_is_kept_with_what_is_said_of_it(ada, project):
    reply = upload(ada, project, tags=["dna", "raw"], data_terms="EDAM_data:2044", persistent="true")

    assert reply.status_code == 201, reply.text
    told = reply.json()
    assert reply.headers["location"].endswith(f"/data/{told['id']}")
    assert (told["name"], told["size"], told["status"]) == ("reads.fasta", len(CONTENT), "ready")
    assert told["sha256"] == hashlib.sha256(CONTENT).hexdigest()
    assert (told["tags"], told["data_terms"], told["persistent"]) == (["dna", "raw"], ["EDAM_data:2044"], True)
    assert ada.get(f"/data/{told['id']}/content").content == CONTENT
    assert list(ada.told("/data/", params={"tag": "raw"})) == [told["id"]]


def test_ranges_and_tags_of_content(ada, project):
    path = f"/data/{upload(ada, project).json()['id']}/content"
    whole = ada.get(path)

    part = ada.get(path, headers={"Range": "bytes=100-199"})
    known = ada.get(path, headers={"If-None-Match": whole.headers["etag"]})
    beyond = ada.get(path, headers={"Range": "bytes=300000-"})
    head = ada.request("HEAD", path)

    assert (part.status_code, part.content) == (206, CONTENT[100:200])
    assert part.headers["content-range"] == "bytes 100-199/300000"
    assert known.status_code == 304
    assert beyond.status_code == 416
    assert (head.status_code, head.headers["content-length"], head.content) == (200, "300000", b"")
    for reply in (whole, part):
        assert reply.headers["x-content-type-options"] == "nosniff"
        assert reply.headers["content-security-policy"] == "sandbox"
        assert reply.headers["content-disposition"].startswith("attachment")


def test_a_large_upload_is_not_held_in_memory(ada, project):
    size = 64 * 1024 * 1024
    tracemalloc.start()
    try:
        reply = ada.post(
            "/data", content=_form(project, size), headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert reply.status_code == 201, reply.text
    assert reply.json()["size"] == size
    assert peak < 32 * 1024 * 1024


def _form(project: str, size: int):
    yield f'--x\r\nContent-Disposition: form-data; name="project"\r\n\r\n{project}\r\n'.encode()
    yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="zeros"\r\n\r\n'
    for _ in range(size // 65536):
        yield bytes(65536)
    yield b"\r\n--x--\r\n"


def test_the_same_sent_again_with_its_key_is_kept_once(ada, project):
    key = {"Idempotency-Key": "once"}
    body = {"project": project, "name": "typed", "content": "acgt"}

    first, again = [upload(ada, project, headers=key) for _ in range(2)]
    typed = [ada.post("/data", json=body, headers={"Idempotency-Key": "other"}).json()["id"] for _ in range(2)]
    changed = ada.post("/data", json=body | {"content": "tgca"}, headers={"Idempotency-Key": "other"})

    assert first.json()["id"] == again.json()["id"]
    assert typed[0] == typed[1]
    assert changed.status_code == 422
    assert len(ada.told("/data/")) == 2


def test_a_link_is_good_for_the_data_that_it_was_made_for(place, ada, project):
    data, other = (upload(ada, project, content).json()["id"] for content in (b"acgt", b"tgca"))
    anybody = place.as_("visitor")

    url = ada.post(f"/data/{data}/link").json()["url"]
    token = url.partition("token=")[2]

    assert anybody.client.get(url).content == b"acgt"
    assert anybody.get(f"/data/{data}/content").status_code == 404
    assert anybody.get(f"/data/{other}/content", params={"token": token}).status_code == 404
    assert anybody.get(f"/data/{data}/content", params={"token": token[:-4] + "AAAA"}).status_code == 403
    ada.delete(f"/data/{data}")
    assert anybody.client.get(url).status_code == 404


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"data_terms": "EDAM_topic:0003"}, 400),
        ({"public": "perhaps"}, 400),
        ({"name": "a/b"}, 400),
        ({"project": "00000000999"}, 404),
        ({"tags": "x" * 70_000}, 400),
    ],
)
def test_an_upload_that_makes_no_sense_is_refused_and_leaves_nothing(place, ada, project, said, status):
    reply = upload(ada, **{"project": project, **said})

    assert reply.status_code == status, reply.text
    assert set(reply.json()) == {"title", "explanation", "detail"}
    assert ada.told("/data/") == {}
    blobs = place.server.settings.data / "blobs"
    assert [path for path in (blobs / "kept").rglob("*") if place.tenant_id in str(path) and path.is_file()] == []


@pytest.mark.parametrize("size", [10, 3 * 1024 * 1024])
def test_what_a_form_says_of_a_file_after_it_counts(ada, project, size):
    file = ("file", ("reads.fasta", b"x" * size))
    after = [("name", (None, "later")), ("persistent", (None, "true")), ("tags", (None, "raw"))]

    told = ada.post("/data/", files=[("project", (None, project)), file, *after]).json()

    assert (told["name"], told["persistent"], told["tags"], told["size"]) == ("later", True, ["raw"], size)


@pytest.mark.parametrize("after", [("file", ("other.fasta", b"acgt")), ("name", (None, "a/b"))])
def test_a_form_that_makes_no_sense_after_its_file_is_refused_and_leaves_nothing(ada, project, after):
    file = ("file", ("reads.fasta", CONTENT))

    assert ada.post("/data/", files=[("project", (None, project)), file, after]).status_code == 400
    assert ada.told("/data/") == {}


def test_a_form_that_does_not_say_its_project_first_is_told_so(ada, project):
    reply = ada.post("/data/", files=[("file", ("reads.fasta", CONTENT)), ("project", (None, project))])

    assert (reply.status_code, reply.json()["detail"]) == (400, "project: it comes before the file")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": "typed"},
        {"name": "typed", "content": "a", "url": "https://example.com"},
        {"name": "typed", "url": "http://127.0.0.1:1/"},
        {"name": "typed", "content": "a", "surprise": 1},
    ],
)
def test_data_that_make_no_sense_are_refused(ada, project, body):
    reply = ada.post("/data", json={"project": project, **body})

    assert 400 <= reply.status_code < 500, reply.text
    assert ada.told("/data/") == {}


def test_a_form_without_a_file_and_a_body_that_is_too_large_are_refused(ada, project):
    form = ada.post("/data", files={"project": (None, project)})
    large = ada.post("/data", content=b'"' + b"x" * (17 * 1024 * 1024), headers={"Content-Type": "application/json"})

    assert form.status_code == 400
    assert large.status_code == 413


def test_services_are_told_that_take_the_data(place, ada, project):
    place.register(SHOUT)
    data = upload(ada, project, b"acgt", data_terms="EDAM_data:2977").json()["id"]

    assert ada.told(f"/data/{data}/services") == {place.service(): ["text"]}
