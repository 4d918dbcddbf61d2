"""Which stacks may somebody do this to?"""

from __future__ import annotations

from fairlead.base.database import Tx
from fairlead.domain import identity
from fairlead.domain.identity import Act, Resource
from fairlead.domain.stacks import store
from fairlead.domain.stacks.model import StackNotFound
from fairlead.domain.stacks.store import Record

_ON_TEMPLATES = frozenset({Act.VIEW_TEMPLATE, Act.CREATE_TEMPLATE, Act.EDIT_TEMPLATE})


def find_for(tx: Tx, act: Act, stack_id: str, *, hold: bool = False) -> Record:
    """The stack, if the actor may do this to it (or to its templates): otherwise `StackNotFound` or `RoleForbids`."""
    record = store.find(tx, stack_id, hold=hold)
    if record is None:
        raise StackNotFound(stack_id=stack_id)
    resource = Resource.of_template(record.resource) if act in _ON_TEMPLATES else record.resource
    identity.make_sure_may(tx.scope, act, resource)
    return record
