"""Connections as they are in the world: closed, silent, broken."""

import asyncio

import uvloop

from fairlead.cli.simulate.address import Origin
from fairlead.cli.simulate.device import Lost, Reply
from fairlead.cli.simulate.wire import LARGEST_BODY_BYTES, Intake, Pool, tls_context

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def ask(*connections, times=1, intake=None, timeout_seconds=5.0):
    """Ask so many times a server whose first connection answers with the first list, and so on; None hangs up."""
    left = [list(answers) for answers in connections]

    async def serve(reader, writer):
        for answer in left.pop(0):
            await reader.readuntil(b"\r\n\r\n")
            if answer is None:
                break
            writer.write(answer)
        if not writer.is_closing():
            writer.close()

    async def run():
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        origin = Origin(False, "127.0.0.1", server.sockets[0].getsockname()[1])
        pool = Pool(asyncio.get_running_loop(), timeout_seconds, tls_context(insecure=False))
        answers = [await pool.ask(origin, b"GET / HTTP/1.1\r\n\r\n", intake) for _ in range(times)]
        pool.close()
        server.close()
        return answers

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run())


def test_one_connection_serves_many_requests():
    assert [answer.body for answer in ask([OK, OK, OK], times=3)] == [b"ok"] * 3


def test_an_old_connection_that_is_dead_is_replaced_without_a_word():
    assert [answer.body for answer in ask([OK, None], [OK], times=2)] == [b"ok"] * 2


def test_a_new_connection_that_is_dropped_is_no_answer():
    assert ask([None]) == [Lost("connection lost")]


def test_what_is_not_http_is_no_answer():
    assert ask([b"SSH-2.0-something\r\n"]) == [Lost("an answer that is not HTTP")]
    assert ask([b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n"]) == [Lost("an answer that is not HTTP")]


def test_an_answer_that_says_to_go_on_is_not_the_last_one():
    assert ask([b"HTTP/1.1 100 Continue\r\n\r\n" + OK])[0].body == b"ok"


def test_an_answer_may_end_with_its_connection():
    assert ask([b"HTTP/1.1 200 OK\r\n\r\nall of it"]) == [Reply(200, b"all of it", received_bytes=0)]


def test_an_answer_in_chunks_is_put_together():
    [answer] = ask([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n"])

    assert answer.body == b"ok!"


def test_an_answer_without_end_is_not_kept():
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + bytes(LARGEST_BODY_BYTES + 1)

    assert ask([endless]) == [Lost("an answer too large")]


def test_a_download_that_stops_coming_keeps_what_came():
    begun = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\nversion\0 and so on"

    [answer] = ask([begun, b""], intake=Intake(lambda total: None), timeout_seconds=0.2)

    assert (answer.status, answer.length, answer.received_bytes) == (200, 5000, 18)
    assert answer.opening.startswith(b"version\0")


def test_a_download_is_cut_at_exactly_the_byte_it_should_be():
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + bytes(5000)

    [answer] = ask([whole], intake=Intake(lambda total: total // 2))

    assert (answer.cut, answer.received_bytes) == (True, 2500)
