"""Where this server's own services are kept, and the versions of their descriptions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa

from fairlead.base.database import TENANT, Tx, insert_or_ignore
from fairlead.domain.catalog.tables import catalog_files, catalog_services, catalog_versions

_service = catalog_services.c
_version = catalog_versions.c
_services = sa.select(catalog_services).where(_service.tenant_id == TENANT)
_one = _services.where(_service.project == sa.bindparam("of_project"), _service.name == sa.bindparam("called"))
_of_projects = _services.where(_service.project.in_(sa.bindparam("projects", expanding=True)))
_projects = sa.select(_service.project).where(_service.tenant_id == TENANT).distinct()
_count = (
    sa.select(sa.func.count())
    .select_from(catalog_services)
    .where(_service.tenant_id == TENANT, _service.project == sa.bindparam("of_project"))
)
_this_service = (
    _service.tenant_id == TENANT,
    _service.project == sa.bindparam("of_project"),
    _service.name == sa.bindparam("called"),
)
_these_versions = (
    _version.tenant_id == TENANT,
    _version.project == sa.bindparam("of_project"),
    _version.name == sa.bindparam("called"),
)
_this_version = (*_these_versions, _version.version == sa.bindparam("of_version"))
_versions = sa.select(_version.version, _version.content_hash).where(*_these_versions)
_document = sa.select(_version.document).where(*_this_version)
_remove_version = sa.delete(catalog_versions).where(*_this_version)
_remove = sa.delete(catalog_services).where(*_this_service)
_remove_project = sa.delete(catalog_services).where(
    _service.tenant_id == TENANT, _service.project == sa.bindparam("of_project")
)
_files = sa.select(catalog_files).where(catalog_files.c.tenant_id == TENANT)
_note_file = (
    sa.update(catalog_files)
    .where(catalog_files.c.tenant_id == TENANT, catalog_files.c.name == sa.bindparam("of_file"))
    .values(digest=sa.bindparam("new_digest"))
)


def find(tx: Tx, project: int, name: str) -> sa.Row[Any] | None:
    return tx.one(_one, {"of_project": project, "called": name})


def search(tx: Tx, projects: Iterable[int]) -> list[sa.Row[Any]]:
    """The services of these projects."""
    return list(tx.all(_of_projects, {"projects": list(projects)}))


def projects(tx: Tx) -> set[int]:
    """The projects that have services, 0 among them if the server has some of its own."""
    return {row.project for row in tx.all(_projects)}


def count(tx: Tx, project: int) -> int:
    return int(tx.scalar(_count, {"of_project": project}))


def add(tx: Tx, values: Mapping[str, Any]) -> None:
    tx.run(sa.insert(catalog_services), values)


def change(tx: Tx, project: int, name: str, **values: Any) -> None:
    named = {"of_project": project, "called": name}
    tx.run(sa.update(catalog_services).where(*_this_service).values(**values), named)


def remove(tx: Tx, project: int, name: str) -> None:
    tx.run(_remove, {"of_project": project, "called": name})


def remove_project(tx: Tx, project: int) -> None:
    tx.run(_remove_project, {"of_project": project})


def versions(tx: Tx, project: int, name: str) -> dict[str, str]:
    """The content hash of each version."""
    found = tx.all(_versions, {"of_project": project, "called": name})
    return {row.version: row.content_hash for row in found}


def document(tx: Tx, project: int, name: str, version: str) -> str | None:
    found: str | None = tx.scalar(_document, {"of_project": project, "called": name, "of_version": version})
    return found


def keep_version(tx: Tx, values: Mapping[str, Any]) -> None:
    """In the place of what was registered as the same version, if there is something."""
    remove_version(tx, values["project"], values["name"], values["version"])
    tx.run(sa.insert(catalog_versions), values)


def remove_version(tx: Tx, project: int, name: str, version: str) -> None:
    tx.run(_remove_version, {"of_project": project, "called": name, "of_version": version})


def loaded_files(tx: Tx) -> dict[str, str]:
    """The digest of each file that services were loaded from."""
    return {row.name: row.digest for row in tx.all(_files)}


def note_loaded(tx: Tx, file: str, digest: str) -> None:
    tx.run(insert_or_ignore(catalog_files, on_sqlite=tx.is_sqlite), {"name": file, "digest": digest})
    tx.run(_note_file, {"of_file": file, "new_digest": digest})
