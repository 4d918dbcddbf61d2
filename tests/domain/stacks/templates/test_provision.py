"""What a layer is made of is within the bounds of its vendor, and chosen where nothing is said."""

from __future__ import annotations

import pytest

from fairlead.domain.stacks.templates import (
    AclRule,
    Database,
    HealthCheck,
    Listener,
    PortRule,
    Provision,
    SecurityGroup,
    Subnet,
    Volume,
)

from .written import VENDORS, layer, template, warned, written, wrong, wrong_in

ACL = {"rule_number": 100, "protocol": "-1", "rule_action": "allow", "cidr_block": "0.0.0.0/0"}
OPEN = {"cidr_ip": "0.0.0.0/0", "from_port": 80, "ip_protocol": "tcp", "to_port": 80}
HTTP = {"load_balancer_port": "80", "protocol": "HTTP", "instance_port": "80"}
CHECK = {"healthy_threshold": "2", "interval": "30", "target": "TCP:80"}


def made(vendor: str = "aws", /, **provision) -> Provision:
    return template(layer(**provision), vendor=VENDORS[vendor]).layers[0].provision


def test_each_vendor_has_something_that_is_taken_where_nothing_is_said():
    chosen = {name: made(name) for name in VENDORS}

    assert {name: one.instance_type for name, one in chosen.items()} == {
        "aws": "t2.micro",
        "alicloud": "ecs.xn4.small",
        "azure": "Standard_B1s",
        "gcp": "n1-standard-1",
        "k5": "1101",
        "local": None,
    }
    assert {name: one.availability_zone for name, one in chosen.items()} == {
        "aws": "ap-northeast-1a",
        "alicloud": "ap-northeast-1a",
        "azure": "JapanEast",
        "gcp": "asia-northeast1-a",
        "k5": "jp-east-1",
        "local": "local",
    }
    assert {name: one.subnet and one.subnet.cidr for name, one in chosen.items()} == {
        "aws": "10.0.0.0/24",
        "alicloud": "192.168.199.0/24",
        "azure": "10.0.0.0/16",
        "gcp": None,
        "k5": "10.1.0.0/24",
        "local": None,
    }
    assert all(one.keypair and one.instance_count == 1 for one in chosen.values())


@pytest.mark.parametrize("nothing", ["${computed}", "", None])
def test_what_is_left_to_us_is_what_is_taken_where_nothing_is_said(nothing):
    keys = ("availability_zone", "instance_type", "image", "volume_type", "vpc_id")

    assert made(**dict.fromkeys(keys, nothing)) == made()


def test_no_image_of_one_region_is_taken_in_another():
    assert made().image == "ami-2a69be4c"
    assert template(vendor={"aws": {"cred": "a", "region": "us-west-1"}}).layers[0].provision == Provision(
        availability_zone="us-west-1b",
        instance_type="t2.micro",
        volume=Volume("gp2", 50),
        subnet=Subnet("10.0.0.0/24"),
    )


@pytest.mark.parametrize(
    ("kind", "chosen", "least", "most"),
    [
        ("gp2", 50, 1, 16384),
        ("io1", 50, 4, 16384),
        ("st1", 500, 500, 16384),
        ("sc1", 500, 500, 16384),
        ("standard", 50, 1, 1024),
    ],
)
def test_volumes_have_the_sizes_of_their_type(kind, chosen, least, most):
    assert made(volume_type=kind).volume == Volume(kind, chosen)
    assert made(volume_type=kind, volume_size=str(least)).volume == Volume(kind, least)
    assert made(volume_type=kind, volume_size=most).volume == Volume(kind, most)
    assert list(wrong_in(volume_type=kind, volume_size=most + 1)) == ["/volume_size"]
    assert list(wrong_in(volume_type=kind, volume_size=least - 1)) == ["/volume_size"]


def test_a_disk_has_a_size_and_no_type_at_some_vendors():
    assert made("azure").volume == made("gcp").volume == Volume(None, 50)
    assert made("azure", volume_size=100).volume == Volume(None, 100)
    assert made("k5", volume_size=100).volume is None


