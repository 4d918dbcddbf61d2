"""Which services do the files in a folder describe?

A folder of descriptions is loaded at each start. What was loaded from a file is not loaded again until the file, or one
that it includes, is another one: so a service that an administrator has changed or removed since stays as they left it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import structlog

from fairlead.base.database import Database, Tx
from fairlead.base.errors import Refusal
from fairlead.base.scope import Scope, system_scope
from fairlead.domain.catalog import store
from fairlead.domain.catalog.descriptions.including import parts_of
from fairlead.domain.catalog.descriptions.model import Service
from fairlead.domain.catalog.descriptions.xml_text import OnlyAPart
from fairlead.domain.catalog.formats import Format, UnknownFormat, format_of_file, read_description
from fairlead.domain.catalog.model import OwnServer
from fairlead.domain.catalog.registering import Outcome, register_service

LARGEST_FILE = 2 * 1024 * 1024
MOST_FILES = 5000
AT_ONCE = 25

log = structlog.get_logger()


class NoSuchFile(Refusal):
    message = "There is no file or folder {path}."


class TooManyFiles(Refusal):
    message = f"{{path}} has more than {MOST_FILES} files of descriptions."


class FileTooLarge(Refusal):
    message = f"It is larger than {LARGEST_FILE} bytes."


class FileUnreadable(Refusal):
    message = "It cannot be read: {reason}"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of files: full names by what was done with them, and what is wrong with the other files.

    `warnings` are about files that were loaded, `skipped` says what the others are that describe no service.
    """

    done: dict[Outcome, list[str]] = field(default_factory=lambda: {outcome: [] for outcome in Outcome})
    problems: dict[str, str] = field(default_factory=dict)
    warnings: dict[str, list[str]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Found:
    """A file, and the folder that was asked for: nothing is included from outside of it."""

    path: Path
    folder: Path


@dataclass(frozen=True, slots=True)
class _Described:
    """A file that describes a service: what it is called here, and what it holds."""

    file: str
    digest: str
    service: Service


def files_in(path: Path) -> list[Path]:
    """The file itself, or all files of descriptions in the folder and below, by name."""
    if path.is_file():
        if format_of_file(path) is None:
            raise UnknownFormat(what=path)
        return [path]
    if not path.is_dir():
        raise NoSuchFile(path=path)
    found = (each for each in path.rglob("*") if format_of_file(each) and each.is_file())
    files = sorted(islice(found, MOST_FILES + 1))
    if len(files) > MOST_FILES:
        raise TooManyFiles(path=path)
    return files


def import_files(
    database: Database, scope: Scope, own: OwnServer, paths: Iterable[Path], *, exported: bool = False
) -> Loaded:
    """Register what files, and those in folders, describe for the whole server.

    One with problems keeps none of the others out.
    """
    loaded = Loaded()
    files = {
        str(file): _Found(file, path if path.is_dir() else path.parent) for path in paths for file in files_in(path)
    }
    for some in _in_pieces(_described(files, {}, loaded)):
        with database.begin(scope) as tx:
            for each in some:
                _register(tx, own, each, loaded, exported=exported)
    return loaded


def load_folder(database: Database, tenant_id: str, own: OwnServer, folder: Path) -> Loaded:
    """Register what files describe that are new or other than when they were loaded last."""
    loaded = Loaded()
    scope = system_scope(tenant_id)
    with database.read(scope) as tx:
        known = store.loaded_files(tx)
    files = {str(path.relative_to(folder)): _Found(path, folder) for path in files_in(folder)}
    for some in _in_pieces(_described(files, known, loaded)):
        with database.begin(scope) as tx:
            for each in some:
                if _register(tx, own, each, loaded):
                    store.note_loaded(tx, each.file, each.digest)
    return loaded


def _described(files: dict[str, _Found], known: dict[str, str], loaded: Loaded) -> Iterator[_Described]:
    """What is in the files that are not known as they are. They are read between the transactions."""
    for name, file in files.items():
        try:
            content = _bytes_of(file.path)
            format_ = format_of_file(file.path)
            parts = _parts(content, file) if format_ is Format.XML else {}
            digest = _digest(content, parts)
            if known.get(name) != digest:
                yield _Described(name, digest, read_description(content, format_, parts))
        except OnlyAPart as note:
            loaded.skipped[name] = str(note)
        except Refusal as refusal:
            loaded.problems[name] = str(refusal)
        except Exception:
            log.exception("services.unreadable", file=name)
            loaded.problems[name] = "It cannot be read because of a fault of this server, which is in its log."


def _parts(content: bytes, file: _Found) -> dict[str, bytes]:
    """The files that it includes, which are where it says, and in the folder."""

    def find(way: str) -> bytes | None:
        try:
            path = (file.path.parent / way).resolve()
            is_inside = path.is_relative_to(file.folder.resolve()) and path.is_file()
        except (OSError, RuntimeError, ValueError):
            return None
        return _bytes_of(path) if is_inside else None

    return parts_of(content, find)


def _digest(content: bytes, parts: dict[str, bytes]) -> str:
    digest = hashlib.sha256(content)
    for way, part in sorted(parts.items()):
        digest.update(f"\0{way}\0{hashlib.sha256(part).hexdigest()}".encode())
    return digest.hexdigest()


def _in_pieces(described: Iterator[_Described]) -> Iterator[list[_Described]]:
    while some := list(islice(described, AT_ONCE)):
        yield some


def _register(tx: Tx, own: OwnServer, described: _Described, loaded: Loaded, *, exported: bool = False) -> bool:
    """Nothing is written before all that could be refused has been looked at: so the transaction can go on."""
    try:
        registered = register_service(tx, own, described.service, exported=exported)
    except Refusal as refusal:
        loaded.problems[described.file] = str(refusal)
        return False
    loaded.done[registered.outcome].append(registered.full_name)
    if described.service.warnings:
        loaded.warnings[described.file] = [str(each) for each in described.service.warnings]
    return True


def _bytes_of(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except OSError as problem:
        raise FileUnreadable(reason=problem.strerror) from None
    if len(content) > LARGEST_FILE:
        raise FileTooLarge
    return content
