"""What belongs together: one server, Ada who runs it by API and by terminal, and the devices that call it."""

import shutil
from pathlib import Path
from types import TracebackType

from .fleet import Fleet
from .mender_cli import MenderCli
from .person import Person
from .server import ADA, RealServer

TOLD_LINES = 40


class World:
    def __init__(self, home: Path, certificate: Path | None = None, key: Path | None = None) -> None:
        self.home = home
        self.server = RealServer(home / "server", certificate, key)

    def __enter__(self) -> "World":
        try:
            self.server.start()
            self.ada = Person(self.server, *ADA)
            self.cli = MenderCli(self.server, self.home / "terminal")
            self.cli.login(*ADA)
        except BaseException:
            self.server.kill()
            raise
        self.fleet = Fleet(self.home / "fleet", self.server.url, self.ada)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.fleet.remove()
        self.server.kill()
        said = self.server.output
        shutil.rmtree(self.home)
        assert "Traceback" not in said, f"the server stumbled over itself: {said[-4000:]}"

    def story(self) -> list[tuple[str, str]]:
        """What the running programs said last, for the report of a failed test."""
        told = [(f"{device} said", device.log) for device in self.fleet.at_work]
        told.append(("the server said", self.server.output))
        return [(title, "\n".join(text.splitlines()[-TOLD_LINES:])) for title, text in told]