@pytest.mark.parametrize(
    ("provision", "pointer"),
    [
        ({"volume_type": "gp9"}, "/volume_type"),
        ({"volume_size": "a lot"}, "/volume_size"),
        ({"volume_size": 10.5}, "/volume_size"),
        ({"instance_count": -1}, "/instance_count"),
        ({"instance_count": True}, "/instance_count"),
        ({"instance_count": 10**7}, "/instance_count"),
        ({"instance_type": ["t2.micro"]}, "/instance_type"),
        ({"instance_type": "a\nb"}, "/instance_type"),
        ({"image": "x" * 256}, "/image"),
        ({"keypair": "perhaps"}, "/keypair"),
        ({"subnet": "10.0.0.0/24"}, "/subnet"),
        ({"subnet": {"cidr": "10.0.0.0"}}, "/subnet/cidr"),
        ({"subnet": {"cidr": "10.0.0.300/24"}}, "/subnet/cidr"),
        ({"subnet": {"cidr": "10.1.0.0/24"}}, "/subnet"),
        ({"subnet": {"cidr": "10.0.0.0/29"}}, "/subnet"),
        ({"subnet": {"cidr": "10.0.0.0/24", "public": 1}}, "/subnet/public"),
        ({"network_acl": ACL}, "/network_acl"),
        ({"network_acl": [ACL | {"rule_number": 0}]}, "/network_acl/0/rule_number"),
        ({"network_acl": [ACL | {"protocol": "tcp"}]}, "/network_acl/0/protocol"),
        ({"network_acl": [ACL | {"protocol": 256}]}, "/network_acl/0/protocol"),
        ({"network_acl": [ACL | {"rule_action": "maybe"}]}, "/network_acl/0/rule_action"),
        ({"network_acl": [ACL | {"cidr_block": "everywhere"}]}, "/network_acl/0/cidr_block"),
        ({"network_acl": [ACL, ACL | {"acl_egress": True}, ACL]}, "/network_acl/2"),
        ({"security_group": {"ingress": OPEN}}, "/security_group/ingress"),
        ({"security_group": {"ingress": [OPEN | {"to_port": 79}]}}, "/security_group/ingress/0/to_port"),
        ({"security_group": {"ingress": [OPEN | {"to_port": 65536}]}}, "/security_group/ingress/0/to_port"),
        ({"security_group": {"egress": [OPEN | {"ip_protocol": "ftp"}]}}, "/security_group/egress/0/ip_protocol"),
        ({"security_group": {"egress": [OPEN | {"ip_protocol": "--1"}]}}, "/security_group/egress/0/ip_protocol"),
        ({"security_group": {"egress": [OPEN | {"cidr_ip": "1.2.3.4"}]}}, "/security_group/egress/0/cidr_ip"),
        ({"rds": {"engine": "oracle"}}, "/rds/engine"),
        ({"rds": {"storage": 4}}, "/rds/storage"),
        ({"rds": {"storage": 3073}}, "/rds/storage"),
        ({"rds": {"replica": 6}}, "/rds/replica"),
        ({"rds": {"version": "latest"}}, "/rds/version"),
        ({"rds": {"multi_az": "both"}}, "/rds/multi_az"),
    ],
)
def test_what_is_out_of_bounds_is_refused_where_it_stands(provision, pointer):
    assert list(wrong_in(**provision)) == [pointer]


@pytest.mark.parametrize("key", ["rule_number", "protocol", "rule_action", "cidr_block"])
def test_a_rule_of_a_network_says_all_that_it_must(key):
    rule = {name: value for name, value in ACL.items() if name != key}

    assert wrong_in(network_acl=[rule]) == {f"/network_acl/0/{key}": "is missing"}


@pytest.mark.parametrize("key", OPEN)
def test_a_rule_of_a_security_group_says_all_that_it_must(key):
    rule = {name: value for name, value in OPEN.items() if name != key}

    assert wrong_in(security_group={"egress": [rule]}) == {f"/security_group/egress/0/{key}": "is missing"}


