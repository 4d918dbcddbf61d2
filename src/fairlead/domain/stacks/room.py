"""Is there room for more instances on this server's own host?

Each is a process with an agent in it, so the stacks of all organizations together have so many and no more. Those that
a stack begins with are counted: nothing scales by itself.
"""

from __future__ import annotations

import sqlalchemy as sa

from fairlead.base.database import Tx
from fairlead.domain.stacks.model import NoRoomOnHost
from fairlead.domain.stacks.tables import local_places
from fairlead.domain.stacks.templates import Template
from fairlead.domain.stacks.tools import Tools

_place = local_places.c
_own = sa.select(_place.instances).where(_place.stack_id == sa.bindparam("of_stack"))
_others = sa.select(sa.func.coalesce(sa.func.sum(_place.instances), 0)).where(
    _place.stack_id != sa.bindparam("of_stack")
)
_change = (
    sa.update(local_places)
    .where(_place.stack_id == sa.bindparam("of_stack"))
    .values(instances=sa.bindparam("taken", type_=sa.Integer))
)


def make_sure_it_fits(tools: Tools, template: Template) -> None:
    """Refuse a template that has more instances than all stacks together may have."""
    most = tools.most_instances(template.vendor.name)
    if most is not None and template.fewest_instances > most:
        raise NoRoomOnHost(most=most, there="no others are counted here", wanted=template.fewest_instances)


def take(tx: Tx, tools: Tools, stack_id: str, template: Template) -> None:
    """Take the places that a stack asks for with this template. It may always come to ask for fewer."""
    most, wanted = tools.most_instances(template.vendor.name), template.fewest_instances
    if most is None:
        return
    tx.one_at_a_time("instances on this host", in_all_tenants=True)
    there = int(tx.scalar(_others, {"of_stack": stack_id}))
    if there + wanted > most and wanted > int(tx.scalar(_own, {"of_stack": stack_id}) or 0):
        raise NoRoomOnHost(most=most, there=f"others have {there}", wanted=wanted)
    note(tx, tools, stack_id, template)


def note(tx: Tx, tools: Tools, stack_id: str, template: Template) -> None:
    """So many will be there, whether or not there is room: a version that was good comes back in any case."""
    if tools.most_instances(template.vendor.name) is None:
        return
    taken = template.fewest_instances
    if not tx.run(_change, {"of_stack": stack_id, "taken": taken}).rowcount:
        tx.run(sa.insert(local_places), {"stack_id": stack_id, "instances": taken})
