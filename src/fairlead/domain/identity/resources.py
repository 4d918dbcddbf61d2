"""What is it that somebody wants to do something to? Its name, its owner, and what it hangs on.

A resource hangs on others: vendor, credentials, stack, and then the stack's templates and logs. Who is denied seeing
one of them sees nothing of what hangs on it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Sort(enum.StrEnum):
    VENDOR = "vendor"
    CREDENTIALS = "credentials"
    STACK = "stack"
    TEMPLATE = "template"
    LOG = "log"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Resource:
    """Something that a scope document can name: by its `mrn` in full, or by its `id` alone.

    `owner` is the name of the user to whom it belongs, "" when nobody knows any more, and None for what never
    belongs to anyone: conditions on owners say nothing about that. What is only about to be made has no id yet.
    """

    sort: Sort
    mrn: str
    id: str = ""
    owner: str | None = None
    vendor: str = ""
    parent: Resource | None = None

    @classmethod
    def of_vendor(cls, vendor: str) -> Resource:
        vendor = vendor.lower()
        return cls(Sort.VENDOR, f"mrn:vendor:{vendor}", vendor, vendor=vendor)

    @classmethod
    def of_credentials(cls, vendor: str, credentials_id: str = "") -> Resource:
        parent = cls.of_vendor(vendor)
        mrn = f"{parent.mrn}:cred:{credentials_id}"
        return cls(Sort.CREDENTIALS, mrn, credentials_id, vendor=parent.vendor, parent=parent)

    @classmethod
    def of_stack(cls, stack_id: str = "", *, owner: str, vendor: str, credentials_id: str = "") -> Resource:
        """A stack, with the credentials that it uses of this vendor (none, where the vendor needs none)."""
        parent = cls.of_credentials(vendor, credentials_id) if credentials_id else cls.of_vendor(vendor)
        return cls(Sort.STACK, f"mrn:alm:stack:{stack_id}", stack_id, owner, parent.vendor, parent)

    @classmethod
    def of_template(cls, stack: Resource) -> Resource:
        """The templates of a stack, all versions of them: they go by the id of the stack."""
        return cls(Sort.TEMPLATE, f"mrn:alm:template:{stack.id}", stack.id, stack.owner, stack.vendor, stack)

    @classmethod
    def of_logs(cls, stack: Resource) -> Resource:
        return cls(Sort.LOG, f"mrn:alm:log:{stack.id}", stack.id, stack.owner, stack.vendor, stack)

    @classmethod
    def other(cls, kind: str, resource_id: str = "") -> Resource:
        """What hangs on nothing: `registry`, `role`, `user` …"""
        return cls(Sort.OTHER, f"mrn:alm:{kind}:{resource_id}", resource_id)
