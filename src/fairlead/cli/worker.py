"""`fairlead worker`: a process that works on workflows, and serves nobody."""

from __future__ import annotations

import signal
import threading

import structlog

from fairlead.app import bring_up_to_date, open_worker
from fairlead.cli.options import (
    AgentsUrl,
    AllowOutgoing,
    ConfigFile,
    Data,
    DatabaseUrl,
    InternalListen,
    Keys,
    Listen,
    LocalStacks,
    LogFormat,
    LogLevel,
    Multitenant,
    NatsUrl,
    PublicUrl,
    RunOnLocal,
    WorkflowEnv,
    WorkflowFolder,
    WorkflowLease,
    WorkflowPerName,
    WorkflowPerTenant,
    WorkflowPrograms,
    WorkflowThreads,
    settings_of,
)
from fairlead.logs import set_up_logs
from fairlead.settings import BadSetting

log = structlog.get_logger()


def worker(
    data: Data = None,
    database: DatabaseUrl = None,
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
    public_url: PublicUrl = None,
    multitenant: Multitenant = None,
    local_stacks: LocalStacks = None,
    run_on_local: RunOnLocal = None,
    agents_url: AgentsUrl = None,
    log_level: LogLevel = None,
    log_format: LogFormat = None,
    config: ConfigFile = None,
) -> None:
    """Work on workflows until stopped with Ctrl-C, beside servers that share the database and the keys.

    `--listen` and `--internal-listen` name the addresses of a server: workflows call it.
    """
    given = {name: value for name, value in locals().items() if name != "config"}
    settings = settings_of(config, **given)
    if not settings.workflow_threads:
        raise BadSetting(name="--workflow-threads", reason="a worker with 0 threads would do nothing")
    set_up_logs(settings.log_level, settings.log_format)
    opened = bring_up_to_date(settings)
    durable = open_worker(settings, opened, settings.workflow_threads)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    durable.start()
    log.info("worker.ready", worker=durable.name, threads=settings.workflow_threads)
    stop.wait()
    durable.stop()
    opened.close()
    log.info("worker.stopped", worker=durable.name)
