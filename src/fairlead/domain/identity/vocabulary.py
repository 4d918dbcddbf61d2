"""What can be done, in the words of scope documents? Both dialects' names of one action become one `Act`.

The names are those of mobingi.md §2.1. Where one dialect publishes no name for what the other can say, there is one by
analogy, so that a wildcard of either (`stack:*`, `view:*`) reaches the whole of what it names: a Deny above all.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from fairlead.domain.identity.wildcards import Names


class Act(enum.StrEnum):
    """An action that scope documents decide on."""

    LIST_VENDORS = "vendor.list"
    VIEW_CREDENTIALS = "credentials.view"
    CREATE_CREDENTIALS = "credentials.create"
    DELETE_CREDENTIALS = "credentials.delete"
    LIST_STACKS = "stack.list"
    VIEW_STACK = "stack.view"
    CREATE_STACK = "stack.create"
    EDIT_STACK = "stack.edit"
    DELETE_STACK = "stack.delete"
    VIEW_TEMPLATE = "template.view"
    CREATE_TEMPLATE = "template.create"
    EDIT_TEMPLATE = "template.edit"
    VIEW_REGISTRY = "registry.view"
    CREATE_REGISTRY = "registry.create"
    EDIT_REGISTRY = "registry.edit"
    DELETE_REGISTRY = "registry.delete"
    LOG_IN = "user.login"
    VIEW_ROLES = "role.view"
    CREATE_ROLE = "role.create"
    EDIT_ROLE = "role.edit"
    DELETE_ROLE = "role.delete"
    VIEW_USERS = "user.view"
    CREATE_USER = "user.create"
    DELETE_USER = "user.delete"
    VIEW_USER_ROLES = "user_role.view"
    CREATE_USER_ROLE = "user_role.create"
    EDIT_USER_ROLE = "user_role.edit"
    DELETE_USER_ROLE = "user_role.delete"
    READ_CONTAINER_CONFIG = "agent.config"
    REPORT_AGENT_STATUS = "agent.status"
    REPORT_INSTANCE_STATUS = "agent.instance_status"
    TAKE_SESSION_KEYS = "agent.session_keys"
    REPORT_SPOT_SHUTDOWN = "agent.spot_shutdown"


_PUBLISHED: dict[Act, tuple[str, ...]] = {
    Act.LIST_VENDORS: ("vendor:describeVendors", "view:vendor"),
    Act.VIEW_CREDENTIALS: ("cred:describeCredentials", "cred:describeCredential", "view:credentials"),
    Act.CREATE_CREDENTIALS: ("cred:createCredentials", "cred:createCredential", "create:credentials"),
    Act.DELETE_CREDENTIALS: ("cred:deleteCredentials", "cred:deleteCredential", "delete:credentials"),
    Act.LIST_STACKS: ("stack:describeStacks", "view:alm.stack"),
    Act.VIEW_STACK: ("stack:describeStack", "view:alm.stack"),
    Act.CREATE_STACK: ("stack:createStack", "create:alm.stack"),
    Act.EDIT_STACK: ("stack:updateStack", "edit:alm.stack"),
    Act.DELETE_STACK: ("stack:deleteStack", "delete:alm.stack"),
    Act.VIEW_TEMPLATE: ("template:describeAlmTemplate", "view:alm.template"),
    Act.CREATE_TEMPLATE: ("template:createAlmTemplate", "create:alm.template"),
    Act.EDIT_TEMPLATE: ("template:updateAlmTemplate", "edit:alm.template"),
    Act.VIEW_REGISTRY: ("registry:describeRegistry", "view:alm.registry"),
    Act.CREATE_REGISTRY: ("registry:createRegistry", "create:alm.registry"),
    Act.EDIT_REGISTRY: ("registry:updateRegistry", "edit:alm.registry"),
    Act.DELETE_REGISTRY: ("registry:deleteRegistry", "delete:alm.registry"),
    Act.LOG_IN: ("user:consoleLoginUser", "view:user.login"),
    Act.VIEW_ROLES: ("role:describeRoles", "view:role"),
    Act.CREATE_ROLE: ("role:createRole", "create:role"),
    Act.EDIT_ROLE: ("role:updateRole", "edit:role"),
    Act.DELETE_ROLE: ("role:deleteRole", "delete:role"),
    Act.VIEW_USERS: ("user:describeMobingiUsers", "view:user"),
    Act.CREATE_USER: ("user:createMobingiUser", "create:user"),
    Act.DELETE_USER: ("user:deleteMobingiUser", "delete:user"),
    Act.VIEW_USER_ROLES: ("userrole:describeUserRoleByUserName", "view:userrole"),
    Act.CREATE_USER_ROLE: ("userrole:createUserRole", "create:userrole"),
    Act.EDIT_USER_ROLE: ("userrole:updateUserRole", "edit:userrole"),
    Act.DELETE_USER_ROLE: ("userrole:deleteUserRole", "delete:userrole"),
    Act.READ_CONTAINER_CONFIG: ("describeContainerConfig", "agent:describeContainerConfig"),
    Act.REPORT_AGENT_STATUS: ("updateAgentStatus", "agent:updateAgentStatus"),
    Act.REPORT_INSTANCE_STATUS: ("updateInstanceStatus", "agent:updateInstanceStatus"),
    Act.TAKE_SESSION_KEYS: ("describeSts", "agent:describeSts"),
    Act.REPORT_SPOT_SHUTDOWN: ("shutdownSpot", "agent:shutdownSpot"),
}
_NAMES: dict[str, tuple[str, ...]] = {act: tuple(name.lower() for name in names) for act, names in _PUBLISHED.items()}
_KNOWN = frozenset().union(*_NAMES.values())

# These have their vendor behind their name where a document wants it: `cred:deleteCredentials::aws`.
_OF_ONE_VENDOR = frozenset({Act.VIEW_CREDENTIALS, Act.CREATE_CREDENTIALS, Act.DELETE_CREDENTIALS})

OF_THE_MASTER_ONLY = frozenset(
    {
        Act.VIEW_ROLES,
        Act.CREATE_ROLE,
        Act.EDIT_ROLE,
        Act.DELETE_ROLE,
        Act.VIEW_USERS,
        Act.CREATE_USER,
        Act.DELETE_USER,
        Act.VIEW_USER_ROLES,
        Act.CREATE_USER_ROLE,
        Act.EDIT_USER_ROLE,
        Act.DELETE_USER_ROLE,
    }
)
OF_AGENTS = frozenset(
    {
        Act.READ_CONTAINER_CONFIG,
        Act.REPORT_AGENT_STATUS,
        Act.REPORT_INSTANCE_STATUS,
        Act.TAKE_SESSION_KEYS,
        Act.REPORT_SPOT_SHUTDOWN,
    }
)
# Changing a stack in the old form does what a new version of its template does, and is limited alike. Who speaks for a
# stack's agents is told what it runs, with all its passwords, and says how it goes.
ON_OWN_STACKS_BY_DEFAULT = OF_AGENTS | {Act.VIEW_STACK, Act.EDIT_STACK, Act.DELETE_STACK, Act.EDIT_TEMPLATE}

DONE_TO_THE_STACK: dict[str, Act] = {Act.CREATE_TEMPLATE: Act.CREATE_STACK, Act.EDIT_TEMPLATE: Act.EDIT_STACK}
"""What is done to a stack by doing this to its template."""


def acts_named(patterns: Names) -> frozenset[Act]:
    """All that these names and wildcards stand for, whatever the vendor."""
    return frozenset(act for act in Act if any(map(patterns.match, _NAMES[act])))


def names_of(act: str, vendor: str) -> Iterable[str]:
    """What the action may be called when it concerns this vendor. What is no `Act` is called what it is."""
    names = _NAMES.get(act) or (act.lower(),)
    if act not in _NAMES and not _KNOWN.isdisjoint(names):
        raise ValueError(f"{act} is one dialect's name: ask for the Act")
    if vendor and act in _OF_ONE_VENDOR:
        return (*names, *(f"{name}::{vendor}" for name in names))
    return names


def is_told_by_name_alone(act: str) -> bool:
    """Is `acts_named` all that there is to know about whether a statement is about the action?"""
    return act in _NAMES and act not in _OF_ONE_VENDOR
