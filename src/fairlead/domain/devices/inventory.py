"""What is known about a device, and how does it get known?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa

from fairlead.base import clock
from fairlead.base.database import (
    TENANT,
    Database,
    Tx,
    as_document,
    from_document,
    json_merge,
    list_of_strings,
)
from fairlead.base.database.columns import Moment
from fairlead.domain import audit
from fairlead.domain.devices.model import (
    LARGEST_NUMBER,
    LONGEST_NAME_BYTES,
    REPORTED_SCOPE,
    SYSTEM_SCOPE,
    Attribute,
    BadAttribute,
    DeviceNotFound,
    Identity,
    Inventory,
    NotAdmitted,
    ReportTooLarge,
    Status,
    attribute_of,
    document_of,
    holds_nul,
    identity_attributes,
)
from fairlead.domain.devices.sight import is_in_sight, make_sure_device_is_in_sight
from fairlead.domain.devices.tables import devices, inventories
from fairlead.domain.identity import Permission

MOST_ATTRIBUTES = 1000
LONGEST_REPORT_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Report:
    """What a device says of itself, as the document that is stored. `replace` drops what it said before."""

    tenant_id: str
    device_id: str
    document: str
    replace: bool


_merged = json_merge(inventories.c.reported, sa.bindparam("document", type_=sa.Text))
_write_report = (
    sa.update(inventories)
    .where(
        inventories.c.device_id == sa.bindparam("of_device"),
        inventories.c.tenant_id == sa.bindparam("of_tenant"),
    )
    .values(
        reported=sa.case(
            (sa.bindparam("replace", type_=sa.Boolean), as_document(sa.bindparam("document", type_=sa.Text))),
            else_=_merged,
        ),
        updated_at=sa.bindparam("reported_at", type_=Moment),
    )
)
_begin = sa.insert(inventories).values(
    device_id=sa.bindparam("device_id"),
    reported=as_document(sa.literal("{}", sa.Text)),
    assigned=as_document(sa.bindparam("assigned", type_=sa.Text)),
    created_at=sa.bindparam("now", type_=Moment),
    updated_at=sa.bindparam("now", type_=Moment),
)
COLUMNS = (
    inventories.c.device_id,
    from_document(inventories.c.reported).label("reported"),
    from_document(inventories.c.assigned).label("assigned"),
    inventories.c.group_name,
    inventories.c.created_at,
    inventories.c.updated_at,
    devices.c.status,
)
WITH_STATUS = inventories.outerjoin(
    devices, sa.and_(devices.c.id == inventories.c.device_id, devices.c.tenant_id == inventories.c.tenant_id)
)


def make_sure_attributes_are_good(attributes: Sequence[Attribute]) -> None:
    """Refuse names, scopes and values that inventory 2.2 refuses (mender.md §2.2), and absurd numbers of them."""
    if len(attributes) > MOST_ATTRIBUTES:
        raise BadAttribute(reason=f"{len(attributes)} attributes are more than the {MOST_ATTRIBUTES} allowed")
    for attribute in attributes:
        _make_sure_name_is_good("name", attribute.name)
        _make_sure_name_is_good("scope", attribute.scope)
        if "/" in attribute.scope:
            raise BadAttribute(reason="scope: must not contain a slash")
        _make_sure_value_is_good(attribute.value)


def _make_sure_name_is_good(what: str, text: str) -> None:
    if not text:
        raise BadAttribute(reason=f"{what}: cannot be blank.")
    if len(text) > LONGEST_NAME_BYTES // 4 and len(text.encode()) > LONGEST_NAME_BYTES:
        raise BadAttribute(reason=f"{what}: the length must be between 1 and {LONGEST_NAME_BYTES}.")


def _make_sure_value_is_good(value: Any) -> None:
    if isinstance(value, list):
        if len({isinstance(each, str) for each in value}) > 1:
            raise BadAttribute(reason="array values must be either string or float64, not both")
        for each in value:
            _make_sure_value_is_good(each)
    elif isinstance(value, int) and not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise BadAttribute(reason="value: number out of range")


def report_of(tenant_id: str, device_id: str, attributes: Sequence[Attribute], *, replace: bool) -> Report:
    """A checked report, ready to be written. A device speaks only for itself: the scope is always `inventory`."""
    own = [a if a.scope == REPORTED_SCOPE else msgspec.structs.replace(a, scope=REPORTED_SCOPE) for a in attributes]
    make_sure_attributes_are_good(own)
    document = msgspec.json.encode(document_of(own)).decode()
    if len(document) > LONGEST_REPORT_BYTES:
        raise ReportTooLarge(limit=LONGEST_REPORT_BYTES)
    if holds_nul(document):
        raise BadAttribute(reason="attributes must not contain NUL characters")
    return Report(tenant_id, device_id, document, replace)


class Reports:
    """Writes reports in groups: one transaction and one flush for all that arrived meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, reports: list[Report]) -> Sequence[Exception | None]:
        """Store the reports in their order. A device that is gone meanwhile is refused, the others are not."""
        now = clock.now()
        with self._database.across_tenants("reports of many tenants' devices") as tx:
            written = tx.run(_write_report, [_row(report, now) for report in reports]).rowcount
            if written == len(reports):
                return [None] * len(reports)
            gone = self._begin_missing(tx, reports, now)
        return [NotAdmitted() if report.device_id in gone else None for report in reports]

    def _begin_missing(self, tx: Tx, reports: list[Report], now: datetime) -> set[str]:
        """Someone removed these inventories: devices that still exist get a new one, the rest is named as gone."""
        ids = {report.device_id for report in reports}
        present = tx.run(
            sa.select(inventories.c.device_id).where(inventories.c.device_id.in_(list_of_strings(ids)))
        ).scalars()
        missing = ids.difference(present)
        accepted = tx.all(
            sa.select(devices.c.id, devices.c.tenant_id, devices.c.identity).where(
                devices.c.id.in_(list_of_strings(missing)), devices.c.status == Status.ACCEPTED.value
            )
        )
        for row in accepted:
            claimed = Identity.of(msgspec.json.decode(row.identity))
            assigned = msgspec.json.encode(document_of(identity_attributes(claimed))).decode()
            tx.run(_begin.values(tenant_id=row.tenant_id), {"device_id": row.id, "assigned": assigned, "now": now})
        back = {row.id for row in accepted}
        again = [_row(report, now) for report in reports if report.device_id in back]
        if again:
            tx.run(_write_report, again)
        return missing - back


