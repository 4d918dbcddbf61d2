"""What does an agent tell the server, and in what order? What cannot be told now is told later."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import Callable

from fairlead.cli.local_agent.files import write
from fairlead.cli.local_agent.server import Away, Refused, Server
from fairlead.cli.local_agent.told import Instance

_AGENT, _CONTAINER = "agent_status", "container_status"
_LONGEST_MESSAGE = 1000
_MOST_WAITING = 50
_GOODBYE_SECONDS = 2.0


class Reports:
    def __init__(self, instance: Instance, server: Server, note: Callable[[str], None]) -> None:
        self._instance, self._server, self._note = instance, server, note
        self._agent_id = _kept_id(instance)
        self._waiting: deque[tuple[str, str, str]] = deque(maxlen=_MOST_WAITING)
        self._said = {_AGENT: ("", ""), _CONTAINER: ("", "")}

    @property
    def are_waiting(self) -> bool:
        return bool(self._waiting)

    def container(self, status: str) -> None:
        self._say(_CONTAINER, status, "")

    def agent(self, status: str, message: str = "") -> None:
        self._say(_AGENT, status, message[:_LONGEST_MESSAGE])

    def begin_anew(self) -> None:
        """A new version is coming: what was said of the one before may be said again, and is no longer true."""
        (self._instance.folder / f"last_{_AGENT}").unlink(missing_ok=True)
        self._said = {_AGENT: ("", ""), _CONTAINER: ("", "")}

    def _say(self, kind: str, status: str, message: str) -> None:
        if self._said[kind] != (status, message):
            self._said[kind] = (status, message)
            self._waiting.append((kind, status, message))

    def send(self) -> None:
        """All that waits, in its order. Raises `Away`, and keeps what was not heard."""
        while self._waiting:
            kind, status, message = self._waiting[0]
            try:
                self._post(kind, status, message)
            except Refused as refused:
                if refused.status in (401, 403, 404, 429) or refused.status >= 500:
                    raise
                self._note(f"{refused}: it is not said again")
            self._waiting.popleft()
            write(self._instance.folder / f"last_{kind}", status)

    def goodbye(self) -> None:
        """The last word, if the server hears it soon; nobody waits for it."""
        self._waiting.clear()
        try:
            self._post(_AGENT, "stopped", "", _GOODBYE_SECONDS)
        except Away as problem:
            self._note(f"could not say goodbye: {problem}")

    def _post(self, kind: str, status: str, message: str, seconds: float = 10.0) -> None:
        fields = {"stack_id": self._server.employer.stack_id, "agent_id": self._agent_id}
        if kind == _CONTAINER:
            fields["container_id"] = self._instance.id
        fields |= {"instance_id": self._instance.id, "status": status}
        if message:
            fields["message"] = message
        self._server.post(f"/v3/alm/agent/{kind}", fields, seconds)
        self._note(f"reported {kind} {status}")


def _kept_id(instance: Instance) -> str:
    path = instance.folder / "alm-agent.id"
    try:
        return str(uuid.UUID(path.read_text().strip()))
    except (OSError, ValueError):
        made = str(uuid.uuid4())
        write(path, made)
        return made
