"""`fairlead create-artifact`: make an artifact of a file that somebody uploaded. Workflows run it, rarely people.

It may be run again at any point: an artifact that is there under its id already is one that is done. It calls whom
workflows may call, and nobody else. Whom that is are settings, which have no options here: definitions say the options.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import IO, Annotated, Any
from urllib.parse import quote, urlsplit

import typer

from fairlead.base import clock
from fairlead.base.errors import Refusal
from fairlead.base.http.outgoing import AddressNotAllowed, BadAddress, NoAnswer, Outgoing, Streamed
from fairlead.cli.options import settings_of
from fairlead.domain import artifacts
from fairlead.parts import open_outgoing

CONNECT_SECONDS = 10
ANSWER_SECONDS = 300  # the server stores the last bytes of a large artifact before it answers
LONGEST_SECONDS = 24 * 3600  # for one request with all of its bytes; the workflow says how long it may take altogether
LONGEST_REASON = 500
_WORTH_RETRYING = frozenset({408, 429})
_GONE = frozenset({404, 410})

create_artifact = typer.Typer(no_args_is_help=True)


def _option(flag: str, text: str) -> Any:
    return typer.Option(flag, help=text, show_default=False)


Name = Annotated[str, _option("--artifact-name", "Name of the artifact.")]
Description = Annotated[str, _option("--description", "Description of the artifact.")]
DeviceTypes = Annotated[str, _option("--device-types", "Types of the devices that it is for, joined with commas.")]
TenantId = Annotated[str, _option("--tenant-id", "Whose artifact it will be.")]
ArtifactId = Annotated[str, _option("--artifact-id", "Id that it will have.")]
GetUri = Annotated[str, _option("--get-artifact-uri", "Where the file is; a path is one at --deployments-uri.")]
DeleteUri = Annotated[str, _option("--delete-artifact-uri", "Where the file is removed with DELETE; empty: it stays.")]
Token = Annotated[str, _option("--token", "Bearer token for the upload; empty: none.")]
Args = Annotated[str, _option("--args", '{"filename", "dest_dir"} as JSON, and "software_…" if wanted.')]
DeploymentsUri = Annotated[str, _option("--deployments-uri", "Address of the internal API of deployments.")]


class BadOption(Refusal):
    message = "{name}: {reason}"


class ForGood(Refusal):
    """Trying again would come to the same."""

    message = "{reason}"


class TryAgain(Exception):
    """It may go better next time."""


@create_artifact.callback()
def about() -> None:
    """Make artifacts of files that were uploaded: a step of the workflow generate_artifact."""


@create_artifact.command("single-file")
def single_file(
    artifact_name: Name,
    device_types: DeviceTypes,
    tenant_id: TenantId,
    artifact_id: ArtifactId,
    get_artifact_uri: GetUri,
    args: Args,
    deployments_uri: DeploymentsUri,
    description: Description = "",
    delete_artifact_uri: DeleteUri = "",
    token: Token = "",
) -> None:
    """Get a file, make an artifact of it for the update module single-file, upload that, and remove the file.

    Ends with 1 if trying again may help, with 2 if not.
    """
    _make_sure_they_are_texts(locals())
    wish = artifacts.read_wish(artifact_name, description, [device_types], "single_file", args)
    place = _Place.read(deployments_uri, tenant_id, artifact_id, token)
    source = place.address("--get-artifact-uri", get_artifact_uri)
    removal = place.address("--delete-artifact-uri", delete_artifact_uri) if delete_artifact_uri else ""
    outgoing = open_outgoing(settings_of(None))
    try:
        print(json.dumps(_make(outgoing, wish, place, source, removal)), flush=True)
    except (TryAgain, OSError) as problem:
        print(f"fairlead: {problem}", file=sys.stderr)
        raise typer.Exit(1) from None


def _make_sure_they_are_texts(options: dict[str, str]) -> None:
    for name, value in options.items():
        if any("\ud800" <= mark <= "\udfff" for mark in value):  # how Python shows bytes that are not UTF-8
            raise BadOption(name="--" + name.replace("_", "-"), reason="it is not UTF-8")


@dataclass(frozen=True)
class _Place:
    """Where the artifact goes."""

    base: str
    tenant_id: str
    artifact_id: str
    token: str

    @classmethod
    def read(cls, deployments_uri: str, tenant_id: str, artifact_id: str, token: str) -> _Place:
        if not (token.isascii() and token.isprintable()) or " " in token:
            raise BadOption(name="--token", reason="there are characters in it that no token has")
        return cls(_checked("--deployments-uri", deployments_uri).rstrip("/"), tenant_id, artifact_id, token)

    @property
    def uri(self) -> str:
        return f"{self.base}/api/internal/v1/deployments/tenants/{quote(self.tenant_id, safe='')}/artifacts"

    def address(self, name: str, uri: str) -> str:
        """The address that is meant: a path is one at the same place."""
        return _checked(name, self.base + uri if uri.startswith("/") else uri)

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


def _checked(name: str, uri: str) -> str:
    try:
        parts = urlsplit(uri)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or re.search(r"[\x00-\x20\x7f]", uri):
        raise BadOption(name=name, reason="it is no http or https address")
    return uri


def _make(outgoing: Outgoing, wish: artifacts.Wish, place: _Place, source: str, removal: str) -> dict[str, Any]:
    """What is told on standard output."""
    with tempfile.TemporaryFile(prefix="artifact-") as made:
        told = {"artifact_id": place.artifact_id, "artifact_name": wish.name}
        if not _get_and_write(outgoing, source, wish, made):
            if not _upload(outgoing, place, wish, None):
                return told | {"status": "is there already"}
            raise ForGood(reason="the uploaded file is not there any more")
        is_new = _upload(outgoing, place, wish, made)
        _remove(outgoing, removal)
        return told | {"size": made.seek(0, 2), "status": "created" if is_new else "is there already"}


@contextmanager
def _asked(
    outgoing: Outgoing,
    what: str,
    method: str,
    uri: str,
    headers: Mapping[str, str],
    body: bytes | Iterator[bytes] = b"",
) -> Iterator[Streamed]:
    """The answer as it comes. What goes wrong is one line without addresses: they let in whoever reads them."""
    wait = {"connect_seconds": CONNECT_SECONDS, "read_seconds": ANSWER_SECONDS, "seconds": LONGEST_SECONDS}
    try:
        with outgoing.stream(method, uri, headers, body, **wait) as answer:
            yield answer
    except NoAnswer as problem:
        raise TryAgain(f"{what}: {problem}".rstrip(": ")) from None
    except (AddressNotAllowed, BadAddress) as refusal:
        raise ForGood(reason=f"{what}: {refusal}") from None


def _get_and_write(outgoing: Outgoing, source: str, wish: artifacts.Wish, made: IO[bytes]) -> bool:
    """Make the artifact while the file arrives, which is kept nowhere; False if there is no file."""
    what = "getting the uploaded file"
    with _asked(outgoing, what, "GET", source, {"Accept-Encoding": "identity"}) as answer:
        if answer.status in _GONE:
            return False
        if answer.status != 200:
            raise _refusal(what, answer.status, _reason_of(answer))
        length = answer.header("content-length")
        if not length.isascii() or not length.isdigit():
            raise ForGood(reason=f"{what}: the answer does not say how long it is")
        if answer.header("content-encoding") not in ("", "identity"):
            raise ForGood(reason=f"{what}: the answer is encoded, which nobody asked for")
        artifacts.write_single_file(
            made,
            wish.name,
            wish.device_types,
            wish.single_file,
            answer.pieces(),
            int(length),
            _dated(answer),
        )
    return True


def _dated(answer: Streamed) -> datetime:
    """When the file was uploaded: made of the same file, artifacts are the same."""
    try:
        at = parsedate_to_datetime(answer.header("last-modified"))
    except ValueError:
        return clock.now()
    return at


def _upload(outgoing: Outgoing, place: _Place, wish: artifacts.Wish, made: IO[bytes] | None) -> bool:
    """Upload what was made; False if the artifact is there already.

    Without anything made this only finds out whether it is: an id that is taken is refused before the content is
    looked at.
    """
    what = "uploading the artifact"
    fields = {"description": wish.description, "artifact_id": place.artifact_id}
    if made is not None:
        fields["size"] = str(made.seek(0, 2))
        made.seek(0)
    headers, form = _form(fields, made)
    with _asked(outgoing, what, "POST", place.uri, headers | place.headers, form) as answer:
        if answer.status == 201 or (made is None and answer.status == 400):
            return True
        reason = _reason_of(answer)
        if answer.status == 409 and reason == str(artifacts.ArtifactIdTaken()):
            return False
        raise _refusal(what, answer.status, reason)


def _form(fields: dict[str, str], file: IO[bytes] | None) -> tuple[dict[str, str], Iterator[bytes]]:
    """The headers and the body of a multipart form, which ends with the artifact."""
    import httpx

    files = {"artifact": ("artifact.mender", file or b"", "application/octet-stream")}
    written = httpx.Request("POST", "http://unused", data=fields, files=files)
    headers = {name: written.headers[name] for name in ("Content-Type", "Content-Length")}
    assert isinstance(written.stream, httpx.SyncByteStream)
    return headers, iter(written.stream)


def _remove(outgoing: Outgoing, removal: str) -> None:
    if not removal:
        return
    what = "removing the uploaded file"
    with _asked(outgoing, what, "DELETE", removal, {}) as answer:
        if not 200 <= answer.status < 300 and answer.status not in _GONE:
            raise _refusal(what, answer.status, _reason_of(answer))


def _refusal(what: str, status: int, reason: str) -> ForGood | TryAgain:
    said = f"{what}: {status} {reason}".rstrip()
    return TryAgain(said) if status >= 500 or status in _WORTH_RETRYING else ForGood(reason=said)


def _reason_of(answer: Streamed) -> str:
    """What the other side says, in one line that is not endless."""
    text = answer.beginning().decode(errors="replace")
    try:
        said = json.loads(text)["error"]
    except (ValueError, LookupError, TypeError, RecursionError):
        said = text
    return " ".join(str(said).split())[:LONGEST_REASON]
