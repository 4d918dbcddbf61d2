"""Do the statements of somebody's scope documents allow this? (mobingi.md §2.2)

* Nothing is allowed unless an Allow says so, and no Allow helps against a Deny; the order does not matter.
* Who is denied seeing something may do nothing to it, nor to anything that hangs on it. Only a Deny hides: what an
  Allow merely does not mention hides nothing else. A stack may be listed by those who are denied looking into it.
* A template makes a stack or changes it: who is denied that does not do it by a template either.
* A condition on owners makes a Deny hold for what belongs to these owners only. An Allow with a condition that is
  about the same action and resource counts *instead of* those without one.
* What an Allow without condition lets people do to stacks (see them in detail, change them, delete them, speak for
  their agents), it lets them do to their own, unless it names the stack in full: `*` is not meant for the stacks of
  others, a stack's id is.
* Roles and users are managed by the master alone, whatever a document says.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from fairlead.domain.identity.documents import Statement
from fairlead.domain.identity.resources import Resource, Sort
from fairlead.domain.identity.vocabulary import DONE_TO_THE_STACK, OF_THE_MASTER_ONLY, ON_OWN_STACKS_BY_DEFAULT, Act

# Who is denied this does not see the resource itself, nor anything that hangs on it.
_LISTED_BY = {
    Sort.VENDOR: Act.LIST_VENDORS,
    Sort.CREDENTIALS: Act.VIEW_CREDENTIALS,
    Sort.STACK: Act.LIST_STACKS,
}


class Verdict(enum.Enum):
    ALLOWED = "allowed"
    DENIED = "denied"  # somebody said no
    NOT_ALLOWED = "not allowed"  # nobody said yes


@dataclass(frozen=True, slots=True)
class Statements:
    """All that somebody's documents say. Whoever holds any of them is not the master."""

    said: frozenset[Statement] = frozenset()

    def verdict(self, act: str, resource: Resource, caller: str) -> Verdict:
        """`act` is an `Act`, or the name of what is not among them; `caller` is the name of the user who asks."""
        questions = {(act, resource), *_done_with(act, resource), *_seeing(resource)}
        if act in OF_THE_MASTER_ONLY or any(self._deny(*question, caller) for question in questions):
            return Verdict.DENIED
        return Verdict.ALLOWED if self._allow(act, resource, caller) else Verdict.NOT_ALLOWED

    def _deny(self, act: str, resource: Resource, caller: str) -> bool:
        return any(
            each.is_about(act, resource) and (each.owners is None or each.owned(resource, caller))
            for each in self.said
            if not each.allows
        )

    def _allow(self, act: str, resource: Resource, caller: str) -> bool:
        allowing = [each for each in self.said if each.allows and each.is_about(act, resource)]
        with_condition = [each for each in allowing if each.owners is not None and resource.owner is not None]
        if with_condition:
            return any(each.owned(resource, caller) for each in with_condition)
        plain = [each for each in allowing if each.owners is None]
        if act not in ON_OWN_STACKS_BY_DEFAULT or (caller and resource.owner == caller):
            return bool(plain)
        return any(each.whoever_owns or each.resources.name_in_full(resource) for each in plain)

    def allow_anything(self) -> bool:
        return any(each.allows for each in self.said)


def _done_with(act: str, resource: Resource) -> Iterator[tuple[str, Resource]]:
    """What else is done by doing this, and must not be denied either."""
    if resource.sort is Sort.STACK and act != Act.LIST_STACKS:
        yield Act.VIEW_STACK, resource
    if act in DONE_TO_THE_STACK and resource.parent is not None:
        yield DONE_TO_THE_STACK[act], resource.parent


def _seeing(resource: Resource) -> Iterator[tuple[str, Resource]]:
    """What nobody may be denied who is to do anything to the resource."""
    if resource.sort in _LISTED_BY:
        yield _LISTED_BY[resource.sort], resource
    if resource.parent is not None:
        if resource.parent.sort is Sort.STACK:
            yield Act.VIEW_STACK, resource.parent
        yield from _seeing(resource.parent)


NOTHING_SAID = Statements()
