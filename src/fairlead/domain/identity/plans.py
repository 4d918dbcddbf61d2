"""What does an organization get for which plan?"""

from __future__ import annotations

import enum

from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.domain.identity import store
from fairlead.domain.identity.model import TenantNotFound


class Plan(enum.StrEnum):
    """From the smallest to the largest: each has all that the ones before it have (mender.md §2.5)."""

    OS = "os"
    PROFESSIONAL = "professional"
    ENTERPRISE = "enterprise"

    def includes(self, other: Plan) -> bool:
        order = list(Plan)
        return order.index(self) >= order.index(other)


DEVICE_LIMITS = {Plan.OS: 50, Plan.PROFESSIONAL: 250, Plan.ENTERPRISE: 0}
"""How many devices a plan accepts unless the operator says otherwise; 0 is any number (mender.md §2.1)."""

LARGEST_LIMIT = 2**53
"""What any number of devices or bytes may be limited to: beyond it JSON's readers are not exact."""


class NotInPlan(Refusal):
    kind = Kind.FORBIDDEN
    message = "Feature not available in your Plan: it takes {plan} or more, and yours is {own}."


class UnknownPlan(Refusal):
    message = "unknown plan {plan!r}: it must be one of os, professional, enterprise"


def plan_called(name: str) -> Plan:
    """The plan of this name, or `UnknownPlan`."""
    try:
        return Plan(name)
    except ValueError:
        raise UnknownPlan(plan=name[:40]) from None


def make_sure_plan_includes(tx: Tx, least: Plan) -> None:
    """Refuse with `NotInPlan` when the tenant's plan is smaller than this."""
    tenant = store.find_tenant(tx, tx.tenant_id)
    if tenant is None:
        raise TenantNotFound
    if not Plan(tenant.plan).includes(least):
        raise NotInPlan(plan=least.value, own=tenant.plan)
