"""Are all requests asked, all answers counted, and what goes wrong told?"""

import contextlib
import socket
import threading
from itertools import cycle

import pytest

from fairlead.cli.bench import wrk
from fairlead.cli.bench.load import LoadFailed, percentiles, press

NOTHING = b"HTTP/1.1 204 No Content\r\n\r\n"
QUESTION = b"GET / HTTP/1.1\r\n\r\n"


@contextlib.contextmanager
def answering(pieces):
    """A server that answers each question with these pieces, one after the other, and counts the questions."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def talk(line):
            with line, contextlib.suppress(ConnectionResetError):
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while question := line.recv(65536):
                    asked.append(question)
                    for piece in pieces:
                        line.sendall(piece)
                    if not pieces:
                        return

        def listen():
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=talk, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=listen, daemon=True).start()
        yield listener.getsockname(), asked
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("connections", [1, 3, 50])
def test_each_request_is_asked_once_and_its_answer_counted(connections):
    with answering([NOTHING]) as (address, asked):
        done = press(address, [QUESTION] * 20, connections)

    assert (done.answers, done.others_than(204), len(asked)) == (20, 0, 20)
    assert 0 < done.p50_ms <= done.p99_ms


def test_an_answer_in_pieces_is_one_answer():
    with answering([NOTHING[:5], NOTHING[5:20], NOTHING[20:]]) as (address, _):
        done = press(address, [QUESTION] * 10, 2)

    assert done.statuses == {204: 10}


def test_it_ends_when_the_time_is_over():
    with answering([NOTHING]) as (address, _):
        done = press(address, cycle([QUESTION]), 4, seconds=0.2)

    assert done.answers > 0
    assert done.seconds >= 0.2


def test_other_answers_than_expected_are_told():
    with answering([b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}"]) as (address, _):
        done = press(address, [QUESTION] * 5, 1)

    assert done.others_than(204) == 5


@pytest.mark.parametrize(
    ("pieces", "reason"),
    [([], "the server closed a connection"), ([b"hello\r\n\r\n"], "this is no answer: b'hello\\r\\n\\r\\n'")],
)
def test_a_server_that_does_not_answer_is_told_in_one_line(pieces, reason):
    with answering(pieces) as (address, _), pytest.raises(LoadFailed) as refused:
        press(address, [QUESTION], 1)

    assert str(refused.value) == f"The load could not be kept up: {reason}."


def test_the_percentiles_of_a_hundred():
    assert percentiles(range(100, 0, -1)) == (51, 100)
    assert percentiles([]) == (0.0, 0.0)


def test_what_wrk_says_is_understood():
    said = 'Running 1s test\nbench-figures {"answers": 200, "microseconds": 2000000, "p50": 900, "p99": 1800, '
    done = wrk.read(said + '"refused": 3, "broken": 1}\n')

    assert (done.per_second, done.p50_ms, done.p99_ms) == (100, 0.9, 1.8)
    assert done.others_than(204) == 4


def test_a_wrk_that_fails_is_told():
    with pytest.raises(LoadFailed, match="unable to connect"):
        wrk.read("", "unable to connect to 127.0.0.1:1 Connection refused\n")
