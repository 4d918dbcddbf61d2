"""What is to be done to bring a stack's template into force? The driver plans it, and it is written down first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.domain.stacks import credentials, layer_store, report_store, room, sealing, store, template_versions
from fairlead.domain.stacks.containers_in_force import stamped, to_be_deployed
from fairlead.domain.stacks.layer_keys import new_key_pair
from fairlead.domain.stacks.layer_store import KeptLayer
from fairlead.domain.stacks.naming import account_in
from fairlead.domain.stacks.sealing import Written
from fairlead.domain.stacks.settling import Reports
from fairlead.domain.stacks.store import Record
from fairlead.domain.stacks.templates import Template
from fairlead.domain.stacks.tools import Tools
from fairlead.domain.stacks.vendors.driver import AgentBrief, Order, Plan

KeyPairs = Mapping[str, tuple[str, str]]
"""By flag: the private key and the public one."""


@dataclass(frozen=True, slots=True)
class Sight:
    """A stack with all that a driver has to be told of it."""

    record: Record
    template: Template
    written: Written
    order: Order
    leaving: frozenset[str]

    @property
    def lacks_keys(self) -> list[str]:
        """The flags of the layers that are to have a key pair, and have none."""
        keys = self.order.public_keys
        return [each.flag for each in self.template.layers if each.provision.keypair and each.flag not in keys]


def brief_of(tools: Tools, record: Record) -> AgentBrief:
    auth_token = sealing.open_text(tools.seal, record.id, "auth token", record.auth_token)
    return AgentBrief(account_in(record.id), record.id, tools.api_url, auth_token)


def look(tx: Tx, tools: Tools, record: Record) -> Sight:
    template = replace(
        template_versions.in_force(tx, tools, record), vendor=template_versions.vendor_of(tx, tools, record)
    )
    keys = {flag: layer.public_key for flag, layer in layer_store.layers(tx, record.id).items() if layer.public_key}
    leaving = frozenset(each.seen.id for each in layer_store.instances(tx, record.id).values() if each.is_leaving)
    order = Order(
        brief=brief_of(tools, record),
        template=template,
        public_keys=keys,
        credential=credentials.opened(tx, tools.seal, template.vendor),
        retire=leaving,
    )
    return Sight(record, template, sealing.open_plan(tools.seal, record.id, record.plan), order, leaving)


def new_key_pairs(sight: Sight) -> KeyPairs:
    return {flag: new_key_pair(f"{sight.record.id}-{flag}") for flag in sight.lacks_keys}


def with_keys(order: Order, pairs: KeyPairs) -> Order:
    return replace(order, public_keys={**order.public_keys, **{flag: pair[1] for flag, pair in pairs.items()}})


def write(tx: Tx, tools: Tools, record: Record, sight: Sight, plan: Plan, pairs: KeyPairs) -> None:
    """Write down the plan of this operation, with the stamps and the keys of the layers, all or nothing."""
    before = layer_store.layers(tx, record.id)
    after = _layers(tx, tools, record, sight.template, before, pairs)
    layer_store.replace_layers(tx, record.id, after.values())
    room.note(tx, tools, record.id, sight.template)
    deploys, retired = to_be_deployed(before, after), sorted(sight.leaving)
    written = Written(plan, sight.written.plan, deploys, retired, record.version_id, clock.now())
    sealed = sealing.close_plan(tools.seal, record.id, written)
    store.change(tx, record.id, plan=sealed, planned_for=record.operation)


def _layers(
    tx: Tx, tools: Tools, record: Record, template: Template, before: Mapping[str, KeptLayer], pairs: KeyPairs
) -> dict[str, KeptLayer]:
    overlay = sealing.open_overlay(tools.seal, record.id, record.settings)
    broken = _flags_with_errors(tx, record.id)
    layers = {}
    for layer in template.layers:
        kept = stamped(layer, overlay, before.get(layer.flag), again=layer.flag in broken)
        if layer.flag in pairs:
            private, public = pairs[layer.flag]
            sealed = sealing.close_text(tools.seal, record.id, f"key of {layer.flag}", private)
            kept = replace(kept, private_key=sealed, public_key=public)
        layers[layer.flag] = kept
    return layers


def _flags_with_errors(tx: Tx, stack_id: str) -> Collection[str]:
    """The layers with an agent whose last word was that something went wrong: they get a new stamp, to try again."""
    reports = Reports(report_store.agents(tx, stack_id), report_store.containers_of_stack(tx, stack_id))
    instances = layer_store.instances(tx, stack_id)
    said = {reports.instance_of(agent) for agent in reports.agents if agent.status == "error"}
    return {kept.seen.flag for instance_id, kept in instances.items() if instance_id in said}
