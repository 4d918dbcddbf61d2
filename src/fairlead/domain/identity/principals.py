"""What may the master of an account, its sub-users, an agent, or a program with credentials of its own do?

All of them get a `Policy`; whoever goes by scope documents has what these say in it (mobingi.md §2.3, §2.4).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from fairlead.base.scope import Everything, NotAllowed, Scope
from fairlead.domain.identity.documents import VERSION, Named, ScopeDocument, Statement, read_document
from fairlead.domain.identity.judging import Statements, Verdict
from fairlead.domain.identity.policy import Policy
from fairlead.domain.identity.resources import Resource
from fairlead.domain.identity.vocabulary import OF_AGENTS, Act
from fairlead.domain.identity.wildcards import NO_NAMES, Names

Item = TypeVar("Item")


class RoleForbids(NotAllowed):
    message = "You may not do this: your role does not allow it ({act})."


@dataclass(frozen=True, slots=True)
class DocumentTemplate:
    """A scope document to begin with."""

    id: str
    name: str
    document: ScopeDocument


def _document(*statements: tuple[str, list[str]]) -> ScopeDocument:
    written = [{"Effect": effect, "Action": actions, "Resource": ["*"]} for effect, actions in statements]
    return read_document(json.dumps({"version": VERSION, "Statement": written}))


MASTER = _document(("Allow", ["*"]))
SUB_USER = _document(
    (
        "Deny",
        [
            "role:describeRoles",
            "role:createRole",
            "role:updateRole",
            "role:deleteRole",
            "user:describeMobingiUsers",
            "user:createMobingiUser",
            "user:deleteMobingiUser",
            "userrole:describeUserRoleByUserName",
            "userrole:createUserRole",
            "userrole:updateUserRole",
            "userrole:deleteUserRole",
        ],
    ),
    ("Deny", ["cred:createCredentials", "cred:deleteCredentials"]),
    ("Allow", ["*"]),
)
DOCUMENT_TEMPLATES = (
    DocumentTemplate("admin", "Management Role", MASTER),
    DocumentTemplate("user", "User Role", SUB_USER),
)


def policy_of_master() -> Policy:
    """All of it: the published Deny of new templates is an example of Mobingi's demonstration, and not applied."""
    return Policy(everything=True)


def policy_of_sub_user(document: ScopeDocument | None) -> Policy:
    """What the document of their role says; for those who have no role, the default one for users."""
    return Policy(documents=Statements((document or SUB_USER).statements))


def policy_of_agent(stack_id: str) -> Policy:
    """What agents do, on their own stack."""
    stack = Resource.of_stack(stack_id, owner="", vendor="")
    return _of_agent(
        Named(all=False, mrns=Names(frozenset({stack.mrn})))
    )  # the id as it is: nothing in it is a wildcard


def policy_of_program() -> Policy:
    """A program with credentials of the account is treated as an agent of any of its stacks."""
    return _of_agent(Named(all=True))


def _of_agent(resources: Named) -> Policy:
    said = Statement(True, OF_AGENTS, NO_NAMES, resources, whoever_owns=True)
    return Policy(documents=Statements(frozenset({said})))


def may(scope: Scope, act: Act | str, resource: Resource) -> bool:
    """Do the actor's documents allow this? Asked for each resource: what may be made has a resource without an id."""
    return verdict(scope, act, resource) is Verdict.ALLOWED


def verdict(scope: Scope, act: Act | str, resource: Resource) -> Verdict:
    """`may`, and whether a no was said or only no yes."""
    if isinstance(scope.permissions, Policy):
        return scope.permissions.verdict(act, resource, scope.actor.name)
    return Verdict.ALLOWED if isinstance(scope.permissions, Everything) else Verdict.NOT_ALLOWED


def make_sure_may(scope: Scope, act: Act | str, resource: Resource) -> None:
    """Refuse with `RoleForbids` unless the actor's documents allow this."""
    if not may(scope, act, resource):
        raise RoleForbids(act=str(act))


def allowed_among(
    scope: Scope, act: Act | str, items: Iterable[Item], as_resource: Callable[[Item], Resource]
) -> list[Item]:
    """Those of a list to which the actor may do this, in their order: lists are filtered, never refused."""
    return [item for item in items if may(scope, act, as_resource(item))]
