"""How does a device fetch its artifact? From where the link leads, by redirects if need be, kept only when asked to."""

import contextlib
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from fairlead.cli.simulate import fate, speech
from fairlead.cli.simulate.address import BadAddress, follow, parse
from fairlead.cli.simulate.device import Answer, Device, Lost, Reply, Update
from fairlead.cli.simulate.wire import Intake, Pool

MOST_REDIRECTS = 10
REDIRECTS = (301, 302, 303, 307, 308)


class Downloads:
    def __init__(self, pool: Pool, folder: Path | None) -> None:
        self.pool = pool
        self.folder = folder
        if folder:
            folder.mkdir(parents=True, exist_ok=True)

    async def fetch(self, device: Device, work: Update) -> Answer:
        with self._file(device, work) as file:
            intake = Intake(functools.partial(fate.hang_up_at, work.fate, work.received_bytes), file)
            try:
                return await self._follow(work, intake)
            except BadAddress:
                return Lost("a link that is no address")

    async def _follow(self, work: Update, intake: Intake) -> Answer:
        address = parse(work.uri)
        for _ in range(MOST_REDIRECTS):
            request = speech.download(address, work.received_bytes)
            answer = await self.pool.ask(address.origin, request, intake)
            if not (isinstance(answer, Reply) and answer.status in REDIRECTS and answer.location):
                return answer
            address = follow(address, answer.location)
        return Lost(f"more than {MOST_REDIRECTS} redirects")

    @contextlib.contextmanager
    def _file(self, device: Device, work: Update) -> Iterator[BinaryIO | None]:
        """Named by our own number: what servers call things must not become a path."""
        if self.folder is None:
            yield None
            return
        with (self.folder / f"device-{device.index:08}.mender").open("ab" if work.received_bytes else "wb") as file:
            file.truncate(work.received_bytes)
            yield file
