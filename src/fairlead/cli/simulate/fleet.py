"""Who speaks when? One heap of times for all devices, and only as many at work as there are connections."""

import asyncio
import heapq
import random
import time

from msgspec import Struct

from fairlead.cli.simulate.address import Origin
from fairlead.cli.simulate.device import (
    KIND,
    Answer,
    Ask,
    Complaint,
    Device,
    Effect,
    Finished,
    Habits,
    Note,
    Reply,
    Step,
    Vanish,
    Wait,
)
from fairlead.cli.simulate.downloads import Downloads
from fairlead.cli.simulate.figures import Figures
from fairlead.cli.simulate.hear import hear, wake
from fairlead.cli.simulate.speech import Speech
from fairlead.cli.simulate.wire import Pool

SHORTEST_NAP_SECONDS = 0.002
LONGEST_NAP_SECONDS = 0.05
GRACE_SECONDS = 2.0


class Course(Struct, frozen=True):
    """How the whole run goes, as opposed to how each device behaves."""

    first: int = 0
    devices: int = 10
    concurrency: int = 10
    jitter: float = 0.1
    ramp_seconds: float = 0.0
    duration_seconds: float | None = None
    until_updated: bool = False


class Fleet:
    def __init__(
        self,
        course: Course,
        habits: Habits,
        origin: Origin,
        speech: Speech,
        pool: Pool,
        downloads: Downloads,
        figures: Figures,
    ) -> None:
        self.course = course
        self.habits = habits
        self.origin = origin
        self.speech = speech
        self.pool = pool
        self.downloads = downloads
        self.figures = figures
        self.devices = [
            Device(index, habits.artifact_name) for index in range(course.first, course.first + course.devices)
        ]
        self.updated = bytearray(course.devices)
        self.agenda: list[tuple[float, int]] = []
        self.workers: set[asyncio.Task[None]] = set()
        self.stopping = False
        self.broken: BaseException | None = None
        self.chance = random.Random(habits.seed)
        figures.states["waiting"] = course.devices

    async def run(self) -> None:
        """Until the time is up, everybody is updated, or `stop` was called."""
        began = time.monotonic()
        pace = self.course.ramp_seconds / self.course.devices
        self.agenda = [(began + pace * place, place) for place in range(self.course.devices)]
        ends = began + self.course.duration_seconds if self.course.duration_seconds else float("inf")
        while not self.stopping and time.monotonic() < ends and not self.is_done():
            self.put_to_work()
            await asyncio.sleep(self.nap_seconds())
        self.stop()
        await self.leave()
        if self.broken:
            raise self.broken

    def stop(self) -> None:
        self.stopping = True

    def is_done(self) -> bool:
        """Whoever fell silent on purpose will not say more: that is how its deployment ended."""
        return self.course.until_updated and self.updated.count(1) == self.course.devices

    def unfinished(self) -> int:
        return self.updated.count(0)

    def put_to_work(self) -> None:
        """One worker per device that is due now; workers stay as long as somebody is due."""
        while len(self.workers) < self.course.concurrency:
            place = self.next_due()
            if place is None:
                return
            worker = asyncio.create_task(self.work(place))
            self.workers.add(worker)
            worker.add_done_callback(self.dismiss)

    def dismiss(self, worker: asyncio.Task[None]) -> None:
        """What went wrong in a worker is our own bug: it ends the run instead of being forgotten."""
        self.workers.discard(worker)
        if not worker.cancelled() and worker.exception():
            self.broken = worker.exception()
            self.stop()

    async def work(self, place: int | None) -> None:
        while place is not None:
            await self.take_turn(place)
            place = None if self.stopping else self.next_due()

    def next_due(self) -> int | None:
        now = time.monotonic()
        if not self.agenda or self.agenda[0][0] > now:
            return None
        due, place = heapq.heappop(self.agenda)
        self.figures.delayed(now - due)
        return place

    async def take_turn(self, place: int) -> None:
        """All that a device says until it has to wait."""
        device, effects = wake(self.devices[place], self.habits, time.monotonic())
        while self.carry_out(place, device, effects) and not self.stopping:
            answer = await self.ask(device)
            if self.stopping and not isinstance(answer, Reply):
                return
            device, effects = hear(device, answer, self.habits, time.monotonic())

    def carry_out(self, place: int, device: Device, effects: list[Effect]) -> bool:
        """Do what follows from an answer; true if the device has something to say at once."""
        self.figures.moved(self.devices[place].state(), device.state())
        self.devices[place] = device
        asks = False
        for effect in effects:
            match effect:
                case Ask():
                    asks = True
                case Wait(seconds):
                    delay = seconds * (1 + self.course.jitter * self.chance.random())
                    heapq.heappush(self.agenda, (time.monotonic() + delay, place))
                case Complaint(what):
                    self.figures.errors[what] += 1
                case Note(what):
                    self.figures.notes[what] += 1
                case Finished(outcome):
                    self.finish(place, outcome)
                case Vanish():
                    self.finish(place, "silent")
        return asks

    def finish(self, place: int, outcome: str) -> None:
        self.figures.outcomes[outcome] += 1
        self.updated[place] = 1

    async def ask(self, device: Device) -> Answer:
        step = device.saying()
        began = time.perf_counter()
        if step is Step.DOWNLOAD and device.update:
            answer = await self.downloads.fetch(device, device.update)
        else:
            answer = await self.pool.ask(self.origin, self.speech.say(device, step))
        if isinstance(answer, Reply):
            self.figures.answered(KIND[step], answer.status, time.perf_counter() - began)
            if step is Step.DOWNLOAD:
                self.figures.bytes_downloaded += answer.received_bytes
        return answer

    def nap_seconds(self) -> float:
        """Looking at the agenda too often costs time, too seldom makes devices speak in bursts."""
        ahead = self.agenda[0][0] - time.monotonic() if self.agenda else LONGEST_NAP_SECONDS
        return min(max(ahead, SHORTEST_NAP_SECONDS), LONGEST_NAP_SECONDS)

    async def leave(self) -> None:
        """Let the answers that are on their way arrive, but not for long."""
        if self.workers:
            await asyncio.wait(self.workers, timeout=GRACE_SECONDS)
        for worker in self.workers:
            worker.cancel()
        await asyncio.gather(*self.workers, return_exceptions=True)
