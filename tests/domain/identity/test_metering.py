"""When is somebody told that they call too often, and until when?"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from fairlead.domain import identity
from fairlead.domain.identity import ApiLimits, Burst, CountedCall, Meters, Quota, TooManyCalls
from fairlead.domain.identity.metering_store import counted_calls

NEXT = ("POST", "/api/devices/v1/deployments/device/deployments/next")


class Clock:
    def __init__(self) -> None:
        self.now = 6000.0

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


@pytest.fixture
def clock():
    return Clock()


class Process(Meters):
    """The meters of one server process, asked one call at a time."""

    def call(self, caller, limits, method="GET", path="/x") -> None:
        (refused,) = self.count([CountedCall(caller, limits, method, path)])
        if refused:
            raise refused


@pytest.fixture
def new_process(database, clock):
    """Nobody has called anything."""
    with database.across_tenants("the next test") as tx:
        tx.run(sa.delete(counted_calls))
    return lambda: Process(database, clock, most=3)


@pytest.fixture
def meters(new_process):
    return new_process()


def calls_until_refused(meters, caller, limits, method="GET", path="/x", most=50) -> int:
    for number in range(most):
        try:
            meters.call(caller, limits, method, path)
        except TooManyCalls:
            return number
    return most


def refusal(meters, caller, limits, method="GET", path="/x") -> TooManyCalls:
    with pytest.raises(TooManyCalls) as caught:
        meters.call(caller, limits, method, path)
    return caught.value


def test_a_quota_lets_so_many_calls_through_in_an_interval_and_all_again_in_the_next(meters, clock):
    limits = ApiLimits(quota=Quota(max_calls=5, interval_sec=60))

    assert calls_until_refused(meters, "ada", limits) == 5
    clock.now += 59
    assert refusal(meters, "ada", limits).facts["retry_after"] == 1
    clock.now += 1
    assert calls_until_refused(meters, "ada", limits) == 5


def test_the_refusal_says_the_limit_and_how_long_to_wait(meters, clock):
    limits = ApiLimits(quota=Quota(max_calls=1, interval_sec=60))
    meters.call("ada", limits, "GET", "/x")
    clock.now += 20.5

    problem = refusal(meters, "ada", limits)

    assert problem.facts["retry_after"] == 40
    assert str(problem) == "too many requests: 1 calls in 60 seconds are allowed; try again in 40 seconds"


def test_each_caller_is_counted_alone(meters):
    limits = ApiLimits(quota=Quota(max_calls=2, interval_sec=60))

    assert [calls_until_refused(meters, who, limits) for who in ("ada", "ben", "ada")] == [2, 2, 0]


def test_no_quota_is_no_limit(meters):
    assert calls_until_refused(meters, "ada", ApiLimits()) == 50


def test_a_pace_holds_for_its_operation_only(meters, clock):
    limits = ApiLimits(bursts=(Burst(*NEXT, min_interval_sec=10),))
    meters.call("door", limits, *NEXT)

    assert refusal(meters, "door", limits, *NEXT).facts["retry_after"] == 10
    assert calls_until_refused(meters, "door", limits, "GET", NEXT[1]) == 50
    assert calls_until_refused(meters, "door", limits, "POST", "/other") == 50
    clock.now += 9.9
    refusal(meters, "door", limits, *NEXT)
    clock.now += 0.1
    meters.call("door", limits, *NEXT)


def test_a_refused_call_does_not_begin_the_interval_anew(meters, clock):
    limits = ApiLimits(bursts=(Burst(*NEXT, min_interval_sec=10),))
    meters.call("door", limits, *NEXT)

    for _ in range(9):
        clock.now += 1
        refusal(meters, "door", limits, *NEXT)
    clock.now += 1

    meters.call("door", limits, *NEXT)


def test_a_call_that_its_pace_refuses_does_not_use_up_the_quota(meters, clock):
    limits = ApiLimits(bursts=(Burst(*NEXT, min_interval_sec=1),), quota=Quota(max_calls=2, interval_sec=60))
    meters.call("door", limits, *NEXT)
    for _ in range(5):
        refusal(meters, "door", limits, *NEXT)
    clock.now += 1

    meters.call("door", limits, *NEXT)


def test_who_was_refused_is_refused_again_without_a_look_into_the_database(meters, clock, monkeypatch):
    limits = ApiLimits(quota=Quota(max_calls=2, interval_sec=60))
    assert calls_until_refused(meters, "ada", limits) == 2

    with monkeypatch.context() as away:
        away.setattr(meters, "_database", None)
        assert refusal(meters, "ada", limits).facts["retry_after"] == 60

    clock.now += 60
    assert calls_until_refused(meters, "ada", limits) == 2


def test_who_is_no_longer_remembered_is_counted_all_the_same(meters):
    limits = ApiLimits(quota=Quota(max_calls=1, interval_sec=60))
    crowd = ("ada", "ben", "cleo", "dora")  # the fourth of three

    assert [calls_until_refused(meters, who, limits) for who in crowd] == [1, 1, 1, 1]
    assert [calls_until_refused(meters, who, limits) for who in crowd] == [0, 0, 0, 0]


def test_a_quota_holds_for_all_processes_together(new_process):
    """To the call, and to the next interval: what was called here is known there."""
    limits, processes = ApiLimits(quota=Quota(max_calls=5, interval_sec=3600)), [new_process() for _ in range(3)]

    served = 0
    for number in range(20):
        try:
            processes[number % 3].call("ada", limits)
            served += 1
        except TooManyCalls as refused:
            assert refused.facts["retry_after"] == 1200

    assert served == 5
    assert calls_until_refused(processes[2], "ben", limits) == 5


def test_a_quota_holds_when_processes_count_at_the_same_moment(new_process):
    limits, processes = ApiLimits(quota=Quota(max_calls=25, interval_sec=3600)), [new_process() for _ in range(4)]

    with ThreadPoolExecutor(4) as threads:
        served = list(threads.map(lambda each: calls_until_refused(each, "ada", limits), processes))

    assert sum(served) == 25


def test_a_pace_holds_for_all_processes_together(new_process, clock):
    limits, (here, there) = ApiLimits(bursts=(Burst(*NEXT, min_interval_sec=10),)), (new_process(), new_process())
    here.call("door", limits, *NEXT)
    clock.now += 4

    assert refusal(there, "door", limits, *NEXT).facts["retry_after"] == 6
    clock.now += 6
    there.call("door", limits, *NEXT)

    assert refusal(here, "door", limits, *NEXT).facts["retry_after"] == 10


def test_calls_of_one_moment_are_counted_together_each_for_itself(meters):
    limits = ApiLimits(bursts=(Burst(*NEXT, min_interval_sec=10),), quota=Quota(max_calls=2, interval_sec=60))
    calls = [("door", *NEXT), ("gate", *NEXT), ("door", *NEXT), ("door", "GET", "/x"), ("door", "GET", "/x")]

    answers = meters.count([CountedCall(who, limits, method, path) for who, method, path in calls])

    assert [answer and answer.facts["retry_after"] for answer in answers] == [None, None, 10, None, 60]


def test_a_limit_that_is_raised_lets_more_through_at_once_and_one_that_is_lowered_none(meters):
    few, more = (ApiLimits(quota=Quota(max_calls=most, interval_sec=60)) for most in (2, 5))

    assert [calls_until_refused(meters, "ada", limits) for limits in (few, more, few)] == [2, 3, 0]


def test_counts_are_kept_until_their_interval_is_over(database, new_process):
    now = Process(database)
    for seconds in (10**-6, 100_000):
        now.call("ada", ApiLimits(bursts=(Burst(*NEXT, min_interval_sec=seconds),)), *NEXT)

    with database.across_tenants("forget what is over") as tx:
        identity.forget_old_counts(tx)
        kept = tx.all(sa.select(counted_calls.c.calls))

    assert [row.calls for row in kept] == [1]