def _row(report: Report, at: datetime) -> dict[str, Any]:
    return {
        "of_device": report.device_id,
        "of_tenant": report.tenant_id,
        "document": report.document,
        "replace": report.replace,
        "reported_at": at,
    }


def begin(tx: Tx, device_id: str, claimed: Identity) -> None:
    """Open the inventory of a new device with what its identity says."""
    assigned = msgspec.json.encode(document_of(identity_attributes(claimed))).decode()
    tx.run(_begin, {"device_id": device_id, "assigned": assigned, "now": clock.now()})


def find(tx: Tx, device_id: str) -> Inventory:
    """All attributes of one device, or `DeviceNotFound`."""
    tx.require(Permission.VIEW_DEVICES)
    make_sure_device_is_in_sight(tx, device_id)
    found = sa.select(*COLUMNS).select_from(WITH_STATUS).where(*of_tenant(), inventories.c.device_id == device_id)
    row = tx.one(found)
    if row is None:
        raise DeviceNotFound
    return as_inventory(row)


def remove(tx: Tx, device_id: str) -> None:
    """Forget what is known of a device; if it reports again, it is known again. Forgetting nothing is no error."""
    tx.require(Permission.MANAGE_DEVICES)
    if is_in_sight(tx, device_id) and forget(tx, device_id):
        audit.record(tx, "inventory.delete", device_id)


def forget(tx: Tx, device_id: str) -> bool:
    gone = sa.delete(inventories).where(inventories.c.tenant_id == TENANT, inventories.c.device_id == device_id)
    return bool(tx.run(gone).rowcount)


def of_tenant() -> tuple[sa.ColumnElement[bool], ...]:
    """The conditions that a statement over `WITH_STATUS` needs to name its tenant for both tables."""
    return inventories.c.tenant_id == TENANT, sa.or_(devices.c.tenant_id.is_(None), devices.c.tenant_id == TENANT)


def as_inventory(row: sa.Row[Any]) -> Inventory:
    """A row of `COLUMNS` as attributes: reported, assigned, then those that we add ourselves (mender.md §2.2)."""
    attributes = [
        attribute_of(key, content)
        for document in (row.reported, row.assigned)
        for key, content in msgspec.json.decode(document).items()
    ]
    if row.status:
        attributes.append(Attribute("status", row.status, "identity"))
    attributes.append(Attribute("created_ts", clock.rfc3339(row.created_at), SYSTEM_SCOPE))
    attributes.append(Attribute("updated_ts", clock.rfc3339(row.updated_at), SYSTEM_SCOPE))
    if row.group_name is not None:
        attributes.append(Attribute("group", row.group_name, SYSTEM_SCOPE))
    return Inventory(row.device_id, tuple(attributes), row.group_name, row.updated_at)
