"""What goes wrong on purpose."""

from collections import Counter

from fairlead.cli.simulate.device import Fate, Habits
from fairlead.cli.simulate.fate import decide, hang_up_at


def fates(habits, deployment="d1", count=2000):
    return [decide(habits, index, deployment) for index in range(count)]


def test_without_rates_nothing_goes_wrong():
    assert set(fates(Habits())) == {Fate()}


def test_rates_of_one_touch_every_device():
    assert all(each.fails for each in fates(Habits(failure_rate=1)))
    assert all(each.resumes for each in fates(Habits(resume_rate=1)))
    assert all(each.breaks_off for each in fates(Habits(abort_download_rate=1)))
    assert len(Counter(each.silent_before for each in fates(Habits(silence_rate=1)))) == 3


def test_a_rate_is_kept_over_many_devices():
    failed = sum(each.fails for each in fates(Habits(failure_rate=0.2)))

    assert 340 < failed < 460


def test_the_same_rehearsal_goes_wrong_in_the_same_places_and_another_elsewhere():
    habits = Habits(failure_rate=0.5)

    assert fates(habits) == fates(habits)
    assert fates(habits) != fates(habits, "d2")
    assert fates(habits) != fates(Habits(failure_rate=0.5, seed="other"))


def test_a_device_hangs_up_half_way_and_only_the_first_time():
    assert hang_up_at(Fate(resumes=True), 0, 5000) == 2500
    assert hang_up_at(Fate(resumes=True), 2500, 5000) is None
    assert hang_up_at(Fate(), 0, 5000) is None
