"""With what do we show vendors that we act for an organization? Kept sealed, and never given back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import msgspec

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.base.seal import Seal
from fairlead.domain import audit, identity
from fairlead.domain.identity import Act, Resource
from fairlead.domain.stacks import credential_store, store
from fairlead.domain.stacks.model import (
    BadCredential,
    Credential,
    CredentialExists,
    CredentialInUse,
    CredentialNotFound,
    UnknownVendor,
)
from fairlead.domain.stacks.store import Record
from fairlead.domain.stacks.templates import Vendor
from fairlead.domain.stacks.tools import vendor_names

LONGEST_NAME = 255
LONGEST_VALUE = 16 * 1024
MOST_VALUES = 20


def add_credential(tx: Tx, seal: Seal, vendor: str, account: str, values: Mapping[str, str]) -> Credential:
    """Keep what a vendor has given out. `values["id"]` is what templates call it by, the others are for its driver.

    Templates may call it by the name of the account, too.
    """
    _make_sure_is_vendor(vendor)
    credential_id = values.get("id", "")
    identity.make_sure_may(tx.scope, Act.CREATE_CREDENTIALS, Resource.of_credentials(vendor, credential_id))
    _make_sure_is_good(credential_id, account, values)
    tx.one_at_a_time(f"{vendor} credentials")
    if credential_store.find(tx, vendor, credential_id) is not None:
        raise CredentialExists(vendor=vendor, id=credential_id)
    now = clock.now()
    secret = seal.close(msgspec.json.encode(dict(values)), _for(vendor, credential_id))
    credential_store.add(tx, vendor, credential_id, account, secret, now)
    audit.record(tx, "credential.create", target=credential_id, name=account, vendor=vendor)
    return Credential(vendor, credential_id, account, now)


def _make_sure_is_vendor(vendor: str) -> None:
    if vendor not in vendor_names():
        raise UnknownVendor(vendor=vendor, vendors=", ".join(vendor_names()))


def _make_sure_is_good(credential_id: str, account: str, values: Mapping[str, str]) -> None:
    if not credential_id:
        raise BadCredential(name="id", problem="is missing")
    for name, text in (("id", credential_id), ("account", account)):
        if len(text) > LONGEST_NAME or not text.isprintable():
            raise BadCredential(name=name, problem=f"must be printable and have at most {LONGEST_NAME} characters")
    if len(values) > MOST_VALUES or any(len(name) > LONGEST_NAME for name in values):
        raise BadCredential(name="values", problem=f"must be at most {MOST_VALUES}, with short names")
    for name, text in values.items():
        if len(text) > LONGEST_VALUE:
            raise BadCredential(name=name, problem=f"must have at most {LONGEST_VALUE} characters")


def list_credentials(tx: Tx, vendor: str) -> list[Credential]:
    """Those of the vendor that the actor may see, oldest first."""
    _make_sure_is_vendor(vendor)
    kept = credential_store.search(tx, vendor)
    return identity.allowed_among(tx.scope, Act.VIEW_CREDENTIALS, kept, _resource)


def remove_credential(tx: Tx, vendor: str, credential_id: str) -> None:
    """Forget credentials that no stack uses."""
    _make_sure_is_vendor(vendor)
    found = credential_store.find(tx, vendor, credential_id) if credential_id.isprintable() else None
    if found is None:
        raise CredentialNotFound(vendor=vendor, id=credential_id)
    identity.make_sure_may(tx.scope, Act.DELETE_CREDENTIALS, _resource(found))
    tx.one_at_a_time(f"{vendor} credentials")
    users = store.users_of_credential(tx, vendor, found.id)
    if users:
        raise CredentialInUse(vendor=vendor, id=credential_id, user=_called(tx, users))
    credential_store.remove(tx, vendor, credential_id)
    audit.record(tx, "credential.delete", target=credential_id, name=found.account, vendor=vendor)


def _called(tx: Tx, users: list[Record]) -> str:
    """One of the stacks, as the actor may be told of it."""
    listed = identity.allowed_among(tx.scope, Act.LIST_STACKS, users, lambda each: each.resource)
    return f"the stack {listed[0].id}" if listed else "a stack that you do not see"


def with_id(tx: Tx, vendor: Vendor) -> Vendor:
    """The vendor with the id of the credentials that it calls by their account.

    Roles name credentials by their id. And whatever is added later, a stack goes on with those that it was made with.
    """
    if vendor.secret or not vendor.credential:
        return vendor
    found = credential_store.find_called(tx, vendor.name, vendor.credential)
    return replace(vendor, credential=found) if found else vendor


def opened(tx: Tx, seal: Seal, vendor: Vendor) -> Mapping[str, str]:
    """What was kept under the id that a stack goes by, or what its template brings along; otherwise nothing."""
    if vendor.secret:
        return {"id": vendor.credential, "secret": vendor.secret}
    secret = credential_store.find_secret(tx, vendor.name, vendor.credential) if vendor.credential else None
    if secret is None:
        return {}
    return msgspec.json.decode(seal.open(secret, _for(vendor.name, vendor.credential)), type=dict[str, str])


def _resource(credential: Credential) -> Resource:
    return Resource.of_credentials(credential.vendor, credential.id)


def _for(vendor: str, credential_id: str) -> str:
    return f"credentials {vendor} {credential_id}"
