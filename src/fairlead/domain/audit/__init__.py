"""Who did what: kept in the same transaction as the deed."""

from fairlead.domain.audit.actions import record, record_for_others
from fairlead.domain.audit.model import BEGINNING, Entry, digest_of
from fairlead.domain.audit.store import recent

__all__ = ["BEGINNING", "Entry", "digest_of", "recent", "record", "record_for_others"]
