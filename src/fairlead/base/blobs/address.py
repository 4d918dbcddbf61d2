"""Which payload store does an address mean?

    file:///var/lib/fairlead/blobs      or just the path
    s3://bucket/prefix?region=eu-west-1
    s3://bucket/prefix?endpoint=http://127.0.0.1:9000&region=us-east-1&path_style=true

Without `access_key` and `secret_key` the credentials come from where AWS programs look for them: environment, shared
files, instance role. `public_endpoint` is what signed links name, where devices reach the store by another address.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from fairlead.base.blobs.files import FileBlobs
from fairlead.base.blobs.model import BadBlobKey, Blobs, checked
from fairlead.base.errors import Kind, Refusal

_BUCKET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")
_ENDPOINT = re.compile(r"https?://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?(/[A-Za-z0-9._/-]*)?")
_OPTIONS = ("endpoint", "public_endpoint", "region", "path_style", "access_key", "secret_key")
_TRUTH = {"true": True, "false": False}


class BadBlobUrl(Refusal):
    kind = Kind.INVALID
    message = "The address of the payload store {problem}: write {remedy}."


@dataclass(frozen=True)
class Place:
    """Where in which S3 store."""

    bucket: str
    prefix: str = ""
    endpoint: str | None = None
    public_endpoint: str | None = None
    region: str | None = None
    path_style: bool = False
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)


def open_blobs(url: str) -> Blobs:
    """The store at this address. Nothing is touched yet: `check` tells whether it can be used."""
    parts = _split(url)
    match parts.scheme:
        case "" | "file":
            return FileBlobs(_folder(parts))
        case "s3":
            from fairlead.base.blobs.s3 import S3Blobs  # boto3 is heavy, and most installations never need it

            return S3Blobs(_place(parts))
        case scheme:
            raise BadBlobUrl(problem=f"begins with {scheme!r}", remedy="file:///a/folder or s3://bucket/prefix")


def _split(url: str) -> SplitResult:
    if url.startswith("/"):
        return SplitResult("", "", url, "", "")
    try:
        return urlsplit(url)
    except ValueError as error:
        raise BadBlobUrl(problem="cannot be read", remedy="file:///a/folder or s3://bucket/prefix") from error


def _folder(parts: SplitResult) -> Path:
    path = unquote(parts.path) if parts.scheme else parts.path
    if parts.netloc:
        raise BadBlobUrl(problem="names a host before the folder", remedy="three slashes, as in file:///a/folder")
    if parts.query or parts.fragment:
        raise BadBlobUrl(problem="has options, which a folder does not take", remedy="it without what follows the path")
    if not path or "\0" in path:
        raise BadBlobUrl(problem="names no folder", remedy="file:///a/folder or s3://bucket/prefix")
    if parts.scheme and not path.startswith("/"):
        raise BadBlobUrl(problem="names a folder that depends on where we stand", remedy="file:///a/folder")
    return Path(path).absolute()


def _place(parts: SplitResult) -> Place:
    options = _options(parts.query)
    if parts.username is not None:
        raise BadBlobUrl(
            problem="has credentials before the bucket",
            remedy="them into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or as ?access_key=…&secret_key=…",
        )
    if not _BUCKET_NAME.fullmatch(parts.netloc):
        raise BadBlobUrl(problem="names no bucket of a possible name", remedy="s3://bucket/prefix")
    if ("access_key" in options) != ("secret_key" in options):
        raise BadBlobUrl(problem="has half of the credentials", remedy="both access_key and secret_key, or neither")
    return Place(
        bucket=parts.netloc,
        prefix=_prefix(parts.path),
        endpoint=_endpoint(options, "endpoint"),
        public_endpoint=_endpoint(options, "public_endpoint"),
        region=options.get("region"),
        path_style=_path_style(options),
        access_key=options.get("access_key"),
        secret_key=options.get("secret_key"),
    )


def _options(query: str) -> dict[str, str]:
    options = dict(parse_qsl(query, keep_blank_values=True))
    for name, value in options.items():
        if name not in _OPTIONS:
            raise BadBlobUrl(problem=f"has the unknown option {name!r}", remedy=f"only {', '.join(_OPTIONS)}")
        if not value:
            raise BadBlobUrl(problem=f"leaves the option {name!r} empty", remedy="a value, or leave the option out")
    return options


def _prefix(path: str) -> str:
    trimmed = unquote(path).strip("/")
    try:
        return f"{checked(trimmed)}/" if trimmed else ""
    except BadBlobKey as error:
        raise BadBlobUrl(
            problem="has a prefix of strange characters",
            remedy="letters, digits, dots, dashes and underscores between single slashes",
        ) from error


def _endpoint(options: dict[str, str], name: str) -> str | None:
    if (value := options.get(name)) is None:
        return None
    if not _ENDPOINT.fullmatch(value):
        raise BadBlobUrl(problem=f"has no usable {name}", remedy=f"it as in {name}=https://s3.example.org")
    return value.rstrip("/")


def _path_style(options: dict[str, str]) -> bool:
    """Stores behind an endpoint of their own seldom have a host name for each bucket."""
    value = options.get("path_style", "true" if "endpoint" in options else "false")
    if value not in _TRUTH:
        raise BadBlobUrl(problem="is unclear about path_style", remedy="path_style=true or path_style=false")
    return _TRUTH[value]
