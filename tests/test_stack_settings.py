"""Where do stacks run, and what are agents told to call?"""

from pathlib import Path

import pytest

from fairlead.parts import open_stacks
from fairlead.settings import BadSetting, load


def settings(tmp_path: Path, **given: object):
    return load({"data": tmp_path, **given}, environment={})


@pytest.mark.parametrize(
    ("given", "vendors"),
    [
        ({}, {"local"}),
        ({"multitenant": True}, set()),
        ({"multitenant": True, "local_stacks": "on"}, {"local"}),
        ({"local_stacks": "off"}, set()),
        ({"run_on_local": "aws, alicloud"}, {"local", "aws", "alicloud"}),
    ],
)
def test_stacks_run_on_this_host_unless_organizations_would_share_it_unasked(tmp_path, given, vendors):
    assert set(open_stacks(settings(tmp_path, **given)).drivers) == vendors


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, "http://127.0.0.1:8080"),
        ({"listen": "0.0.0.0:9000"}, "http://127.0.0.1:9000"),
        ({"public_url": "https://ada.example/"}, "https://ada.example"),
        ({"public_url": "https://ada.example", "agents_url": "http://10.0.0.1:8080"}, "http://10.0.0.1:8080"),
    ],
)
def test_agents_call_the_nearest_address_that_was_said(tmp_path, given, told):
    assert open_stacks(settings(tmp_path, **given)).api_url == told


def test_a_host_is_not_asked_for_more_instances_than_it_may_have(tmp_path):
    assert open_stacks(settings(tmp_path)).most_instances("local") == 50
    assert open_stacks(settings(tmp_path, local_instances=7, run_on_local="aws")).most_instances("aws") == 7
    assert open_stacks(settings(tmp_path, local_instances=0)).most_instances("local") is None
    assert open_stacks(settings(tmp_path)).most_instances("aws") is None


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"local_stacks": "maybe"}, "--local-stacks"),
        ({"run_on_local": "ibm"}, "--run-on-local"),
        ({"run_on_local": "aws", "local_stacks": "off"}, "--run-on-local"),
        ({"agents_url": "10.0.0.1"}, "--agents-url"),
        ({"local_instances": -1}, "--local-instances"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(tmp_path, given, name):
    with pytest.raises(BadSetting, match=name):
        settings(tmp_path, **given)
