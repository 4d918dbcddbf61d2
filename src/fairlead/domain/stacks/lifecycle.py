"""How does a stack come about, change, and go? Asked for here, and carried out by a job (`work.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.domain import audit, identity
from fairlead.domain.identity import Act, Resource
from fairlead.domain.stacks import credentials, operations, room, sealing, store, template_versions, templates
from fairlead.domain.stacks.model import Applied, StackIsBusy, Status
from fairlead.domain.stacks.naming import new_auth_token, new_nickname, stack_id_suffix
from fairlead.domain.stacks.operations import Operation
from fairlead.domain.stacks.sight import find_for, find_to_change, make_sure_may_under_either_name
from fairlead.domain.stacks.store import Record
from fairlead.domain.stacks.templates import Template, Vendor
from fairlead.domain.stacks.tools import Tools


def apply(tx: Tx, tools: Tools, text: bytes | str) -> Applied:
    """Create the stack that a template describes.

    All that is wrong with the template is said before whether there is anything here that could run it.
    """
    template = templates.read(text, limits=tools.limits)
    vendor = credentials.with_id(tx, template.vendor)
    identity.make_sure_may(tx.scope, Act.CREATE_TEMPLATE, Resource.of_template(_new_stack(tx, vendor)))
    return _bring_up(tx, tools, vendor, template, text)


def create(tx: Tx, tools: Tools, text: bytes | str) -> Applied:
    """`apply`, for whoever may create stacks."""
    template = templates.read(text, limits=tools.limits)
    vendor = credentials.with_id(tx, template.vendor)
    make_sure_may_under_either_name(tx, Act.CREATE_TEMPLATE, Act.CREATE_STACK, _new_stack(tx, vendor))
    return _bring_up(tx, tools, vendor, template, text)


def _new_stack(tx: Tx, vendor: Vendor) -> Resource:
    return Resource.of_stack(owner=tx.scope.actor.name, vendor=vendor.name, credentials_id=vendor.credential)


def _bring_up(tx: Tx, tools: Tools, vendor: Vendor, template: Template, text: bytes | str) -> Applied:
    tools.driver(vendor.name)
    record = _new_record(tx, tools, vendor)
    store.add(tx, record)
    room.take(tx, tools, record.id, template)
    version_id = template_versions.keep(tx, tools.seal, record.id, 1, text)
    begun = operations.start_job(tx, tools.seal, Operation(record.id, record.operation, after="", removes=False))
    store.change(tx, record.id, version_id=version_id, **begun.values)
    audit.record(tx, "stack.create", target=record.id, name=record.nickname, vendor=vendor.name, version=version_id)
    return Applied(record.id, version_id, record.status)


def _new_record(tx: Tx, tools: Tools, vendor: Vendor) -> Record:
    stack_id = identity.new_id_in_account(tx, "mo", stack_id_suffix(vendor.region))
    now = clock.now()
    return Record(
        id=stack_id,
        nickname=new_nickname(),
        owner=tx.scope.actor.name,
        vendor=vendor.name,
        region=vendor.region,
        credential=vendor.credential,
        auth_token=sealing.close_text(tools.seal, stack_id, "auth token", new_auth_token()),
        status=Status.CREATE_IN_PROGRESS,
        cause="",
        operation=1,
        job_id="",
        version_id="",
        good_version_id="",
        plan="",
        planned_for=0,
        settings="",
        began_at=now,
        created_at=now,
        updated_at=now,
    )


def update(tx: Tx, tools: Tools, stack_id: str, text: bytes | str) -> Applied:
    """Bring a new version of its template into force. The text of an older one is the way back to that.

    Refused with `StackIsBusy` while anything else is being done to the stack.
    """
    return _bring_into_force(tx, tools, find_for(tx, Act.EDIT_TEMPLATE, stack_id, hold=True), text)


def change(tx: Tx, tools: Tools, stack_id: str, changed: Callable[[dict[str, Any]], str]) -> Applied:
    """`update` with what `changed` makes of the version in force, for whoever may change the stack."""
    record = find_to_change(tx, stack_id)
    return _bring_into_force(tx, tools, record, changed(template_versions.shown_in_force(tx, tools.seal, record)))


def _bring_into_force(tx: Tx, tools: Tools, record: Record, text: bytes | str) -> Applied:
    template = template_versions.next_version(tools, record, text)
    tools.driver(record.vendor)
    if not record.status.is_settled:
        raise StackIsBusy(stack_id=record.id, status=record.status.value)
    room.take(tx, tools, record.id, template)
    number = store.newest_version(tx, record.id).number + 1
    version_id = template_versions.keep(tx, tools.seal, record.id, number, text)
    audit.record(tx, "stack.update", target=record.id, name=record.nickname, version=version_id)
    operations.begin(tx, tools.seal, record, Status.UPDATE_IN_PROGRESS, version_id=version_id, cause="")
    return Applied(record.id, version_id, Status.UPDATE_IN_PROGRESS)


def delete(tx: Tx, tools: Tools, stack_id: str) -> Status:
    """Have the stack and all that belongs to it removed, whatever is being done to it at the moment."""
    record = find_for(tx, Act.DELETE_STACK, stack_id, hold=True)
    if record.status is not Status.DELETE_IN_PROGRESS:
        audit.record(tx, "stack.delete", target=record.id, name=record.nickname)
        operations.begin(tx, tools.seal, record, Status.DELETE_IN_PROGRESS, cause="")
    return Status.DELETE_IN_PROGRESS