def test_rules_are_read_in_either_spelling():
    ours = made(
        network_acl=[ACL | {"acl_egress": True}],
        security_group={"ingress": [OPEN], "egress": [OPEN | {"ip_protocol": -1, "from_port": 0, "to_port": 65535}]},
    )
    theirs = made(
        NetworkAcl=[
            {"RuleNumber": "100", "Protocol": -1, "RuleAction": "Allow"}
            | {"AclEgress": "true"}
            | {"CidrBlock": "0.0.0.0/0"}
        ],
        SecurityGroup={
            "SecurityGroupIngress": [{"CidrIp": "0.0.0.0/0", "FromPort": "80", "IpProtocol": "TCP", "ToPort": "80"}],
            "Egress": [{"CidrIp": "0.0.0.0/0", "FromPort": 0, "IpProtocol": "all", "ToPort": 65535}],
        },
    )

    assert ours == theirs
    assert ours.network_acl == (AclRule(100, "-1", allow=True, outgoing=True, cidr="0.0.0.0/0"),)
    assert ours.security_group == SecurityGroup(
        incoming=(PortRule("0.0.0.0/0", "tcp", 80, 80),), outgoing=(PortRule("0.0.0.0/0", "-1", 0, 65535),)
    )


def test_the_network_of_an_acl_rule_is_called_as_that_of_a_subnet_in_mobingis_own_examples_too():
    rule = {key: value for key, value in ACL.items() if key != "cidr_block"}

    assert made(network_acl=[rule | {"cidr": "0.0.0.0/0"}]) == made(network_acl=[ACL])


def test_what_is_wrong_stands_under_the_key_that_was_written():
    assert wrong_in(SecurityGroup={"Ingress": [{"CidrIp": "x"} | {"FromPort": 1, "IpProtocol": "tcp"}]}) == {
        "/SecurityGroup/Ingress/0/CidrIp": "must be a network like 10.0.0.0/24",
        "/SecurityGroup/Ingress/0/to_port": "is missing",
    }


def test_layers_get_networks_that_are_free():
    named = layer("Named", subnet={"cidr": "10.0.1.7/24", "public": False})
    half = layer("Half", subnet={"public": "false"})

    layers = template(layer("First"), named, half, layer("Last")).layers

    assert [one.provision.subnet for one in layers] == [
        Subnet("10.0.0.0/24"),
        Subnet("10.0.1.0/24", public=False),
        Subnet("10.0.2.0/24", public=False),
        Subnet("10.0.3.0/24"),
    ]


def test_layers_may_share_a_network_and_not_a_part_of_one():
    one, same, other = (
        layer(flag, subnet={"cidr": cidr})
        for flag, cidr in (("One1", "10.0.0.0/24"), ("Same", "10.0.0.0/24"), ("Other", "10.0.0.128/25"))
    )

    assert template(one, same).layers[1].provision.subnet == Subnet("10.0.0.0/24")
    assert list(wrong(written(one, same, other))) == ["/configurations/2/provision/subnet"]


def test_a_layer_for_which_no_network_is_left_must_name_one():
    everything = layer("Every", subnet={"cidr": "10.0.0.0/16"})

    assert list(wrong(written(everything, layer("None")))) == ["/configurations/1/provision/subnet"]


def test_a_database_is_read_with_what_is_taken_where_nothing_is_said():
    assert made(rds={}).database == Database("db.t2.micro", "mysql", None, None, multi_az=False, replicas=0)
    assert made(
        rds={"DBInstanceType": "db.m3.large", "engine": "Postgres", "version": 9.6}
        | {"storage": "3072", "MultiAZ": True, "replica": 5}
    ).database == Database("db.m3.large", "postgres", "9.6", 3072, multi_az=True, replicas=5)


@pytest.mark.parametrize(
    ("vendor", "provision", "keys"),
    [
        ("aws", {"availability_zone": "us-east-1a"}, ["availability_zone"]),
        ("aws", {"rds": {"engine": "mysql", "version": "8.0"}}, ["rds/version"]),
        ("alicloud", {"volume_type": "gp2", "network_acl": [ACL], "rds": {}}, ["network_acl", "rds", "volume_type"]),
        ("azure", {"image": "ubuntu"}, ["image"]),
        ("gcp", {"subnet": {"cidr": "10.0.0.0/24"}, "security_group": {}}, ["security_group", "subnet"]),
        ("k5", {"volume_size": 50}, ["volume_size"]),
        ("local", {"load_balancer": {"listeners": [HTTP]}}, ["load_balancer"]),
        ("gcp", {"image": "${computed}"}, []),
        ("aws", {"instance_type": "z9.giant", "availability_zone": "ap-northeast-1d"}, []),
    ],
)
def test_what_does_nothing_or_looks_odd_is_warned_of(vendor, provision, keys):
    warnings = warned(layer(**provision), vendor=VENDORS[vendor])

    assert list(warnings) == [f"/configurations/0/provision/{key}" for key in keys]


