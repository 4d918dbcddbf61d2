"""Who asks for a Docker registry with a name and a password alone, and what may they do there?

Docker knows no programs of an account. Where there is one organization its people need nothing else; where there are
many, the master is known by the e-mail, and members say the account before their name: `5447820c870e1/thompson`.

Repositories of an account are those under the account's id (`5447820c870e1/web`). Where there is one organization,
members also have those under their own name, and the master has all.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from fairlead.base.database import Database, Tx
from fairlead.base.scope import Scope
from fairlead.domain.identity import passwords, store
from fairlead.domain.identity.access import AccessRequest, Grant, enter_account, verify_access
from fairlead.domain.identity.account_ids import account_id
from fairlead.domain.identity.member_tables import accounts
from fairlead.domain.identity.model import DEFAULT_TENANT_ID, Tenant, WrongLogin
from fairlead.domain.identity.policy import Policy
from fairlead.domain.identity.principals import may
from fairlead.domain.identity.resources import Resource
from fairlead.domain.identity.tokens import Tokens
from fairlead.domain.identity.vocabulary import Act

_ACTS: dict[str, tuple[Act, ...]] = {
    "pull": (Act.VIEW_REGISTRY,),
    "push": (Act.CREATE_REGISTRY, Act.EDIT_REGISTRY),  # of an image that may be there already or not
    "delete": (Act.DELETE_REGISTRY,),
    "*": (Act.VIEW_REGISTRY, Act.CREATE_REGISTRY, Act.EDIT_REGISTRY, Act.DELETE_REGISTRY),
}
_tenant_of_account = sa.select(accounts.c.tenant_id).where(accounts.c.user_id == sa.bindparam("account"))


def enter_registry(database: Database, tokens: Tokens, name: str, password: str, address: str) -> Scope:
    """Whoever has this name and password. Refuses with `WrongLogin`, and in any other way only if both are right."""
    account, slash, username = name.rpartition("/")
    with database.across_tenants("whose name is this?", writing=False) as tx:
        tenant = _tenant(tx, tokens, account if slash else "", username)
    if tenant is None:
        passwords.take_as_long(password)
        raise WrongLogin
    request = AccessRequest(Grant.PASSWORD, "", "", username, password, address)
    token = enter_account(database, tokens, tenant, request)
    return verify_access(database, tokens.read_access(token.token))


def _tenant(tx: Tx, tokens: Tokens, account: str, username: str) -> Tenant | None:
    if account:
        tenant_id = tx.scalar(_tenant_of_account, {"account": account})
    elif not tokens.multitenant:
        tenant_id = DEFAULT_TENANT_ID
    else:
        user = store.find_user_by_email(tx, username)
        tenant_id = user.tenant_id if user else None
    return store.find_tenant(tx, tenant_id) if tenant_id else None


def allowed_in_registry(tx: Tx, repository: str, actions: Iterable[str], *, multitenant: bool) -> list[str]:
    """Those of the actions that the caller may do to a repository, in their order."""
    if not _is_in_reach(tx, repository, multitenant=multitenant):
        return []
    resource = Resource.other("registry", repository)
    wanted = dict.fromkeys(actions)
    return [each for each in wanted if each in _ACTS and all(may(tx.scope, act, resource) for act in _ACTS[each])]


def may_list_registry(tx: Tx, *, multitenant: bool) -> bool:
    """May the caller see what repositories there are? A registry lists all of them, whosever they are."""
    return not multitenant and may(tx.scope, Act.VIEW_REGISTRY, Resource.other("registry"))


def _is_in_reach(tx: Tx, repository: str, *, multitenant: bool) -> bool:
    owner, _, rest = repository.partition("/")
    if not owner or not rest:
        return not multitenant and _is_master(tx.scope)
    if owner == account_id(tx):
        return True
    return not multitenant and (owner == tx.scope.actor.name or _is_master(tx.scope))


def _is_master(scope: Scope) -> bool:
    return isinstance(scope.permissions, Policy) and scope.permissions.everything
