"""Taking in an artifact: what is stored, what is refused, and that a refusal leaves nothing behind."""

from __future__ import annotations

import hashlib
import itertools
import random
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import sqlalchemy as sa

from artifact_maker import Payload, as_json, compress, make_artifact, plan, tar
from fairlead.api.mender import artifacts as edge
from fairlead.base.http import uploads
from fairlead.domain.artifacts import Upload
from fairlead.domain.identity.store import tenants
from house.forms import BOUNDARY, CONTENT_TYPE, END, form, in_pieces, part
from house.world import ADA, BEN, DEPLOYMENTS, ZOE

ARTIFACTS = f"{DEPLOYMENTS}/artifacts"
LOCATION = re.compile(r"\./management/v1/deployments/artifacts/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SMALL = make_artifact()
numbers = itertools.count()


def send(person, body, content_type=CONTENT_TYPE):
    return person.post(ARTIFACTS, content=body, headers={"Content-Type": content_type})


def test_an_upload_is_answered_with_where_the_artifact_is(mender, acme):
    reply = mender.as_(ADA).upload(make_artifact(name="release-1"), "the first")

    assert reply.status_code == 201
    assert reply.content == b""
    assert LOCATION.fullmatch(reply.headers["location"])
    shown = mender.as_(ADA).get(f"{ARTIFACTS}/{reply.headers['location'].split('/')[5]}").json()
    assert (shown["name"], shown["description"]) == ("release-1", "the first")
    assert acme.log() == ["ada artifact.upload"]


def test_an_upload_comes_in_chunks_as_mender_cli_sends_it(mender, acme):
    body = form(("size", b"%d" % len(SMALL)), ("description", "für die Türen".encode()), ("artifact", SMALL))

    reply = send(mender.as_(ADA), in_pieces(body))

    assert "content-length" not in reply.request.headers
    assert reply.status_code == 201, reply.text
    [shown] = mender.as_(ADA).get(ARTIFACTS).json()
    assert (shown["description"], shown["size"]) == ("für die Türen", len(SMALL))


def test_it_does_not_matter_where_the_pieces_end(mender, acme, monkeypatch):
    monkeypatch.setattr(uploads, "PIECE_BYTES", 7)
    body = form(("description", b"in small pieces"), ("artifact", SMALL))

    reply = send(mender.as_(ADA), in_pieces(body, 7))

    assert reply.status_code == 201, reply.text
    assert mender.as_(ADA).get(ARTIFACTS).json()[0]["description"] == "in small pieces"


@pytest.mark.parametrize(
    ("parts", "description"),
    [
        ([("artifact", SMALL)], ""),
        ([("size", b""), ("artifact", SMALL)], ""),
        ([("size", b"1"), ("artifact", SMALL)], ""),
        ([("description", b"in front"), ("artifact", SMALL)], "in front"),
        ([("artifact", SMALL), ("description", b"behind")], ""),
        ([("artifact", SMALL), ("artifact", b"another")], ""),
        ([("description", b"one"), ("description", b"two"), ("artifact", SMALL)], "two"),
        ([("colour", b"\xff\xfe"), ("artifact", SMALL)], ""),
        ([("description", b"d" * 4096), ("artifact", SMALL)], "d" * 4096),
    ],
    ids=["alone", "empty-size", "wrong-size", "description", "late", "two-artifacts", "twice", "unknown", "longest"],
)
def test_only_the_parts_up_to_the_artifact_count(standing, parts, description):
    ada = standing.mender.as_(ADA)

    reply = send(ada, form(*parts))

    assert reply.status_code == 201, reply.text
    path = f"{ARTIFACTS}/{reply.headers['location'].rsplit('/', 1)[1]}"
    assert ada.get(path).json()["description"] == description
    assert ada.delete(path).status_code == 204


def test_what_follows_the_artifact_is_never_read(mender, acme):
    body = part("artifact", SMALL) + f"--{BOUNDARY}\r\nthis is no header".encode()

    assert send(mender.as_(ADA), body).status_code == 201


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("compression", ["none", "gzip", "xz", "zst"])
def test_every_version_and_compression_is_taken(mender, standing, version, compression):
    name = f"release-{version}-{compression}"
    artifact = make_artifact(name=name, version=version, compression=compression)

    reply = standing.mender.as_(ADA).upload(artifact)

    assert reply.status_code == 201, reply.text
    path = f"{ARTIFACTS}/{reply.headers['location'].rsplit('/', 1)[1]}"
    assert standing.mender.as_(ADA).get(path).json()["info"] == {"format": "mender", "version": version}
    assert standing.mender.as_(ADA).delete(path).status_code == 204


def test_the_trap_of_menders_own_test_generator_is_taken(mender, acme):
    payload = Payload("rootfs-image", {"image.ext4": b"x" * 5000}, meta_data=b"")

    assert mender.as_(ADA).upload(make_artifact(payloads=[payload], signed=True)).status_code == 201
    assert mender.as_(ADA).get(ARTIFACTS).json()[0]["signed"] is True


NO_FILE = "request does not contain the artifact file"
WHOLE = form(("description", b"x"), ("artifact", SMALL))


@pytest.mark.parametrize(
    ("body", "content_type", "reason"),
    [
        (b"", CONTENT_TYPE, NO_FILE),
        (b"{}", "application/json", NO_FILE),
        (WHOLE, "multipart/form-data", NO_FILE),
        (WHOLE, "", NO_FILE),
        (WHOLE, "application/octet-stream", NO_FILE),
        (END, CONTENT_TYPE, NO_FILE),
        (form(("description", b"nothing but words")), CONTENT_TYPE, NO_FILE),
        (WHOLE, "multipart/form-data; boundary=another", "multipart: "),
        (b"\r\n" + b"x" * 5000, CONTENT_TYPE, "multipart: "),
        (part("description", b"x")[:-40], CONTENT_TYPE, NO_FILE),
        (part("artifact", SMALL[:2000])[:-2], CONTENT_TYPE, "multipart: the artifact file ends before"),
        (part("artifact", SMALL)[:-2], CONTENT_TYPE, "multipart: the artifact file ends before"),
        (f"--{BOUNDARY}\r\n\r\nno name\r\n".encode() + END, CONTENT_TYPE, "multipart: "),
        (f"--{BOUNDARY}\r\n{'A' * 9000}: b\r\n\r\n\r\n".encode() + END, CONTENT_TYPE, "multipart: "),
        (form(*[("more", b"")] * 100, ("artifact", SMALL)), CONTENT_TYPE, "multipart: "),
        (form(("size", b"many"), ("artifact", SMALL)), CONTENT_TYPE, "size: is not a number"),
        (form(("size", b"-1"), ("artifact", SMALL)), CONTENT_TYPE, "size: is not a number"),
        (form(("size", b"10737418241"), ("artifact", SMALL)), CONTENT_TYPE, "Artifact file too large"),
        (form(("size", b"9" * 20), ("artifact", SMALL)), CONTENT_TYPE, "Artifact file too large"),
        (form(("description", b"d" * 4097), ("artifact", SMALL)), CONTENT_TYPE, "description: the length"),
        (form(("description", b"d" * 70_000), ("artifact", SMALL)), CONTENT_TYPE, "description: longer than"),
        (form(("description", b"\xff"), ("artifact", SMALL)), CONTENT_TYPE, "description: is not UTF-8"),
        (form(("description", b"a\0b"), ("artifact", SMALL)), CONTENT_TYPE, "description: NUL"),
    ],
)
def test_a_form_that_is_not_one_is_refused(standing, body, content_type, reason):
    before = standing.traces()

    reply = send(standing.mender.as_(ADA), body, content_type)

    assert reply.status_code == 400
    assert reply.json()["error"].startswith(reason)
    assert reply.json()["request_id"] == reply.headers["x-men-requestid"]
    assert standing.traces() == before


def changed(**members: bytes) -> bytes:
    artifact = plan()
    for name, content in members.items():
        artifact.members[name] = content
    return artifact.pack()


def without(name: str) -> bytes:
    artifact = plan()
    del artifact.members[name]
    return artifact.pack()


def with_payload(packed: bytes, compression: str = "gzip") -> bytes:
    artifact = plan(compression=compression)
    [name] = [member for member in artifact.members if member.startswith("data/")]
    artifact.members[name] = compress(compression, packed)
    return artifact.pack()


def with_data_behind(name: str) -> bytes:
    artifact = plan()
    artifact.members[name] = b"x"
    return artifact.pack()


HOSTILE = {
    "nothing": (b"", "truncated"),
    "text": (b"I am an artifact, believe me" * 100, ""),
    "cut off": (
        make_artifact(payloads=[Payload(files={"a": bytes(50_000)})], compression="none")[:30_000],
        "truncated",
    ),
    "cut off at the end": (SMALL.rstrip(b"\0") + bytes(-len(SMALL.rstrip(b"\0")) % 512 + 512), "truncated"),
    "without a version": (without("version"), ""),
    "of another format": (changed(version=as_json({"format": "other", "version": 3})), "unsupported format"),
    "of version 9": (changed(version=as_json({"format": "mender", "version": 9})), "unsupported version: 9"),
    "without a manifest": (without("manifest"), ""),
    "with another payload": (with_payload(tar({"a.txt": b"HELLO"})), "checksum"),
    "with a file too many": (with_payload(tar({"a.txt": b"hello", "b.txt": b"!"})), ""),
    "with a file too few": (with_payload(tar({})), ""),
    "out of its folder": (with_payload(tar({"../../etc/passwd": b"hello"})), ""),
    "with an absolute name": (with_payload(tar({"/etc/passwd": b"hello"})), ""),
    "with a foreign member": (with_data_behind("../../evil"), ""),
    "a bomb in the header": (changed(**{"header.tar.gz": compress("gzip", bytes(64 << 20))}), ""),
    "with garbage for gzip": (changed(**{"header.tar.gz": b"\x1f\x8b" + b"x" * 100}), ""),
    "with a name too long": (make_artifact(name="n" * 1025), "artifact_name is longer than 1024 bytes"),
    "with a name of many bytes": (make_artifact(name="ü" * 513), "artifact_name is longer than 1024 bytes"),
    "with NUL in its name": (make_artifact(name="a\0b"), ""),
    "with NUL in a provide": (make_artifact(provides={"a": "b\0"}), "zero byte"),
    "with NUL in a device type": (make_artifact(device_types=["pi\0"]), "zero byte"),
    "without a name": (make_artifact(name=""), ""),
    "for no device": (make_artifact(device_types=[]), ""),
    "with endless nesting": (make_artifact(payloads=[Payload(meta_data=b"[" * 100_000 + b"]" * 100_000)]), ""),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_a_broken_or_hostile_artifact_is_refused_with_the_reason(standing, what):
    artifact, reason = HOSTILE[what]
    before = standing.traces()

    reply = send(standing.mender.as_(ADA), in_pieces(form(("artifact", artifact)), 65536))

    assert reply.status_code == 400, reply.text
    assert reply.json()["error"].startswith("reading artifact error: ")
    assert reason in reply.json()["error"]
    assert reply.json()["request_id"]
    assert standing.traces() == before


def test_the_longest_name_is_one_that_both_engines_can_index(mender, acme):
    name = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=1024))

    assert mender.as_(ADA).upload(make_artifact(name=name)).status_code == 201
    assert mender.as_(ADA).get(f"{DEPLOYMENTS}/deployments/releases", params={"name": name}).json()[0]["name"] == name


