"""How is the server put together? The one place that knows every part, and reads the settings."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from litestar import Litestar
from litestar.config.response_cache import ResponseCacheConfig
from litestar.di import Provide
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import ScalarRenderPlugin, SwaggerRenderPlugin

from fairlead import __version__, migrations
from fairlead.api.mender import routes
from fairlead.api.mender.context import Context, provide_call
from fairlead.api.mender.errors import HANDLERS
from fairlead.api.mender.front_door import FrontDoor, Tally
from fairlead.api.mender.wire import WireRequest
from fairlead.api.mobingi import errors as mobingi_errors
from fairlead.api.mobingi import routes as mobingi_routes
from fairlead.api.mobingi.context import Context as MobingiContext
from fairlead.api.mobingi.door import Door, is_ours
from fairlead.api.mobyle import errors as mobyle_errors
from fairlead.api.mobyle import routes as mobyle_routes
from fairlead.api.mobyle.context import Context as MobyleContext
from fairlead.api.mobyle.context import Listening, Rules
from fairlead.api.mobyle.door import Door as PortalDoor
from fairlead.base import clock
from fairlead.base.blobs import StoreIsAway, StoreIsFull, open_blobs
from fairlead.base.database import Database
from fairlead.base.grouped import Grouped
from fairlead.base.http.links import Links
from fairlead.base.http.metrics import Measured, Metrics
from fairlead.base.http.outgoing import Outgoing
from fairlead.base.http.recaptcha import Recaptcha
from fairlead.base.http.registry_tokens import RegistryTokens
from fairlead.base.keys import KeyFolder
from fairlead.base.records import learn_types
from fairlead.base.seal import Seal
from fairlead.base.smtp import Carrier, MailFolder, SmtpServer
from fairlead.domain import artifacts, billing, catalog, deployments, devices, identity, jobs, mail, stacks, workflows
from fairlead.domain.identity import portal
from fairlead.schedule import Task, keep_doing
from fairlead.settings import Settings, directory_of

WORKER_THREADS = 32
MOST_ADMISSION_THREADS = 2
LARGEST_BODY = 10 * 1024 * 1024
JOBS_KEPT = timedelta(days=30)
_SERVICES = (
    "device-auth",
    "inventory",
    "deployments",
    "useradm",
    "tenantadm",
    "deviceconnect",
    "auditlogs",
    "workflows",
)
_OWN_PROGRAMS = {"create-artifact": [sys.executable, "-m", "fairlead", "create-artifact"]}
_SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")
DEFAULT_SENDER = "Fairlead <fairlead@localhost>"

log = structlog.get_logger()


def open_database(settings: Settings) -> Database:
    """The database of these settings, as it is."""
    return Database(settings.database_url)


def open_tokens(settings: Settings) -> identity.Tokens:
    """What issues and reads tokens. The key is made at the first start and kept in the keys folder."""
    key = KeyFolder(settings.keys_folder).rsa("tokens")
    return identity.Tokens(key, multitenant=settings.multitenant, default_tenant_id=identity.DEFAULT_TENANT_ID)


def open_seal(settings: Settings) -> Seal:
    """What secrets in the database are sealed with. The key is made and kept like the others."""
    return Seal(KeyFolder(settings.keys_folder).secret("secrets"))


def open_mail(settings: Settings) -> Carrier:
    """What takes letters away: the SMTP server, or a folder where none is set."""
    sender = settings.mail_from or DEFAULT_SENDER
    if not settings.smtp_host:
        return MailFolder(settings.mail_folder, sender)
    return SmtpServer(
        settings.smtp_host,
        settings.smtp_port,
        settings.smtp_security,
        sender,
        settings.smtp_user,
        settings.smtp_password,
    )


def open_office(settings: Settings, database: Database, tokens: identity.Tokens) -> billing.Office:
    """Where organizations sign up; they are charged if there is a key at Stripe."""
    key = settings.stripe_key
    payments = billing.Payments(key, settings.stripe_url, settings.prices) if key else None
    return billing.Office(database, tokens, payments, timedelta(days=settings.trial_days), settings.multitenant)


def open_outgoing(settings: Settings) -> Outgoing:
    """What sends the requests of workflows. The names of Mender's services stand for our own listeners."""
    aliases = {f"mender-{name}:8080": f"http://{settings.internal_address}" for name in _SERVICES}
    aliases = aliases if settings.internal_listen else {}
    aliases["mender-api-gateway:8080"] = f"{'https' if settings.is_tls else 'http'}://{settings.public_address}"
    return Outgoing(settings.allow_outgoing.split(","), aliases)


