"""What a template refers to is put in, and judged like what it says itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fairlead.domain.stacks.templates import Hole, Layers, Limits, Vendor, documented, read
from fairlead.domain.stacks.templates.expressions import (
    BadExpression,
    Computed,
    Copy,
    Named,
    Path,
    Use,
    is_whole,
    parse,
)

from .written import layer, template, warned, written, wrong

HTTP = {"load_balancer_port": "80", "protocol": "HTTP", "instance_port": "80"}
RULES = {"ingress": [{"CidrIp": "0.0.0.0/0", "FromPort": 80, "IpProtocol": "tcp", "ToPort": 80}]}
ZONES = {"availability_zones": "ap-northeast-1a"}
ONE = layer("One1", availability_zone="ap-northeast-1c", security_group=RULES, subnet={"cidr": "10.0.9.0/24"})


def other(**provision: Any) -> Any:
    """What the layer `Two2` is made of when it refers to `One1`."""
    return template(ONE, layer("Two2", **provision)).layers[1].provision


def wrong_in_other(**provision: Any) -> dict[str, str]:
    start = "/configurations/1/provision/"
    found = wrong(written(ONE, layer("Two2", **provision)))
    return {pointer.removeprefix(start): text for pointer, text in found.items()}


@pytest.mark.parametrize(
    ("text", "means"),
    [
        ("", None),
        ("t2.micro", None),
        ("$(reboot) `id` #!/bin/sh $HOME {x}", None),
        ("#reference", None),
        ("${computed}", Computed()),
        (" ${ computed } ", Computed()),
        ("${use(One1.provision.image)}", Use((Path("One1", ("image",)),))),
        ("${use(flag.One1.provision.image)}", Use((Path("One1", ("image",)),))),
        ("${use(flag.provision.image)}", Use((Path("flag", ("image",)),))),
        ("${use(A.provision.x, B.provision.y)}", Use((Path("A", ("x",)), ",", Path("B", ("y",))))),
        ("${use(A.provision.x),use(B.provision.y.0)}", Use((Path("A", ("x",)), ",", Path("B", ("y", "0"))))),
        ("<${use(A.provision.x)}>", Use(("<", Path("A", ("x",)), ">"))),
        ("${copy(A.provision.subnet)}", Copy(Path("A", ("subnet",)))),
        ("#ref(A.provision.security_group)", Named("ref", (Path("A", ("security_group",)),))),
        ("#share(A.provision.x, B.provision.x)", Named("share", (Path("A", ("x",)), Path("B", ("x",))))),
    ],
)
def test_an_expression_is_read_as_what_it_is(text, means):
    assert parse(text) == means


@pytest.mark.parametrize(
    "text",
    [
        "${",
        "${}",
        "${computed",
        "${COMPUTED}",
        "${${computed}}",
        "${HOME}",
        "${use()}",
        "${use(One1)}",
        "${use(One1.provision)}",
        "${use(One1.container.image)}",
        "${use(One1.provision.a b)}",
        "${use(One1.provision.a)use(One1.provision.b)}",
        "${use(One1.provision.a),}",
        "${copy(A.provision.x, B.provision.x)}",
        "a${computed}",
        "b${copy(A.provision.x)}",
        "${__import__('os').system('id')}",
        "#ref()",
        "#ref(A.provision.x",
        "#share(A.provision.x)b",
        "${use(" + "A" * 5000 + ")}",
        "#ref(" + "A" * 5000 + ")",
    ],
)
def test_what_only_looks_like_an_expression_is_refused(text):
    with pytest.raises(BadExpression):
        parse(text)


def test_a_whole_text_must_be_an_expression_where_others_have_theirs():
    assert is_whole("${computed}")
    assert is_whole("${use(A.provision.x)}")
    assert not any(map(is_whole, ["${HOME}", "${computed}/bin", "x${computed}", "#ref(A.provision.x)", "$" * 9000]))


def test_a_text_may_be_used_elsewhere():
    assert other(availability_zone="${use(One1.provision.availability_zone)}").availability_zone == "ap-northeast-1c"


def test_several_texts_are_joined_by_commas():
    for joined in (
        "${use(One1.provision.availability_zone, Two2.provision.availability_zone)}",
        "${use(One1.provision.availability_zone),use(Two2.provision.availability_zone)}",
        "${use(One1.provision.availability_zone)},${use(Two2.provision.availability_zone)}",
    ):
        made = other(availability_zone="ap-northeast-1a", auto_scaling={"availability_zones": joined})

        assert made.auto_scaling.availability_zones == ("ap-northeast-1c", "ap-northeast-1a")


def test_objects_and_lists_may_be_copied():
    assert other(security_group="${copy(One1.provision.security_group)}").security_group == (
        template(ONE).layers[0].provision.security_group
    )
    assert other(security_group={"egress": "${copy(One1.provision.security_group.ingress)}"}).security_group.outgoing


def test_a_copy_may_be_of_a_copy_and_a_path_may_lead_through_one():
    middle = layer("Two2", subnet="${copy(One1.provision.subnet)}", auto_scaling={"min": 1} | ZONES)
    last = layer(
        "Three3",
        subnet={"cidr": "${use(Two2.provision.subnet.cidr)}"},
        auto_scaling="${copy(Two2.provision.auto_scaling)}",
    )

    layers = template(last, middle, ONE).layers

    assert layers[0].provision.subnet.cidr == "10.0.9.0/24"
    assert layers[0].provision.auto_scaling == layers[1].provision.auto_scaling


def test_keys_are_found_in_either_spelling():
    made = other(
        InstanceType="m4.large",
        image="${use(Two2.provision.instance_type)}",
        availability_zone="${use(One1.provision.AvailabilityZone)}",
        instance_count="${use(One1.provision.security_group.ingress.0.to_port)}",
    )

    assert (made.image, made.availability_zone, made.instance_count) == ("m4.large", "ap-northeast-1c", 80)


def test_what_is_left_to_us_is_the_same_wherever_it_is_used():
    asked = []

    def choose(hole: Hole) -> Any:
        asked.append(hole)
        return {"image": f"ami-{len(asked)}", "cidr": "10.0.77.0/24"}.get(str(hole.keys[-1])) or documented(hole)

    first = layer("One1", image="${computed}", subnet={"Cidr": "${computed}"})
    second = layer("Two2", image="${use(One1.provision.image)}", instance_type="${use(One1.provision.image)}")
    layers = read(json.dumps(written(second, first)), choose=choose).layers

    assert asked[0] == Hole(Vendor("aws", "ap-northeast-1", "key-of-acme"), "One1", ("provision", "image"))
    assert [hole.keys for hole in asked].count(("provision", "subnet", "cidr")) == 1
    assert {layers[0].provision.image, layers[1].provision.image, layers[0].provision.instance_type} == {"ami-1"}
    assert layers[1].provision.subnet.cidr == "10.0.77.0/24"


def test_what_must_be_said_and_cannot_be_chosen_is_missing():
    found = wrong(written(layer(load_balancer={"listeners": [HTTP | {"instance_port": "${computed}"}]})))

    assert found == {"/configurations/0/provision/load_balancer/listeners/0/instance_port": "is missing"}


def test_a_bad_choice_is_refused_like_what_is_written():
    with pytest.raises(Exception, match="/configurations/0/provision/instance_type: must be a text"):
        read(json.dumps(written(layer())), choose=lambda hole: ["?"] if hole.keys[-1] == "instance_type" else None)


def test_a_load_balancer_names_what_layers_have():
    balancer = other(
        load_balancer={
            "lb_type": "application",
            "listeners": [HTTP],
            "SecurityGroups": "#ref(One1.provision.security_group)",
            "subnets": "#share(One1.provision.subnet, Two2.provision.subnet)",
        }
    ).load_balancer

    assert balancer.security_groups == Layers("security_group", ("One1",))
    assert balancer.subnets == Layers("subnet", ("One1", "Two2"))


@pytest.mark.parametrize(
    ("provision", "pointer", "says"),
    [
        ({"image": "${use(Nope.provision.image)}"}, "image", "no layer has the flag 'Nope'"),
        ({"image": "${use(One1.provision.image)}"}, "image", "nothing stands there"),
        ({"image": "${use(One1.provision.availability_zone.0)}"}, "image", "nothing stands there"),
        ({"image": "${use(One1.provision.security_group.ingress.7.to_port)}"}, "image", "nothing stands there"),
        ({"image": "${use(One1.provision.subnet)}"}, "image", "not a text"),
        ({"image": "${use(Two2.provision.keypair)}", "keypair": True}, "image", "not a text"),
        ({"image": "${HOME}"}, "image", "no function"),
        ({"subnet": "${copy(One1.provision.availability_zone)}"}, "subnet", "neither an object nor a list"),
        ({"image": "#ref(One1.provision.security_group)"}, "image", "must not be a #ref"),
        ({"auto_scaling": "#share(One1.provision.auto_scaling)"}, "auto_scaling", "layer that has none"),
        ({"auto_scaling": "#share(Two2.provision.auto_scaling)"}, "auto_scaling", "layer that has none"),
        ({"auto_scaling": "#share(One1.provision.subnet)"}, "auto_scaling", "must name the auto_scaling"),
        ({"auto_scaling": "#share(Nope.provision.auto_scaling)"}, "auto_scaling", "no layer has the flag"),
        (
            {"auto_scaling": "#share(One1.provision.auto_scaling,Two2.provision.auto_scaling)"},
            "auto_scaling",
            "group of one layer",
        ),
        ({"security_group": "${copy(Two2.provision.security_group)}"}, "security_group", "refers to itself"),
        (
            {"security_group": {"ingress": "${copy(Two2.provision.security_group)}"}},
            "security_group/ingress",
            "refers to itself",
        ),
        (
            {"subnet": "${copy(One1.provision.security_group)}", "keypair": "${use(One1.provision.subnet.cidr)}"},
            "keypair",
            "must be true or false",
        ),
        ({"security_group": {"ingress": [7]}}, "security_group/ingress/0", "must be an object"),
    ],
)
def test_what_cannot_be_put_in_is_refused_where_it_is_asked_for(provision, pointer, says):
    found = wrong_in_other(**provision)

    assert list(found) == [pointer]
    assert says in found[pointer]


def test_a_wrong_thing_that_is_copied_is_located_where_it_is_copied_to_as_well():
    broken = layer("One1", security_group={"ingress": [{"CidrIp": "nowhere"} | RULES["ingress"][0] | {"ToPort": 7}]})
    copy = layer("Two2", security_group="${copy(One1.provision.security_group)}")

    assert wrong(written(copy, broken)) == {
        "/configurations/1/provision/security_group/ingress/0/ToPort": "must not be less than 'from_port', which is 80",
        "/configurations/0/provision/security_group": (
            "must not be less than 'from_port', which is 80 (in what it refers to, at /ingress/0/ToPort)"
        ),
    }


def test_layers_that_refer_to_each_other_in_a_circle_are_refused():
    circle = [
        layer(f"Web{at}", security_group=f"${{copy(Web{(at + 1) % 3}.provision.security_group)}}") for at in range(3)
    ]
    groups = [layer(f"Web{at}", auto_scaling=f"#share(Web{(at + 1) % 3}.provision.auto_scaling)") for at in range(3)]

    assert "refers to itself" in wrong(written(*circle))["/configurations/0/provision/security_group"]
    assert len(wrong(written(*groups))) == 3


def test_a_group_may_be_shared_over_several_layers():
    shared = template(
        layer("Web01", auto_scaling="#share(Web02.provision.auto_scaling)"),
        layer("Web02", auto_scaling="#share(Web03.provision.auto_scaling)"),
        layer("Web03", auto_scaling={"min": 2, "max": 3} | ZONES),
    )

    assert shared.most_instances == 3


def test_an_unknown_key_that_is_copied_is_warned_of_once():
    odd = layer("One1", subnet={"colour": "red"})

    assert list(warned(odd, layer("Two2", subnet="${copy(One1.provision.subnet)}"))) == [
        "/configurations/0/provision/subnet/colour"
    ]


def test_copies_of_copies_do_not_grow_beyond_bounds():
    laughs = [
        layer(f"Web{at:02}", more=[f"${{copy(Web{at + 1:02}.provision.more)}}"] * 10 if at < 20 else ["ha"])
        for at in range(21)
    ]

    (text,) = wrong(written(*laughs)).values()
    assert "larger than 20000 values" in text


def test_texts_of_texts_do_not_grow_beyond_bounds():
    laughs = {f"x{at}": "${use(" + ",".join([f"Web01.provision.x{at + 1}"] * 10) + ")}" for at in range(4)}

    found = wrong(written(layer(**laughs, x4="ha")))

    assert found == {"/configurations/0/provision/x0": "would be a text of more than 4096 characters"}


@pytest.mark.parametrize("step", [1, -1])
def test_a_long_way_from_one_to_the_next_is_refused(step):
    entries = [[f"${{copy(Web01.provision.x.{at + step})}}"] for at in range(200)]
    entries[0 if step < 0 else -1] = ["end"]

    problems = wrong(written(layer(x=entries)))

    problems.pop("", None)  # how many more there are
    assert set(problems.values()) == {"refers to something over more than 64 levels"}


def test_where_an_expression_may_be_in_a_container_others_are_left_alone():
    section = {
        "image": "${use(One1.provision.availability_zone)}",
        "git_reference": "${BRANCH}",
        "updated": "${computed}",
        "environmentVariables": {"A": "${computed}", "B": "${use(Nope.provision.x)}", "C": "${HOME}", "D": "#ref(x"},
    }

    container = template(ONE, layer("Two2", container=section)).layers[1].container

    assert container is not None
    assert container.image == "ap-northeast-1c"
    assert container.git_reference == "${BRANCH}"
    assert container.updated is None
    assert container.environment == section["environmentVariables"]


def test_the_document_keeps_its_expressions():
    asked = layer(image="${computed}", instance_type="${use(Web01.provision.image)}")

    assert template(asked).shown == written(asked)


def test_bounds_of_values_hold_for_what_is_put_in():
    twice = [layer("Web01", x=[1] * 30), layer("Web02", x="${copy(Web01.provision.x)}")]

    assert "larger than 55 values" in "".join(wrong(written(*twice), Limits(values=55)).values())
    assert read(json.dumps(written(*twice)), limits=Limits(values=120)).flags == ("Web01", "Web02")