def test_an_artifact_beyond_the_limit_is_refused_on_its_way(mender, acme, monkeypatch):
    monkeypatch.setattr(edge, "Upload", partial(Upload, largest_bytes=100_000))
    artifact = make_artifact(payloads=[Payload(files={"a": bytes(3_000_000)})], compression="none")

    reply = send(mender.as_(ADA), in_pieces(form(("artifact", artifact)), 65536))

    assert reply.status_code == 400
    assert reply.json()["error"].startswith("Artifact file too large")
    assert acme.traces() == []


@pytest.mark.parametrize(
    ("first", "second", "status"),
    [
        ({}, {}, 409),
        ({"device_types": ["a", "b"]}, {"device_types": ["b", "c"]}, 409),
        ({"device_types": ["a"]}, {"device_types": ["b"]}, 201),
        ({"depends": {"rootfs": "1"}}, {"depends": {"rootfs": "1"}}, 409),
        ({"depends": {"rootfs": ["1", "2"]}}, {"depends": {"rootfs": ["2", "3"]}}, 409),
        ({"depends": {"rootfs": "1"}}, {"depends": {"rootfs": "2"}}, 201),
        ({"depends": {"rootfs": "1"}}, {}, 201),
        ({"depends": {"rootfs": "1"}}, {"depends": {"bootloader": "1"}}, 201),
        ({"depends": {"rootfs": "1"}, "device_types": ["a"]}, {"depends": {"rootfs": "1"}, "device_types": ["b"]}, 201),
        ({"version": 2}, {"version": 3}, 409),
    ],
)
def test_two_of_one_name_must_be_for_other_devices(standing, first, second, status):
    ada, name = standing.mender.as_(ADA), f"twice-{next(numbers)}"
    assert ada.upload(make_artifact(name=name, **first)).status_code == 201
    before = standing.traces()

    reply = ada.upload(make_artifact(name=name, **second))

    assert reply.status_code == status, reply.text
    if status == 409:
        said = reply.json()["error"]
        assert said.startswith("An artifact with the same name has conflicting dependencies: {")
        assert '"device_type": [' in said
        assert standing.traces() == before


