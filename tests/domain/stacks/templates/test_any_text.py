"""Whatever somebody sends, the answer is a template or a list of what is wrong with it, and soon."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from fairlead.domain.stacks.templates import BadTemplate, agent_config, compare, read
from fairlead.domain.stacks.templates.json_text import document

from .written import AWS, VENDORS, layer, template, written, wrong

FLAGS = ("Web01", "Web02", "Web03")
KEYS = """
    availability_zone instance_type image instance_count volume_type volume_size keypair subnet cidr network_acl
    rule_number protocol rule_action cidr_block security_group ingress egress cidr_ip from_port ip_protocol to_port
    auto_scaling min max availability_zones spot_to_ondemand_ratio spot_min load_balancer lb_type subnets listeners
    load_balancer_port instance_port health_check interval timeout target rds storage IngRess MinSize
""".split()  # noqa: SIM905
CONTAINER_KEYS = """
    image code_dir ports users addons storage updated container_env_vars gitRepo name publicKey type
""".split()  # noqa: SIM905
TEXTS = some.text(max_size=6) | some.sampled_from(
    [
        "",
        "-1",
        "10.0.0.0/24",
        "TCP:80",
        "${computed}",
        "${",
        "${x}",
        "$(reboot)",
        "allow",
        "application",
        "HTTP",
        "9" * 30,
    ]
)
PATHS = some.builds(
    lambda flag, keys: ".".join([flag, "provision", *keys]),
    some.sampled_from([*FLAGS, "Nope"]),
    some.lists(some.sampled_from([*KEYS, "0", "1"]), min_size=1, max_size=3),
)
EXPRESSIONS = some.builds(
    str.format,
    some.sampled_from(
        ["${{use({0})}}", "${{use({0},{1})}}", "${{copy({0})}}", "#ref({0})", "#share({0},{1})", "a${{use({0})}}"]
    ),
    PATHS,
    PATHS,
)
SCALARS = some.none() | some.booleans() | some.integers(-5, 70000) | some.floats(allow_nan=False, allow_infinity=False)


def trees(keys):
    return some.recursive(
        SCALARS | TEXTS | EXPRESSIONS,
        lambda below: some.lists(below, max_size=3) | some.dictionaries(some.sampled_from(keys), below, max_size=4),
        max_leaves=12,
    )


def objects(keys):
    return some.dictionaries(some.sampled_from(keys), trees(keys), max_size=6)


LAYERS = some.fixed_dictionaries(
    {"flag": some.sampled_from(FLAGS)},
    optional={
        "provision": objects(KEYS),
        "container": objects(CONTAINER_KEYS),
        "role": some.sampled_from(["web", "bastion", ""]),
    },
)
QUICK = settings(max_examples=100, deadline=2000, suppress_health_check=[HealthCheck.too_slow])


def judged(text):
    """What is said of a text: that it is a template, whose parts can all be worked with, or what is wrong."""
    try:
        found = read(text)
    except BadTemplate as bad:
        assert bad.problems
        assert str(bad)
        assert all(problem.pointer == "" or problem.pointer.startswith("/") for problem in bad.problems)
        return None
    assert 0 <= found.most_instances <= 1000
    for one in found.layers:
        json.dumps(agent_config(one.container, 1))
        assert 0 <= one.instances.fewest <= one.instances.most
    assert not compare(found.shown, found.shown)
    return found


@QUICK
@given(some.binary(max_size=60) | some.text(max_size=60))
def test_any_text_is_judged(text):
    judged(text)


@QUICK
@given(trees([*KEYS, "version", "vendor", "configurations"]))
def test_any_json_is_judged(value):
    judged(json.dumps(value))


@QUICK
@given(
    some.lists(LAYERS, min_size=1, max_size=3, unique_by=lambda one: one["flag"]), some.sampled_from(sorted(VENDORS))
)
def test_any_layers_are_judged(layers, vendor):
    judged(json.dumps(written(*layers, vendor=VENDORS[vendor])))


def find(text, pointer):
    value = json.loads(text)
    for key in pointer.split("/")[1:]:
        key = key.replace("~1", "/").replace("~0", "~")
        value = value[int(key) if isinstance(value, list) else key]
    return value


@QUICK
@given(some.lists(LAYERS, min_size=1, max_size=3, unique_by=lambda one: one["flag"]))
def test_every_problem_stands_in_something_that_is_there(layers):
    text = json.dumps(written(*layers))
    try:
        read(text)
    except BadTemplate as bad:
        for problem in bad.problems:
            assert isinstance(find(text, problem.pointer.rpartition("/")[0]), dict | list)


SHELL = ["$(reboot)", "`id`", "; rm -rf / #", "' OR 1=1 --", "../../etc/passwd", "%n%s", "{{7*7}}", "\u202e<script>"]


@pytest.mark.parametrize("text", SHELL)
def test_a_shell_finds_nothing_to_do_in_texts(text):
    section = {"image": text, "gitReference": text, "environmentVariables": {"A": text, text.replace("=", ""): "b"}}
    hostile = layer(instance_type=text, image=text, availability_zone=text, container=section)

    read = template(hostile, label=text, description=text)

    assert (read.label, read.layers[0].provision.instance_type, read.layers[0].provision.image) == (text, text, text)
    assert read.layers[0].container is not None
    assert read.layers[0].container.environment["A"] == text


def test_what_anything_is_called_in_python_means_nothing():
    assert (
        "no function"
        in wrong(written(layer(image="${__import__('os').getcwd()}")))["/configurations/0/provision/image"]
    )
    assert list(wrong(written(layer(image="${use(Web01.provision.__class__)}")))) == [
        "/configurations/0/provision/image"
    ]


def test_huge_counts_are_refused():
    for count in (1001, 10**6, 10**17, "9" * 18):
        assert wrong(written(layer(instance_count=count)))
    assert wrong(json.dumps(written(layer(instance_count=1))).replace(" 1", " 1e300"))


@pytest.mark.parametrize(
    "link", ["a${{use(Web01.provision.x{})}}", "${{use(Web01.provision.x{0}, Web01.provision.x{0})}}"]
)
def test_the_longest_way_fits_on_the_stack(link):
    links = {f"x{at}": link.format(at + 1) for at in range(300)}

    assert wrong(written(layer(**links, x300="end")))


def test_many_layers_of_expressions_are_done_soon():
    keys = {f"k{at}": "${use(Web00.provision.subnet.cidr)}" for at in range(150)}
    layers = [layer(f"Web{at:02}", subnet={"cidr": f"10.0.{at}.0/24"}, **keys) for at in range(60)]

    assert len(template(*layers).layers) == 60


def test_what_is_read_is_what_the_document_says():
    text = json.dumps(written(layer(), vendor=AWS))

    assert document(text) == read(text).document == json.loads(text)
