"""Which devices surely have nothing to do? Nearly every question of a device is answered from here.

A device that is not on the agenda is told so without asking the database. Two rules keep that true: whoever adds
work announces it, and every process hears of it within a second; a device leaves the agenda only when a look into
the database found nothing for it and nothing was added to the agenda meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from fairlead.base.database import Database
from fairlead.domain.deployments import store


class Agenda:
    """The ids of all devices that have an open deployment, of all tenants.

    `trusted` says whether this process has heard of everything that was announced up to a second ago.
    """

    def __init__(self, database: Database, trusted: Callable[[], bool]) -> None:
        self._database = database
        self._trusted = trusted
        self._busy: set[str] = set()
        self._additions = 0
        self._complete = False
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._busy)

    def fill(self) -> None:
        """Read what is open. Only after that can anyone be called idle; announcements must be heard by then."""
        with self._database.across_tenants("fill the agenda", writing=False) as tx:
            ids = store.ids_with_work(tx)
        self._add(ids)
        self._complete = True

    def hear(self, deployment_id: str) -> None:
        """A deployment was added: its devices are busy now."""
        with self._database.across_tenants("note a deployment", writing=False) as tx:
            ids = store.ids_with_work(tx, deployment_id)
        self._add(ids)

    def is_idle(self, device_id: str) -> bool:
        """True only if the device has nothing to do, as of at most a second ago."""
        return device_id not in self._busy and self._complete and self._trusted()

    def stamp(self) -> int:
        """Ask for this before looking whether a device has work, and give it to `settle` after."""
        return self._additions

    def settle(self, device_id: str, stamp: int) -> None:
        """Nothing was found for the device: it is idle, unless something was added since the stamp."""
        with self._lock:
            if stamp == self._additions:
                self._busy.discard(device_id)

    def _add(self, ids: list[str]) -> None:
        with self._lock:
            self._additions += 1
            self._busy.update(ids)
