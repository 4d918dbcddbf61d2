"""The disk is full: uploads and changes are told so, nothing half-written is there, and the server goes on."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from house.people import Administrator, make_administrator, release, talk
from house.program import Server
from house.world import INVENTORY

MEBIBYTE = 1024 * 1024


@pytest.fixture
def small_disk(tmp_path):
    """A file system of twelve mebibytes, which only root can make."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=12m,mode=700", "tmpfs", str(disk)]
    if os.geteuid() or not shutil.which("mount") or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk can only be made by root")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def fill(disk: Path, leave: int = 0) -> Path:
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file:
        free = shutil.disk_usage(disk).free - leave
        while free > 0:
            free -= file.write(b"\0" * min(free, 64 * 1024))
    return ballast


def test_a_full_disk_is_told_and_the_server_goes_on(small_disk):
    make_administrator(small_disk / "data")
    with Server(small_disk / "data") as server, talk(server.url) as client:
        ada = Administrator(client).log_in()
        door = ada.device("door")
        first = ada.upload("release-1", random.randbytes(MEBIBYTE))

        too_large = ada.person.upload(release("release-2", random.randbytes(20 * MEBIBYTE)))
        assert too_large.status_code == 503, too_large.text
        assert "is full" in too_large.json()["error"]

        ballast = fill(small_disk)
        small = ada.person.upload(release("release-3", random.randbytes(300_000)))
        assert small.status_code == 503, small.text
        assert "full" in small.json()["error"]
        answers = [door.report({"text": "x" * 20_000, "number": number}) for number in range(100)]
        full = next(reply for reply in answers if reply.status_code != 200)
        assert full.status_code == 503, full.text
        assert "full" in full.json()["error"]
        told = [number for number, reply in enumerate(answers) if reply.status_code == 200]
        attributes = ada.person.get(f"{INVENTORY}/devices/{door.id}").json()["attributes"]
        assert {each["name"]: each["value"] for each in attributes}.get("number") == (told[-1] if told else None)
        assert door.next().status_code == 204
        assert [each["name"] for each in ada.artifacts()] == ["release-1"]
        assert ada.download(ada.artifacts()[0]["id"]) == first

        ballast.unlink()
        again = ada.upload("release-3", random.randbytes(MEBIBYTE))
        assert door.report({"number": 1000}).status_code == 200
        names = {each["name"]: each["id"] for each in ada.artifacts()}
        assert sorted(names) == ["release-1", "release-3"]
        assert ada.download(names["release-3"]) == again
        assert "Traceback" not in server.err, server.err
        assert server.stop() == 0
    assert list((small_disk / "data" / "blobs" / "incoming").iterdir()) == []
