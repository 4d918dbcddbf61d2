"""What is a device, who vouches for it, and which rules need no database?"""

from __future__ import annotations

import enum
import hashlib
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote

import msgspec

from fairlead.base.errors import Kind, Refusal

LONGEST_NAME_BYTES = 1024
LONGEST_IDENTITY_BYTES = 16 * 1024
LARGEST_NUMBER = int(sys.float_info.max)  # beyond it a number is none: both engines compare numbers as doubles

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")


class Status(enum.StrEnum):
    """What a device or one of its auth sets is. A device takes the best status among its sets."""

    ACCEPTED = "accepted"
    PREAUTHORIZED = "preauthorized"
    PENDING = "pending"
    REJECTED = "rejected"
    NOAUTH = "noauth"


_BEST_FIRST = (Status.ACCEPTED, Status.PREAUTHORIZED, Status.PENDING, Status.REJECTED)


def status_of_device(sets: Iterable[Status]) -> Status:
    """The status that a device has because of its auth sets (mender.md §2.1, precedence)."""
    present = set(sets)
    return next((status for status in _BEST_FIRST if status in present), Status.NOAUTH)


@dataclass(frozen=True, slots=True)
class AuthSet:
    """An identity together with a key that claims it."""

    id: str
    device_id: str
    public_key: str
    identity: dict[str, Any]
    status: Status
    created_at: datetime
    token_live: bool
    token_generation: int


@dataclass(frozen=True, slots=True)
class Device:
    id: str
    identity: dict[str, Any]
    status: Status
    created_at: datetime
    updated_at: datetime
    last_seen_at: datetime | None
    auth_sets: tuple[AuthSet, ...]


@dataclass(frozen=True, slots=True)
class Identity:
    """What a device says it is: a JSON object, the same whatever the order of its keys."""

    data: dict[str, Any]
    canonical: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.canonical.encode()).hexdigest()

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Identity:
        """Refuses what is empty, enormous or cannot be kept."""
        if not data:
            raise BadIdentity(reason="non zero value required;")
        canonical = msgspec.json.encode(data, order="sorted").decode()
        if len(canonical.encode()) > LONGEST_IDENTITY_BYTES:
            raise BadIdentity(reason=f"longer than {LONGEST_IDENTITY_BYTES} bytes")
        if holds_nul(canonical):
            raise BadIdentity(reason="contains a NUL character")
        return cls(dict(data), canonical)


def holds_nul(json: str) -> bool:
    """Is there a NUL in one of the document's strings? PostgreSQL keeps none. A text that only spells it is fine."""
    return "\\u0000" in json and _NUL.search(json) is not None


def credential_of(tenant_id: str, identity: Identity, public_key: str) -> str:
    """The digest under which the set of this identity and key is found: one look-up for a whole group of requests."""
    return hashlib.sha256(f"{tenant_id}\n{identity.digest}\n{public_key}".encode()).hexdigest()


class Attribute(msgspec.Struct, frozen=True, omit_defaults=True):
    """Something known about a device. The scope says who says so: `inventory` the device itself."""

    name: str
    value: str | int | float | list[str | int | float]
    scope: str = "inventory"
    description: str | None = None


REPORTED_SCOPE = "inventory"
IDENTITY_SCOPE = "identity"
SYSTEM_SCOPE = "system"


def attribute_key(scope: str, name: str) -> str:
    """The key of an attribute in its document. Quotes and backslashes are kept out of SQL's JSON paths."""
    escaped = name.replace("%", "%25").replace('"', "%22").replace("\\", "%5C")
    return f"{scope}/{escaped}"


def attribute_of(key: str, content: Mapping[str, Any]) -> Attribute:
    """The attribute that stands under a key."""
    scope, _, name = key.partition("/")
    value = content["v"]
    value = [_number(each) for each in value] if isinstance(value, list) else _number(value)
    return Attribute(unquote(name) if "%" in name else name, value, scope, content.get("d"))


def _number(value: Any) -> Any:
    """PostgreSQL writes 1e300 with three hundred zeros: told as the fraction that it is, not as a whole number."""
    if isinstance(value, int) and abs(value) >> 64:
        return float(value) if abs(value) <= LARGEST_NUMBER else str(value)
    return value


def document_of(attributes: Iterable[Attribute]) -> dict[str, dict[str, Any]]:
    """The attributes as they are stored: by key, each with its value `v` and, if there is one, its description `d`."""
    return {
        attribute_key(a.scope, a.name): {"v": a.value, "d": a.description} if a.description else {"v": a.value}
        for a in attributes
    }


def identity_attributes(identity: Identity) -> list[Attribute]:
    """An identity as attributes. One that is called `status` is left out: that name is taken (mender.md §2.1)."""
    return [
        Attribute(name, _as_attribute_value(value), "identity")
        for name, value in identity.data.items()
        if name != "status" and name and "\0" not in name and not isinstance(value, bool) and value is not None
    ]


def _as_attribute_value(value: Any) -> str | int | float:
    """What is neither a text nor a number that can be compared is told as its JSON."""
    if isinstance(value, str | float) or (isinstance(value, int) and abs(value) <= LARGEST_NUMBER):
        return value
    return msgspec.json.encode(value).decode() if not isinstance(value, int) else str(value)


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that is known about a device besides its keys."""

    device_id: str
    attributes: tuple[Attribute, ...]
    group: str | None
    updated_at: datetime


class DeviceNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "device not found"


class AuthSetNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "authentication set not found"


class TokenNotFound(Refusal):
    kind = Kind.NOT_FOUND
    message = "token not found"


class OtherDevicesAuthSet(Refusal):
    message = "dev auth: dev ID and auth ID mismatch"


class BadStatus(Refusal):
    message = "incorrect device status"


class FleetIsFull(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "maximum number of accepted devices reached"


class DeviceExists(Refusal):
    """Preauthorizing what is there already. The device that stands in the way is in `facts["device"]`."""

    kind = Kind.CONFLICT
    message = "device already exists"


class BadAuthRequest(Refusal):
    message = "invalid auth request: {reason}"


class BadIdentity(Refusal):
    message = "id_data: {reason}"


class BadPublicKey(Refusal):
    message = "cannot decode public key"


class BadSignature(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "signature verification failed"


class NotAdmitted(Refusal):
    """Not accepted, or not any more: the device asks again later."""

    kind = Kind.UNAUTHENTICATED
    message = "dev auth: unauthorized"


class AccountSuspended(Refusal):
    kind = Kind.UNAUTHENTICATED
    message = "Account suspended"


class BadAttribute(Refusal):
    message = "{reason}"


class ReportTooLarge(Refusal):
    kind = Kind.TOO_LARGE
    message = "an inventory report may have at most {limit} bytes"
