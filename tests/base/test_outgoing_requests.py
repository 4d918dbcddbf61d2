"""A request arrives as it was meant, and whatever is answered, or not, keeps nobody waiting and fills no memory."""

from __future__ import annotations

import os
import socket
import threading
import time
from contextlib import suppress

import pytest

from fairlead.base.errors import Refusal
from fairlead.base.http.outgoing import LARGEST_ANSWER, BadAddress, NoAnswer, Outgoing
from house.outside import Outside


def at(*addresses: str) -> Outgoing:
    """Where every name stands for these addresses."""
    return Outgoing(resolve=lambda host, port: list(addresses))


def send(outgoing: Outgoing, url: str, method: str = "GET", headers=None, body: bytes = b"", seconds: float = 10):
    return outgoing.send(method, url, headers or {}, body, connect_seconds=seconds / 2, read_seconds=seconds / 2)


@pytest.fixture
def outside():
    with Outside() as outside:
        yield outside


def test_a_path_that_is_not_ascii_is_encoded_and_one_that_is_encoded_stays(outside):
    send(Outgoing(["127.0.0.1"]), f"{outside.url}/gr\u00fc\u00dfe/%2F%20?q=\u00e4&r=%26#part")

    assert outside.asked[0].target == "/gr%C3%BC%C3%9Fe/%2F%20?q=%C3%A4&r=%26"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("GET", {"X-A": "b\r\nX-C: d"}),
        ("GET", {"X-A\r\nX-C": "hunter2"}),
        ("GET", {"X A": "hunter2"}),
        ("GET", {"X-A": "hunter2\0"}),
        ("GE T", {}),
        ("GET / HTTP/1.1\r\nX: y", {}),
    ],
)
def test_headers_and_methods_stay_in_their_line_and_out_of_the_log(outside, method, headers):
    with pytest.raises(BadAddress) as refused:
        send(Outgoing(["127.0.0.1"]), outside.url, method, headers)

    assert "hunter2" not in str(refused.value)
    assert outside.asked == []


def test_headers_may_be_in_any_language(outside):
    send(Outgoing(["127.0.0.1"]), outside.url, headers={"X-Name": " Gr\u00fc\u00dfe "})

    assert outside.asked[0].headers["x-name"].encode("latin-1").decode() == "Gr\u00fc\u00dfe"


def test_method_headers_and_body_arrive_and_the_answer_comes_back(outside):
    outside.answers("/x", 418, b"\x00\xfftea", headers={"X-Pot": "short"})

    answer = send(Outgoing(["127.0.0.1"]), f"{outside.url}/x?a=b", "PATCH", {"X-Who": "ada"}, b"\x01" * 300_000)

    (asked,) = outside.asked
    assert (asked.method, asked.target, asked.headers["x-who"]) == ("PATCH", "/x?a=b", "ada")
    assert asked.body == b"\x01" * 300_000
    assert (answer.status, answer.body) == (418, b"\x00\xfftea")
    assert ("X-Pot", "short") in answer.headers


def test_a_huge_answer_is_cut_off(outside):
    outside.answers("/huge", body=b"x" * (LARGEST_ANSWER + 5))

    assert send(Outgoing(["127.0.0.1"]), f"{outside.url}/huge").body == b"x" * LARGEST_ANSWER


def test_an_endless_answer_is_cut_off(outside):
    outside.answers("/endless", endless=True)

    assert len(send(Outgoing(["127.0.0.1"]), f"{outside.url}/endless").body) == LARGEST_ANSWER


def test_headers_without_end_are_no_answer(outside):
    outside.answers("/", headers={f"X-{number}": "x" * 1000 for number in range(200)})

    with pytest.raises(NoAnswer):
        send(Outgoing(["127.0.0.1"]), f"{outside.url}/")


@pytest.mark.parametrize("reply", [{"never": True}, {"body": b"x" * 1000, "drip_seconds": 0.02}])
def test_who_answers_slowly_or_never_is_not_waited_for(outside, reply):
    """Each byte would come in time; all of them together would not."""
    outside.answers("/slow", **reply)
    began = time.monotonic()

    with pytest.raises(NoAnswer, match="Timeout"):
        send(Outgoing(["127.0.0.1"]), f"{outside.url}/slow", seconds=0.6)

    assert time.monotonic() - began < 5


def test_who_drips_header_lines_is_not_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stop = threading.Event()

        def drip() -> None:
            connection, _ = listening.accept()
            with connection, suppress(OSError):
                connection.sendall(b"HTTP/1.1 200 OK\r\n")
                while not stop.wait(0.02):
                    connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n"[:1])

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            with pytest.raises(NoAnswer):
                send(Outgoing(["127.0.0.1"]), f"http://127.0.0.1:{listening.getsockname()[1]}/", seconds=0.6)
        finally:
            stop.set()
            dripping.join()


def test_who_hangs_up_or_talks_nonsense_gave_no_answer(outside):
    outside.answers("/x", hangs_up=True)
    with pytest.raises(NoAnswer):
        send(Outgoing(["127.0.0.1"]), f"{outside.url}/x")

    with socket.create_server(("127.0.0.1", 0)) as listening:

        def babble() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65536)
                connection.sendall(b"\x00\x01 what? \r\n\r\n")

        babbling = threading.Thread(target=babble)
        babbling.start()
        with pytest.raises(NoAnswer):
            send(Outgoing(["127.0.0.1"]), f"http://127.0.0.1:{listening.getsockname()[1]}/")
        babbling.join()


def test_nobody_there_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(NoAnswer, match="ConnectError"):
        send(Outgoing(["127.0.0.1"]), f"http://127.0.0.1:{port}/")


@pytest.mark.parametrize("failure", [socket.gaierror(-2, "Name or service not known"), UnicodeError("label too long")])
def test_a_name_that_is_not_known_is_no_answer(failure):
    def resolve(host: str, port: int) -> list[str]:
        raise failure

    with pytest.raises(NoAnswer, match=r"nowhere\.example is not known"):
        send(Outgoing(resolve=resolve), "http://nowhere.example/")
    with pytest.raises(NoAnswer, match="has no address"):
        send(at(), "http://nowhere.example/")


@pytest.mark.parametrize("label", ["x" * 64, "a..b", ".a"])
def test_names_that_no_name_server_would_take_are_no_answer(label):
    with pytest.raises((NoAnswer, Refusal)):
        send(Outgoing(), f"http://{label}.example/")


def test_proxies_of_the_environment_are_not_used(outside, monkeypatch):
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert send(Outgoing(["127.0.0.1"]), f"{outside.url}/x").status == 200


def test_many_requests_at_once_leave_no_connection_open(outside):
    outgoing = Outgoing(["127.0.0.1"])
    send(outgoing, f"{outside.url}/x")
    before = len(os.listdir("/proc/self/fd"))
    statuses = []
    threads = [
        threading.Thread(target=lambda: statuses.append(send(outgoing, f"{outside.url}/x").status)) for _ in range(30)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [200] * 30
    until = time.monotonic() + 5
    while len(os.listdir("/proc/self/fd")) > before:
        assert time.monotonic() < until
        time.sleep(0.01)
