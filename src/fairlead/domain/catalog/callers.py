"""Who looks at the catalogue, and what does that mean for services?"""

from __future__ import annotations

from dataclasses import dataclass

from fairlead.base.scope import Scope
from fairlead.domain.catalog.access import Access, lets_in
from fairlead.domain.identity import portal

Project = portal.ProjectRef | None
"""Where a service belongs; None is the whole server."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Someone who looks at services. `grants` is None for whoever did not come through a portal: the system itself."""

    scope: Scope
    grants: portal.PortalGrants | None

    @property
    def is_peer(self) -> bool:
        return self.grants is not None and self.grants.caller is portal.Caller.PEER

    def sees(self, project: Project) -> bool:
        return portal.may(self.scope, portal.Act.VIEW_SERVICE, project)

    def may_call(self, project: Project, access: Access) -> bool:
        """May they call services there which these rules are for? Peers may call whatever they see."""
        if self.grants is None:
            return portal.may(self.scope, portal.Act.MANAGE_SERVICES)
        if not (self.grants.can_run or self.is_peer):
            return False
        if project is not None and not self.is_peer and not portal.may(self.scope, portal.Act.RUN_JOB, project):
            return False
        has_shown_who = self.grants.caller in {portal.Caller.AUTHENTICATED, portal.Caller.PEER}
        return lets_in(access, self.grants.groups, self.grants.address, is_known=has_shown_who)


def viewer_of(scope: Scope) -> Viewer:
    return Viewer(scope, portal.grants_of(scope))
