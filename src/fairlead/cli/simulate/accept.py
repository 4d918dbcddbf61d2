"""Who lets the simulated devices in? Somebody with an account, so that a rehearsal takes one command."""

import asyncio
import base64
import time
from collections.abc import Callable
from urllib.parse import quote

import msgspec
from msgspec import Struct

from fairlead.cli.simulate.address import Origin
from fairlead.cli.simulate.device import Answer, Lost, Reply
from fairlead.cli.simulate.figures import Figures
from fairlead.cli.simulate.wire import Pool

LOGIN = "/api/management/v1/useradm/auth/login"
DEVICES = "/api/management/v2/devauth/devices"
PER_PAGE = 500
AT_ONCE = 16
LOOK_EVERY_SECONDS = 0.5


class NotLetIn(Exception):
    """Says why the account cannot be used, in a sentence."""


class AuthSet(Struct):
    id: str
    status: str = "pending"


class PendingDevice(Struct):
    id: str
    identity_data: object = None
    auth_sets: list[AuthSet] | None = None


read_devices = msgspec.json.Decoder(list[PendingDevice]).decode


class Desk:
    """The management side of the server, as far as accepting devices goes."""

    def __init__(self, pool: Pool, origin: Origin, figures: Figures) -> None:
        self.pool = pool
        self.origin = origin
        self.figures = figures
        self.token = b""

    async def log_in(self, user: str, password: str) -> None:
        basic = base64.b64encode(f"{user}:{password}".encode())
        answer = await self._ask("log in", "POST", LOGIN, b"Basic " + basic, b"")
        if isinstance(answer, Lost):
            raise NotLetIn(f"Logging in failed: {answer.reason}.")
        if answer.status == 401:
            raise NotLetIn(f"The server does not know {user!r} with this password.")
        if answer.status != 200 or not answer.body:
            raise NotLetIn(f"Logging in was answered with {answer.status} instead of 200 and a token.")
        self.token = answer.body.strip()

    async def pending(self, page: int) -> list[PendingDevice] | None:
        target = f"{DEVICES}?status=pending&page={page}&per_page={PER_PAGE}"
        answer = await self._ask("list pending", "GET", target, b"Bearer " + self.token)
        if isinstance(answer, Reply) and answer.status == 200:
            try:
                return read_devices(answer.body)
            except msgspec.MsgspecError:
                self.figures.errors["list pending: 200 without a list of devices"] += 1
                return None
        self._complain("list pending", answer)
        return None

    async def accept(self, device_id: str, auth_set_id: str) -> bool:
        target = f"{DEVICES}/{quote(device_id, safe='')}/auth/{quote(auth_set_id, safe='')}/status"
        answer = await self._ask("accept", "PUT", target, b"Bearer " + self.token, b'{"status":"accepted"}')
        if isinstance(answer, Reply) and answer.status == 204:
            self.figures.notes["accepted by us"] += 1
            return True
        self._complain("accept", answer)
        return False

    def _complain(self, kind: str, answer: Answer) -> None:
        what = answer.status if isinstance(answer, Reply) else answer.reason
        self.figures.errors[f"{kind}: {what}"] += 1

    async def _ask(self, kind: str, method: str, target: str, proof: bytes, body: bytes | None = None) -> Answer:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self.origin.authority}", "User-Agent: fairlead-simulate"]
        if body is not None:
            lines += [f"Content-Length: {len(body)}", "Content-Type: application/json"]
        head = "\r\n".join(lines).encode() + b"\r\nAuthorization: " + proof + b"\r\n\r\n"
        began = time.perf_counter()
        answer = await self.pool.ask(self.origin, head + (body or b""))
        if isinstance(answer, Reply):
            self.figures.answered(kind, answer.status, time.perf_counter() - began)
        return answer


class Doorkeeper:
    """Accepts those who are ours and nobody else, for as long as somebody waits."""

    def __init__(self, desk: Desk, is_ours: Callable[[object], bool], somebody_waits: Callable[[], bool]) -> None:
        self.desk = desk
        self.is_ours = is_ours
        self.somebody_waits = somebody_waits
        self.asked: set[str] = set()

    async def stand(self) -> None:
        while True:
            if self.somebody_waits():
                await self.make_a_round()
            await asyncio.sleep(LOOK_EVERY_SECONDS)

    async def make_a_round(self) -> None:
        """Whoever is accepted leaves the list, so a page is read again until nobody on it is ours."""
        page = 1
        self.asked.clear()
        while (waiting := await self.desk.pending(page)) is not None:
            ours = self._new(waiting)
            await self._accept_all(ours)
            if ours:
                continue
            if len(waiting) < PER_PAGE:
                return
            page += 1

    def _new(self, waiting: list[PendingDevice]) -> list[tuple[str, str]]:
        """Each is asked for once in a round: a full tenant must not send us round in a circle."""
        found = [
            (device.id, auth_set.id)
            for device in waiting
            if self.is_ours(device.identity_data)
            for auth_set in device.auth_sets or ()
            if auth_set.status == "pending" and auth_set.id not in self.asked
        ]
        self.asked.update(auth_set_id for _, auth_set_id in found)
        return found

    async def _accept_all(self, found: list[tuple[str, str]]) -> None:
        left = iter(found)

        async def take() -> None:
            for device_id, auth_set_id in left:
                await self.desk.accept(device_id, auth_set_id)

        await asyncio.gather(*(take() for _ in range(min(AT_ONCE, len(found)))))
