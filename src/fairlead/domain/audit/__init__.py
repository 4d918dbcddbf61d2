"""Who did what: kept in the same transaction as the deed."""

from fairlead.domain.audit.actions import record
from fairlead.domain.audit.model import Entry
from fairlead.domain.audit.store import recent

__all__ = ["Entry", "recent", "record"]
