"""Which instances a stack on this host is to have, given those it was to have before."""

from __future__ import annotations

import json
import re
from collections import Counter

from fairlead.domain.stacks.vendors.driver import AgentBrief, Order
from fairlead.domain.stacks.vendors.local.planning import LocalPlan, next_plan
from house.local_stacks import ACCOUNT, SECRET, STACK, local_layer, local_template

BRIEF = AgentBrief(ACCOUNT, STACK, "http://127.0.0.1", SECRET)


def planned(*layers: dict, before: LocalPlan | None = None, retire: set[str] = frozenset()) -> LocalPlan:
    order = Order(BRIEF, local_template(*layers), retire=frozenset(retire))
    return next_plan(order, before or LocalPlan())


def kinds(plan: LocalPlan) -> Counter:
    return Counter((each.flag, each.is_spot) for each in plan.staying)


def ids(plan: LocalPlan) -> list[str]:
    return [each.id for each in plan.staying]


def leaving(plan: LocalPlan) -> dict[str, bool]:
    return {each.id: each.must_go for each in plan.leaving}


def scaled(least: int, most: int, ratio: int = 0) -> dict:
    group = {"min": least, "max": most, "availability_zones": "a", "spot_to_ondemand_ratio": ratio}
    return local_layer(auto_scaling=group)


def test_each_layer_has_as_many_instances_as_it_begins_with():
    plan = planned(local_layer("Web01", instance_count=2), local_layer("Web02"))

    assert kinds(plan) == {("Web01", False): 2, ("Web02", False): 1}
    assert all(re.fullmatch(r"i-[0-9a-f]{17}", each) for each in ids(plan))
    assert len(set(ids(plan))) == 3
    assert not plan.leaving


def test_a_share_of_a_group_is_spot_instances():
    assert kinds(planned(scaled(3, 10, 50))) == {("Web01", True): 2, ("Web01", False): 1}


def test_who_shares_a_group_has_no_instances_of_its_own():
    both = planned(scaled(2, 2), local_layer("Web02", auto_scaling="#share(Web01.provision.auto_scaling)"))

    assert kinds(both) == {("Web01", False): 2}


def test_instances_stay_what_they_are_and_more_are_added():
    two = planned(local_layer(instance_count=2))
    three = planned(local_layer(instance_count=3, instance_type="large"), before=two)

    assert ids(three)[:2] == ids(two)
    assert {each.type for each in three.staying} == {"large"}
    assert three.round == two.round + 1


def test_too_many_are_leaving_and_are_taken_back_before_new_ones_are_made():
    three = planned(local_layer(instance_count=3))
    one = planned(local_layer(), before=three)
    four = planned(local_layer(instance_count=4), before=one)

    assert leaving(one) == dict.fromkeys(ids(three)[1:], False)
    assert ids(four)[:3] == ids(three)
    assert not four.leaving


def test_one_that_must_go_is_replaced_by_one_of_its_kind_and_never_taken_back():
    before = planned(scaled(2, 4, 50))
    spot = next(each for each in before.staying if each.is_spot)

    after = planned(scaled(2, 4, 50), before=before, retire={spot.id})
    later = planned(scaled(4, 4, 50), before=after)

    assert kinds(after) == kinds(before)
    assert spot.id not in ids(after)
    assert leaving(after) == leaving(later) == {spot.id: True}
    assert spot.id not in ids(later)


def test_an_instance_does_not_change_its_kind():
    on_demand = planned(scaled(2, 2, 0))
    spot = planned(scaled(2, 2, 100), before=on_demand)

    assert not set(ids(spot)) & set(ids(on_demand))
    assert set(leaving(spot)) == set(ids(on_demand))


def test_a_layer_that_is_gone_takes_its_instances_along():
    both = planned(local_layer("Web01"), local_layer("Web02"))
    one = planned(local_layer("Web02"), before=both)

    assert ids(one) == ids(both)[1:]
    assert set(leaving(one)) == {ids(both)[0]}


def test_a_plan_is_the_same_after_it_was_kept_as_json():
    plan = planned(local_layer(instance_count=3), before=planned(scaled(4, 4, 50)))

    assert LocalPlan.of(json.loads(json.dumps(plan.as_json))) == plan
    assert LocalPlan.of(None) == LocalPlan.of({}) == LocalPlan()


def test_each_instance_has_an_address_of_its_own_that_does_not_change():
    plan = planned(local_layer(instance_count=20))
    addresses = [each.address for each in plan.staying]

    assert all(re.fullmatch(r"127(\.\d{1,3}){3}", each) for each in addresses)
    assert len(set(addresses)) == 20
    assert addresses == [each.address for each in planned(local_layer(instance_count=20), before=plan).staying]
