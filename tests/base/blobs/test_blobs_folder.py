"""What can happen to a folder: power cuts, full disks, wrong owners."""

import errno
import hashlib
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from fairlead.base.blobs import StoreCannotBeUsed, StoreIsFull, open_blobs

WRITER = """
import hashlib, os, sys
from fairlead.base.blobs import open_blobs

blobs = open_blobs(sys.argv[1])
print("ready", flush=True)
while True:
    content = os.urandom(300_000)
    with blobs.receive("acme/" + hashlib.sha256(content).hexdigest()) as incoming:
        for at in range(0, len(content), 5_000):
            incoming.write(content[at : at + 5_000])
        incoming.keep()
"""


def test_a_power_cut_at_any_point_shows_nothing_half_written(files_blobs, tmp_path):
    swept = 0
    for seed in range(10):
        _write_and_be_killed(f"file://{tmp_path}/blobs", random.Random(seed).uniform(0, 0.03))
        swept += files_blobs.sweep(older_than_seconds=0)

    kept = list(files_blobs.kept())

    assert kept
    assert swept <= 10
    assert not os.listdir(tmp_path / "blobs" / "incoming")
    for blob in kept:
        content = b"".join(files_blobs.read(blob.key))
        assert blob.key == "acme/" + hashlib.sha256(content).hexdigest()


def _write_and_be_killed(url: str, after_seconds: float) -> None:
    command = [sys.executable, "-c", WRITER, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, start_new_session=True) as writer:
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(after_seconds)
        os.killpg(writer.pid, signal.SIGKILL)


def test_the_sweeper_never_takes_what_is_being_written(files_blobs):
    with files_blobs.receive("door") as incoming:
        incoming.write(b"slowly")

        assert files_blobs.sweep(older_than_seconds=-3600) == 0
        incoming.keep()

    assert files_blobs.size("door") == 6


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_a_full_disk_is_said_and_leaves_nothing(files_blobs, tmp_path, monkeypatch, call, number):
    def full(*_):
        raise OSError(number, "full")

    with files_blobs.receive("door") as incoming:
        monkeypatch.setattr(os, call, full)
        with pytest.raises(StoreIsFull, match="free some space"):
            incoming.write(b"x")
            incoming.keep()
        monkeypatch.undo()

    assert list(files_blobs.kept()) == []
    assert os.listdir(tmp_path / "blobs" / "incoming") == []


def test_a_disk_that_is_really_full_is_said_and_leaves_nothing(tmp_path):
    script = f"""
import os
from fairlead.base.blobs import StoreIsFull, open_blobs
blobs = open_blobs("{tmp_path}/disk/blobs")
try:
    with blobs.receive("door") as incoming:
        for _ in range(4000):
            incoming.write(bytes(1000))
        incoming.keep()
except StoreIsFull:
    print("full", os.listdir("{tmp_path}/disk/blobs/incoming"), list(blobs.kept()))
"""
    mount = 'mkdir "$1" && mount -t tmpfs -o size=1m none "$1" && exec "$2" -c "$3"'
    disk = ["sh", "-c", mount, "sh", f"{tmp_path}/disk", sys.executable, script]
    done = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", *disk], capture_output=True, text=True, check=False
    )
    if "unshare" in done.stderr or "mount" in done.stderr:
        pytest.skip(f"a small disk cannot be mounted here: {done.stderr.strip()}")

    assert done.stdout == "full [] []\n"


def test_a_folder_that_cannot_be_is_refused_by_the_check_in_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(StoreCannotBeUsed) as refusal:
        open_blobs(f"{tmp_path}/file/blobs").check()

    assert str(refusal.value) == (
        f"The payload store (files in {tmp_path}/file/blobs) cannot be used: Not a directory; see that the folder "
        "exists, is on a healthy disk and belongs to the user of this process."
    )


def test_opening_a_store_touches_nothing(tmp_path):
    blobs = open_blobs(f"{tmp_path}/blobs")

    assert list(blobs.kept()) == []
    assert blobs.sweep(older_than_seconds=0) == 0
    assert list(tmp_path.iterdir()) == []


def test_who_reads_a_blob_reads_on_when_it_is_removed(files_blobs, put):
    put(files_blobs, "door", bytes(600_000))
    chunks = files_blobs.read("door")
    first = next(chunks)

    files_blobs.remove("door")

    assert len(first) + sum(map(len, chunks)) == 600_000


def test_payloads_are_nobody_elses_business(files_blobs, tmp_path, put):
    put(files_blobs, "acme/door", b"x")

    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "blobs").rglob("*")}

    assert modes == {"incoming": 0o700, "kept": 0o700, "acme": 0o700, "door": 0o600}


def test_a_folder_has_no_links_of_its_own(files_blobs, put):
    put(files_blobs, "door", b"x")

    assert files_blobs.link("door", "door.mender", 60) is None
