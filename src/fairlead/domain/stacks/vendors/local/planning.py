"""Which instances is a stack to have, given those that it was to have before?

A plan is kept as JSON. Instances that were planned stay what they are; more are added, and those that are too many, or
must go, are leaving: they are there until the others run. One that is leaving only because it was too many is taken
back before a new one is made.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

from fairlead.domain.stacks.templates import Layer
from fairlead.domain.stacks.vendors.driver import Order, Plan

ID_DIGITS = 17


@dataclass(frozen=True, slots=True)
class Planned:
    """One instance. `must_go` is one that nobody takes back."""

    id: str
    flag: str
    is_spot: bool
    type: str = ""
    must_go: bool = False

    @property
    def address(self) -> str:
        """Where its ports are: an address of this host's loopback network that is its own as good as surely."""
        digits = hashlib.sha256(self.id.encode()).digest()
        return f"127.{64 + digits[0] % 128}.{digits[1]}.{1 + digits[2] % 254}"


@dataclass(frozen=True, slots=True)
class LocalPlan:
    """`round` counts the plans of a stack: what has died is started anew in the next round, not in the same."""

    round: int = 0
    staying: tuple[Planned, ...] = ()
    leaving: tuple[Planned, ...] = ()

    @property
    def as_json(self) -> Plan:
        return {
            "round": self.round,
            "staying": [asdict(each) for each in self.staying],
            "leaving": [asdict(each) for each in self.leaving],
        }

    @classmethod
    def of(cls, plan: Plan | None) -> LocalPlan:
        if not plan:
            return cls()
        return cls(int(plan["round"]), _listed(plan["staying"]), _listed(plan["leaving"]))


def _listed(entries: Any) -> tuple[Planned, ...]:
    return tuple(Planned(**each) for each in entries)


def next_plan(order: Order, before: LocalPlan) -> LocalPlan:
    planned = (*before.staying, *before.leaving)
    free = [each for each in planned if not each.must_go and each.id not in order.retire]
    staying: list[Planned] = []
    for layer in order.template.layers:
        for is_spot, count in ((False, layer.instances.on_demand.min), (True, layer.instances.spot.min)):
            staying += _filled(layer, is_spot, count, free)
    ids = {each.id for each in staying}
    leaving = [each for each in planned if each.id not in ids]
    return LocalPlan(before.round + 1, tuple(staying), tuple(_going(leaving, order)))


def _filled(layer: Layer, is_spot: bool, count: int, free: list[Planned]) -> list[Planned]:
    """So many of a kind: those that are there already, and new ones for the rest."""
    kind = layer.provision.instance_type or ""
    old = [each.id for each in free if (each.flag, each.is_spot) == (layer.flag, is_spot)][:count]
    ids = old + [f"i-{secrets.token_hex(ID_DIGITS)[:ID_DIGITS]}" for _ in range(count - len(old))]
    return [Planned(each, layer.flag, is_spot, kind) for each in ids]


def _going(leaving: list[Planned], order: Order) -> Iterator[Planned]:
    for each in leaving:
        yield replace(each, must_go=each.must_go or each.id in order.retire)
