"""Where records are kept: SQLite or PostgreSQL, through the same SQLAlchemy Core statements."""

from fairlead.base.database.binding import TenantNotBound
from fairlead.base.database.changes import Change, Changes
from fairlead.base.database.columns import TENANT, Moment, metadata, tenant_column
from fairlead.base.database.dialects import (
    Document,
    as_document,
    by_code_point,
    from_document,
    holds,
    insert_or_ignore,
    is_there,
    json_at,
    json_merge,
    keys_of,
    list_of_strings,
    mentions,
    number_at,
    text_at,
)
from fairlead.base.database.elements import compares, is_array_of, is_one_of
from fairlead.base.database.engine import BadDatabaseUrl, Database, DatabaseCannotBeUsed, DatabaseIsAway, StorageIsFull
from fairlead.base.database.transaction import Tx

__all__ = [
    "TENANT",
    "BadDatabaseUrl",
    "Change",
    "Changes",
    "Database",
    "DatabaseCannotBeUsed",
    "DatabaseIsAway",
    "Document",
    "Moment",
    "StorageIsFull",
    "TenantNotBound",
    "Tx",
    "as_document",
    "by_code_point",
    "compares",
    "from_document",
    "holds",
    "insert_or_ignore",
    "is_array_of",
    "is_one_of",
    "is_there",
    "json_at",
    "json_merge",
    "keys_of",
    "list_of_strings",
    "mentions",
    "metadata",
    "number_at",
    "tenant_column",
    "text_at",
]
