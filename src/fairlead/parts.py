"""What is a server made of, and which setting says what about each part?

Whatever runs (a server, a worker, a command) takes its parts from here, so that all of them read the settings alike.
"""

from __future__ import annotations

import os
import sys
from datetime import timedelta
from functools import partial
from pathlib import Path

import structlog

from fairlead import migrations
from fairlead.base.blobs import StoreIsAway, StoreIsFull, open_blobs
from fairlead.base.database import Database
from fairlead.base.http.outgoing import Outgoing
from fairlead.base.http.registry_tokens import RegistryTokens
from fairlead.base.keys import KeyFolder
from fairlead.base.seal import Seal
from fairlead.base.smtp import Carrier, MailFolder, SmtpServer
from fairlead.domain import billing, catalog, identity, jobs, stacks, workflows
from fairlead.settings import PREFIX, Settings

DEFAULT_SENDER = "Fairlead <fairlead@localhost>"
DEPLOYMENTS = "DEPLOYMENTS_ADDR"
OWN_PROGRAMS = {"create-artifact": [sys.executable, "-m", "fairlead", "create-artifact"]}
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
_GATEWAY = "mender-api-gateway:8080"
_SYSTEM_PATH = ("/usr/local/bin", "/usr/bin", "/bin")

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
    """What sends the requests of workflows. The names of Mender's services stand for our own listeners.

    The public one is called by an address that is in no certificate, so it is known by its own.
    """
    aliases = {f"mender-{name}:8080": f"http://{settings.internal_address}" for name in _SERVICES}
    aliases = aliases if settings.internal_listen else {}
    aliases[_GATEWAY] = f"{'https' if settings.is_tls else 'http'}://{settings.public_address}"
    certificates = {_GATEWAY: Path(settings.tls_cert)} if settings.is_tls else {}
    return Outgoing(settings.allow_outgoing.split(","), aliases, certificates=certificates)


def makes_artifacts(settings: Settings) -> bool:
    """Is there an internal API to which artifacts go that are made of files, ours or one that the operator names?"""
    return bool(settings.internal_listen or settings.workflow_environment.get(DEPLOYMENTS))


def settings_for_own_programs(settings: Settings) -> dict[str, str]:
    """What our own programs need to know to call whom workflows may call, and nobody else (see `open_outgoing`).

    They read it from their environment, in which no definition can say anything.
    """
    said = {name: getattr(settings, name) for name in ("listen", "internal_listen", "allow_outgoing")}
    said |= {name: os.path.abspath(getattr(settings, name)) for name in ("tls_cert", "tls_key") if settings.is_tls}
    return {PREFIX + name.upper(): value for name, value in said.items()}


def open_portal_outgoing(settings: Settings) -> Outgoing:
    """What calls the addresses that people of portals name. Our own listeners have no other names there."""
    return Outgoing(settings.portal_outgoing.split(","), setting="--portal-outgoing")


def programs_of(settings: Settings) -> dict[str, list[str]]:
    """The programs that workflows may run, and what each name stands for: ours, unless the operator says otherwise."""
    return {**OWN_PROGRAMS, **settings.programs}


def open_registry_tokens(settings: Settings) -> RegistryTokens:
    """What issues tokens for Docker registries, with a key of their own."""
    return RegistryTokens(KeyFolder(settings.keys_folder).rsa("registry"))


def open_stacks(settings: Settings) -> stacks.Tools:
    """What stacks are made with: a driver for each vendor whose templates can be run here."""
    local = stacks.LocalDriver(settings.local_folder)
    vendors = [local.name, *settings.vendors_on_local] if settings.has_local_stacks else []
    return stacks.Tools(
        open_seal(settings),
        dict.fromkeys(vendors, local),
        settings.agents_address,
        local_instances=settings.local_instances,
    )


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
        outgoing=open_portal_outgoing(settings),
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
        programs=programs_of(settings),
        told=dict.fromkeys(OWN_PROGRAMS.keys() - settings.programs.keys(), settings_for_own_programs(settings)),
        environment={DEPLOYMENTS: settings.internal_address, **settings.workflow_environment},
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
    """The database of these settings with all its tables, and with the newest of the workflows that are shipped."""
    database = open_database(settings)
    migrations.upgrade(database)
    workflows.register_all(database, workflows.shipped())
    return database


def _own_definitions(settings: Settings) -> dict[Path, workflows.Definition]:
    return workflows.read_folder(Path(settings.workflow_folder)) if settings.workflow_folder else {}


def tell_of_forbidden_definitions(settings: Settings) -> None:
    """Warn of files that ask for a program or an address which is not allowed: their tasks will fail.

    They are no reason to refuse the start, as they were none before and most of what they do may go well.
    """
    outgoing, programs = open_outgoing(settings), programs_of(settings)
    for path, definition in _own_definitions(settings).items():
        try:
            workflows.make_sure_addresses_are_allowed(definition, outgoing)
            workflows.make_sure_programs_are_allowed(definition, programs)
        except workflows.BadDefinition as problem:
            log.warning("workflows.not_allowed", file=str(path), reason=str(problem))


def take_own_definitions(settings: Settings, database: Database) -> None:
    """Register the definitions of the operator's folder, and warn of those that are not taken.

    They say something else than what runs, and have no higher version. For servers and workers: a file that is no
    definition keeps those from starting, and nobody from looking.
    """
    own = _own_definitions(settings)
    if not own:
        return
    workflows.register_all(database, own.values())
    with database.across_tenants("which workflows are there?", writing=False) as tx:
        there = {definition.name: definition for definition in workflows.definitions(tx)}
    for path, definition in own.items():
        if definition != there[definition.name]:
            known = there[definition.name].version
            log.warning("workflows.not_newer", file=str(path), version=definition.version, there=known)


def prepare(settings: Settings) -> Database:
    """Bring the database up to date and make sure that there is a tenant: once per start, before any worker.

    Not for those who only look: a server that is to have many organizations may have none yet.
    """
    database = bring_up_to_date(settings)
    if not settings.multitenant:
        identity.make_sure_there_is_a_tenant(database, open_tokens(settings))
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
        for file, note in loaded.skipped.items():
            log.info("services.skipped", tenant=tenant_id, file=file, note=note)
        for file, warnings in loaded.warnings.items():
            log.warning("services.incomplete", tenant=tenant_id, file=file, warnings=warnings)
        for file, problem in loaded.problems.items():
            log.warning("services.not_loaded", tenant=tenant_id, file=file, problem=problem)


def make_sure_payloads_can_be_kept(settings: Settings) -> None:
    """Refuse to start on a store that cannot be used. One that is away or full may be back before it is needed."""
    try:
        open_blobs(settings.blobs_url).check()
    except (StoreIsAway, StoreIsFull) as problem:
        log.warning("payloads.unavailable", reason=str(problem))
