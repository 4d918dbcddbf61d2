"""What are a layer's instances made of, and what does that mean at this vendor?"""

from __future__ import annotations

import re
from dataclasses import replace
from ipaddress import IPv4Network
from typing import Any

from .balancing import load_balancer
from .model import (
    AutoScaling,
    Choose,
    Database,
    Hole,
    LoadBalancer,
    Provision,
    SharedScaling,
    Subnet,
    Vendor,
    Volume,
)
from .network import network_acl, security_group, subnet
from .numbers import SpotShare
from .problems import WRONG, Wrong
from .scaling import MOST_WRITTEN, auto_scaling
from .shapes import Field, Said, as_said, boolean, choice, integer, record, text
from .vendors import HABITS

_AWS_VPC = IPv4Network("10.0.0.0/16")
_SMALLEST_SUBNET = 28
_AWS_ZONE = re.compile(r"([a-z0-9-]+[0-9])[a-z]")
_ENGINES = {"mysql": ("5.6", "5.7"), "postgres": ("9.6", "10")}


def _database(said: Said) -> Any:
    if said.is_wrong:
        return WRONG
    engine, version = said.get("engine", "mysql"), said.get("version")
    if version and not any(version == known or version.startswith(f"{known}.") for known in _ENGINES[engine]):
        said.at("version").warn(f"is none of the known versions of {engine}: {', '.join(_ENGINES[engine])}")
    return Database(
        instance_type=said.get("db_instance_type") or "db.t2.micro",
        engine=engine,
        version=version,
        storage_gib=said.get("storage"),
        multi_az=said.get("multi_az", False),
        replicas=said.get("replica", 0),
    )


_WORD = text(255)

provision = record(
    {
        "vpc_id": Field(_WORD),
        "availability_zone": Field(_WORD),
        "instance_type": Field(_WORD),
        "image": Field(_WORD, spellings=("image_id",)),
        "instance_count": Field(integer(0, MOST_WRITTEN)),
        "volume_type": Field(_WORD),
        "volume_size": Field(integer(1, 65536)),
        "keypair": Field(boolean, spellings=("key_pair",)),
        "subnet": Field(subnet),
        "network_acl": Field(network_acl),
        "security_group": Field(security_group),
        "auto_scaling": Field(auto_scaling),
        "load_balancer": Field(load_balancer),
        "rds": Field(
            record(
                {
                    "db_instance_type": Field(_WORD, spellings=("db_instance_class",)),
                    "engine": Field(choice(*_ENGINES)),
                    "version": Field(text(32, matching=r"[0-9]+(\.[0-9]+)*", like="a version like 5.7")),
                    "storage": Field(integer(5, 3072)),
                    "multi_az": Field(boolean),
                    "replica": Field(integer(1, 5)),
                },
                _database,
            )
        ),
    },
    as_said,
)
"""The section as it stands; `provisioned` makes something of it."""


def provisioned(said: Said, vendor: Vendor, flag: str, choose: Choose) -> Provision | Wrong:
    """What the section means at the vendor, with our choice wherever it is left to us."""
    _leave_out_what_does_nothing(said, vendor)
    _choose_what_is_left_to_us(said, vendor, flag, choose)
    volume = _volume(said, vendor)
    _check_zone(said, vendor)
    _check_subnet(said, vendor)
    scaling = _scaling(said, vendor)
    _check_balancer(said, vendor)
    if said.is_wrong or isinstance(volume, Wrong) or isinstance(scaling, Wrong):
        return WRONG
    return Provision(
        availability_zone=said.get("availability_zone"),
        instance_type=said.get("instance_type"),
        image=said.get("image"),
        instance_count=said.get("instance_count", 1),
        volume=volume,
        keypair=said.get("keypair", True),
        subnet=said.get("subnet"),
        network_acl=said.get("network_acl", ()),
        security_group=said.get("security_group"),
        auto_scaling=scaling,
        load_balancer=said.get("load_balancer"),
        database=said.get("rds"),
    )


def _leave_out_what_does_nothing(said: Said, vendor: Vendor) -> None:
    for name in sorted(HABITS[vendor.name].ignored):
        if name in said and said.get(name) is not WRONG:
            if said.at(name).pointer not in said.place.report.expressions:
                said.at(name).warn(f"does nothing with {vendor.name}")
            del said.values[name]


def _choose_what_is_left_to_us(said: Said, vendor: Vendor, flag: str, choose: Choose) -> None:
    for name in ("availability_zone", "instance_type", "image", "volume_type"):
        if said.get(name) in (None, "") and name not in HABITS[vendor.name].ignored:
            chosen = choose(Hole(vendor, flag, ("provision", name)))
            said.values[name] = chosen if chosen is None else _WORD(chosen, said.at(name))


def _volume(said: Said, vendor: Vendor) -> Volume | Wrong | None:
    sizes = HABITS[vendor.name].volume_sizes
    if not sizes:
        return None
    kind, size = said.get("volume_type"), said.number("volume_size")
    if isinstance(kind, Wrong):
        return kind
    if (kind or "") not in sizes:
        return said.at("volume_type").problem(f"must be one of {', '.join(sizes)}")
    chosen, least, most = sizes[kind or ""]
    if size is not None and not least <= size <= most:
        of = f" for {kind}" if kind else ""
        return said.at("volume_size").problem(f"must be {least} to {most}{of}, and is {size}")
    return Volume(kind, size or chosen)


def _check_zone(said: Said, vendor: Vendor) -> None:
    zone = said.get("availability_zone")
    if vendor.name != "aws" or not isinstance(zone, str) or "availability_zone" not in said.keys:
        return
    of_region = _AWS_ZONE.fullmatch(zone)
    if of_region is None or of_region[1] != vendor.region:
        said.at("availability_zone").warn(f"does not look like a zone of {vendor.region}")


def _check_subnet(said: Said, vendor: Vendor) -> None:
    asked = said.get("subnet")
    if vendor.name != "aws" or not isinstance(asked, Subnet) or asked.cidr is None:
        return
    network = IPv4Network(asked.cidr)
    if not network.subnet_of(_AWS_VPC) or network.prefixlen > _SMALLEST_SUBNET:
        said.at("subnet").problem(
            f"must be a network in {_AWS_VPC}, not smaller than /{_SMALLEST_SUBNET}, and is {network}"
        )


def _scaling(said: Said, vendor: Vendor) -> AutoScaling | SharedScaling | Wrong | None:
    scaling = said.get("auto_scaling")
    if not isinstance(scaling, AutoScaling):
        return scaling  # type: ignore[no-any-return]
    if not scaling.spot.is_none and scaling.spot.percent is None and vendor.name not in ("aws", "local"):
        said.at("auto_scaling").warn(f"'spot_min' and 'spot_max' do nothing with {vendor.name}")
        scaling = replace(scaling, spot=SpotShare())
    if vendor.name == "gcp" and not scaling.is_off and not 0 < scaling.min < scaling.max:
        return said.at("auto_scaling").problem("must have a 'min' of 1 or more and a 'max' above it, or 0 for both")
    return scaling


def _check_balancer(said: Said, vendor: Vendor) -> None:
    balancer, known = said.get("load_balancer"), HABITS[vendor.name].lb_types
    if isinstance(balancer, LoadBalancer) and balancer.type not in known:
        said.at("load_balancer").problem(f"must have the 'lb_type' {' or '.join(known)} with {vendor.name}")
