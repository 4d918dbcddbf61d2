"""How does a layer grow and shrink?"""

from __future__ import annotations

from typing import Any

from .model import AutoScaling, Layers, SharedScaling
from .network import pointed_at
from .numbers import Range, SpotShare
from .problems import WRONG, Place
from .shapes import Field, Said, as_it_is, integer, record, text

MOST_WRITTEN = 1_000_000
"""Larger numbers are a slip of the hand, whatever the limits of a tenant are."""
_DAY = 24 * 3600
_COUNT = integer(0, MOST_WRITTEN)


def _zones(value: Any, at: Place) -> Any:
    zones = text(1000)(value, at)
    if zones is WRONG:
        return WRONG
    named = tuple(zone.strip() for zone in zones.split(",") if zone.strip())
    return named or at.problem("must name at least one availability zone")


def _scaling(said: Said) -> Any:
    least, most = said.number("min", 1), said.number("max", None if "max" in said else 1)
    if least is not None and most is not None:
        if most < least:
            said.at("max").problem(f"must not be less than 'min', which is {least}")
        if "availability_zones" not in said and (least or most):
            said.at("availability_zones").problem("is missing")
    spot = _spot(said)
    if said.is_wrong or spot is None:
        return WRONG
    return AutoScaling(
        min=said.get("min", 1),
        max=said.get("max", 1),
        spot=spot,
        availability_zones=said.get("availability_zones", ()),
        cooldown_seconds=said.get("cooldown", 360),
        healthcheck_grace_seconds=said.get("healthcheck_grace_period", 360),
        subnets=said.get("subnets", ()),
        security_groups=said.get("security_groups", ()),
    )


def _spot(said: Said) -> SpotShare | None:
    besides = Range(said.number("spot_min", 0) or 0, said.number("spot_max", said.number("spot_min", 0)) or 0)
    if besides.max < besides.min and said.number("spot_max") is not None:
        said.at("spot_max").problem(f"must not be less than 'spot_min', which is {besides.min}")
        return None
    if "spot_to_ondemand_ratio" not in said:
        return SpotShare(besides=besides)
    for name in ("spot_min", "spot_max"):
        if name in said:
            said.at(name).warn("does nothing where there is a 'spot_to_ondemand_ratio'")
    return SpotShare(percent=said.number("spot_to_ondemand_ratio"))


_object = record(
    {
        "min": Field(_COUNT, spellings=("min_size",)),
        "max": Field(_COUNT, spellings=("max_size",)),
        "availability_zones": Field(_zones),
        "cooldown": Field(integer(0, _DAY)),
        "healthcheck_grace_period": Field(integer(0, _DAY), spellings=("health_check_grace_period",)),
        "spot_min": Field(_COUNT),
        "spot_max": Field(_COUNT),
        "spot_to_ondemand_ratio": Field(integer(0, 100)),
        "spot_range": Field(as_it_is),
        "subnets": Field(pointed_at("subnet")),
        "security_groups": Field(pointed_at("security_group")),
    },
    _scaling,
    noun="an object or #share(FLAG.provision.auto_scaling)",
)


def auto_scaling(value: Any, at: Place) -> Any:
    if not isinstance(value, Layers):
        return _object(value, at)
    if len(value.flags) != 1:
        return at.problem("must share the group of one layer")
    return SharedScaling(value.flags[0])
