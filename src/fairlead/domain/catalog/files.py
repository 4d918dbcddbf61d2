"""Which services do the files in a folder describe?

A folder of descriptions is loaded at each start. What was loaded from a file is not loaded again until the file is
another one: so a service that an administrator has changed or removed since stays as they left it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from fairlead.base.database import Database, Tx
from fairlead.base.errors import Refusal
from fairlead.base.scope import Scope, system_scope
from fairlead.domain.catalog import store
from fairlead.domain.catalog.descriptions.model import Service
from fairlead.domain.catalog.formats import UnknownFormat, format_of_file, read_description
from fairlead.domain.catalog.model import OwnServer
from fairlead.domain.catalog.registering import Outcome, register_service

LARGEST_FILE = 2 * 1024 * 1024
MOST_FILES = 5000
AT_ONCE = 25


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
    """What came of files: full names by what was done with them, and what is wrong with the other files."""

    done: dict[Outcome, list[str]] = field(default_factory=lambda: {outcome: [] for outcome in Outcome})
    problems: dict[str, str] = field(default_factory=dict)


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
    database: Database, scope: Scope, own: OwnServer, files: Iterable[Path], *, exported: bool = False
) -> Loaded:
    """Register what the files describe for the whole server. One with problems keeps none of the others out."""
    loaded = Loaded()
    for some in _in_pieces(_described({str(path): path for path in files}, {}, loaded)):
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
    files = {str(path.relative_to(folder)): path for path in files_in(folder)}
    for some in _in_pieces(_described(files, known, loaded)):
        with database.begin(scope) as tx:
            for each in some:
                if _register(tx, own, each, loaded):
                    store.note_loaded(tx, each.file, each.digest)
    return loaded


def _described(files: dict[str, Path], known: dict[str, str], loaded: Loaded) -> Iterator[_Described]:
    """What is in the files that are not known as they are. They are read between the transactions."""
    for name, path in files.items():
        try:
            content = _bytes_of(path)
            digest = hashlib.sha256(content).hexdigest()
            if known.get(name) != digest:
                yield _Described(name, digest, read_description(content, format_of_file(path)))
        except Refusal as refusal:
            loaded.problems[name] = str(refusal)


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
