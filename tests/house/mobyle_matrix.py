"""Who may do what at /mobyle? Every route, and what each sort of caller is answered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

CALLERS = (
    "visitor",
    "anonymous",
    "stranger",
    "watcher",
    "contributor",
    "manager",
    "owner",
    "administrator",
    "suspended",
    "pending",
    "peer",
    "foreigner",
)
"""Of the project only those from watcher to owner are members; the foreigner administers another organization."""


@dataclass(frozen=True)
class Row:
    """A request, and the statuses for all callers in their order. In the path, {fresh_…} is made anew for each."""

    method: str
    path: str
    statuses: str
    body: Any = None

    @property
    def name(self) -> str:
        return f"{self.method} {self.path}"


def _row(method: str, path: str, statuses: str, body: Any = None) -> Row:
    return Row(method, path, statuses, body)


ROWS = (
    _row("GET", "/servers", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row(
        "POST",
        "/servers",
        "401 403 403 403 403 403 403 201 403 403 403 401",
        {"name": "new-{n}", "url": "https://192.0.2.9/m{n}"},
    ),
    _row("GET", "/servers/{own}", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row("PATCH", "/servers/pasteur", "401 403 403 403 403 403 403 200 403 403 403 401", {"own_name": "pasteur"}),
    _row("DELETE", "/servers/nobody", "401 403 403 403 403 403 403 404 403 403 403 401"),
    _row("GET", "/servers/pasteur/details", "401 403 403 403 403 403 403 200 403 403 403 401"),
    _row("POST", "/servers/nobody/refresh", "401 403 403 403 403 403 403 404 403 403 403 401"),
    _row("GET", "/services", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row(
        "POST",
        "/services",
        "404 404 404 403 201 201 201 201 403 404 404 401",
        {
            "description": {
                "_type": "Workflow",
                "name": "flow{n}",
                "tasks": [{"id": "one", "service": "shout::{own}"}],
            },
            "project": "{project}",
        },
    ),
    _row(
        "POST",
        "/services/import?project={project}",
        "404 404 404 403 201 201 201 201 403 404 404 401",
        {"_type": "Workflow", "name": "flow{n}", "version": "2", "tasks": [{"id": "one", "service": "shout::{own}"}]},
    ),
    _row("GET", "/services/by_topic", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row("GET", "/services/by_operation", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row("GET", "/services/closed", "401 403 403 403 403 403 403 200 403 403 403 401"),
    _row("PUT", "/services/closed", "401 403 403 403 403 403 403 200 403 403 403 401", {"patterns": []}),
    _row("GET", "/services/{service}", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row("PATCH", "/services/{service}", "401 403 403 403 403 403 403 200 403 403 403 401", {"exported": True}),
    _row("DELETE", "/services/{fresh_service}", "404 404 404 403 403 204 204 204 403 404 404 401"),
    _row("GET", "/services/{service}/details", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row("GET", "/services/{service}/description", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row("GET", "/services/{service}/access", "401 403 403 403 403 403 403 200 403 403 403 401"),
    _row("GET", "/terms/EDAM_topic:0080", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row("GET", "/users", "401 403 403 403 403 403 403 200 403 403 403 401"),
    _row(
        "POST",
        "/users",
        "202 202 202 202 202 202 202 201 202 202 202 202",
        {"email": "new-{n}@192.0.2.1.example", "password": "correct horse battery staple"},
    ),
    _row("GET", "/users/me", "401 200 200 200 200 200 200 200 403 200 401 401"),
    _row("PATCH", "/users/me", "401 200 200 200 200 200 200 200 403 200 401 401", {"first_name": "Ada"}),
    _row("GET", "/users/{watcher}", "401 403 403 200 403 403 403 200 403 403 403 401"),
    _row("PATCH", "/users/{stranger}", "401 403 403 403 403 403 403 200 403 403 403 401", {"groups": []}),
    _row("DELETE", "/users/{fresh_user}", "401 403 403 403 403 403 403 204 403 403 403 401"),
    _row("POST", "/users/confirm", "400 400 400 400 400 400 400 400 400 400 400 400", {"token": "none"}),
    _row(
        "POST",
        "/users/password/reset",
        "202 202 202 202 202 202 202 202 202 202 202 202",
        {"email": "nobody-{n}@192.0.2.1.example"},
    ),
    _row(
        "POST",
        "/users/password",
        "400 400 400 400 400 400 400 400 400 400 400 400",
        {"token": "none", "password": "correct horse battery staple"},
    ),
    _row("GET", "/session", "401 200 200 200 200 200 200 200 403 200 401 401"),
    _row("GET", "/users/me/tokens", "401 200 200 200 200 200 200 200 403 200 401 401"),
    _row("POST", "/users/me/tokens", "401 401 201 201 201 201 201 201 403 201 401 401", {"name": "program"}),
    _row("DELETE", "/users/me/tokens/none", "401 404 404 404 404 404 404 404 403 404 401 401"),
    _row("GET", "/projects", "401 403 403 403 403 403 403 200 403 403 403 401"),
    _row("GET", "/projects?mine=true", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row("POST", "/projects", "401 403 201 201 201 201 201 201 403 403 403 401", {"name": "another"}),
    _row("GET", "/projects/{project}", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("GET", "/projects/{project}/details", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row(
        "PATCH",
        "/projects/{project}",
        "404 404 404 403 403 200 200 200 403 404 404 401",
        {"description": "of sequences"},
    ),
    _row("PATCH", "/projects/{project}", "404 404 404 403 200 200 200 200 403 404 404 401", {"notebook": "monday"}),
    _row("DELETE", "/projects/{fresh_project}", "404 404 404 403 403 204 204 204 403 404 404 401"),
    _row("PUT", "/projects/{project}/watchers/{watcher}", "404 404 404 403 403 204 204 204 403 404 404 401"),
    _row("DELETE", "/projects/{fresh_project}/watchers/{watcher}", "404 404 404 204 403 204 204 204 403 404 404 401"),
    _row("PUT", "/projects/{project}/favorites", "404 404 404 204 204 204 204 204 403 404 404 401", {"favorites": []}),
    _row("GET", "/jobs", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row("GET", "/jobs?project={project}", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row(
        "POST",
        "/jobs",
        "404 404 404 403 422 422 422 422 403 404 404 401",
        {"project": "{project}", "service": "{service}"},
    ),
    _row("GET", "/jobs/{job}", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("PATCH", "/jobs/{job}", "404 404 404 403 200 200 200 200 403 404 404 401", {"name": "renamed"}),
    _row("DELETE", "/jobs/{fresh_job}", "404 404 404 403 403 204 204 204 403 404 404 401"),
    _row("POST", "/jobs/{job}/kill", "404 404 404 403 409 409 409 409 403 404 404 401"),
    _row("POST", "/jobs/{job}/pause", "404 404 404 403 409 409 409 409 403 404 404 401"),
    _row("POST", "/jobs/{job}/resume", "404 404 404 403 409 409 409 409 403 404 404 401"),
    _row("POST", "/jobs/{job}/replay", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("GET", "/jobs/{job}/subjobs", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("GET", "/jobs/{job}/log", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("GET", "/jobs/{job}/provenance", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("GET", "/jobs/{job}/archive.zip", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("GET", "/jobs/{job}/events?since=99", "404 404 404 204 204 204 204 204 403 404 404 401"),
    _row("GET", "/jobs/{job}/outputs", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("GET", "/jobs/{job}/outputs/stdout", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("GET", "/jobs/{job}/outputs/stdout/0", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("HEAD", "/jobs/{job}/outputs/stdout", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("HEAD", "/jobs/{job}/outputs/stdout/0", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row(
        "POST", "/jobs/{job}/outputs/stdout/save", "404 404 404 403 201 201 201 201 403 404 404 401", {"name": "kept"}
    ),
    _row(
        "POST", "/jobs/{job}/outputs/stdout/0/save", "404 404 404 403 201 201 201 201 403 404 404 401", {"name": "kept"}
    ),
    _row("GET", "/statistics", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row("GET", "/data", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row("GET", "/data?project={project}", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row(
        "POST",
        "/data",
        "404 404 404 403 201 201 201 201 403 404 404 401",
        {"project": "{project}", "name": "typed", "content": "acgt"},
    ),
    _row("GET", "/data/{data}", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("PATCH", "/data/{data}", "404 404 404 403 200 200 200 200 403 404 404 401", {"tags": ["dna"]}),
    _row("DELETE", "/data/{fresh_data}", "404 404 404 403 403 204 204 204 403 404 404 401"),
    _row("GET", "/data/{data}/services", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("POST", "/data/{data}/link", "404 404 404 201 201 201 201 201 403 404 404 401"),
    _row("GET", "/data/{data}/content", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("HEAD", "/data/{data}/content", "404 404 404 200 200 200 200 200 403 404 404 401"),
    _row("GET", "/notifications", "401 200 200 200 200 200 200 200 403 200 401 401"),
    _row("PUT", "/notifications", "401 200 200 200 200 200 200 200 403 200 401 401", {"list": []}),
    _row("POST", "/notifications", "401 403 403 403 403 403 403 201 403 403 403 401", {"message": "closed on monday"}),
    _row("POST", "/notifications/delete", "401 200 200 200 200 200 200 200 403 200 401 401", {"list": []}),
    _row("DELETE", "/notifications/00000099999", "401 404 404 404 404 404 404 404 403 404 401 401"),
    _row("GET", "/widgets", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row("GET", "/widgets/text", "200 200 200 200 200 200 200 200 403 200 200 401"),
    _row("GET", "/pages/confirm", "200 200 200 200 200 200 200 200 200 200 200 200"),
    _row(
        "POST",
        "/session",
        "401 401 401 401 401 401 401 401 401 401 401 401",
        {"username": "nobody-{n}", "password": "wrong"},
    ),
)
