"""`fairlead serve`"""

from __future__ import annotations

import secrets
import string

from fairlead.base.database import Database
from fairlead.base.errors import Kind, Refusal
from fairlead.base.scope import system_scope
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
    LdapBase,
    LdapBindDn,
    LdapBindPassword,
    LdapFilter,
    LdapStartTls,
    LdapUrl,
    Listen,
    LocalInstances,
    LocalJobs,
    LocalStacks,
    LogFormat,
    LogLevel,
    MailFrom,
    Multitenant,
    NatsUrl,
    PortalAnonymous,
    PortalName,
    PortalOutgoing,
    PortalRegistration,
    ProjectMb,
    PublicUrl,
    RecaptchaSecret,
    RecaptchaUrl,
    RunOnLocal,
    Services,
    SmtpHost,
    SmtpPassword,
    SmtpPort,
    SmtpSecurity,
    SmtpUser,
    StripeKey,
    StripePrices,
    StripeUrl,
    TlsCert,
    TlsKey,
    TrialDays,
    TrustedProxies,
    Workers,
    WorkflowEnv,
    WorkflowFolder,
    WorkflowLease,
    WorkflowPerName,
    WorkflowPerTenant,
    WorkflowPrograms,
    WorkflowThreads,
    settings_of,
)
from fairlead.domain import identity
from fairlead.logs import set_up_logs
from fairlead.parts import (
    load_services,
    make_sure_payloads_can_be_kept,
    prepare,
    take_own_definitions,
    tell_of_forbidden_definitions,
)
from fairlead.serve import Listeners, make_sure_certificate_is_good, run, with_real_ports
from fairlead.settings import Settings

FIRST_EMAIL = "admin@fairlead.local"


class NobodyToServe(Refusal):
    kind = Kind.CONFLICT
    message = (
        "--multitenant: it is not set, and the organizations in this data are those of a server of many. "
        "Start it with --multitenant (or FAIRLEAD_MULTITENANT=true, or multitenant = true in the settings file)."
    )


def serve(
    data: Data = None,
    listen: Listen = None,
    internal_listen: InternalListen = None,
    database: DatabaseUrl = None,
    blobs: BlobsUrl = None,
    keys: Keys = None,
    public_url: PublicUrl = None,
    tls_cert: TlsCert = None,
    tls_key: TlsKey = None,
    workers: Workers = None,
    multitenant: Multitenant = None,
    trusted_proxies: TrustedProxies = None,
    smtp_host: SmtpHost = None,
    smtp_port: SmtpPort = None,
    smtp_security: SmtpSecurity = None,
    smtp_user: SmtpUser = None,
    smtp_password: SmtpPassword = None,
    mail_from: MailFrom = None,
    trial_days: TrialDays = None,
    stripe_key: StripeKey = None,
    stripe_url: StripeUrl = None,
    stripe_prices: StripePrices = None,
    recaptcha_secret: RecaptchaSecret = None,
    recaptcha_url: RecaptchaUrl = None,
    workflow_threads: WorkflowThreads = None,
    workflow_folder: WorkflowFolder = None,
    workflow_programs: WorkflowPrograms = None,
    workflow_env: WorkflowEnv = None,
    workflow_lease: WorkflowLease = None,
    workflow_per_tenant: WorkflowPerTenant = None,
    workflow_per_name: WorkflowPerName = None,
    allow_outgoing: AllowOutgoing = None,
    nats_url: NatsUrl = None,
    local_stacks: LocalStacks = None,
    local_instances: LocalInstances = None,
    run_on_local: RunOnLocal = None,
    agents_url: AgentsUrl = None,
    portal_name: PortalName = None,
    services: Services = None,
    portal_anonymous: PortalAnonymous = None,
    portal_outgoing: PortalOutgoing = None,
    portal_registration: PortalRegistration = None,
    ldap_url: LdapUrl = None,
    ldap_base: LdapBase = None,
    ldap_filter: LdapFilter = None,
    ldap_bind_dn: LdapBindDn = None,
    ldap_bind_password: LdapBindPassword = None,
    ldap_start_tls: LdapStartTls = None,
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
    """Start the server. Stop it with Ctrl-C: what it has begun it finishes.

    At the very first start a user is made, and the password printed once.
    """
    given = {name: value for name, value in locals().items() if name != "config"}
    settings = settings_of(config, **given)
    set_up_logs(settings.log_level, settings.log_format)
    make_sure_certificate_is_good(settings)
    listeners = Listeners.open(settings)
    opened = prepare(settings)
    _make_sure_there_is_somebody_to_serve(opened, settings)
    take_own_definitions(settings, opened)
    tell_of_forbidden_definitions(with_real_ports(settings, listeners.public, listeners.internal))
    make_sure_payloads_can_be_kept(settings)
    load_services(settings, opened)
    if settings.multitenant:
        _greet_first_operator(opened, settings)
    else:
        _greet_first_user(opened, settings)
    opened.close()
    scheme = "https" if settings.is_tls else "http"
    public, internal = listeners.addresses(settings)
    print(f"Fairlead serves {scheme}://{public}", flush=True)
    if internal:
        print(f"The internal API and /metrics are at http://{internal}", flush=True)
    run(settings, listeners)


def _make_sure_there_is_somebody_to_serve(database: Database, settings: Settings) -> None:
    with database.across_tenants("is there anybody to serve?", writing=False) as tx:
        if not settings.multitenant and identity.DEFAULT_TENANT_ID not in identity.tenant_ids(tx):
            raise NobodyToServe


def _greet_first_operator(database: Database, settings: Settings) -> None:
    """Say how to make an organization while there is none."""
    with database.across_tenants("is there an organization?", writing=False) as tx:
        if identity.search_tenants(tx, "", "", 0, 1):
            return
    print(
        f"\n  There is no organization yet. Make one with:\n\n"
        f"    fairlead tenant create --multitenant --name ACME --email ada@acme.example --data {settings.data}\n",
        flush=True,
    )


def _greet_first_user(database: Database, settings: Settings) -> None:
    """Make the first user if there is none, and say how to log in: this once."""
    scope = system_scope(identity.DEFAULT_TENANT_ID)
    with database.read(scope) as tx:
        if identity.search_users(tx):
            return
    password = "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(16))
    password_hash = identity.prepare_password(password)
    with database.begin(scope) as tx:
        identity.add_user(tx, FIRST_EMAIL, password_hash)
    print(
        f"\n  This is the first start, so a first user was made. The password is shown only now:\n\n"
        f"    e-mail    {FIRST_EMAIL}\n    password  {password}\n\n"
        f"  Change it with: fairlead user password --email {FIRST_EMAIL} --data {settings.data}\n",
        flush=True,
    )
