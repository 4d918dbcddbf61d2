"""How is a rehearsal put together and taken apart? From checked options to a result."""

import asyncio
import contextlib
import resource
import signal
import ssl
import time
from collections.abc import Awaitable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import uvloop
from msgspec import Struct
from rich.console import Console

from fairlead.cli.simulate import report
from fairlead.cli.simulate.accept import Desk, Doorkeeper, NotLetIn
from fairlead.cli.simulate.address import Origin
from fairlead.cli.simulate.device import Habits
from fairlead.cli.simulate.downloads import Downloads
from fairlead.cli.simulate.figures import Figures
from fairlead.cli.simulate.fleet import Course, Fleet
from fairlead.cli.simulate.identity import Addresses, DerivedKeys, Identities, KeptKeys, KeyRing, KeyType
from fairlead.cli.simulate.result import Result, conclude
from fairlead.cli.simulate.speech import Speech
from fairlead.cli.simulate.wire import Pool, explain, tls_context

SPARE_FILES = 64
KEYS_AT_ONCE = 2


class CannotStart(Exception):
    """Says what is in the way, in a sentence or two."""


class Account(Struct, frozen=True):
    """Who accepts the devices, if anybody."""

    user: str = ""
    password: str = ""
    token: str = ""

    def __bool__(self) -> bool:
        return bool(self.user or self.token)


class Plan(Struct, frozen=True):
    origin: Origin
    habits: Habits
    course: Course
    key_type: KeyType = KeyType.ED25519
    keys: Path = Path("simulated-keys")
    identity_prefix: str = ""
    tenant_token: str = ""
    account: Account = Account()
    timeout_seconds: float = 30.0
    insecure: bool = False
    downloads: Path | None = None


def rehearse(plan: Plan, console: Console) -> Result:
    make_sure_files_may_be_open(plan.course.concurrency)
    keys = prepare_keys(plan, console)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(run(plan, keys, console))


async def run(plan: Plan, keys: KeyRing, console: Console) -> Result:
    pool = Pool(asyncio.get_running_loop(), plan.timeout_seconds, tls_context(plan.insecure))
    addresses = Addresses(plan.habits.seed, plan.identity_prefix)
    speech = Speech(plan.origin, plan.habits, Identities(addresses, keys, plan.tenant_token))
    figures = Figures()
    fleet = Fleet(plan.course, plan.habits, plan.origin, speech, pool, Downloads(pool, plan.downloads), figures)
    try:
        await make_sure_somebody_is_there(pool, plan.origin)
        helpers = [await find_doorkeeper(plan, pool, addresses, figures)] if plan.account else []
        return await carry_through(fleet, [*helpers, report.show(figures, console)])
    finally:
        pool.close()


async def carry_through(fleet: Fleet, helpers: list[Awaitable[None]]) -> Result:
    """The helpers end with the fleet; Ctrl-C ends the fleet gently."""
    began = time.monotonic()
    tasks = [asyncio.ensure_future(helper) for helper in helpers]
    with stopped_by_signals(fleet):
        await fleet.run()
    for task in tasks:
        task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):
            raise outcome
    unfinished = fleet.unfinished() if fleet.course.until_updated else 0
    return conclude(fleet.figures, fleet.course.devices, time.monotonic() - began, unfinished)


async def find_doorkeeper(plan: Plan, pool: Pool, addresses: Addresses, figures: Figures) -> Awaitable[None]:
    desk = Desk(pool, plan.origin, figures)
    if plan.account.token:
        desk.token = plan.account.token.encode()
    else:
        try:
            await desk.log_in(plan.account.user, plan.account.password)
        except NotLetIn as reason:
            raise CannotStart(str(reason)) from None
    ours = range(plan.course.first, plan.course.first + plan.course.devices)

    def is_ours(identity: object) -> bool:
        return isinstance(identity, dict) and addresses.index(identity.get("mac")) in ours

    return Doorkeeper(desk, is_ours, lambda: figures.states["waiting"] > 0).stand()


async def make_sure_somebody_is_there(pool: Pool, origin: Origin) -> None:
    try:
        connection = await pool.connect(origin)
    except OSError as error:
        advice = "Is the server running there? Start one with `fairlead serve`, or name another with --server."
        if isinstance(error, ssl.SSLCertVerificationError):
            advice = "Name its certificate in SSL_CERT_FILE, or use --insecure."
        raise CannotStart(f"Cannot reach {origin}: {explain(error)}. {advice}") from None
    connection.close()


def make_sure_files_may_be_open(concurrency: int) -> None:
    """Every connection is an open file, and shells often allow only 1,024."""
    wanted = concurrency + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= wanted or soft == resource.RLIM_INFINITY:
        return
    if hard != resource.RLIM_INFINITY and hard < wanted:
        raise CannotStart(
            f"This system allows {hard} open files: use --concurrency {max(hard - SPARE_FILES, 1)} or less."
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def prepare_keys(plan: Plan, console: Console) -> KeyRing:
    """RSA keys take a fifth of a second each, so they are made before the first device speaks."""
    if plan.key_type is not KeyType.RSA:
        return DerivedKeys(plan.habits.seed, plan.key_type)
    kept = KeptKeys(plan.keys, plan.habits.seed)
    missing = kept.missing(range(plan.course.first, plan.course.first + plan.course.devices))
    if missing:
        console.print(f"Making {len(missing):,} RSA keys in {kept.folder} …", soft_wrap=True, markup=False)
        with ThreadPoolExecutor(KEYS_AT_ONCE) as hands:
            list(hands.map(kept.make, missing))
    return kept


@contextlib.contextmanager
def stopped_by_signals(fleet: Fleet) -> Iterator[None]:
    """The first Ctrl-C ends the run gently; the handlers are gone after it, so a second one ends it at once."""
    loop = asyncio.get_running_loop()
    caught = (signal.SIGINT, signal.SIGTERM)

    def stop() -> None:
        fleet.stop()
        for each in caught:
            loop.remove_signal_handler(each)

    for each in caught:
        loop.add_signal_handler(each, stop)
    try:
        yield
    finally:
        for each in caught:
            loop.remove_signal_handler(each)
