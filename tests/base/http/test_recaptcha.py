"""What happens while nobody can say whether it is a person who asks?"""

import socket
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from fairlead.base.http import recaptcha
from fairlead.base.http.recaptcha import Recaptcha, RecaptchaIsAway


@pytest.fixture
def silent():
    """A verifier that takes every request and answers none."""
    with socket.create_server(("127.0.0.1", 0), backlog=9) as server:
        yield server


@pytest.fixture(autouse=True)
def two_at_once(monkeypatch):
    monkeypatch.setattr(recaptcha, "MOST_AT_ONCE", 2)


def asked(server: socket.socket) -> Recaptcha:
    return Recaptcha("secret", f"http://127.0.0.1:{server.getsockname()[1]}/siteverify")


def test_a_verifier_that_does_not_answer_is_not_waited_for_very_long(silent, monkeypatch):
    monkeypatch.setattr(recaptcha, "SECONDS", 0.1)

    with pytest.raises(RecaptchaIsAway):
        asked(silent).check("human")


def test_a_silent_verifier_holds_a_few_threads_and_the_others_are_told_at_once(silent, monkeypatch):
    monkeypatch.setattr(recaptcha, "SECONDS", 60)
    verifier = asked(silent)

    with ThreadPoolExecutor(3) as threads:
        waiting = [threads.submit(verifier.check, "human") for _ in range(2)]
        held = [silent.accept()[0] for _ in waiting]
        one_more = threads.submit(verifier.check, "human")
        wait([one_more], timeout=10)
        is_told, others_wait = one_more.done(), [each.done() for each in waiting]
        for connection in held:
            connection.close()
        for each in (*waiting, one_more):
            assert isinstance(each.exception(timeout=30), RecaptchaIsAway)

    assert (is_told, others_wait) == (True, [False, False])


def test_its_places_are_free_again_afterwards(silent, monkeypatch):
    monkeypatch.setattr(recaptcha, "SECONDS", 0.01)
    verifier = asked(silent)

    for _ in range(4):
        with pytest.raises(RecaptchaIsAway):
            verifier.check("human")
        silent.accept()[0].close()  # it was asked, each time
