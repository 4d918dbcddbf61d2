"""Running services over HTTP, and listening to how they fare."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile

import pytest

from house.mobyle import SHOUT, Visitor, ended, wait_until

TEXT = {"content": ">one\nacgt\n", "filename": "one.fasta"}
SLEEP = SHOUT | {"name": "sleep", "command": "sleep 600; tr a-z A-Z"}


@pytest.fixture
def ada(place) -> Visitor:
    place.register(SHOUT, SLEEP)
    return place.add("ada")


def submit(place, who: Visitor, service: str = "shout", **more) -> dict:
    project = who.told("/users/me")["default_project"]
    body = {"project": project, "service": place.service(service), "inputs": {"text": TEXT}, **more}
    return who.make("/jobs/", **body)


def heard(text: str) -> list[tuple[int, str]]:
    """The numbers and statuses of the events in a stream."""
    found = []
    for block in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line and not line.startswith(":"))
        if lines.get("event") == "status":
            found.append((int(lines["id"]), json.loads(lines["data"])["status"]))
    return found


def test_a_service_is_run_and_its_output_can_be_read(place, ada):
    job = submit(place, ada, name="first")
    told = ended(ada, job["id"])

    assert told["status"] == "finished", told
    assert told["outputs"]["stdout"] == [
        {"name": "shout.out", "size": 10, "sha256": hashlib.sha256(b">ONE\nACGT\n").hexdigest()}
    ]
    assert ada.get(f"/jobs/{job['id']}/outputs/stdout").content == b">ONE\nACGT\n"
    part = ada.get(f"/jobs/{job['id']}/outputs/stdout/0", headers={"Range": "bytes=5-8"})
    assert (part.status_code, part.content) == (206, b"ACGT")
    assert ada.told(f"/jobs/{job['id']}/log")["stdout"] == ">ONE\nACGT\n"
    assert ada.told(f"/jobs/{job['id']}/provenance")["command_line"]
    assert ada.told("/statistics/")["jobs"] == {place.service(): {"finished": 1}}


def test_all_outputs_come_as_one_archive(place, ada):
    job = submit(place, ada)["id"]
    ended(ada, job)

    reply = ada.get(f"/jobs/{job}/archive.zip")

    assert reply.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(reply.content)) as archive:
        assert archive.read("stdout/shout.out") == b">ONE\nACGT\n"
        assert json.loads(archive.read("provenance.json"))["job"] == job


def test_an_output_becomes_data(place, ada):
    job = submit(place, ada)["id"]
    ended(ada, job)

    kept = ada.make(f"/jobs/{job}/outputs/stdout/save", name="loud.fasta", data_terms=["EDAM_data:2044"])

    wait_until(lambda: ada.told(f"/data/{kept['id']}")["status"] == "ready")
    assert ada.get(f"/data/{kept['id']}/content").content == b">ONE\nACGT\n"
    assert ada.told(f"/data/{kept['id']}")["produced_by"] == job


def test_what_is_wrong_is_told_under_the_name_of_the_parameter(place, ada):
    project = ada.told("/users/me")["default_project"]
    body = {"project": project, "service": place.service(), "inputs": {"txt": 1}}

    reply = ada.post("/jobs", json=body)

    assert reply.status_code == 422
    assert set(reply.json()) == {"title", "explanation", "detail", "errors"}
    assert set(reply.json()["errors"]) == {"text", "txt"}


def test_the_same_sent_again_with_its_key_is_one_job(place, ada):
    project = ada.told("/users/me")["default_project"]
    body = {"project": project, "service": place.service(), "inputs": {"text": TEXT}}
    key = {"Idempotency-Key": "once"}

    replies = [ada.post("/jobs", json=body, headers=key) for _ in range(2)]
    other = ada.post("/jobs", json=body | {"name": "another"}, headers=key)

    assert [reply.status_code for reply in replies] == [201, 201]
    assert replies[0].json()["id"] == replies[1].json()["id"]
    assert other.status_code == 422


def test_a_job_is_killed_and_prepared_again(place, ada):
    job = submit(place, ada, "sleep", name="long")["id"]
    wait_until(lambda: ada.told(f"/jobs/{job}")["status"] == "running")

    assert ada.post(f"/jobs/{job}/kill").status_code == 200

    assert ended(ada, job)["status"] == "killed"
    again = ada.post(f"/jobs/{job}/replay").json()
    assert again["service"] == place.service("sleep")
    assert list(again["inputs"]) == ["text"]
    assert ada.delete(f"/jobs/{job}").status_code == 204
    assert ada.get(f"/jobs/{job}").status_code == 404


def test_jobs_are_found_by_their_status_and_name(place, ada):
    job = submit(place, ada, name="findme")["id"]
    ended(ada, job)

    assert list(ada.told("/jobs/", params={"status": "finished", "q": "find", "mine": "true"})) == [job]
    assert ada.told("/jobs/", params={"group": "running"}) == {}
    contradictory = ada.get("/jobs/", params={"status": "running", "group": "finished"})
    assert (contradictory.json(), contradictory.headers["x-total-count"]) == ({}, "0")
    assert list(ada.told("/jobs/", params={"status": "finished", "group": "finished"})) == [job]
    assert ada.get("/jobs/", params={"status": "odd"}).status_code == 400


def test_no_job_is_that_of_a_visitor_who_is_nobody(place, ada):
    project = ada.make("/projects", name="open", public=True)["id"]
    job = submit(place, ada, project=project)["id"]
    visitor = place.as_("visitor")

    assert list(visitor.told("/jobs/", params={"project": project})) == [job]
    assert visitor.told("/jobs/", params={"project": project, "mine": "true"}) == {}
    assert list(ada.told("/jobs/", params={"project": project, "mine": "true"})) == [job]


def test_a_listener_hears_every_status_until_the_job_is_over(place, ada):
    job = submit(place, ada)["id"]

    reply = ada.get(f"/jobs/{job}/events")

    assert reply.headers["content-type"].startswith("text/event-stream")
    found = heard(reply.text)
    assert [number for number, _ in found] == list(range(1, len(found) + 1))
    assert found[-1][1] == "finished"
    later = ada.get(f"/jobs/{job}/events", headers={"Last-Event-ID": "3"})
    assert heard(later.text) == found[3:]
    assert ada.get(f"/jobs/{job}/events", headers={"Last-Event-ID": str(len(found))}).status_code == 204
    assert ada.get(f"/jobs/{job}/events", headers={"Last-Event-ID": "x"}).status_code == 400


def test_a_listener_who_is_suspended_hears_no_more(place, ada):
    boss = place.add("boss", is_admin=True)
    job = submit(place, ada, "sleep")["id"]

    headers = {"Authorization": f"Bearer {ada.token}"}
    with ada.client.stream("GET", f"{place.path}/jobs/{job}/events", headers=headers) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        boss.patch(f"/users/{ada.id}", json={"status": "suspended", "status_message": "too loud"})
        rest = list(lines)

    assert "event: refused" in rest
    assert any("too loud" in line for line in rest)
    place.server.fairlead.jobs.systems["local"].kill(f"{place.tenant_id}/{job}")


def test_only_so_many_listen_at_once(place, ada):
    job = submit(place, ada)["id"]
    ended(ada, job)
    listening = place.server.fairlead.listening
    before, listening.most = listening.most, 0
    try:
        reply = ada.get(f"/jobs/{job}/events")
    finally:
        listening.most = before

    assert reply.status_code == 429
    assert reply.headers["retry-after"] == "10"
    assert listening.now == 0