def open_registry_tokens(settings: Settings) -> RegistryTokens:
    """What issues tokens for Docker registries, with a key of their own."""
    return RegistryTokens(KeyFolder(settings.keys_folder).rsa("registry"))


def open_stacks(settings: Settings) -> stacks.Tools:
    """What stacks are made with: a driver for each vendor whose templates can be run here."""
    local = stacks.LocalDriver(settings.local_folder)
    vendors = [local.name, *settings.vendors_on_local] if settings.has_local_stacks else []
    return stacks.Tools(open_seal(settings), dict.fromkeys(vendors, local), settings.agents_address)


def open_jobs(settings: Settings) -> jobs.Tools:
    """What scientific jobs and their data are kept and run with."""
    folder, megabyte = settings.jobs_folder, 1024 * 1024
    systems: dict[str, jobs.ExecutionSystem] = {}
    if settings.has_local_jobs:
        systems[jobs.LOCAL] = jobs.LocalSystem(folder, settings.job_slots or None, readable=settings.readable_by_jobs)
    paths = [path for path in settings.job_path.split(":") if path]
    return jobs.Tools(
        seal=open_seal(settings),
        blobs=open_blobs(settings.blobs_url),
        outgoing=open_outgoing(settings),
        folder=folder,
        systems=systems,
        own=partial(own_server, settings),
        quotas=jobs.Quotas(
            jobs_per_user=settings.jobs_per_user,
            project_bytes=settings.project_mb * megabyte,
            file_bytes=settings.data_mb * megabyte,
        ),
        kept=jobs.Kept(jobs=timedelta(days=settings.jobs_kept_days), data=timedelta(days=settings.data_kept_days)),
        limits=jobs.Limits(
            seconds=settings.job_hours * 3600,
            memory_bytes=settings.job_memory_mb * megabyte,
            file_bytes=settings.job_output_mb * megabyte,
            output_bytes=settings.job_output_mb * megabyte,
        ),
        environment={"PATH": ":".join([*_SYSTEM_PATH, *paths])} if paths else {},
    )


def open_worker(
    settings: Settings,
    database: Database,
    threads: int,
    stack_tools: stacks.Tools | None = None,
    job_tools: jobs.Tools | None = None,
) -> workflows.Worker:
    """What works on workflows in this process; with the tools that are there already, if there are any."""
    tools = workflows.Tools(
        outgoing=open_outgoing(settings),
        carrier=open_mail(settings),
        programs={**_OWN_PROGRAMS, **settings.programs},
        environment={"DEPLOYMENTS_ADDR": settings.internal_address, **settings.workflow_environment},
        nats_server=settings.nats_url,
    )
    catalogue = workflows.Catalogue(workflows.Runner(tools).steps)
    catalogue.add(stacks.WORKFLOW, stacks.steps(database, stack_tools or open_stacks(settings)))
    if job_tools is None and settings.has_local_jobs:
        job_tools = open_jobs(settings)
    if job_tools is not None:  # a worker that runs no jobs leaves them to a process that does
        for name, steps in jobs.own_workflows(database, job_tools).items():
            catalogue.add(name, steps)
    return workflows.Worker(
        database,
        open_seal(settings),
        catalogue.steps,
        threads=threads,
        bounds=workflows.Bounds(settings.workflow_per_name, settings.workflow_per_tenant),
        lease_seconds=settings.workflow_lease,
    )


