"""How does an agent talk to the server? With a token that it keeps, as alm-agent does."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from fairlead.cli.local_agent.files import write
from fairlead.cli.local_agent.told import Employer, read_employer

_SECONDS = 10.0
_RENEW_SECONDS = 7 * 3600
_MOST_BYTES = 16 * 1024 * 1024
_CACHE = "tokencache.json"


class Away(Exception):
    """The server does not answer, or not as it should; what was asked for may be asked again."""


class Refused(Away):
    """The server says no."""

    def __init__(self, what: str, status: int) -> None:
        super().__init__(f"{what} was answered with {status}")
        self.status = status


class Server:
    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def employer(self) -> Employer:
        """Read anew each time: a server may come back with another address."""
        return read_employer(self._folder)

    def get(self, path: str, **query: str) -> Any:
        return self._call("GET", f"{path}?{urlencode(query)}")

    def post(self, path: str, fields: Mapping[str, str], seconds: float = _SECONDS) -> None:
        self._call("POST", path, urlencode(fields), seconds)

    def _call(self, method: str, path: str, form: str = "", seconds: float = _SECONDS) -> Any:
        status, answer = self._ask(method, path, form, self._token(seconds), seconds)
        if status == http.HTTPStatus.UNAUTHORIZED:
            token = self._new_token(self.employer, seconds)
            status, answer = self._ask(method, path, form, token, seconds)
        what = f"{method} {path.partition('?')[0]}"
        if not 200 <= status < 300:
            raise Refused(what, status)
        return _decoded(what, answer) if method == "GET" else None

    def _token(self, seconds: float) -> str:
        """The header's value: the kept one, or a new one when fewer than 7 hours are left of that."""
        employer = self.employer
        try:
            kept = json.loads((self._folder / _CACHE).read_text())
            if kept["stack_id"] == employer.stack_id and kept["expires_at"] - time.time() > _RENEW_SECONDS:
                return str(kept["header"])
        except (OSError, ValueError, KeyError, TypeError):
            """None is kept yet."""
        return self._new_token(employer, seconds)

    def _new_token(self, employer: Employer, seconds: float) -> str:
        wanted = {
            "client_id": employer.stack_id,
            "client_secret": employer.secret,
            "grant_type": "client_credentials",
        }
        status, answer = self._ask("POST", "/v3/access_token", urlencode(wanted), "", seconds)
        if status != http.HTTPStatus.OK:
            raise Refused("POST /v3/access_token", status)
        said = _decoded("POST /v3/access_token", answer)
        try:
            header = f"{said['token_type']} {said['access_token']}"
            expires_at = time.time() + int(said["expires_in"])
        except (KeyError, TypeError, ValueError) as problem:
            raise Away("POST /v3/access_token gave no token") from problem
        kept = {"stack_id": employer.stack_id, "header": header, "expires_at": expires_at}
        write(self._folder / _CACHE, json.dumps(kept))
        return header

    def _ask(self, method: str, path: str, form: str, token: str, seconds: float) -> tuple[int, bytes]:
        headers = {"User-Agent": "fairlead-local-agent"}
        if token:
            headers["Authorization"] = token
        if method == "POST":
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        host = urlsplit(self.employer.url)
        try:
            connection = _connection(host.scheme, host.hostname or "", host.port, seconds)
            try:
                connection.request(method, host.path + path, form.encode() if method == "POST" else None, headers)
                reply = connection.getresponse()
                return reply.status, reply.read(_MOST_BYTES)
            finally:
                connection.close()
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise Away(f"the server at {host.scheme}://{host.netloc} does not answer: {problem}") from problem


def _connection(scheme: str, host: str, port: int | None, seconds: float) -> http.client.HTTPConnection:
    if scheme == "https":
        return http.client.HTTPSConnection(host, port, timeout=seconds)
    return http.client.HTTPConnection(host, port, timeout=seconds)


def _decoded(what: str, answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except ValueError as problem:
        raise Away(f"{what} was answered with something else than JSON") from problem
