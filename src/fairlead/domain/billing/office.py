"""What does everyone here work with?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from fairlead.base.database import Database
from fairlead.base.scope import Scope
from fairlead.domain import identity
from fairlead.domain.billing.model import BillingIsOff, OneOrganizationOnly
from fairlead.domain.billing.payments import Payments


@dataclass(frozen=True, slots=True)
class Office:
    """Where organizations sign up, upgrade, pay and leave.

    It takes the database, not transactions: what is asked of the payment service takes its time, and no transaction
    may be open meanwhile.
    """

    database: Database
    tokens: identity.Tokens
    payments: Payments | None
    trial: timedelta
    multitenant: bool

    def make_sure_there_may_be_others(self) -> None:
        if not self.multitenant:
            raise OneOrganizationOnly

    def make_sure_it_bills(self) -> Payments:
        if self.payments is None:
            raise BillingIsOff
        return self.payments

    def organization(self, scope: Scope) -> identity.Tenant:
        """The organization of someone who may manage it."""
        with self.database.read(scope) as tx:
            return identity.organization_called(tx, tx.tenant_id)
