"""Which templates has a stack had, what did they say, and how do they differ?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fairlead.base import clock
from fairlead.base.database import Tx
from fairlead.base.seal import Seal
from fairlead.domain.identity import Act
from fairlead.domain.stacks import room, sealing, store, templates
from fairlead.domain.stacks.model import Compared, StackNotFound, Version, VersionNotFound, VersionRef
from fairlead.domain.stacks.naming import new_version_id
from fairlead.domain.stacks.sight import find_for, may_look_into
from fairlead.domain.stacks.store import KeptVersion, Record
from fairlead.domain.stacks.templates import Template, Vendor
from fairlead.domain.stacks.tools import Tools

LATEST = ("", "latest")


def verify_template(tools: Tools, text: bytes | str) -> Template:
    """What the text means; `BadTemplate` lists all that is wrong with it."""
    template = templates.read(text, limits=tools.limits)
    room.make_sure_it_fits(tools, template)
    return template


def versions(tx: Tx, tools: Tools, stack_id: str) -> list[Version]:
    """All versions of the stack's template, newest first."""
    record = find_for(tx, Act.VIEW_TEMPLATE, stack_id)
    kept = store.versions(tx, record.id)
    return [Version(each.id, record.id, each.size_bytes, each.created_at, is_latest=each is kept[0]) for each in kept]


def template_of(tx: Tx, tools: Tools, stack_id: str, version_id: str = "latest") -> dict[str, Any]:
    """A version as it was written, without its vendor's secret.

    Those who may not look into the stack are not told what runs in its layers: that would say the same.
    """
    record = find_for(tx, Act.VIEW_TEMPLATE, stack_id)
    return _told(tx, record, shown(tools.seal, _version(tx, record, version_id)))


def _told(tx: Tx, record: Record, document: dict[str, Any]) -> dict[str, Any]:
    return document if may_look_into(tx, record) else templates.in_outline(document)


def compare(tx: Tx, tools: Tools, source: VersionRef, target: VersionRef | str) -> Compared:
    """How does the target (a version, or a text that is none yet) differ from the source?"""
    before = template_of(tx, tools, source.stack_id, source.version_id)
    if isinstance(target, VersionRef):
        after = template_of(tx, tools, target.stack_id, target.version_id)
    else:
        record = find_for(tx, Act.VIEW_TEMPLATE, source.stack_id)
        after = _told(tx, record, next_version(tools, record, target).shown)
    return Compared(before, after, templates.compare(before, after))


def _version(tx: Tx, record: Record, version_id: str) -> KeptVersion:
    if version_id in LATEST:
        return store.newest_version(tx, record.id)
    kept = store.find_version(tx, record.id, version_id) if version_id.isprintable() else None
    if kept is None:
        raise VersionNotFound(stack_id=record.id, version_id=version_id)
    return kept


def shown(seal: Seal, version: KeptVersion) -> dict[str, Any]:
    return templates.without_secrets(templates.document(text_of(seal, version)))


def shown_in_force(tx: Tx, seal: Seal, record: Record) -> dict[str, Any]:
    """The version in force, with the vendor that the stack was created on."""
    version = store.find_version(tx, record.id, record.version_id)
    if version is None:
        return {}
    document = shown(seal, version)
    first = document if version.number == 1 else shown(seal, store.first_version(tx, record.id))
    return templates.with_vendor_of(document, first)


def in_force(tx: Tx, tools: Tools, record: Record) -> Template:
    """What the version in force means."""
    return _meant(tx, tools, record, record.version_id)


def last_planned(tx: Tx, tools: Tools, record: Record) -> Template:
    """What the version means that the layers' stamps belong to: the one in force, once that has been planned."""
    if record.planned_for == record.operation:
        return in_force(tx, tools, record)
    written = sealing.open_plan(tools.seal, record.id, record.plan)
    return _meant(tx, tools, record, written.version_id or record.version_id)


def _meant(tx: Tx, tools: Tools, record: Record, version_id: str) -> Template:
    """A version goes with its stack, and with nothing else."""
    version = store.find_version(tx, record.id, version_id)
    if version is None:
        raise StackNotFound(stack_id=record.id)
    return next_version(tools, record, text_of(tools.seal, version))


def next_version(tools: Tools, record: Record, text: bytes | str) -> Template:
    """What the text means as a template of this stack, whose vendor stays as it is."""
    vendor = Vendor(record.vendor, record.region, record.credential)
    return templates.read(text, vendor=vendor, limits=tools.limits)


def vendor_of(tx: Tx, tools: Tools, record: Record) -> Vendor:
    """The vendor with all that the stack's first template says of it: its secret, where it brings one along."""
    said = templates.read(text_of(tools.seal, store.first_version(tx, record.id)), limits=tools.limits).vendor
    return replace(said, credential=record.credential)


def keep(tx: Tx, seal: Seal, stack_id: str, number: int, text: bytes | str) -> str:
    """Keep a text as a version of the stack's template; its id."""
    version_id = new_version_id()
    given = text.encode() if isinstance(text, str) else text
    sealed = sealing.close_text(seal, stack_id, f"template {version_id}", given.decode("utf-8-sig"))
    store.add_version(tx, KeptVersion(version_id, stack_id, number, sealed, len(given), clock.now()))
    return version_id


def text_of(seal: Seal, version: KeptVersion) -> str:
    return sealing.open_text(seal, version.stack_id, f"template {version.id}", version.template)
