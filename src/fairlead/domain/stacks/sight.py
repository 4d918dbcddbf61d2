"""Which stacks may somebody do this to, and how much of them may they see?"""

from __future__ import annotations

from fairlead.base.database import Tx
from fairlead.domain import identity
from fairlead.domain.identity import Act, Resource, Verdict
from fairlead.domain.stacks import store
from fairlead.domain.stacks.model import StackNotFound
from fairlead.domain.stacks.store import Record

_ON_TEMPLATES = frozenset({Act.VIEW_TEMPLATE, Act.CREATE_TEMPLATE, Act.EDIT_TEMPLATE})


def find_for(tx: Tx, act: Act, stack_id: str, *, hold: bool = False) -> Record:
    """The stack, if the actor may do this to it (or to its templates): otherwise `StackNotFound` or `RoleForbids`."""
    record = _find(tx, stack_id, hold=hold)
    resource = Resource.of_template(record.resource) if act in _ON_TEMPLATES else record.resource
    identity.make_sure_may(tx.scope, act, resource)
    return record


def find_to_change(tx: Tx, stack_id: str) -> Record:
    """The stack, held, if the actor may change it under either name that this has."""
    record = _find(tx, stack_id, hold=True)
    make_sure_may_under_either_name(tx, Act.EDIT_TEMPLATE, Act.EDIT_STACK, record.resource)
    return record


def make_sure_may_under_either_name(tx: Tx, of_template: Act, of_stack: Act, stack: Resource) -> None:
    """Refuse unless the actor may do the one to the stack's template, or the other to the stack, and is denied neither.

    It is one deed, and one dialect has published no name for what is done to stacks but by their templates.
    """
    verdict = identity.verdict(tx.scope, of_template, Resource.of_template(stack))
    if verdict is Verdict.DENIED:
        raise identity.RoleForbids(act=str(of_template))
    if verdict is Verdict.NOT_ALLOWED:
        identity.make_sure_may(tx.scope, of_stack, stack)


def may_look_into(tx: Tx, record: Record) -> bool:
    """May the actor see what runs in the stack, and not only that it is there?"""
    return identity.may(tx.scope, Act.VIEW_STACK, record.resource)


def _find(tx: Tx, stack_id: str, *, hold: bool) -> Record:
    record = store.find(tx, stack_id, hold=hold)
    if record is None:
        raise StackNotFound(stack_id=stack_id)
    return record
