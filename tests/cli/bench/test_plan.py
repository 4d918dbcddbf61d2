"""What can be asked for, and what is refused in one line?"""

import pytest

from fairlead.cli.bench.aims import Aim, Verdict
from fairlead.cli.bench.plan import ROWS, BadPlan, Plan, make_plan
from fairlead.cli.bench.rows import ROWS as MEASURES
from fairlead.cli.bench.rows import Figure


def plan(**said) -> Plan:
    asked = {"devices": None, "seconds": None, "connections": 64, "only": [], "quick": False, "database": ""}
    return make_plan(**{**asked, **said})


def test_every_row_that_can_be_named_can_be_measured():
    assert tuple(MEASURES) == ROWS


def test_everything_is_measured_unless_a_row_is_named():
    assert plan().rows == set(ROWS)


def test_a_rate_is_measured_with_its_floor():
    assert plan(only=["next"]).rows == {"floor", "next"}


def test_what_is_no_rate_needs_neither_floor_nor_tokens():
    assert plan(only=["upload"]).rows == {"upload"}
    assert plan(only=["upload"]).tokens == 0


def test_the_start_of_a_name_means_all_that_begin_with_it():
    assert plan(only=["auth"]).rows == {"floor", "auth-ed25519", "auth-rsa"}


def test_only_rows_about_the_whole_fleet_need_the_tokens_of_all():
    assert plan(only=["memory"]).tokens == 100_000
    assert plan(only=["auth"]).tokens == 1000


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"devices": 0}, "--devices: 0 is not between 1 and 1,000,000"),
        ({"seconds": 0}, "--seconds: 0 is not between 0.1 and 3600"),
        ({"connections": 5000}, "--connections: 5000 is not between 1 and 1000"),
        ({"only": ["speed"]}, f"--only: 'speed' is not one of {', '.join(ROWS)}"),
    ],
)
def test_what_makes_no_sense_is_refused(said, sentence):
    with pytest.raises(BadPlan) as refused:
        plan(**said)

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("bound", "at_most", "value", "margin"),
    [(100, False, 150, 0.5), (100, False, 40, -0.6), (100, True, 25, 0.75), (100, True, 130, -0.3)],
)
def test_an_aim_is_met_or_missed_by_a_share_of_it(bound, at_most, value, margin):
    verdict = Verdict(Aim("next", bound, "/s", at_most), value, Figure("next", "next", value))

    assert verdict.margin == pytest.approx(margin)
    assert verdict.is_met is (margin > 0)