def bring_up_to_date(settings: Settings) -> Database:
    """The database of these settings with all its tables, and with the newest definitions of workflows."""
    database = open_database(settings)
    migrations.upgrade(database)
    folder = [Path(settings.workflow_folder)] if settings.workflow_folder else []
    workflows.register_all(
        database, [*workflows.shipped(), *(each for path in folder for each in workflows.read_folder(path))]
    )
    return database


def prepare(settings: Settings) -> Database:
    """Bring the database up to date and make sure that there is a tenant: once per start, before any worker."""
    database = bring_up_to_date(settings)
    if not settings.multitenant:
        identity.make_sure_default_tenant_exists(database, open_tokens(settings))
    return database


def own_server(settings: Settings, tenant_id: str) -> catalog.OwnServer:
    """This server among portals: each organization of a server that has many has a portal of its own."""
    place = f"/mobyle/at/{tenant_id}" if settings.multitenant else "/mobyle"
    return catalog.OwnServer(settings.portal_name, settings.home_url + place)


def load_services(settings: Settings, database: Database) -> None:
    """Register the scientific services that are shipped in a folder, on the portal of every organization."""
    if not settings.services:
        return
    with database.across_tenants("whose portals are there?", writing=False) as tx:
        tenants = identity.tenant_ids(tx)
    for tenant_id in tenants:
        loaded = catalog.load_folder(database, tenant_id, own_server(settings, tenant_id), Path(settings.services))
        counts = {outcome.value: len(names) for outcome, names in loaded.done.items()}
        log.info("services.loaded", tenant=tenant_id, **counts)
        for file, problem in loaded.problems.items():
            log.warning("services.not_loaded", tenant=tenant_id, file=file, problem=problem)


def make_sure_payloads_can_be_kept(settings: Settings) -> None:
    """Refuse to start on a store that cannot be used. One that is away or full may be back before it is needed."""
    try:
        open_blobs(settings.blobs_url).check()
    except (StoreIsAway, StoreIsFull) as problem:
        log.warning("payloads.unavailable", reason=str(problem))


