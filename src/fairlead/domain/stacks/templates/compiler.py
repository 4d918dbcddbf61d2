"""Is this text a template that can be used, and what does it mean?

    JSON text -> document -> everything put in where it is referred to -> checked -> `Template`

All that is wrong is found at once. What a template refers to is judged like what it says itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .container import container
from .expansion import Expansion, TooLarge
from .json_text import document
from .limits import Limits
from .model import VERSION, AutoScaling, Choose, Layer, Provision, SharedScaling, Template, Vendor
from .problems import (
    CONFIGURATIONS_ARE_MISSING,
    VERSION_IS_NOT_SUPPORTED,
    WRONG,
    BadTemplate,
    Place,
    Report,
    Wrong,
)
from .provision import provision, provisioned
from .shapes import Field, Said, as_it_is, as_said, choice, record, text
from .subnets import with_subnets
from .vendors import documented
from .vendors import vendor as read_vendor

EMPTY_ROLES = ("nat_gateway", "rds")
"""Mobingi's server knows these roles, and makes nothing of them."""

_TOP = record(
    {
        "version": Field(as_it_is),
        "label": Field(text(64)),
        "description": Field(text(255)),
        "vendor": Field(as_it_is),
        "configurations": Field(as_it_is),
    },
    as_said,
)
_LAYER = record(
    {
        "role": Field(choice("web", "bastion", *EMPTY_ROLES)),
        "flag": Field(text(matching=r"[A-Za-z0-9]{4,18}", like="4 to 18 letters and digits"), required=True),
        "provision": Field(provision),
        "container": Field(container),
    },
    as_said,
)


def read(
    source: bytes | str, *, vendor: Vendor | None = None, choose: Choose = documented, limits: Limits | None = None
) -> Template:
    """The template in a JSON text. `BadTemplate` lists all that is wrong with it.

    A stack that is there keeps its `vendor`, and the section of the text is not looked at. What the text leaves to us
    is filled in by `choose`.
    """
    limits = limits or Limits()
    return compiled(document(source, limits), vendor=vendor, choose=choose, limits=limits)


def compiled(
    written: Any, *, vendor: Vendor | None = None, choose: Choose = documented, limits: Limits | None = None
) -> Template:
    """The template in a document that `document` has read."""
    report = Report()
    template = _template(written, Place(report), vendor, choose, limits or Limits())
    if report.problems or template is None:
        raise BadTemplate(report.all_problems())
    return template


def _template(
    written: Any, at: Place, vendor: Vendor | Wrong | None, choose: Choose, limits: Limits
) -> Template | None:
    said = _TOP(written, at)
    if not isinstance(said, Said):
        return None
    if said.get("version") != VERSION:
        said.at("version").problem(VERSION_IS_NOT_SUPPORTED)
    if vendor is None:
        vendor = read_vendor(said.get("vendor"), said.at("vendor"))
    configurations = _configurations(said, limits)
    if isinstance(vendor, Wrong) or isinstance(configurations, Wrong):
        return None
    layers = _layers(configurations, said.at("configurations"), vendor, choose, limits)
    return Template(
        document=written,
        vendor=vendor,
        layers=layers,
        label=said.get("label", ""),
        description=said.get("description", ""),
        warnings=tuple(at.report.warnings),
    )


def _configurations(said: Said, limits: Limits) -> list[Any] | Wrong:
    layers, at = said.get("configurations"), said.at("configurations")
    if not isinstance(layers, list) or not layers:
        return at.problem(CONFIGURATIONS_ARE_MISSING)
    if len(layers) > limits.layers:
        return at.problem(f"must have at most {limits.layers} layers, and has {len(layers)}")
    return layers


def _layers(configurations: list[Any], at: Place, vendor: Vendor, choose: Choose, limits: Limits) -> tuple[Layer, ...]:
    try:
        expanded = Expansion(configurations, at, vendor=vendor, choose=choose, limits=limits).layers()
    except TooLarge as large:
        large.at.problem(f"makes the template larger than {limits.values} values once everything is put in")
        return ()
    read = [_layer(layer, at / index, vendor, choose) for index, layer in enumerate(expanded)]
    layers = {index: layer for index, layer in enumerate(read) if isinstance(layer, Layer)}
    _check_flags(layers, at)
    if len(layers) == len(expanded):
        _check_shares(layers, at)
        layers = with_subnets(layers, at, vendor)
    _check_numbers(layers, at, limits)
    return tuple(layers.values())


def _layer(value: Any, at: Place, vendor: Vendor, choose: Choose) -> Layer | Wrong:
    said = _LAYER(value, at)
    if not isinstance(said, Said):
        return WRONG
    flag, role = said.get("flag"), said.get("role", "web")
    section = said.get("provision", Said(said.at("provision")))
    made = provisioned(section, vendor, str(flag), choose) if isinstance(section, Said) else section
    if role in EMPTY_ROLES:
        said.at("role").warn("makes no instances")
    if said.is_wrong or not isinstance(made, Provision):
        return WRONG
    return Layer(role, flag, made, said.get("container"))


def _check_flags(layers: Mapping[int, Layer], at: Place) -> None:
    seen: dict[str, int] = {}
    for index, layer in layers.items():
        first = seen.setdefault(layer.flag, index)
        if first != index:
            (at / index / "flag").problem(f"must be of this layer alone, and {layer.flag!r} is layer {first}")


def _check_shares(layers: Mapping[int, Layer], at: Place) -> None:
    """Whoever shares a group shares, at the end, one that is there."""
    groups = {layer.flag: layer.provision.auto_scaling for layer in layers.values()}
    for index, layer in layers.items():
        if not isinstance(layer.provision.auto_scaling, SharedScaling):
            continue
        seen, group = {layer.flag}, groups[layer.flag]
        while isinstance(group, SharedScaling) and group.flag not in seen:
            seen.add(group.flag)
            group = groups.get(group.flag)
        if not isinstance(group, AutoScaling):
            place = at / index / "provision" / "auto_scaling"
            place.problem("shares the auto scaling of a layer that has none")


def _check_numbers(layers: Mapping[int, Layer], at: Place, limits: Limits) -> None:
    total = 0
    for index, layer in layers.items():
        most = layer.instances.most
        total += most
        if most > limits.instances:
            (at / index / "provision").problem(f"asks for up to {most} instances, of at most {limits.instances}")
            return
    if total > limits.instances:
        at.problem(f"asks for up to {total} instances in all layers together, of at most {limits.instances}")
