"""How does a server end, and how do several processes make one?"""

from __future__ import annotations

import os
import re
import signal
import ssl
import threading
import time

import httpx
import pytest

from artifact_maker import make_artifact
from house.people import Administrator, make_administrator, talk
from house.program import Program, Server, make_certificate
from house.world import DEPLOYMENTS


@pytest.fixture
def data(tmp_path):
    make_administrator(tmp_path / "data")
    return tmp_path / "data"


def count_of(server: Server, route: str) -> int:
    """How often the route was asked, as all processes together say."""
    figures = httpx.get(f"{server.internal_url}/metrics").text
    found = re.findall(rf'fairlead_requests_total{{[^}}]*route="{re.escape(route)}"[^}}]*}} (\S+)', figures)
    return int(sum(map(float, found)))


def test_an_upload_that_is_under_way_is_answered_before_the_end(data):
    artifact = make_artifact(name="release-1", device_types=["door-lock"])
    begun = threading.Event()

    def slowly():
        """A body that is only complete after the server was told to stop."""
        yield from (
            b"--x\r\n",
            b'Content-Disposition: form-data; name="artifact"; filename="a"\r\n\r\n',
            artifact[:100],
        )
        begun.set()
        time.sleep(0.7)
        yield from (artifact[100:], b"\r\n--x--\r\n")

    with Server(data) as server, talk(server.url) as client:
        ada = Administrator(client).log_in()
        door = ada.device("door")
        answers = []
        kind = {"Content-Type": "multipart/form-data; boundary=x"}
        upload = threading.Thread(
            target=lambda: answers.append(ada.person.post(f"{DEPLOYMENTS}/artifacts", content=slowly(), headers=kind))
        )
        upload.start()
        begun.wait()
        with talk(server.url) as other:
            door.client = other
            assert door.report({"seen": "at the end"}).status_code == 200
            server.tell(signal.SIGTERM)
            upload.join()
        assert server.wait() == 0
        assert answers[0].status_code == 201, answers[0].text
        assert "server.stopped" in server.err
        assert "Traceback" not in server.err

    with Server(data) as again, talk(again.url) as client:
        ada = Administrator(client, ada.token)
        assert [each["name"] for each in ada.artifacts()] == ["release-1"]


def test_several_workers_serve_count_together_and_end_together(data):
    with Server(data, workers=2) as server, talk(server.url) as client:
        pids = server.worker_pids()
        assert len(pids) == 2
        for _ in range(40):
            assert httpx.get(f"{server.url}/alive").status_code == 204
        assert count_of(server, "/alive") == 40
        Administrator(client).log_in().device("door")
        time.sleep(1.2)  # gauges are brought up to date each second
        assert figure(server, "fairlead_remembered_tokens") >= 1

        os.kill(pids[0], signal.SIGKILL)
        for _ in range(20):
            with_retries(lambda: httpx.get(f"{server.url}/alive"))
        server.wait_for(r"server\.ready", times=3)
        assert pids[0] not in server.worker_pids()
        os.kill(pids[1], signal.SIGKILL)
        server.wait_for(r"server\.ready", times=4)

        assert "worker.died" in server.err
        assert len(server.worker_pids()) == 2
        assert count_of(server, "/alive") >= 60
        assert figure(server, "fairlead_remembered_tokens") == 0  # the gauges of the dead end with them
        os.killpg(server.process.pid, signal.SIGINT)  # what Ctrl-C does
        assert server.wait() == 0
        assert "Traceback" not in server.err


def with_retries(ask) -> None:
    """A connection that the dying worker had taken is lost; the next one is served."""
    for _ in range(3):
        try:
            assert ask().status_code == 204
            return
        except httpx.TransportError:
            continue
    raise AssertionError("nobody serves")


def figure(server: Server, name: str) -> float:
    return float(re.search(rf"^{name} (\S+)", httpx.get(f"{server.internal_url}/metrics").text, re.M).group(1))


def test_workers_do_not_outlive_their_parent(data):
    with Server(data, workers=2) as server:
        pids = server.worker_pids()
        os.kill(server.process.pid, signal.SIGKILL)
        until = time.monotonic() + 10
        while any(is_running(pid) for pid in pids):
            assert time.monotonic() < until, "the workers hold on to the address"
            time.sleep(0.05)
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.url}/alive")


def is_running(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_only_one_of_two_servers_that_start_at_once_gets_the_address(data, tmp_path):
    make_administrator(tmp_path / "other")
    with Server(data) as first:
        address = first.url.removeprefix("http://")
        first.stop()
    both = [
        Program("serve", "--data", each, "--listen", address, "--internal-listen", "")
        for each in (data, tmp_path / "other")
    ]
    try:
        until = time.monotonic() + 20
        while all(each.process.poll() is None for each in both):
            assert time.monotonic() < until
            time.sleep(0.05)
        loser = next(each for each in both if each.process.poll() is not None)
        winner = next(each for each in both if each is not loser)
        assert loser.process.returncode == 2
        assert "Address already in use" in loser.err
        assert len(loser.err.strip().splitlines()) == 1
        winner.wait_for(r"server\.ready")
    finally:
        for each in both:
            each.__exit__()


def test_encrypted_connections_are_served_and_plain_ones_are_not(data, tmp_path):
    certificate, key = make_certificate(tmp_path)
    trusted = ssl.create_default_context(cafile=certificate)

    with Server(data, "--tls-cert", certificate, "--tls-key", key) as server:
        assert server.url.startswith("https://")
        with httpx.Client(base_url=server.url, verify=trusted) as client:
            ada = Administrator(client).log_in()
            content = ada.upload("release-1")
            assert ada.download(ada.artifacts()[0]["id"]) == content
        with pytest.raises(httpx.TransportError):
            httpx.get(server.url.replace("https", "http") + "/alive")
        assert httpx.get(f"{server.internal_url}/health").status_code == 204
        assert "Traceback" not in server.err
