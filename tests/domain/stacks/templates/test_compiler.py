"""All that is wrong with a template is said at once, each thing where it stands."""

from __future__ import annotations

import json

import pytest

from fairlead.domain.stacks.templates import BadTemplate, Limits, Vendor, compiled, read

from .written import AWS, VENDORS, layer, template, warned, written, wrong

VERSION = "Alm template version is not supported, current supported version is '2017-03-03'."
VENDOR = "This cloud vendor is not supported, please check your template's 'vendor' section."
CONFIGURATIONS = "Missing 'configurations' section in your alm template."


@pytest.mark.parametrize("version", ["2017-03-04", "", None, 20170303, ["2017-03-03"]])
def test_another_version_is_refused_word_for_word(version):
    with pytest.raises(BadTemplate) as bad:
        read(json.dumps(written(version=version)))

    assert str(bad.value) == VERSION
    assert [problem.pointer for problem in bad.value.problems] == ["/version"]


@pytest.mark.parametrize(
    "vendor", [None, {}, [], "aws", {"ibm": {}}, {"AWS": {}}, AWS | {"k5": {"cred": "a", "region": "b"}}]
)
def test_anything_but_one_vendor_that_we_know_is_refused_word_for_word(vendor):
    with pytest.raises(BadTemplate) as bad:
        read(json.dumps(written(vendor=vendor)))

    assert str(bad.value) == VENDOR
    assert [problem.pointer for problem in bad.value.problems] == ["/vendor"]


@pytest.mark.parametrize("configurations", [None, [], {}, "Web01", 7])
def test_a_template_without_layers_is_refused_word_for_word(configurations):
    with pytest.raises(BadTemplate) as bad:
        read(json.dumps(written(configurations=configurations)))

    assert str(bad.value) == CONFIGURATIONS
    assert [problem.pointer for problem in bad.value.problems] == ["/configurations"]


def test_the_sentence_of_the_first_server_is_the_first_line_and_everything_else_follows():
    with pytest.raises(BadTemplate) as bad:
        read(json.dumps(written(vendor={}, version="1", label="x" * 65)))

    assert str(bad.value).splitlines() == [
        VERSION,
        "/label: must have 0 to 64 characters, and has 65",
        f"/vendor: {VENDOR}",
    ]


def test_what_is_no_object_is_no_template():
    assert wrong("7") == {"": "must be an object"}


@pytest.mark.parametrize(
    ("vendor", "pointer"),
    [
        ({"aws": {"region": "ap-northeast-1"}}, "/vendor/aws/cred"),
        ({"aws": {"cred": ""}}, "/vendor/aws/cred"),
        ({"aws": "key"}, "/vendor/aws"),
        ({"aws": {"cred": "a", "region": "a b"}}, "/vendor/aws/region"),
        ({"alicloud": {"cred": "a"}}, "/vendor/alicloud/region"),
        ({"k5": {"cred": "a"}}, "/vendor/k5/region"),
        ({"azure": {"region": "a"}}, "/vendor/azure/cred"),
        ({"gcp": {"cred": "a", "region": "b"}}, "/vendor/gcp/project_id"),
    ],
)
def test_a_vendor_that_lacks_something_is_refused(vendor, pointer):
    assert list(wrong(written(vendor=vendor))) == [pointer]


@pytest.mark.parametrize("name", VENDORS)
def test_every_vendor_has_templates(name):
    assert template(layer(instance_count=2), vendor=VENDORS[name]).vendor.name == name


def test_aws_has_a_region_where_none_is_said():
    assert template(vendor={"aws": {"cred": "a"}}).vendor == Vendor("aws", "ap-northeast-1", "a")


def test_a_stack_that_is_there_keeps_its_vendor():
    k5 = Vendor("k5", "jp-east-1", "acme")

    changed = compiled(written(layer(), vendor={"nonsense": 7}), vendor=k5)

    assert changed.vendor == k5
    assert changed.layers[0].provision.instance_type == "1101"


