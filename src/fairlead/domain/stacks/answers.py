"""What are agents told, and those who log in to instances?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairlead.base.database import Tx
from fairlead.domain import identity
from fairlead.domain.identity import Act
from fairlead.domain.stacks import layer_store, sealing, store, template_versions, templates
from fairlead.domain.stacks.containers_in_force import overlaid
from fairlead.domain.stacks.layer_store import KeptLayer
from fairlead.domain.stacks.model import KeyNotFound, SessionKeys
from fairlead.domain.stacks.sight import find_for
from fairlead.domain.stacks.store import Record
from fairlead.domain.stacks.tools import Tools

NO_SESSION = SessionKeys("NO-SESSION-KEYS", "this-server-keeps-no-session-keys", "this-server-keeps-no-session-keys")


def container_config(tx: Tx, tools: Tools, stack_id: str, flag: str) -> dict[str, Any]:
    """What the agents of a layer are to run; nothing for what is no layer of a stack of theirs."""
    found = _at_one_moment(tx, stack_id)
    if found is None:
        return {}
    record, layers = found
    identity.make_sure_may(tx.scope, Act.READ_CONTAINER_CONFIG, record.resource)
    kept = layers.get(flag)
    layer = template_versions.last_planned(tx, tools, record).layer(flag)
    if kept is None or layer is None:
        return {}
    overlay = sealing.open_overlay(tools.seal, record.id, record.settings)
    return templates.agent_config(overlaid(layer.container, overlay), kept.stamp)


def _at_one_moment(tx: Tx, stack_id: str) -> tuple[Record, Mapping[str, KeptLayer]] | None:
    """The stack and its layers: a stamp must not be told with what was planned a moment before or after it."""
    record = store.find(tx, stack_id)
    while record is not None:
        layers = layer_store.layers(tx, record.id)
        now = store.find(tx, record.id)
        if now == record:
            return record, layers
        record = now
    return None


def session_keys(tx: Tx, tools: Tools, stack_id: str) -> SessionKeys:
    """Keys for the vendor's services. No driver hands out any yet: agents need the answer, and these open nothing."""
    find_for(tx, Act.TAKE_SESSION_KEYS, stack_id)
    return NO_SESSION


def private_key(tx: Tx, tools: Tools, stack_id: str, flag: str) -> bytes:
    """The PEM of the key with which people log in to the layer's instances."""
    record = find_for(tx, Act.VIEW_STACK, stack_id)
    layer = layer_store.layers(tx, record.id).get(flag)
    if layer is None or not layer.private_key:
        raise KeyNotFound(stack_id=stack_id, flag=flag)
    return sealing.open_text(tools.seal, record.id, f"key of {flag}", layer.private_key).encode()
