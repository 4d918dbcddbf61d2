"""What does each vendor need, what does nothing there, and what do we choose where a template leaves it to us?

Lists of zones and types are of 2018 and hints: a zone of another region is warned of, an unknown type is not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .model import Hole, Vendor
from .problems import VENDOR_IS_NOT_SUPPORTED, WRONG, Place, Wrong
from .shapes import Field, Said, as_said, record, text


@dataclass(frozen=True, slots=True)
class Habits:
    """`ignored` are keys of `provision` that do nothing there; `chosen` is what we take where nothing is said."""

    required: tuple[str, ...] = ("cred", "region")
    region: str = ""
    zone: str = "{region}"
    subnet: str | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)
    images: Mapping[str, str] = field(default_factory=dict)
    volume_sizes: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    """By type: what we choose, the smallest and the largest, in GiB. The type "" is for where there is no choice."""
    ignored: frozenset[str] = frozenset()
    lb_types: tuple[str, ...] = ("classic", "application", "networking")


_ZONES_FROM_B = ("us-west-1",)  # it has no zone a
_ONLY_AWS = frozenset({"network_acl", "rds"})
_PLAIN_DISK = {"": (50, 1, 65536)}

HABITS: dict[str, Habits] = {
    "aws": Habits(
        required=("cred",),
        region="ap-northeast-1",
        zone="{region}a",
        subnet="10.0.0.0/24",
        chosen={"instance_type": "t2.micro", "volume_type": "gp2"},
        images={"ap-northeast-1": "ami-2a69be4c"},
        volume_sizes={
            "gp2": (50, 1, 16384),
            "io1": (50, 4, 16384),
            "st1": (500, 500, 16384),
            "sc1": (500, 500, 16384),
            "standard": (50, 1, 1024),
        },
    ),
    "alicloud": Habits(
        zone="{region}a",
        subnet="192.168.199.0/24",
        chosen={"instance_type": "ecs.xn4.small", "image": "centos_7_03_64_40G_alibase_20170710.vhd"},
        ignored=_ONLY_AWS | {"volume_type", "volume_size"},
    ),
    "azure": Habits(
        subnet="10.0.0.0/16",
        chosen={"instance_type": "Standard_B1s"},
        volume_sizes=_PLAIN_DISK,
        ignored=_ONLY_AWS | {"image", "volume_type"},
    ),
    "gcp": Habits(
        required=("cred", "region", "project_id"),
        zone="{region}-a",
        chosen={"instance_type": "n1-standard-1"},
        volume_sizes=_PLAIN_DISK,
        ignored=_ONLY_AWS | {"image", "volume_type", "subnet", "security_group", "vpc_id"},
        lb_types=("classic",),
    ),
    "k5": Habits(
        subnet="10.1.0.0/24",
        chosen={"instance_type": "1101", "image": "58fd966f-b055-4cd0-9012-cf6af7a4c32b"},
        ignored=_ONLY_AWS | {"volume_type", "volume_size"},
    ),
    "local": Habits(
        required=(),
        region="local",
        ignored=frozenset(
            {"image", "volume_type", "volume_size", "subnet", "network_acl", "security_group", "load_balancer", "rds"}
        ),
    ),
}


_SECTION = record(
    {
        "cred": Field(text(255), spellings=("credential", "credentials")),
        "secret": Field(text(4096, lines=True)),
        "region": Field(text(64, matching=r"[A-Za-z0-9-]+", like="the name of a region")),
        "project_id": Field(text(255)),
    },
    as_said,
)


def vendor(value: Any, at: Place) -> Vendor | Wrong:
    """The one vendor of a template."""
    if not isinstance(value, dict) or len(value) != 1 or next(iter(value)) not in HABITS:
        return at.problem(VENDOR_IS_NOT_SUPPORTED)
    name, section = next(iter(value.items()))
    said = _SECTION({} if section is None else section, at / name)
    if not isinstance(said, Said):
        return WRONG
    habits = HABITS[name]
    for key in habits.required:
        if not said.get(key):
            said.values[key] = said.at(key).problem("is missing")
    if said.is_wrong:
        return WRONG
    return Vendor(
        name=name,
        region=said.get("region") or habits.region,
        credential=said.get("cred", ""),
        secret=said.get("secret", ""),
        project=said.get("project_id", ""),
    )


def documented(hole: Hole) -> Any:
    """What Mobingi's pages say is taken where a template says nothing."""
    if len(hole.keys) != 2 or hole.keys[0] != "provision":
        return None
    habits, region, key = HABITS[hole.vendor.name], hole.vendor.region, str(hole.keys[1])
    if key in habits.ignored:
        return None
    if key == "availability_zone":
        return f"{region}b" if region in _ZONES_FROM_B else habits.zone.format(region=region)
    if key == "image":
        return habits.images.get(region) or habits.chosen.get("image")
    if key in ("keypair", "instance_count"):
        return {"keypair": True, "instance_count": 1}[key]
    return habits.chosen.get(key)
