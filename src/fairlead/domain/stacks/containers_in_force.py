"""What is a layer's container to run, and must agents deploy it anew?

What its template says, with what was said about all layers laid over it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace

import msgspec

from fairlead.base import clock
from fairlead.domain.stacks.layer_store import KeptLayer
from fairlead.domain.stacks.sealing import Overlay
from fairlead.domain.stacks.templates import Container, Layer, next_stamp


def overlaid(container: Container | None, overlay: Overlay) -> Container | None:
    if container is None:
        return None
    environment = {**container.environment, **overlay.environment}
    return replace(container, environment=environment, git_repo=overlay.git_repo or container.git_repo)


def digest_of(container: Container | None) -> str:
    """Equal for containers that are equal; empty where there is none."""
    if container is None:
        return ""
    return hashlib.sha256(msgspec.json.encode(container, order="deterministic")).hexdigest()


def stamped(layer: Layer, overlay: Overlay, kept: KeptLayer | None, *, again: bool = False) -> KeptLayer:
    """The layer's row with the stamp and the digest that belong to this container, which otherwise stays as it is.

    `again`: agents have to deploy it though it is what they have deployed, because that went wrong.
    """
    container = overlaid(layer.container, overlay)
    digest = digest_of(container)
    changed = kept is not None and (digest != kept.container_digest or (again and container is not None))
    stamp = next_stamp(
        kept.stamp if kept else None,
        changed=changed,
        now=int(clock.now().timestamp()),
        written=container.updated if container else None,
    )
    keys = (kept.private_key, kept.public_key) if kept else ("", "")
    return KeptLayer(layer.flag, stamp, digest, *keys)


def to_be_deployed(before: Mapping[str, KeptLayer], after: Mapping[str, KeptLayer]) -> list[str]:
    """The flags of the layers whose agents have something new to deploy."""
    return [
        flag
        for flag, layer in after.items()
        if layer.container_digest and (flag not in before or layer.stamp > before[flag].stamp)
    ]
