"""Many small deeds in one go: each gets its own answer, in its own time."""

import asyncio
import threading

import pytest

from fairlead.base.grouped import Grouped, Stopping


def with_group(do, scene, **wishes):
    """Play an asynchronous scene with a group that does this."""

    async def play():
        group = Grouped("test", do, **wishes)
        group.start(asyncio.get_running_loop())
        try:
            return await asyncio.wait_for(scene(group), 10)
        finally:
            await asyncio.to_thread(group.stop)

    return asyncio.run(play())


def test_each_item_gets_its_own_answer():
    async def scene(group):
        return await asyncio.gather(*(group.submit(n) for n in range(1000)))

    assert with_group(lambda items: [n * 2 for n in items], scene) == [n * 2 for n in range(1000)]


def test_what_waits_is_done_together_in_its_order():
    groups, open_up = [], threading.Event()

    def do(items):
        groups.append(items)
        open_up.wait(5)
        return items

    async def scene(group):
        first = group.submit(0)
        while not groups:
            await asyncio.sleep(0.001)
        rest = [group.submit(n) for n in range(1, 26)]
        open_up.set()
        await asyncio.gather(first, *rest)

    with_group(do, scene, largest=10)

    assert groups == [[0], list(range(1, 11)), list(range(11, 21)), list(range(21, 26))]


def test_an_answer_that_is_an_exception_is_raised_for_that_item_only():
    async def scene(group):
        return await asyncio.gather(*(group.submit(n) for n in (1, 2, 3)), return_exceptions=True)

    answers = with_group(lambda items: [ValueError(n) if n == 2 else n for n in items], scene)

    assert answers[0::2] == [1, 3]
    assert isinstance(answers[1], ValueError)


@pytest.mark.parametrize("fail", ["raise", "answer too little"])
def test_an_item_that_spoils_its_group_does_not_spoil_the_others(fail):
    def do(items):
        if 13 in items:
            if fail == "raise":
                raise ValueError("thirteen")
            return items[1:]
        return items

    async def scene(group):
        return await asyncio.gather(*(group.submit(n) for n in range(20)), return_exceptions=True)

    answers = with_group(do, scene)

    assert [n for n in answers if isinstance(n, int)] == [n for n in range(20) if n != 13]
    assert isinstance(answers[13], Exception)


def test_someone_who_gave_up_waiting_holds_up_nobody():
    done, open_up = [], threading.Event()

    def do(items):
        open_up.wait(5)
        done.extend(items)
        return items

    async def scene(group):
        left, stays = group.submit("left"), group.submit("stays")
        left.cancel()
        open_up.set()
        return await stays

    assert with_group(do, scene) == "stays"
    assert done == ["left", "stays"]  # the client has gone; the deed stands


def test_stopping_finishes_what_waits_and_takes_nothing_more():
    done, open_up = [], threading.Event()

    def do(items):
        open_up.wait(5)
        done.extend(items)
        return items

    async def scene(group):
        waiting = [group.submit(n) for n in range(50)]
        stopped = asyncio.create_task(asyncio.to_thread(group.stop))
        await asyncio.sleep(0.05)
        open_up.set()
        await stopped
        with pytest.raises(Stopping):
            group.submit(99)
        return await asyncio.gather(*waiting)

    assert with_group(do, scene, largest=7, threads=3) == list(range(50))
    assert sorted(done) == list(range(50))


def test_stopping_twice_or_before_the_start_is_harmless():
    group = Grouped("test", lambda items: items)
    group.stop()
    with pytest.raises(Stopping):
        group.submit(1)


def test_nothing_that_was_taken_is_left_without_an_answer_while_it_stops():
    """The race: an item is submitted in the very moment in which the group is told to stop."""

    async def scene(group):
        stopped = asyncio.create_task(asyncio.to_thread(group.stop))
        taken = []
        while not stopped.done():
            try:
                taken.append(group.submit(1))
            except Stopping:
                break
            await asyncio.sleep(0)
        await stopped
        return await asyncio.gather(*taken)

    for _ in range(50):
        answers = with_group(lambda items: items, scene, threads=2)
        assert set(answers) <= {1}
