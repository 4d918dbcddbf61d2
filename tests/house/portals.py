"""A portal of one organization, and everybody who may look at its services."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from fairlead.base.database import Database
from fairlead.base.scope import Scope, system_scope
from fairlead.domain import audit, catalog
from fairlead.domain.identity import portal
from fairlead.domain.identity.policy import Policy

OWN = catalog.OwnServer("here", "https://here.example/mobyle")
PROJECT, PUBLIC_PROJECT = 7, 8


def described(name: str, version: str = "1.0", **said: Any) -> catalog.Service:
    """A program that is as simple as can be, unless more is said."""
    document = {"_type": "Program", "name": name, "version": version, "command": "true"} | said
    return catalog.read_json(json.dumps(document))


def workflow(name: str, **said: Any) -> catalog.Service:
    tasks = [{"id": "one", "service": "needle::here"}]
    return catalog.read_json(json.dumps({"_type": "Workflow", "name": name, "tasks": tasks} | said))


@dataclass
class Portal:
    """What a test does with the catalogue of one organization."""

    database: Database
    tenant_id: str
    own: catalog.OwnServer = OWN

    @property
    def system(self) -> Scope:
        return system_scope(self.tenant_id)

    def as_(self, caller: portal.Caller, **granted: Any) -> Scope:
        """Somebody whom the portal knows."""
        scope = portal.visitor(self.tenant_id)
        return replace(scope, permissions=Policy(portal=portal.PortalGrants(caller, **granted)))

    @property
    def admin(self) -> Scope:
        return self.as_(portal.Caller.AUTHENTICATED, number=1, is_admin=True)

    @property
    def ada(self) -> Scope:
        """Has an account, and no role anywhere."""
        return self.as_(portal.Caller.AUTHENTICATED, number=2)

    @property
    def anyone(self) -> Scope:
        """Has a session without an account."""
        return self.as_(portal.Caller.ANONYMOUS, number=3)

    @property
    def visitor(self) -> Scope:
        return portal.visitor(self.tenant_id)

    @property
    def peer(self) -> Scope:
        return portal.peer(self.tenant_id, "pasteur")

    def member(self, role: str, project: int = PROJECT, **granted: Any) -> Scope:
        return self.as_(portal.Caller.AUTHENTICATED, number=4, roles={project: portal.Role(role)}, **granted)

    def register(self, *services: catalog.Service, project: int = 0, **wishes: Any) -> list[catalog.Registered]:
        with self.database.begin(self.system) as tx:
            return [catalog.register_service(tx, self.own, each, project, **wishes) for each in services]

    def change(self, full_name: str, **change: Any) -> catalog.Listed:
        with self.database.begin(self.admin) as tx:
            return catalog.change_service(tx, self.own, full_name, catalog.ServiceChange(**change))

    def seen_by(self, scope: Scope, **wanted: Any) -> dict[str, catalog.Listed]:
        with self.database.read(scope) as tx:
            return {each.full_name: each for each in catalog.search(tx, self.own, catalog.Wanted(**wanted))}

    def find(self, scope: Scope, full_name: str) -> catalog.Listed:
        with self.database.read(scope) as tx:
            return catalog.find(tx, self.own, full_name)

    def do(self, scope: Scope, verb: Any, *arguments: Any, **named: Any) -> Any:
        with self.database.begin(scope) as tx:
            return verb(tx, *arguments, **named)

    def log(self) -> list[str]:
        """What was done, oldest first: `service.register needle::public::here`."""
        with self.database.read(self.system) as tx:
            entries = [entry for entry in reversed(audit.recent(tx, 500)) if entry.object_type != "tenant"]
        return [f"{entry.action} {entry.object_id}".strip() for entry in entries]