def test_label_and_description_may_be_long_and_not_longer():
    read = template(label="x" * 64, description="y" * 255)

    assert (read.label, read.description) == ("x" * 64, "y" * 255)
    assert list(wrong(written(label="x" * 65, description="y" * 256))) == ["/label", "/description"]


@pytest.mark.parametrize("flag", ["Web", "a" * 19, "Web-1", "Wéb01", "", " Web1", "Web1\n", None, 12345678, ["Web01"]])
def test_a_flag_has_four_to_eighteen_letters_and_digits(flag):
    if flag == 12345678:
        assert template({"flag": flag}).flags == ("12345678",)
    else:
        assert list(wrong(written({"flag": flag}))) == ["/configurations/0/flag"]


@pytest.mark.parametrize("flag", ["Web01", "web0", "a" * 18])
def test_flags_that_people_use_are_taken(flag):
    assert template(layer(flag)).flags == (flag,)


def test_a_flag_belongs_to_one_layer():
    assert wrong(written(layer("Web01"), layer("Web02"), layer("Web01"))) == {
        "/configurations/2/flag": "must be of this layer alone, and 'Web01' is layer 0"
    }


@pytest.mark.parametrize("other", [None, 7, "Web01", []])
def test_a_layer_is_an_object_with_a_flag(other):
    pointer = "/configurations/1/flag" if other == [] else "/configurations/1"

    assert list(wrong(written(layer(), other))) == [pointer]


def test_a_role_is_one_that_we_know_and_web_where_none_is_said():
    assert template({"flag": "Web01"}).layers[0].role == "web"
    assert template(layer(role="bastion")).layers[0].role == "bastion"
    assert list(wrong(written(layer(role="mail")))) == ["/configurations/0/role"]


def test_roles_that_make_nothing_are_taken_with_a_warning():
    assert warned(layer(role="nat_gateway", instance_count=3)) == {"/configurations/0/role": "makes no instances"}
    assert template(layer(role="nat_gateway", instance_count=3)).most_instances == 0


def test_what_we_do_not_know_is_kept_and_warned_of():
    read = template(layer(intance_count=3), zzz={"deep": [1]})

    assert read.document["zzz"] == {"deep": [1]}
    assert {warning.pointer: warning.text for warning in read.warnings} == {
        "/zzz": "is not known, and does nothing",
        "/configurations/0/provision/intance_count": ("is not known, and does nothing: did you mean 'instance_count'?"),
    }


def test_two_spellings_of_a_key_must_say_the_same():
    assert template(layer(instance_count=2, InstanceCount="2")).layers[0].instances.most == 2
    assert list(wrong(written(layer(instance_count=2, InstanceCount=3)))) == [
        "/configurations/0/provision/InstanceCount"
    ]


def test_a_null_is_as_good_as_nothing():
    assert template(layer(instance_count=None, rds=None) | {"container": None}).layers == template(layer()).layers


def test_an_empty_object_may_be_written_as_php_writes_it():
    assert template(layer() | {"provision": []}).layers == template(layer()).layers


def test_there_are_bounds_to_what_one_may_ask_for():
    many = written(*(layer(f"Web{index:02}", instance_count=4) for index in range(3)))

    assert list(wrong(many, Limits(layers=2))) == ["/configurations"]
    assert list(wrong(many, Limits(instances=3))) == ["/configurations/0/provision"]
    assert wrong(many, Limits(instances=11)) == {
        "/configurations": "asks for up to 12 instances in all layers together, of at most 11"
    }
    assert compiled(many, limits=Limits(instances=12)).most_instances == 12


def test_of_very_many_problems_the_first_hundred_are_listed():
    problems = wrong(written(layer(security_group={"ingress": [7] * 150})))

    assert len(problems) == 101
    assert problems[""] == "There are 50 more problems like these."
