"""Who did what: kept in the same transaction as the deed."""

from fairlead.domain.audit.actions import record, record_for_others
from fairlead.domain.audit.model import BEGINNING, Entry, digest_of
from fairlead.domain.audit.searching import Place, Wanted, count, search, search_on
from fairlead.domain.audit.store import recent
from fairlead.domain.audit.store import tenants as tenants_with_trails
from fairlead.domain.audit.verifying import Fault, Finding, verify

__all__ = [
    "BEGINNING",
    "Entry",
    "Fault",
    "Finding",
    "Place",
    "Wanted",
    "count",
    "digest_of",
    "recent",
    "record",
    "record_for_others",
    "search",
    "search_on",
    "tenants_with_trails",
    "verify",
]
