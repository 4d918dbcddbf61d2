"""Which stacks are there, and how do they stand?"""

from __future__ import annotations

from collections.abc import Mapping

from fairlead.base.database import Tx
from fairlead.domain import identity
from fairlead.domain.identity import Act
from fairlead.domain.stacks import layer_store, sealing, store, template_versions, templates
from fairlead.domain.stacks.model import Stack
from fairlead.domain.stacks.naming import account_in
from fairlead.domain.stacks.sight import find_for, may_look_into
from fairlead.domain.stacks.store import Record
from fairlead.domain.stacks.tools import Tools
from fairlead.domain.stacks.vendors.driver import Instance


def list_stacks(tx: Tx, tools: Tools) -> list[Stack]:
    """The stacks that the actor may see in a list, newest first, without their instances.

    Of those that they may not look into they are told neither the token of their agents, nor what runs in them, nor
    what that has said when it failed.
    """
    listed = identity.allowed_among(tx.scope, Act.LIST_STACKS, store.search(tx), _resource)
    return [_as_stack(tx, tools, each, {}, whole=may_look_into(tx, each)) for each in listed]


def find_stack(tx: Tx, tools: Tools, stack_id: str) -> Stack:
    record = find_for(tx, Act.VIEW_STACK, stack_id)
    flags = template_versions.in_force(tx, tools, record).flags
    instances: dict[str, list[Instance]] = {flag: [] for flag in flags}
    for kept in layer_store.instances(tx, record.id).values():
        instances.setdefault(kept.seen.flag, []).append(kept.seen)
    return _as_stack(tx, tools, record, instances, whole=True)


def _resource(record: Record) -> identity.Resource:
    return record.resource


def _as_stack(tx: Tx, tools: Tools, record: Record, instances: Mapping[str, list[Instance]], *, whole: bool) -> Stack:
    template = template_versions.shown_in_force(tx, tools.seal, record)
    auth_token = sealing.open_text(tools.seal, record.id, "auth token", record.auth_token)
    return Stack(
        id=record.id,
        nickname=record.nickname,
        owner=record.owner,
        account=account_in(record.id),
        vendor=record.vendor,
        region=record.region,
        credential=record.credential,
        auth_token=auth_token if whole else "",
        status=record.status,
        cause=record.cause if whole else "",
        version_id=record.version_id,
        created_at=record.created_at,
        updated_at=record.updated_at,
        template=template if whole else templates.in_outline(template),
        instances=instances,
    )