class Fairlead:
    """One server process: everything that it holds open, and the two applications that it serves."""

    def __init__(self, settings: Settings) -> None:
        keys = KeyFolder(settings.keys_folder)
        self.database = open_database(settings)
        self.blobs = open_blobs(settings.blobs_url)
        self.tokens = open_tokens(settings)
        self.seal = open_seal(settings)
        self.mail = open_mail(settings)
        self.stacks = open_stacks(settings)
        self.jobs = open_jobs(settings)
        trusts = not settings.multitenant
        self.listening = Listening()
        self.federation = catalog.Federation(self.database, self.seal, self.jobs.outgoing, trusts)
        changes = self.database.changes
        self.memory = identity.TokenMemory(changes.fresh)
        self.agenda = deployments.Agenda(self.database, changes.fresh)
        admit = devices.Admissions(self.database, self.tokens, multitenant=settings.multitenant).admit
        self.admissions = Grouped(
            "admissions", admit, largest=64, threads=min(MOST_ADMISSION_THREADS, len(os.sched_getaffinity(0)))
        )
        self.reports = Grouped("reports", devices.Reports(self.database).write)
        self.executor = ThreadPoolExecutor(WORKER_THREADS, thread_name_prefix="worker")
        self.metrics = Metrics()
        self._tasks: list[asyncio.Task[None]] = []
        self._seen_until = int(time.time())
        self._counted = dict.fromkeys(Tally.__slots__, 0)
        self.worker = open_worker(settings, self.database, settings.workflow_threads or 1, self.stacks, self.jobs)
        self._works = settings.workflow_threads > 0
        context = Context(
            database=self.database,
            blobs=self.blobs,
            tokens=self.tokens,
            memory=self.memory,
            agenda=self.agenda,
            admissions=self.admissions,
            reports=self.reports,
            meters=identity.Meters(),
            links=Links(keys.ed25519("links")),
            public_url=settings.public_url.rstrip("/"),
            home=settings.home_url,
            seal=self.seal,
            outgoing=self.jobs.outgoing,
            programs=frozenset({**_OWN_PROGRAMS, **settings.programs}),
            office=open_office(settings, self.database, self.tokens),
            recaptcha=Recaptcha(settings.recaptcha_secret, settings.recaptcha_url),
            executor=self.executor,
        )
        mobingi = MobingiContext(
            database=self.database,
            tokens=self.tokens,
            seal=self.seal,
            stacks=self.stacks,
            links=context.links,
            public_url=context.public_url,
            registry=open_registry_tokens(settings),
            executor=self.executor,
        )
        mobyle = MobyleContext(
            database=self.database,
            tools=self.jobs,
            federation=self.federation,
            links=context.links,
            public_url=context.public_url,
            default_tenant_id="" if settings.multitenant else identity.DEFAULT_TENANT_ID,
            executor=self.executor,
            rules=Rules(settings.portal_anonymous, settings.portal_registration, directory_of(settings)),
            listening=self.listening,
        )
        handlers = [*routes.public_routers(), *mobingi_routes.routers(), *mobyle_routes.routers()]
        public = self._application(context, handlers)
        public.state.mobingi, public.state.mobyle = mobingi, mobyle
        internal = self._application(context, routes.internal_routers())
        self.front_door = self._door(context, public)
        self.door = PortalDoor(Door(self.front_door, partial(_methods_of, public)))
        self.internal = self._door(context, internal)
        changes.on(devices.TOKEN_REVOKED, self.memory.revoke)
        changes.on(identity.SIGNED_OUT, self.memory.revoke)
        changes.on(identity.TENANT_CHANGED, self.memory.revoke_tenant)
        changes.on(deployments.WORK_ADDED, self.agenda.hear)
        changes.when_missed(self.memory.forget_all)
        changes.when_missed(self.agenda.fill)
        learn_types()

    async def start(self) -> None:
        """Listen for changes first, then fill the memory: nothing that happens between the two is missed."""
        loop = asyncio.get_running_loop()
        loop.set_default_executor(self.executor)
        await self.in_thread(self.database.changes.start)
        await self.in_thread(self.agenda.fill)
        self.admissions.start(loop)
        self.reports.start(loop)
        if self._works:
            self.worker.start()
        self._tasks = [asyncio.create_task(keep_doing(task, self.in_thread)) for task in self._schedule()]

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
        with contextlib.suppress(Exception):
            await self.in_thread(self._write_last_seen)
        await self.in_thread(self.database.close)
        self.executor.shutdown(wait=True, cancel_futures=True)

    def in_thread(self, do: Callable[..., Any], *arguments: Any) -> asyncio.Future[Any]:
        """Run plain code in a worker thread."""
        return asyncio.get_running_loop().run_in_executor(self.executor, partial(do, *arguments))

    def _schedule(self) -> list[Task]:
        return [
            Task("look at scientific jobs", 1, partial(jobs.watch, self.database, self.jobs)),
            Task("ask other portals", 5, self.federation.refresh_due),
            Task("forget sessions and letters of portals", 3600, self._forget_at_portals),
            Task("let anonymous users go", 3600, partial(portal.remove_abandoned, self.database)),
            Task("remove old scientific jobs and data", 3600, partial(jobs.remove_old, self.database, self.jobs)),
            Task("remove folders of jobs", 600, partial(jobs.remove_folders, self.database, self.jobs)),
            Task("sweep payloads of portals", 6 * 3600, partial(jobs.sweep_payloads, self.database, self.blobs)),
            Task("look after stacks", 5, partial(stacks.watch, self.database, self.stacks)),
            Task("write when devices were last seen", 30, self._write_last_seen),
            Task("count what was answered at the door", 1, self._count),
            Task("end expired sessions", 3600, self._end_expired_sessions),
            Task("send mail", 1, partial(mail.send_due, self.database, self.seal, self.mail)),
            Task("forget old attempts", 600, self._forget_old_attempts),
            Task("suspend ended trials", 600, partial(identity.suspend_ended_trials, self.database)),
            Task("forget old jobs", 3600, self._forget_old_jobs),
            Task("forget old changes", 600, self.database.changes.forget_old),
            Task("sweep payloads", 6 * 3600, partial(artifacts.sweep_payloads, self.database, self.blobs)),
        ]

    def _write_last_seen(self) -> None:
        until = int(time.time())
        seen = self.memory.seen_since(self._seen_until)
        moments = [(tenant, device, datetime.fromtimestamp(at, UTC)) for tenant, device, at in seen]
        for start in range(0, len(moments), 2000):  # in pieces, so that nobody waits long for the writer's place
            with self.database.across_tenants("when were devices seen?") as tx:
                devices.write_last_seen(tx, moments[start : start + 2000])
        self._seen_until = until

    def _count(self) -> None:
        for name in Tally.__slots__:
            value = getattr(self.front_door.tally, name)
            self.metrics.at_the_door.labels(name).inc(value - self._counted[name])
            self._counted[name] = value
        self.metrics.remembered_tokens.set(len(self.memory))
        self.metrics.busy_devices.set(len(self.agenda))

    def _forget_old_attempts(self) -> None:
        with self.database.across_tenants("forget old attempts") as tx:
            identity.forget_old_attempts(tx)

    def _forget_old_jobs(self) -> None:
        with self.database.across_tenants("forget old jobs") as tx:
            workflows.remove_old(tx, clock.now() - JOBS_KEPT)
            tx.forget_old_keys()

    def _forget_at_portals(self) -> None:
        with self.database.across_tenants("forget what has expired at portals") as tx:
            portal.remove_expired_tokens(tx)
            portal.remove_expired_letters(tx)

    def _end_expired_sessions(self) -> None:
        with self.database.across_tenants("end expired sessions") as tx:
            identity.remove_expired_sessions(tx)

    def _door(self, context: Context, application: Litestar) -> FrontDoor:
        return FrontDoor(Measured(application, self.metrics), context, partial(_methods_of, application))

    def _application(self, context: Context, handlers: list[Any]) -> Litestar:
        async def provide_context() -> Context:
            return context

        application = Litestar(
            route_handlers=handlers,
            dependencies={
                "call": Provide(provide_call, sync_to_thread=False),
                "context": Provide(provide_context),
            },
            exception_handlers={kind: _worded(kind) for kind in HANDLERS},
            request_class=WireRequest,
            request_max_body_size=LARGEST_BODY,
            response_cache_config=ResponseCacheConfig(),
            logging_config=None,
            openapi_config=OpenAPIConfig(
                title="Fairlead",
                version=__version__,
                path="/openapi",
                render_plugins=[ScalarRenderPlugin(), SwaggerRenderPlugin()],
            ),
        )
        application.state.mender = context
        application.state.metrics = self.metrics
        application.state.in_thread = self.in_thread
        return application


def _worded(kind: Any) -> Callable[[Any, Any], Any]:
    """The handler of such problems in the words of the API whose path was asked for, be there anything or not."""

    def word(request: Any, problem: Any) -> Any:
        path = request.scope["path"]
        if mobyle_errors.is_ours(path):
            return mobyle_errors.HANDLERS[kind](request, problem)
        handlers = mobingi_errors.HANDLERS if is_ours(path) else HANDLERS
        return handlers[kind](request, problem)

    return word


def _methods_of(application: Litestar, path: str) -> list[str]:
    """What can be done with the thing at this path; nothing if there is no such route."""
    allowed = []
    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        try:
            application.asgi_router.handle_routing(path, method)
        except HTTPException:
            continue
        allowed.append(method)
    return [*allowed, "OPTIONS"] if allowed else []
