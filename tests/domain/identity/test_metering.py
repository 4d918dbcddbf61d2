"""When is somebody told that they call too often, and until when?"""

import pytest

from fairlead.domain.identity import ApiLimits, Burst, Meters, Quota, TooManyCalls

NEXT = ("POST", "/api/devices/v1/deployments/device/deployments/next")


class Clock:
    def __init__(self) -> None:
        self.now = 6000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def meters(clock):
    return Meters(clock, most=3)


def calls_until_refused(meters, caller, limits, method="GET", path="/x", most=50) -> int:
    for number in range(most):
        try:
            meters.count(caller, limits, method, path)
        except TooManyCalls:
            return number
    return most


def refusal(meters, caller, limits, method="GET", path="/x") -> TooManyCalls:
    with pytest.raises(TooManyCalls) as caught:
        meters.count(caller, limits, method, path)
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
    meters.count("ada", limits, "GET", "/x")
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
    meters.count("door", limits, *NEXT)

    assert refusal(meters, "door", limits, *NEXT).facts["retry_after"] == 10
    assert calls_until_refused(meters, "door", limits, "GET", NEXT[1]) == 50
    assert calls_until_refused(meters, "door", limits, "POST", "/other") == 50
    clock.now += 9.9
    refusal(meters, "door", limits, *NEXT)
    clock.now += 0.1
    meters.count("door", limits, *NEXT)


def test_a_refused_call_does_not_begin_the_interval_anew(meters, clock):
    limits = ApiLimits(bursts=(Burst(*NEXT, min_interval_sec=10),))
    meters.count("door", limits, *NEXT)

    for _ in range(9):
        clock.now += 1
        refusal(meters, "door", limits, *NEXT)
    clock.now += 1

    meters.count("door", limits, *NEXT)


def test_a_call_that_its_pace_refuses_does_not_use_up_the_quota(meters, clock):
    limits = ApiLimits(bursts=(Burst(*NEXT, min_interval_sec=1),), quota=Quota(max_calls=2, interval_sec=60))
    meters.count("door", limits, *NEXT)
    for _ in range(5):
        refusal(meters, "door", limits, *NEXT)
    clock.now += 1

    meters.count("door", limits, *NEXT)


def test_who_has_been_silent_longest_is_forgotten_first(meters):
    limits = ApiLimits(quota=Quota(max_calls=1, interval_sec=60))
    for who in ("ada", "ben", "cleo"):
        meters.count(who, limits, "GET", "/x")
    refusal(meters, "ada", limits)

    meters.count("dora", limits, "GET", "/x")  # the fourth of three

    refusal(meters, "ada", limits)
    meters.count("ben", limits, "GET", "/x")
