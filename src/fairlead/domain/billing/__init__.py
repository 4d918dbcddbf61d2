"""How organizations sign up, pay and leave; with Stripe where the operator has an account there."""

from fairlead.domain.billing.model import (
    Bill,
    BillingIsAway,
    BillingIsMisconfigured,
    BillingIsOff,
    CardDeclined,
    CardMissing,
    CardNotVerified,
    Intent,
    IntentNotDone,
    IntentNotFound,
    NoBillingAccount,
    OneOrganizationOnly,
    SignedUp,
    UpgradeNotStarted,
)
from fairlead.domain.billing.office import Office
from fairlead.domain.billing.payments import Payments
from fairlead.domain.billing.signing_up import (
    activate,
    open_account,
    open_account_at_once,
    open_trial,
    remove_inactive,
)
from fairlead.domain.billing.staying import (
    begin_card,
    billing_secret,
    cancel,
    cancel_upgrade,
    complete_upgrade,
    confirm_card,
    find_bill,
    start_upgrade,
)

__all__ = [
    "Bill",
    "BillingIsAway",
    "BillingIsMisconfigured",
    "BillingIsOff",
    "CardDeclined",
    "CardMissing",
    "CardNotVerified",
    "Intent",
    "IntentNotDone",
    "IntentNotFound",
    "NoBillingAccount",
    "Office",
    "OneOrganizationOnly",
    "Payments",
    "SignedUp",
    "UpgradeNotStarted",
    "activate",
    "begin_card",
    "billing_secret",
    "cancel",
    "cancel_upgrade",
    "complete_upgrade",
    "confirm_card",
    "find_bill",
    "open_account",
    "open_account_at_once",
    "open_trial",
    "remove_inactive",
    "start_upgrade",
]
