"""Which network does a layer get that names none, and do those that are named get in each other's way?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from ipaddress import IPv4Network

from .model import Layer, Subnet, Vendor
from .problems import Place
from .vendors import HABITS


def with_subnets(layers: Mapping[int, Layer], at: Place, vendor: Vendor) -> dict[int, Layer]:
    """The layers, each with a network: its own, or the first free one beginning with the vendor's usual one.

    Two layers may name the same network, which they then share; networks that overlap otherwise cannot be made.
    """
    first = HABITS[vendor.name].subnet
    if first is None:
        return dict(layers)
    taken: dict[IPv4Network, int] = {}
    for index, layer in layers.items():
        if layer.provision.subnet is not None and layer.provision.subnet.cidr is not None:
            network = IPv4Network(layer.provision.subnet.cidr)
            other = _overlapping(network, taken)
            if other is not None and other != network:
                place = at / index / "provision" / "subnet"
                place.problem(f"is {network}, which overlaps {other} of layer {taken[other]}")
            taken.setdefault(network, index)
    free = _free(IPv4Network(first), taken)
    return {index: _with_subnet(layer, at / index / "provision" / "subnet", free) for index, layer in layers.items()}


def _with_subnet(layer: Layer, at: Place, free: Iterator[IPv4Network]) -> Layer:
    subnet = layer.provision.subnet or Subnet(None)
    if subnet.cidr is not None:
        return layer
    found = next(free, None)
    if found is None:
        at.problem("must be given: the other layers leave no network for it")
        return layer
    return replace(layer, provision=replace(layer.provision, subnet=replace(subnet, cidr=str(found))))


def _free(first: IPv4Network, taken: Iterable[IPv4Network]) -> Iterator[IPv4Network]:
    """Networks of the same size that overlap none of these, from the first one on and around."""
    around = first.supernet(new_prefix=max(first.prefixlen - 8, 8))
    begin, size = int(around.network_address), first.num_addresses
    count, offset = around.num_addresses // size, (int(first.network_address) - begin) // size
    for number in range(offset, offset + count):
        network = IPv4Network((begin + number % count * size, first.prefixlen))
        if _overlapping(network, taken) is None:
            yield network


def _overlapping(network: IPv4Network, others: Iterable[IPv4Network]) -> IPv4Network | None:
    return next((other for other in others if network.overlaps(other)), None)
