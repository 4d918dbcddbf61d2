"""How is a server process put together? The one place that knows every part."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from litestar import Litestar

from fairlead import parts
from fairlead.api.mender import routes
from fairlead.api.mender.context import Context
from fairlead.api.mender.front_door import FrontDoor
from fairlead.api.mobingi import routes as mobingi_routes
from fairlead.api.mobingi.context import Context as MobingiContext
from fairlead.api.mobingi.door import Door as MobingiDoor
from fairlead.api.mobyle import routes as mobyle_routes
from fairlead.api.mobyle.context import Context as MobyleContext
from fairlead.api.mobyle.context import Listening, Rules
from fairlead.application import Nameable, application_of, methods_of
from fairlead.base.blobs import open_blobs
from fairlead.base.grouped import Grouped
from fairlead.base.http.links import Links
from fairlead.base.http.metrics import Measured, Metrics
from fairlead.base.http.recaptcha import Recaptcha
from fairlead.base.keys import KeyFolder
from fairlead.base.records import learn_types
from fairlead.domain import catalog, deployments, devices, identity
from fairlead.housekeeping import Housekeeping
from fairlead.schedule import keep_doing
from fairlead.settings import Settings, directory_of

WORKER_THREADS = 32
MOST_ADMISSION_THREADS = 2


class Fairlead:
    """One server process: everything that it holds open, and the two applications that it serves."""

    def __init__(self, settings: Settings) -> None:
        self._hold(settings)
        self._public_url = settings.public_url.rstrip("/")
        self._links = Links(KeyFolder(settings.keys_folder).ed25519("links"))
        mender, mobingi, mobyle = self._mender(settings), self._mobingi(settings), self._mobyle(settings)
        handlers = [*routes.public_routers(), *mobingi_routes.routers(), *mobyle_routes.routers()]
        own = {"metrics": self.metrics, "in_thread": self.in_thread}
        public = application_of(handlers, mender, mobingi=mobingi, mobyle=mobyle, **own)
        internal = application_of(routes.internal_routers(), mender, **own)
        self.front_door = self._front_door(mender, public)
        self.door = MobingiDoor(self.front_door, partial(methods_of, public))
        self.internal = self._front_door(mender, internal)
        self.housekeeping = Housekeeping(
            database=self.database,
            blobs=self.blobs,
            office=self.office,
            seal=self.seal,
            carrier=self.mail,
            stacks=self.stacks,
            jobs=self.jobs,
            federation=self.federation,
            memory=self.memory,
            agenda=self.agenda,
            tally=self.front_door.tally,
            metrics=self.metrics,
        )
        self._hear_of_changes()
        learn_types()

    def _hold(self, settings: Settings) -> None:
        self.database = parts.open_database(settings)
        self.blobs = open_blobs(settings.blobs_url)
        self.tokens = parts.open_tokens(settings)
        self.office = parts.open_office(settings, self.database, self.tokens)
        self.seal = parts.open_seal(settings)
        self.mail = parts.open_mail(settings)
        self.stacks = parts.open_stacks(settings)
        self.jobs = parts.open_jobs(settings)
        self.federation = catalog.Federation(self.database, self.seal, self.jobs.outgoing, not settings.multitenant)
        fresh = self.database.changes.fresh
        self.memory = identity.TokenMemory(fresh)
        self.agenda = deployments.Agenda(self.database, fresh)
        admit = devices.Admissions(self.database, self.tokens, multitenant=settings.multitenant).admit
        self.admissions = Grouped(
            "admissions", admit, largest=64, threads=min(MOST_ADMISSION_THREADS, len(os.sched_getaffinity(0)))
        )
        self.reports = Grouped("reports", devices.Reports(self.database).write)
        self.calls = Grouped("calls", identity.Meters(self.database).count)
        self.executor = ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="worker")
        self.metrics = Metrics()
        self.listening = Listening()
        self.worker = parts.open_worker(settings, self.database, settings.workflow_threads or 1, self.stacks, self.jobs)
        self._works = settings.workflow_threads > 0
        self._tasks: list[asyncio.Task[None]] = []

    def _mender(self, settings: Settings) -> Context:
        return Context(
            database=self.database,
            blobs=self.blobs,
            tokens=self.tokens,
            memory=self.memory,
            agenda=self.agenda,
            admissions=self.admissions,
            reports=self.reports,
            calls=self.calls,
            links=self._links,
            public_url=self._public_url,
            home=settings.home_url,
            seal=self.seal,
            outgoing=parts.open_outgoing(settings),
            programs=frozenset(parts.programs_of(settings)),
            makes_artifacts=parts.makes_artifacts(settings),
            office=self.office,
            recaptcha=Recaptcha(settings.recaptcha_secret, settings.recaptcha_url),
            executor=self.executor,
        )

    def _mobingi(self, settings: Settings) -> MobingiContext:
        return MobingiContext(
            database=self.database,
            tokens=self.tokens,
            seal=self.seal,
            stacks=self.stacks,
            links=self._links,
            public_url=self._public_url,
            registry=parts.open_registry_tokens(settings),
            executor=self.executor,
        )

    def _mobyle(self, settings: Settings) -> MobyleContext:
        return MobyleContext(
            database=self.database,
            tools=self.jobs,
            federation=self.federation,
            links=self._links,
            public_url=self._public_url,
            default_tenant_id="" if settings.multitenant else identity.DEFAULT_TENANT_ID,
            executor=self.executor,
            rules=Rules(settings.portal_anonymous, settings.portal_registration, directory_of(settings)),
            listening=self.listening,
        )

    def _front_door(self, context: Context, application: Litestar) -> FrontDoor:
        measured = Measured(Nameable(application), self.metrics)
        return FrontDoor(measured, context, partial(methods_of, application))

    def _hear_of_changes(self) -> None:
        changes = self.database.changes
        changes.on(devices.TOKEN_REVOKED, self.memory.revoke)
        changes.on(identity.SIGNED_OUT, self.memory.revoke)
        changes.on(identity.TENANT_CHANGED, self.memory.revoke_tenant)
        changes.on(deployments.WORK_ADDED, self.agenda.hear)
        changes.when_missed(self.memory.forget_all)
        changes.when_missed(self.agenda.fill)

    async def start(self) -> None:
        """Listen for changes first, then fill the memory: nothing that happens between the two is missed."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(self.executor)
        await self.in_thread(self.database.changes.start)
        await self.in_thread(self.agenda.fill)
        self.admissions.start(loop)
        self.reports.start(loop)
        self.calls.start(loop)
        if self._works:
            self.worker.start()
        self._tasks = [asyncio.create_task(keep_doing(task, self.in_thread)) for task in self.housekeeping.tasks()]

    async def stop(self) -> None:
        """Finish what was accepted, write down what was kept back, close everything."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if self._works:
            await self.in_thread(self.worker.stop)
        await self.in_thread(self.admissions.stop)
        await self.in_thread(self.reports.stop)
        await self.in_thread(self.calls.stop)
        with contextlib.suppress(Exception):
            await self.in_thread(self.housekeeping.write_last_seen)
        await self.in_thread(self.database.close)
        self.executor.shutdown(wait=True, cancel_futures=True)

    def in_thread(self, do: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        """Run plain code in a worker thread."""
        return asyncio.get_running_loop().run_in_executor(self.executor, partial(do, *arguments))