def test_another_tenant_may_use_the_same_name(mender, acme, zenith):
    assert mender.as_(ADA).upload(SMALL).status_code == 201

    assert mender.as_(ZOE).upload(SMALL).status_code == 201


def test_of_two_uploads_at_the_same_time_exactly_one_wins(mender, acme):
    ada = mender.as_(ADA)
    artifact = make_artifact(payloads=[Payload(files={"a": bytes(200_000)})], compression="none")

    with ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: ada.upload(artifact), range(4)))

    assert sorted(reply.status_code for reply in replies) == [201, 409, 409, 409]
    assert len(acme.traces()) == 2  # the artifact and its payload


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(mender, acme, server, capsys):
    artifact = make_artifact(payloads=[Payload(files={"a": bytes(5_000_000)})], compression="none")
    head = f"POST {ARTIFACTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {mender.tokens[ADA]}\r\n"
    head += f"Content-Type: {CONTENT_TYPE}\r\nContent-Length: {len(artifact) + 1000}\r\n\r\n"
    host, port = server.url.removeprefix("http://").split(":")

    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(head.encode() + part("artifact", artifact)[: 3 << 20])
        wait_until(lambda: acme.traces())

    wait_until(lambda: not acme.traces())
    assert "request.failed" not in capsys.readouterr().out
    assert mender.as_(ADA).get(ARTIFACTS).json() == []


