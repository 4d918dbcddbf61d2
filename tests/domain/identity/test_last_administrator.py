"""An organization keeps somebody who may manage its users, whatever is done to them at the same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait

import pytest

from fairlead.base.scope import system_scope
from fairlead.domain import identity
from fairlead.domain.identity import LastAdministrator, Permission
from fairlead.domain.identity.policy import OnRequests
from fairlead.domain.identity.roles import policy_of_roles
from house.world import HASH

ALL, MANAGING = "RBAC_ROLE_PERMIT_ALL", identity.Everything()
LONG_ENOUGH_FOR_ONE_THAT_DOES_NOT_WAIT = 0.3


class Staff:
    """The people of an organization, by name, and two roles that make administrators: `boss` and `chief`."""

    def __init__(self, database, tenant_id: str, **people: list[str]) -> None:
        self.database = database
        self.scope = system_scope(tenant_id)
        with database.begin(self.scope) as tx:
            for name in ("boss", "chief", "clerk"):
                identity.add_role(tx, name, "", [] if name == "clerk" else [MANAGING])
            self.ids = {
                who: identity.add_user(tx, f"{who}@{tenant_id}.example", HASH, roles).id
                for who, roles in people.items()
            }

    def administrators(self) -> list[str]:
        with self.database.read(self.scope) as tx:
            found = {user.id: policy_of_roles(tx, user.roles) for user in identity.search_users(tx)}
        return [who for who, id_ in self.ids.items() if Permission.MANAGE_USERS in found.get(id_, ())]

    def empties(self, role: str) -> Callable:
        return lambda tx: identity.change_role(tx, role, "", [OnRequests("GET", "^/")])

    def fills(self, role: str) -> Callable:
        return lambda tx: identity.change_role(tx, role, "", [MANAGING])

    def removes(self, who: str) -> Callable:
        return lambda tx: identity.remove_user(tx, self.ids[who])

    def gives(self, who: str, *roles: str) -> Callable:
        return lambda tx: identity.change_user(tx, self.ids[who], identity.UserChange(roles=roles))

    def while_another(self, first: Callable, second: Callable) -> Exception | None:
        """Do the second before the first is committed, and commit the first after; how the second was refused."""

        def do_second() -> None:
            with self.database.begin(self.scope) as tx:
                second(tx)

        with ThreadPoolExecutor(1) as thread:
            with self.database.begin(self.scope) as tx:
                first(tx)
                under_way = thread.submit(do_second)
                wait([under_way], LONG_ENOUGH_FOR_ONE_THAT_DOES_NOT_WAIT)
            return under_way.exception(timeout=30)


@pytest.fixture
def staff(database, tokens):
    def make(**people: list[str]) -> Staff:
        with database.across_tenants("a new organization") as tx:
            tenant = identity.add_tenant(tx, tokens, "acme")
        return Staff(database, tenant.id, **people)

    return make


def test_a_role_is_emptied_while_its_holder_removes_the_other(staff):
    acme = staff(ada=[ALL], bob=["boss"])

    refusal = acme.while_another(acme.empties("boss"), acme.removes("ada"))

    assert (type(refusal), acme.administrators()) == (LastAdministrator, ["ada"])


def test_somebody_is_removed_while_they_empty_the_role_of_the_other(staff):
    acme = staff(ada=[ALL], bob=["boss"])

    refusal = acme.while_another(acme.removes("ada"), acme.empties("boss"))

    assert (type(refusal), acme.administrators()) == (LastAdministrator, ["bob"])


def test_a_role_is_emptied_while_the_one_who_has_another_besides_is_removed(staff):
    acme = staff(bob=["boss"], dan=["boss", "chief"])

    refusal = acme.while_another(acme.empties("boss"), acme.removes("dan"))

    assert (type(refusal), acme.administrators()) == (LastAdministrator, ["dan"])


def test_somebody_is_counted_on_only_as_they_are_when_it_is_ones_turn(staff):
    """Who is removed has become an administrator meanwhile, and the only one."""
    acme = staff(ada=[ALL], bob=["clerk"])

    def hand_over(tx) -> None:
        acme.fills("clerk")(tx)
        acme.gives("ada", "clerk")(tx)
        acme.gives("ada")(tx)

    refusal = acme.while_another(hand_over, acme.removes("bob"))

    assert (type(refusal), acme.administrators()) == (LastAdministrator, ["bob"])


def test_two_administrators_take_each_others_roles(staff):
    acme = staff(ada=["boss"], bob=["chief"])

    refusal = acme.while_another(acme.gives("ada", "clerk"), acme.gives("bob"))

    assert (type(refusal), acme.administrators()) == (LastAdministrator, ["bob"])