def test_what_does_nothing_is_not_passed_on():
    assert made("k5", rds={}, network_acl=[ACL], volume_size=50) == made("k5")


def test_a_load_balancer_is_read_with_what_is_taken_where_nothing_is_said():
    balancer = made(load_balancer={"listeners": [HTTP], "health_check": CHECK}).load_balancer

    assert balancer is not None
    assert (balancer.type, balancer.scheme, balancer.subnets, balancer.security_groups) == (
        "classic",
        "internet-facing",
        (),
        (),
    )
    assert balancer.listeners == (Listener(80, "HTTP", 80, "HTTP"),)
    assert balancer.health_check == HealthCheck("TCP:80", 30, 2)


def test_a_load_balancer_is_read_in_the_older_spelling():
    theirs = {
        "Scheme": "internal",
        "Listeners": [
            {"LoadBalancerPort": 443, "Protocol": "https", "InstancePort": "80", "InstanceProtocol": "HTTP"}
            | {"CertDomain": "www.acme.example"}
        ],
        "HealthCheck": {"HealthyThreshold": 2, "Interval": "30", "Target": "HTTP:80/up?x=1", "Timeout": "5"}
        | {"UnhealthyThreshold": "3"},
    }

    balancer = made(LoadBalancer=theirs).load_balancer

    assert balancer is not None
    assert balancer.scheme == "internal"
    assert balancer.listeners == (Listener(443, "HTTPS", 80, "HTTP", "www.acme.example"),)
    assert balancer.health_check == HealthCheck("HTTP:80/up?x=1", 30, 2, 5, 3)


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"listeners": []}, "/listeners"),
        ({"listeners": None}, "/listeners"),
        ({"lb_type": "best"}, "/lb_type"),
        ({"scheme": "both"}, "/scheme"),
        ({"lb_type": "application"}, "/subnets"),
        ({"lb_type": "networking", "subnets": "subnet-1"}, "/subnets"),
        ({"lb_type": "networking", "subnets": "subnet-1, subnet-1"}, "/subnets"),
        ({"listeners": [HTTP, HTTP | {"instance_port": 81}]}, "/listeners/1"),
        ({"listeners": [HTTP | {"protocol": "UDP"}]}, "/listeners/0/protocol"),
        ({"listeners": [HTTP | {"instance_protocol": "TCP"}]}, "/listeners/0/instance_protocol"),
        ({"listeners": [HTTP | {"instance_port": 0}]}, "/listeners/0/instance_port"),
        ({"listeners": [HTTP, HTTP | {"load_balancer_port": 443, "protocol": "HTTPS"}]}, "/listeners/1"),
        ({"health_check": CHECK | {"interval": 4}}, "/health_check/interval"),
        ({"health_check": CHECK | {"interval": 301}}, "/health_check/interval"),
        ({"health_check": CHECK | {"timeout": "30"}}, "/health_check/timeout"),
        ({"health_check": CHECK | {"target": "80"}}, "/health_check/target"),
        ({"health_check": CHECK | {"target": "TCP:80/path"}}, "/health_check/target"),
        ({"health_check": CHECK | {"target": "HTTP:99999/"}}, "/health_check/target"),
        ({"health_check": {"interval": 30, "target": "TCP:80"}}, "/health_check/healthy_threshold"),
    ],
)
def test_a_load_balancer_that_cannot_be_made_is_refused(change, pointer):
    assert list(wrong_in(load_balancer={"listeners": [HTTP]} | change)) == [f"/load_balancer{pointer}"]


def test_a_load_balancer_of_the_newer_types_has_two_subnets():
    balancer = made(load_balancer={"lb_type": "networking", "subnets": "subnet-1, subnet-2", "listeners": [HTTP]})

    assert balancer.load_balancer is not None
    assert balancer.load_balancer.subnets == ("subnet-1", "subnet-2")


def test_google_has_classic_load_balancers_only():
    network = written(
        layer(load_balancer={"lb_type": "networking", "subnets": "a,b", "listeners": [HTTP]}), vendor=VENDORS["gcp"]
    )

    assert list(wrong(network)) == ["/configurations/0/provision/load_balancer"]
