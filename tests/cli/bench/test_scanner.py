"""Where does an answer end, whatever pieces it comes in?"""

import pytest

from fairlead.cli.bench.scanner import Unscannable, scan

NOTHING = b"HTTP/1.1 204 No Content\r\ndate: Tue, 20 Jan 2026 10:00:00 GMT\r\n\r\n"
TOKEN = b"HTTP/1.1 200 OK\r\ncontent-type: application/jwt\r\ncontent-length: 5\r\n\r\nabcde"


def test_an_answer_without_a_body_ends_with_its_head():
    assert scan(NOTHING) == (204, len(NOTHING))


def test_an_answer_with_a_body_is_as_long_as_it_says():
    assert scan(TOKEN) == (200, len(TOKEN))


def test_the_length_is_known_before_the_body_is_there():
    assert scan(TOKEN[:-5]) == (200, len(TOKEN))


@pytest.mark.parametrize("answer", [NOTHING, TOKEN])
def test_an_incomplete_head_is_waited_for(answer):
    end = answer.index(b"\r\n\r\n") + 4

    assert [scan(answer[:size]) for size in range(end)] == [None] * end


def test_what_follows_an_answer_is_not_counted():
    assert scan(TOKEN + NOTHING) == (200, len(TOKEN))


@pytest.mark.parametrize("name", [b"Content-Length", b"CONTENT-LENGTH", b"content-length"])
def test_the_length_is_found_however_it_is_spelt(name):
    answer = b"HTTP/1.1 401 Unauthorized\r\n" + name + b":  12 \r\nx-men-requestid: 1\r\n\r\n"

    assert scan(answer) == (401, len(answer) + 12)


def test_a_header_that_only_sounds_like_the_length_is_not_it():
    answer = b"HTTP/1.1 200 OK\r\nx-content-length: 99\r\ncontent-length: 0\r\n\r\n"

    assert scan(answer) == (200, len(answer))


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        b"HTTP/1.1 two OK\r\n\r\n",
        b"SSH-2.0-OpenSSH\r\n\r\n",
    ],
)
def test_what_cannot_be_measured_is_refused(answer):
    with pytest.raises(Unscannable):
        scan(answer)
