"""How does an uploaded file become an artifact? It is kept as it is, and a workflow makes the artifact of it.

The artifact appears under an id that is known from the start. The file waits in the payload store until the artifact
is there; the sweeper removes what nobody came for.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from fairlead.base.blobs import Blobs
from fairlead.base.database import Tx
from fairlead.base.errors import Kind, Refusal
from fairlead.base.seal import Seal
from fairlead.domain import audit, workflows
from fairlead.domain.artifacts import store
from fairlead.domain.artifacts.actions import make_sure_there_is_storage
from fairlead.domain.artifacts.model import (
    LARGEST_ARTIFACT_BYTES,
    LONGEST_NAME_BYTES,
    UPLOADED_FILES,
    conflicts,
    make_sure_description_is_good,
    make_sure_size_is_good,
)
from fairlead.domain.artifacts.single_file import SingleFile, read_single_file
from fairlead.domain.identity import Permission

WORKFLOW = "generate_artifact"
TYPE = "single_file"
GENERATOR_LINK_SECONDS = 7 * 24 * 3600
LARGEST_FILE_BYTES = LARGEST_ARTIFACT_BYTES - 16 * 1024**2  # the rest is for what an artifact needs besides its file
LONGEST_DEVICE_TYPE = 4096


class ArtifactNameMissing(Refusal):
    message = "request does not contain the name of the artifact"


class ArtifactTypeMissing(Refusal):
    message = "request does not contain the type of artifact"


class DeviceTypesMissing(Refusal):
    message = "request does not contain the list of compatible device types"


class TypeUnknown(Refusal):
    message = "type: {type!r} cannot be generated, only {known}"


class TextTooLong(Refusal):
    message = "{name}: the length must be no more than {limit} {unit}"


class CannotGenerate(Refusal):
    kind = Kind.UNAVAILABLE
    message = (
        "no artifacts are made here: they are uploaded to the internal API, which is not served; the operator can "
        "serve it with --internal-listen"
    )


class ArtifactNotUnique(Refusal):
    kind = Kind.UNPROCESSABLE
    message = "Artifact not unique"


@dataclass(frozen=True, slots=True)
class Wish:
    """The artifact that is wanted."""

    name: str
    description: str
    device_types: tuple[str, ...]
    single_file: SingleFile


def read_wish(name: str, description: str, device_types: Sequence[str], type_: str, args: str) -> Wish:
    """What is asked for, if it can be made. `device_types` may be lists joined with commas."""
    types = tuple(dict.fromkeys(each for text in device_types for part in text.split(",") if (each := part.strip())))
    if not name:
        raise ArtifactNameMissing
    if not type_:
        raise ArtifactTypeMissing
    if not types:
        raise DeviceTypesMissing
    if type_ != TYPE:
        raise TypeUnknown(type=type_[:40], known=TYPE)
    if len(name.encode()) > LONGEST_NAME_BYTES:
        raise TextTooLong(name="name", limit=LONGEST_NAME_BYTES, unit="bytes")
    if any(len(each) > LONGEST_DEVICE_TYPE for each in types):
        raise TextTooLong(name="device_types_compatible", limit=LONGEST_DEVICE_TYPE, unit="characters")
    make_sure_description_is_good(description)
    return Wish(name, description, types, read_single_file(args))


class FileUpload:
    """A file on its way in, as it is. Feed it from one thread at a time, then `finish`; `discard` leaves nothing."""

    def __init__(self, blobs: Blobs, tenant_id: str, wish: Wish, largest_bytes: int = LARGEST_FILE_BYTES) -> None:
        self.id = str(uuid.uuid4())
        self.wish = wish
        self.blob_key = f"{UPLOADED_FILES}{tenant_id}/{self.id}"
        self.size_bytes = 0
        self._largest_bytes = largest_bytes
        self._incoming = blobs.receive(self.blob_key)

    def feed(self, chunk: bytes | memoryview) -> None:
        self.size_bytes += len(chunk)
        make_sure_size_is_good(self.size_bytes, self._largest_bytes)
        self._incoming.write(chunk)

    def finish(self) -> None:
        """All bytes are here. They are stored when this returns."""
        self._incoming.keep()

    def discard(self) -> None:
        self._incoming.discard()


def may_generate(tx: Tx, wish: Wish, *, can_be_made: bool) -> None:
    """Refuse before the first byte what would be refused after the last, or would never be made."""
    tx.require(Permission.MANAGE_ARTIFACTS)
    if not can_be_made:
        raise CannotGenerate
    make_sure_there_is_storage(tx, 0)
    _make_sure_it_is_unique(tx, wish)


def generate(tx: Tx, seal: Seal, upload: FileUpload, get_uri: str, delete_uri: str) -> None:
    """Have an artifact made of the upload, under the upload's id.

    The addresses are where the workflow gets the file, and where it has it removed once it is done with it.
    """
    tx.require(Permission.MANAGE_ARTIFACTS)
    wish = upload.wish
    tx.one_at_a_time(f"artifact {wish.name}")
    make_sure_there_is_storage(tx, upload.size_bytes)
    _make_sure_it_is_unique(tx, wish)
    inputs = {
        "artifact_id": upload.id,
        "name": wish.name,
        "description": wish.description,
        "device_types_compatible": ",".join(wish.device_types),
        "get_artifact_uri": get_uri,
        "delete_artifact_uri": delete_uri,
        "tenant_id": tx.tenant_id,
        "token": "",  # the internal API, to which the artifact goes, asks for none
        "args": wish.single_file.as_json(),
    }
    workflows.start(tx, seal, WORKFLOW, inputs, tenant_id=tx.tenant_id, key=upload.id)
    audit.record(tx, "artifact.generate", upload.id, name=wish.name, size_bytes=upload.size_bytes)


def _make_sure_it_is_unique(tx: Tx, wish: Wish) -> None:
    """By the rule of uploads: what is taken here must not be refused once it was made."""
    if any(conflicts(other.depends, {"device_type": wish.device_types}) for other in store.of_name(tx, wish.name)):
        raise ArtifactNotUnique


def job_id_of(blob_key: str) -> str:
    """The id of the job that makes an artifact of an uploaded file."""
    tenant_id, _, artifact_id = blob_key.removeprefix(UPLOADED_FILES).partition("/")
    return workflows.job_id_of(tenant_id, WORKFLOW, artifact_id)
