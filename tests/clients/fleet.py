"""Where do the devices come from? One is always started ahead, so that no test waits for a key to be made."""

from pathlib import Path
from typing import Any

from .device import RealDevice
from .person import Person


class Fleet:
    def __init__(self, home: Path, server_url: str, ada: Person) -> None:
        self._home = home
        self._server_url = server_url
        self._ada = ada
        self._made: list[RealDevice] = []
        self._ahead: RealDevice | None = None

    @property
    def at_work(self) -> list[RealDevice]:
        return [device for device in self._made if device.running and device is not self._ahead]

    def stranger(self) -> RealDevice:
        """A running device that nobody has decided about."""
        taken = self._ahead or self.make()
        self._ahead = self.make()
        return taken

    def member(self) -> RealDevice:
        """A running device that was let in."""
        device = self.stranger()
        self._ada.accept(device)
        return device

    def make(self, *, start: bool = True, **unusual: Any) -> RealDevice:
        number = len(self._made) + 1
        device = RealDevice(
            self._home / f"device-{number}", f"02:00:00:00:00:{number:02x}", self._server_url, **unusual
        )
        self._made.append(device)
        if start:
            device.start()
        return device

    def rest(self) -> None:
        """Stop every device that a test has used, and take it off the lists; the one ahead keeps running."""
        for device in self.at_work:
            device.stop()
            if self._ada.sees(device):
                self._ada.decommission(device)

    def remove(self) -> None:
        for device in self._made:
            device.remove()
