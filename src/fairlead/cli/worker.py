"""`fairlead worker`: a process that works on workflows and runs scientific jobs, and serves nobody."""

from __future__ import annotations

import signal
import threading

import structlog

from fairlead.base.database import Database
from fairlead.base.records import learn_types
from fairlead.cli.options import (
    AgentsUrl,
    AllowOutgoing,
    BlobsUrl,
    ConfigFile,
    Data,
    DatabaseUrl,
    DataKeptDays,
    DataMb,
    InternalListen,
    JobFolders,
    JobHours,
    JobMemoryMb,
    JobOutputMb,
    JobPath,
    JobsKeptDays,
    JobSlots,
    JobsPerUser,
    Keys,
    Listen,
    LocalInstances,
    LocalJobs,
    LocalStacks,
    LogFormat,
    LogLevel,
    MailFrom,
    Multitenant,
    NatsUrl,
    PortalName,
    PortalOutgoing,
    ProjectMb,
    PublicUrl,
    RunOnLocal,
    SmtpHost,
    SmtpPassword,
    SmtpPort,
    SmtpSecurity,
    SmtpUser,
    TlsCert,
    TlsKey,
    WorkflowEnv,
    WorkflowFolder,
    WorkflowLease,
    WorkflowPerName,
    WorkflowPerTenant,
    WorkflowPrograms,
    WorkflowThreads,
    settings_of,
)
from fairlead.domain import jobs
from fairlead.logs import set_up_logs
from fairlead.parts import (
    bring_up_to_date,
    open_jobs,
    open_worker,
    take_own_definitions,
    tell_of_forbidden_definitions,
)
from fairlead.settings import BadSetting

LOOK_SECONDS = 1.0

log = structlog.get_logger()


def worker(
    data: Data = None,
    database: DatabaseUrl = None,
    blobs: BlobsUrl = None,
    keys: Keys = None,
    listen: Listen = None,
    internal_listen: InternalListen = None,
    workflow_threads: WorkflowThreads = None,
    workflow_folder: WorkflowFolder = None,
    workflow_programs: WorkflowPrograms = None,
    workflow_env: WorkflowEnv = None,
    workflow_lease: WorkflowLease = None,
    workflow_per_tenant: WorkflowPerTenant = None,
    workflow_per_name: WorkflowPerName = None,
    allow_outgoing: AllowOutgoing = None,
    nats_url: NatsUrl = None,
    smtp_host: SmtpHost = None,
    smtp_port: SmtpPort = None,
    smtp_security: SmtpSecurity = None,
    smtp_user: SmtpUser = None,
    smtp_password: SmtpPassword = None,
    mail_from: MailFrom = None,
    public_url: PublicUrl = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    multitenant: Multitenant = None,
    local_stacks: LocalStacks = None,
    local_instances: LocalInstances = None,
    run_on_local: RunOnLocal = None,
    agents_url: AgentsUrl = None,
    portal_name: PortalName = None,
    portal_outgoing: PortalOutgoing = None,
    local_jobs: LocalJobs = None,
    job_slots: JobSlots = None,
    job_path: JobPath = None,
    job_folders: JobFolders = None,
    job_hours: JobHours = None,
    job_memory_mb: JobMemoryMb = None,
    job_output_mb: JobOutputMb = None,
    jobs_per_user: JobsPerUser = None,
    project_mb: ProjectMb = None,
    data_mb: DataMb = None,
    jobs_kept_days: JobsKeptDays = None,
    data_kept_days: DataKeptDays = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
    config: ConfigFile = None,
) -> None:
    """Work on workflows until stopped with Ctrl-C, beside servers that share the database and the keys.

    `--listen` and `--internal-listen` name the addresses of a server: workflows call it. The other options are those of
    the server, too: told otherwise, the worker sends letters elsewhere, for one. On a machine of its own it runs
    scientific jobs there, and needs the same payload store and the same `--portal-name`.
    """
    given = {name: value for name, value in locals().items() if name != "config"}
    settings = settings_of(config, **given)
    if not settings.workflow_threads:
        raise BadSetting(name="--workflow-threads", reason="a worker with 0 threads would do nothing")
    set_up_logs(settings.log_level, settings.log_format)
    opened = bring_up_to_date(settings)
    take_own_definitions(settings, opened)
    tell_of_forbidden_definitions(settings)
    tools = open_jobs(settings) if settings.has_local_jobs else None
    durable = open_worker(settings, opened, settings.workflow_threads, job_tools=tools)
    learn_types()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    durable.start()
    log.info("worker.ready", worker=durable.name, threads=settings.workflow_threads)
    while not stop.wait(LOOK_SECONDS):
        if tools is not None:
            _look(opened, tools)
    durable.stop()
    opened.close()
    log.info("worker.stopped", worker=durable.name)


def _look(database: Database, tools: jobs.Tools) -> None:
    """Nobody else looks at the jobs that run on this machine."""
    try:
        jobs.watch(database, tools)
    except Exception as problem:
        log.warning("jobs.not_looked_at", problem=str(problem))
