"""How does an artifact come in, change, and go?"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from fairlead.base import clock
from fairlead.base.blobs import Blobs
from fairlead.base.database import Tx
from fairlead.domain import audit, identity
from fairlead.domain.artifacts import store
from fairlead.domain.artifacts.format import ArtifactReader, BrokenArtifact, Description, Update
from fairlead.domain.artifacts.model import (
    LARGEST_ARTIFACT_BYTES,
    LONGEST_NAME_BYTES,
    PAYLOADS,
    Artifact,
    ArtifactConflict,
    ArtifactIdTaken,
    ArtifactNotFound,
    StorageIsUsedUp,
    conflicts,
    make_sure_description_is_good,
    make_sure_size_is_good,
)
from fairlead.domain.identity import Permission

_Check = Callable[[Tx, str], None]
_before_removal: list[_Check] = []
_before_change: list[_Check] = []


def before_removal(check: _Check) -> None:
    """Have a package that uses artifacts asked before one is removed; it refuses when it needs it."""
    _before_removal.append(check)


def before_change(check: _Check) -> None:
    """Have a package that uses artifacts asked before one is reworded."""
    _before_change.append(check)


class Upload:
    """An artifact on its way in: every byte is checked and stored in one pass.

    Feed it from one thread at a time, then `finish`, then `add` what it returns. `discard` at any time leaves
    nothing behind, and does nothing once the upload is finished.
    """

    def __init__(
        self, blobs: Blobs, tenant_id: str, largest_bytes: int = LARGEST_ARTIFACT_BYTES, artifact_id: str = ""
    ) -> None:
        own = str(uuid.uuid4())
        self.id = artifact_id or own
        self.blob_key = f"{PAYLOADS}{tenant_id}/{own}"  # of its own: an id that is taken must not cost a payload
        self._incoming = blobs.receive(self.blob_key)
        self._reader = ArtifactReader()
        self._largest_bytes = largest_bytes
        self._received_bytes = 0

    def feed(self, chunk: bytes | memoryview) -> None:
        """Take the next bytes; refuses as soon as they cannot become an artifact any more."""
        self._received_bytes += len(chunk)
        make_sure_size_is_good(self._received_bytes, self._largest_bytes)
        self._reader.feed(chunk)
        self._incoming.write(chunk)

    def finish(self) -> Description:
        """All bytes are here: what they say, if they are sound. The payload is stored when this returns."""
        description = self._reader.finish()
        self._incoming.keep()
        return description

    def discard(self) -> None:
        self._incoming.discard()


def may_upload(tx: Tx) -> None:
    """Refuse before the first byte what would be refused after the last."""
    tx.require(Permission.MANAGE_ARTIFACTS)
    make_sure_there_is_storage(tx, 0)


def make_sure_id_is_free(tx: Tx, artifact_id: str) -> None:
    """Refuse an id that another artifact of the tenant has."""
    if store.find(tx, artifact_id) is not None:
        raise ArtifactIdTaken


def add(tx: Tx, upload: Upload, found: Description, description: str) -> Artifact:
    """Make an upload an artifact that can be deployed.

    Another of the same name must be for other devices: else nobody could say which one a device gets.
    """
    tx.require(Permission.MANAGE_ARTIFACTS)
    make_sure_description_is_good(description)
    if len(found.name.encode()) > LONGEST_NAME_BYTES:
        raise BrokenArtifact(f"artifact_name is longer than {LONGEST_NAME_BYTES} bytes")
    tx.one_at_a_time(f"artifact {found.name}")
    make_sure_id_is_free(tx, upload.id)
    make_sure_there_is_storage(tx, found.size_bytes)
    for other in store.of_name(tx, found.name):
        if conflicts(other.depends, found.depends):
            raise ArtifactConflict(depends=json.dumps(found.depends, ensure_ascii=False))
    artifact = _artifact_of(upload, found, description)
    store.add(tx, artifact)
    audit.record(tx, "artifact.upload", artifact.id, name=artifact.name, size_bytes=artifact.size_bytes)
    return artifact


def _artifact_of(upload: Upload, found: Description, description: str) -> Artifact:
    return Artifact(
        id=upload.id,
        name=found.name,
        description=description,
        format=found.format,
        version=found.version,
        signed=found.signed,
        device_types=tuple(found.device_types_compatible),
        updates=tuple(_as_document(update) for update in found.updates),
        provides=found.provides,
        depends=dict(found.depends),
        clears=found.clears,
        size_bytes=found.size_bytes,
        sha256=found.sha256,
        blob_key=upload.blob_key,
        modified_at=clock.now(),
    )


def _as_document(update: Update) -> dict[str, Any]:
    """A payload as it is kept and shown. Empty meta-data is left out: `{}` breaks mender-cli 1.9."""
    files = [
        {"name": f.name, "checksum": f.checksum, "size": f.size_bytes, "date": clock.rfc3339(f.modified_at)}
        for f in update.files
    ]
    document: dict[str, Any] = {"type_info": {"type": update.type}, "files": files}
    return document | ({"meta_data": update.meta_data} if update.meta_data else {})


def make_sure_there_is_storage(tx: Tx, more_bytes: int) -> None:
    limit = identity.own_tenant(tx).storage_limit_bytes
    used = store.used_bytes(tx) if limit else 0
    if limit and used + more_bytes > limit:
        raise StorageIsUsedUp(used=used, limit=limit)


def find(tx: Tx, artifact_id: str) -> Artifact:
    tx.require(Permission.VIEW_ARTIFACTS)
    artifact = store.find(tx, artifact_id)
    if artifact is None:
        raise ArtifactNotFound
    return artifact


def search(tx: Tx, name: str | None = None) -> list[Artifact]:
    """All artifacts, or those of one release, ordered by name."""
    tx.require(Permission.VIEW_ARTIFACTS)
    return store.search(tx, name)


def hold_release(tx: Tx, name: str) -> list[Artifact]:
    """The artifacts of this name, the smallest first; none is added or removed until the end of the transaction."""
    tx.one_at_a_time(f"artifact {name}")
    return store.of_name(tx, name)


def of_ids(tx: Tx, ids: Sequence[str]) -> list[Artifact]:
    """Those of the artifacts that are still there, the smallest first."""
    return store.of_ids(tx, ids)


def change_description(tx: Tx, artifact_id: str, description: str) -> None:
    """Reword an artifact that no deployment has used yet."""
    tx.require(Permission.MANAGE_ARTIFACTS)
    make_sure_description_is_good(description)
    artifact = find(tx, artifact_id)
    for check in _before_change:
        check(tx, artifact_id)
    store.change_description(tx, artifact_id, description, clock.now())
    changed = {"description": (artifact.description, description)}
    audit.record(tx, "artifact.update", artifact_id, name=artifact.name, changed=changed)


def remove(tx: Tx, blobs: Blobs, artifact_id: str) -> None:
    """Delete an artifact that no running deployment offers. Its payload goes once that is committed."""
    tx.require(Permission.MANAGE_ARTIFACTS)
    artifact = find(tx, artifact_id)
    tx.one_at_a_time(f"artifact {artifact.name}")
    for check in _before_removal:
        check(tx, artifact_id)
    store.remove(tx, artifact_id)
    tx.afterwards(lambda: blobs.remove(artifact.blob_key))
    audit.record(tx, "artifact.delete", artifact_id, name=artifact.name)


def storage(tx: Tx) -> tuple[int, int]:
    """How many bytes the tenant may store (0: any number), and how many it does."""
    tx.require(Permission.VIEW_ARTIFACTS)
    return identity.own_tenant(tx).storage_limit_bytes, store.used_bytes(tx)


def used_payloads(tx: Tx) -> set[str]:
    """Across tenants: the keys of all payloads that belong to an artifact."""
    return store.blob_keys(tx)


def forget_without_payload(tx: Tx, blobs: Blobs) -> int:
    """Across tenants: forget artifacts whose payload is not there, and say how many there were.

    Only for a backup that is put back: what was deleted while it was made is in its records and not in its payloads.
    """
    lost = [key for key in store.blob_keys(tx) if blobs.size(key) is None]
    store.remove_with_payloads(tx, lost)
    return len(lost)
