"""Who is it that goes by this name in an account: a member, or the master by their e-mail?"""

from __future__ import annotations

from dataclasses import dataclass

from fairlead.base.database import Tx
from fairlead.domain.identity import store
from fairlead.domain.identity.members import MemberNotFound, find_member
from fairlead.domain.identity.model import Permission, User
from fairlead.domain.identity.principals import make_sure_may
from fairlead.domain.identity.resources import Resource
from fairlead.domain.identity.roles import policy_of_roles
from fairlead.domain.identity.vocabulary import Act


@dataclass(frozen=True, slots=True)
class Person:
    """What people are told of one another. Not every member has an e-mail."""

    name: str
    email: str


def find_person(tx: Tx, name: str = "") -> Person:
    """The person of this name, or whoever asks. The master may see everybody, all others only themselves."""
    name = name or tx.scope.actor.name
    if "@" in name:
        return _find_master(tx, name)
    member = find_member(tx, name)
    return Person(member.username, member.email)


def _find_master(tx: Tx, email: str) -> Person:
    found = store.search_users(tx, (), (email,), {})
    if not found or found[0].id != tx.scope.actor.id:
        make_sure_may(tx.scope, Act.VIEW_USERS, Resource.other("user", email))
    if not found:
        raise MemberNotFound(username=email[:64])
    return Person(found[0].email, found[0].email)


def masters(tx: Tx) -> list[User]:
    """The masters of the account: users of the tenant whose roles allow everything."""
    tx.require(Permission.VIEW_USERS)
    return [user for user in store.search_users(tx, (), (), {}) if policy_of_roles(tx, user.roles).everything]