def wait_until(is_so, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_someone_who_may_only_look_is_refused_before_the_upload(mender, acme):
    reply = mender.as_(BEN).upload(SMALL)

    assert reply.status_code == 403
    assert acme.traces() == []


def test_a_full_tenant_is_told_so(mender, acme, server):
    with server.fairlead.database.across_tenants("a small tenant") as tx:
        tx.run(sa.update(tenants).where(tenants.c.id == acme.tenant.id).values(storage_limit_bytes=len(SMALL) + 10))
    assert mender.as_(ADA).upload(SMALL).status_code == 201
    before = acme.traces()

    reply = mender.as_(ADA).upload(make_artifact(name="release-2"))

    assert reply.status_code == 422
    assert reply.json()["error"].startswith("Storage limit reached")
    assert acme.traces() == before
    usage = mender.as_(ADA).get(f"{DEPLOYMENTS}/limits/storage").json()
    assert usage == {"limit": len(SMALL) + 10, "usage": len(SMALL)}


def test_a_refusal_reaches_a_client_that_only_listens_once_it_is_done(mender, acme):
    rest = (b"x" * 65536 for _ in range(100))
    body = iter([part("artifact", b"this is no artifact " * 100)[:-2], *rest])

    reply = send(mender.as_(ADA), body)

    assert reply.status_code == 400
    assert reply.json()["error"].startswith("reading artifact error: ")


def test_uploads_do_not_hold_up_other_requests(mender, acme):
    begun, go_on = threading.Event(), threading.Event()

    def slowly():
        yield part("artifact", SMALL)[:1500]
        begun.set()
        go_on.wait(10)
        yield part("artifact", SMALL)[1500:] + END

    with ThreadPoolExecutor(1) as pool:
        uploading = pool.submit(send, mender.as_(ADA), slowly())
        begun.wait(10)
        meanwhile = mender.as_(ADA).get(ARTIFACTS)
        go_on.set()

        assert meanwhile.json() == []
        assert uploading.result().status_code == 201


def test_what_was_stored_is_what_was_sent(mender, acme):
    artifact = make_artifact(payloads=[Payload(files={"a": bytes(range(256)) * 5000})], compression="none")
    name = acme.mender.as_(ADA).upload(artifact).headers["location"].rsplit("/", 1)[1]

    link = mender.as_(ADA).get(f"{ARTIFACTS}/{name}/download").json()["uri"]

    assert hashlib.sha256(mender.client.get(link).content).digest() == hashlib.sha256(artifact).digest()
