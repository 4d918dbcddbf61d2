"""What was said about all layers of a stack besides its template, as before there were templates?

Environment variables laid over those of every layer, and another repository for their code. Agents deploy it by
themselves, because the stamps of their layers grow.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fairlead.base.database import Tx
from fairlead.domain import audit
from fairlead.domain.identity import Act
from fairlead.domain.stacks import layer_store, sealing, store, template_versions
from fairlead.domain.stacks.containers_in_force import overlaid, stamped
from fairlead.domain.stacks.model import ServerConfig, ServerConfigChange, StackIsBusy
from fairlead.domain.stacks.sealing import Overlay
from fairlead.domain.stacks.sight import find_for, find_to_change
from fairlead.domain.stacks.store import Record
from fairlead.domain.stacks.templates import BadTemplate
from fairlead.domain.stacks.templates.container import container as container_rule
from fairlead.domain.stacks.templates.problems import Place, Report
from fairlead.domain.stacks.tools import Tools


def server_config(tx: Tx, tools: Tools, stack_id: str) -> ServerConfig:
    """What agents run, told of the first layer that has a container."""
    record = find_for(tx, Act.VIEW_STACK, stack_id)
    overlay = sealing.open_overlay(tools.seal, record.id, record.settings)
    template = template_versions.in_force(tx, tools, record)
    stamps = layer_store.layers(tx, record.id)
    told = ServerConfig(environment=overlay.environment, code=overlay.git_repo, version_id=record.version_id)
    layer = next((each for each in template.layers if each.container), None)
    container = overlaid(layer.container, overlay) if layer else None
    if layer is None or container is None:
        return told
    return replace(
        told,
        code=container.git_repo or "",
        code_dir=container.code_dir or "",
        image=container.image or "",
        ports=container.ports,
        updated=stamps[layer.flag].stamp if layer.flag in stamps else 0,
        git_reference=container.git_reference or "",
        git_private_key=container.git_private_key or "",
    )


def change_server_config(tx: Tx, tools: Tools, stack_id: str, change: ServerConfigChange) -> None:
    record = find_to_change(tx, stack_id)
    overlay = _changed(sealing.open_overlay(tools.seal, record.id, record.settings), change)
    _make_sure_is_good(overlay)
    if not record.status.is_settled:
        raise StackIsBusy(stack_id=stack_id, status=record.status.value)
    store.change(tx, record.id, settings=sealing.close_overlay(tools.seal, record.id, overlay))
    _grow_stamps(tx, tools, record, overlay)
    audit.record(tx, "stack.configure", target=record.id, name=record.nickname)


def _changed(overlay: Overlay, change: ServerConfigChange) -> Overlay:
    return Overlay(
        overlay.environment if change.environment is None else dict(change.environment),
        overlay.git_repo if change.file_path is None else change.file_path,
    )


def _make_sure_is_good(overlay: Overlay) -> None:
    """By the rules for templates, which say where anything is wrong."""
    said: dict[str, Any] = {"environment_variables": dict(overlay.environment)}
    if overlay.git_repo:
        said["git_repo"] = overlay.git_repo
    report = Report()
    container_rule(said, Place(report))
    if report.problems:
        raise BadTemplate(report.all_problems())


def _grow_stamps(tx: Tx, tools: Tools, record: Record, overlay: Overlay) -> None:
    layers = layer_store.layers(tx, record.id)
    for layer in template_versions.last_planned(tx, tools, record).layers:
        if layer.flag in layers:
            kept = stamped(layer, overlay, layers[layer.flag])
            layer_store.change_stamp(tx, record.id, layer.flag, kept.stamp, kept.container_digest)
