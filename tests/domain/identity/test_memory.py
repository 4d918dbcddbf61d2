"""Whose token was verified already, and how surely is it forgotten?"""

import threading
import time

import pytest

from fairlead.base.scope import Actor, ActorKind, Scope
from fairlead.domain.identity import Bearer, TokenMemory


def bearer(subject: str = "door", tenant: str = "acme", expires_in: float = 60) -> Bearer:
    return Bearer(
        Scope(tenant, Actor(ActorKind.DEVICE, subject)), subject, f"jti-{subject}", int(time.time() + expires_in)
    )


@pytest.fixture
def memory():
    return TokenMemory(lambda: True)


def remember(memory: TokenMemory, token: bytes, who: Bearer) -> Bearer:
    memory.remember(token, who, memory.stamp())
    return who


def test_a_token_that_was_verified_is_known(memory):
    door = remember(memory, b"token", bearer())

    assert memory.find(b"token") is door
    assert memory.find(b"tokem") is None
    assert len(memory) == 1


def test_while_changes_cannot_be_heard_nobody_is_known():
    trusted = True
    memory = TokenMemory(lambda: trusted)
    door = remember(memory, b"token", bearer())

    trusted = False
    assert memory.find(b"token") is None
    trusted = True
    assert memory.find(b"token") is door


def test_a_token_is_known_until_it_expires(memory):
    remember(memory, b"token", bearer(expires_in=-1))

    assert memory.find(b"token") is None


def test_whoever_would_not_be_told_of_a_revocation_is_asked_about_again(memory):
    stamp = memory.stamp()
    memory.revoke("gate")
    late, twice, once_more = bearer(), bearer(), bearer()

    memory.remember(b"late", late, stamp)
    remember(memory, b"token", twice)
    remember(memory, b"token", once_more)

    assert [memory.knows(who) for who in (late, twice, once_more)] == [False, False, True]
    assert memory.find(b"token") is once_more


def test_who_had_to_make_room_is_asked_about_again():
    memory = TokenMemory(lambda: True, most=1)
    door = remember(memory, b"1", bearer("door"))

    gate = remember(memory, b"2", bearer("gate"))

    assert [memory.knows(who) for who in (door, gate)] == [False, True]


def test_all_tokens_of_someone_are_forgotten_at_once_and_no_others(memory):
    first, second = remember(memory, b"1", bearer("door")), remember(memory, b"2", bearer("door"))
    gate = remember(memory, b"3", bearer("gate"))

    memory.revoke("door")

    assert [memory.find(token) for token in (b"1", b"2", b"3")] == [None, None, gate]
    assert [who.alive for who in (first, second, gate)] == [False, False, True]
    memory.revoke("door")
    memory.revoke("nobody")


def test_all_of_a_tenant_are_forgotten_and_no_others(memory):
    remember(memory, b"1", bearer("door", "acme"))
    remember(memory, b"2", bearer("gate", "acme"))
    mast = remember(memory, b"3", bearer("mast", "zenith"))

    memory.revoke_tenant("acme")

    assert [memory.find(token) for token in (b"1", b"2", b"3")] == [None, None, mast]


def test_everyone_is_forgotten_when_changes_were_missed(memory):
    door, stamp = remember(memory, b"1", bearer()), memory.stamp()

    memory.forget_all()
    memory.remember(b"2", bearer("gate"), stamp)

    assert (memory.find(b"1"), memory.find(b"2"), door.alive, len(memory)) == (None, None, False, 0)


@pytest.mark.parametrize(
    "forget",
    [
        lambda m: m.revoke("door"),
        lambda m: m.revoke("other"),
        lambda m: m.revoke_tenant("acme"),
        TokenMemory.forget_all,
    ],
)
def test_what_was_verified_before_a_revocation_is_not_remembered_after_it(memory, forget):
    """The race: the database is asked, then the token is revoked and forgotten, then the answer arrives."""
    stamp = memory.stamp()
    forget(memory)

    memory.remember(b"token", bearer("door"), stamp)

    assert memory.find(b"token") is None


def test_a_revocation_is_never_lost_however_the_threads_fall():
    """Each token is good until the device is revoked; no thread may find it known afterwards."""
    memory = TokenMemory(lambda: True)
    good = {"door"}
    wrong, stop = [], threading.Event()

    def verify() -> None:
        while not stop.is_set():
            stamp = memory.stamp()
            is_good = "door" in good
            time.sleep(0)
            if is_good:
                memory.remember(b"token", bearer("door"), stamp)

    threads = [threading.Thread(target=verify) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        time.sleep(0.0005)
        good.clear()
        memory.revoke("door")
        time.sleep(0)
        wrong += [True] if memory.find(b"token") else []
        good.add("door")
    stop.set()
    for thread in threads:
        thread.join()

    assert wrong == []


def test_there_is_room_for_so_many_and_the_oldest_leave_first():
    memory = TokenMemory(lambda: True, most=100)
    for number in range(150):
        remember(memory, b"%d" % number, bearer(f"device-{number}"))

    assert len(memory) <= 100
    assert memory.find(b"149") is not None
    assert memory.find(b"0") is None
    memory.revoke("device-0")  # gone already
    memory.revoke("device-149")
    assert memory.find(b"149") is None


def test_what_has_expired_leaves_before_what_is_good():
    memory = TokenMemory(lambda: True, most=10)
    for number in range(10):
        remember(memory, b"%d" % number, bearer(f"device-{number}", expires_in=-1 if number == 5 else 60))

    remember(memory, b"new", bearer("new"))

    assert memory.find(b"0") is not None
    assert len(memory) == 10


def test_who_was_seen_since_is_told_with_the_time(memory):
    early, late = remember(memory, b"1", bearer("door")), remember(memory, b"2", bearer("gate", "zenith"))
    early.seen_at, late.seen_at = 100, 200

    assert memory.seen_since(150) == [("zenith", "gate", 200)]
