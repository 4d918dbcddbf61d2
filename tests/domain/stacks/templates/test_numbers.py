"""A layer has as many instances as its template says, and as many of them are spot instances."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as some

from fairlead.domain.stacks.templates import AutoScaling, Counts, Range, SpotShare
from fairlead.domain.stacks.templates.numbers import shared_out

from .written import VENDORS, layer, template, warned, written, wrong, wrong_in

ZONES = {"availability_zones": "ap-northeast-1a, ap-northeast-1c"}
SHARE = {"spot_to_ondemand_ratio": 50}


def counts(vendor: str = "aws", /, **provision) -> Counts:
    return template(layer(**provision), vendor=VENDORS[vendor]).layers[0].instances


@pytest.mark.parametrize(
    ("least", "most", "percent", "spot", "on_demand"),
    [
        (10, 100, 60, (6, 60), (4, 40)),
        (3, 3, 50, (2, 2), (1, 1)),
        (1, 1, 50, (1, 1), (0, 0)),
        (13, 23, 30, (4, 7), (9, 16)),
        (23, 23, 10, (2, 2), (21, 21)),
        (0, 0, 50, (0, 0), (0, 0)),
        (5, 9, 0, (0, 0), (5, 9)),
        (5, 9, 100, (5, 9), (0, 0)),
        (10**6, 10**6, 33, (330_000, 330_000), (670_000, 670_000)),
    ],
)
def test_a_share_is_rounded_half_up_and_the_rest_is_on_demand(least, most, percent, spot, on_demand):
    assert shared_out(least, most, SpotShare(percent)) == Counts(Range(*on_demand), Range(*spot))


@given(some.integers(0, 10**6), some.integers(0, 10**6), some.integers(0, 100))
def test_shares_add_up_and_never_cross(least, more, percent):
    shared = shared_out(least, least + more, SpotShare(percent))

    assert (shared.fewest, shared.most) == (least, least + more)
    for part in (shared.spot, shared.on_demand):
        assert 0 <= part.min <= part.max
    assert abs(shared.spot.max - percent * (least + more) / 100) <= 0.5


def test_a_layer_that_does_not_scale_has_the_instances_that_are_counted():
    assert counts() == Counts(on_demand=Range(1, 1))
    assert counts(instance_count="7") == Counts(on_demand=Range(7, 7))
    assert counts(instance_count=0) == Counts()


def test_a_layer_that_scales_has_no_instances_besides():
    assert counts(instance_count=7, auto_scaling={"min": 2, "max": "5"} | ZONES) == Counts(on_demand=Range(2, 5))
    assert counts(auto_scaling=ZONES) == Counts(on_demand=Range(1, 1))
    assert counts(auto_scaling={"min": 3, "max": 10} | ZONES | SHARE) == Counts(Range(1, 5), Range(2, 5))


def test_the_older_way_to_ask_for_spot_instances_puts_them_on_top():
    older = {"min": 1, "max": 2, "spot_min": 3, "spot_max": 4} | ZONES

    assert counts(auto_scaling=older) == Counts(Range(1, 2), Range(3, 4))
    assert counts("local", auto_scaling=older) == Counts(Range(1, 2), Range(3, 4))
    assert counts("k5", auto_scaling=older) == Counts(Range(1, 2))
    assert counts(auto_scaling=older | SHARE) == Counts(Range(0, 1), Range(1, 1))
    assert list(warned(layer(auto_scaling=older | SHARE))) == [
        "/configurations/0/provision/auto_scaling/spot_min",
        "/configurations/0/provision/auto_scaling/spot_max",
    ]


def test_auto_scaling_is_read_with_what_is_taken_where_nothing_is_said():
    scaling = template(layer(auto_scaling={"MinSize": 1, "MaxSize": 2, "cooldown": "60"} | ZONES)).layers[0].provision

    assert scaling.auto_scaling == AutoScaling(
        min=1,
        max=2,
        spot=SpotShare(),
        availability_zones=("ap-northeast-1a", "ap-northeast-1c"),
        cooldown_seconds=60,
        healthcheck_grace_seconds=360,
    )


@pytest.mark.parametrize(
    ("scaling", "key"),
    [
        ({"min": 2, "max": 1} | ZONES, "/max"),
        ({"min": 2} | ZONES, "/max"),
        ({"min": -1} | ZONES, "/min"),
        ({"min": "few"} | ZONES, "/min"),
        ({"max": 10**12} | ZONES, "/max"),
        ({"min": 1, "max": 1}, "/availability_zones"),
        ({"availability_zones": " , "}, "/availability_zones"),
        ({"cooldown": "soon"} | ZONES, "/cooldown"),
        ({"healthcheck_grace_period": 10**9} | ZONES, "/healthcheck_grace_period"),
        ({"spot_to_ondemand_ratio": 101} | ZONES, "/spot_to_ondemand_ratio"),
        ({"spot_min": 3, "spot_max": 2} | ZONES, "/spot_max"),
        ("all of them", ""),
    ],
)
def test_a_group_that_cannot_be_is_refused(scaling, key):
    assert list(wrong_in(auto_scaling=scaling)) == [f"/auto_scaling{key}"]


def test_google_scales_from_one_instance_at_least_to_more_or_not_at_all():
    for least, most in ((0, 2), (2, 2)):
        group = layer(auto_scaling={"min": least, "max": most} | ZONES)
        assert list(wrong(written(group, vendor=VENDORS["gcp"]))) == ["/configurations/0/provision/auto_scaling"]

    assert counts("gcp", auto_scaling={"min": 1, "max": 2} | ZONES) == Counts(on_demand=Range(1, 2))
    assert counts("gcp", instance_count=3, auto_scaling={"min": 0, "max": 0}) == Counts(on_demand=Range(3, 3))


def test_a_layer_that_takes_part_in_the_group_of_another_has_no_instances_of_its_own():
    both = template(
        layer("Web01", auto_scaling={"min": 2, "max": 4} | ZONES),
        layer("Web02", instance_count=5, auto_scaling="#share(Web01.provision.auto_scaling)"),
    )

    assert [one.instances.most for one in both.layers] == [4, 0]
    assert both.most_instances == 4
