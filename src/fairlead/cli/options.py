"""Which options do several commands share?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from fairlead.settings import PREFIX, Settings, load


def _option(name: str, *, panel: str = "Settings") -> Any:
    """An option for a setting, described by the setting itself. What cannot be read is worded by ourselves."""
    setting = Settings.__dataclass_fields__[name]
    default = "" if setting.default in ("", False) else f" [dim]\\[default: {setting.default}][/dim]"
    flag = "--" + name.replace("_", "-")
    text = f"{setting.metadata['help']}{default} [dim]\\[{PREFIX}{name.upper()}][/dim]"
    return typer.Option(flag, help=text, show_default=False, rich_help_panel=panel, readable=False)


Data = Annotated[Path | None, _option("data")]
Listen = Annotated[str | None, _option("listen")]
InternalListen = Annotated[str | None, _option("internal_listen")]
DatabaseUrl = Annotated[str | None, _option("database")]
BlobsUrl = Annotated[str | None, _option("blobs")]
Keys = Annotated[str | None, _option("keys")]
PublicUrl = Annotated[str | None, _option("public_url")]
TlsCert = Annotated[str | None, _option("tls_cert")]
TlsKey = Annotated[str | None, _option("tls_key")]
Workers = Annotated[int | None, _option("workers")]
TrustedProxies = Annotated[str | None, _option("trusted_proxies")]
SmtpHost = Annotated[str | None, _option("smtp_host")]
SmtpPort = Annotated[int | None, _option("smtp_port")]
SmtpSecurity = Annotated[str | None, _option("smtp_security")]
SmtpUser = Annotated[str | None, _option("smtp_user")]
SmtpPassword = Annotated[str | None, _option("smtp_password")]
MailFrom = Annotated[str | None, _option("mail_from")]
TrialDays = Annotated[int | None, _option("trial_days")]
StripeKey = Annotated[str | None, _option("stripe_key")]
StripeUrl = Annotated[str | None, _option("stripe_url")]
StripePrices = Annotated[str | None, _option("stripe_prices")]
RecaptchaSecret = Annotated[str | None, _option("recaptcha_secret")]
RecaptchaUrl = Annotated[str | None, _option("recaptcha_url")]
WorkflowThreads = Annotated[int | None, _option("workflow_threads")]
WorkflowFolder = Annotated[str | None, _option("workflow_folder")]
WorkflowPrograms = Annotated[str | None, _option("workflow_programs")]
WorkflowEnv = Annotated[str | None, _option("workflow_env")]
WorkflowLease = Annotated[int | None, _option("workflow_lease")]
WorkflowPerTenant = Annotated[int | None, _option("workflow_per_tenant")]
WorkflowPerName = Annotated[int | None, _option("workflow_per_name")]
AllowOutgoing = Annotated[str | None, _option("allow_outgoing")]
NatsUrl = Annotated[str | None, _option("nats_url")]
LocalStacks = Annotated[str | None, _option("local_stacks")]
LocalInstances = Annotated[int | None, _option("local_instances")]
RunOnLocal = Annotated[str | None, _option("run_on_local")]
AgentsUrl = Annotated[str | None, _option("agents_url")]
PortalName = Annotated[str | None, _option("portal_name")]
Services = Annotated[str | None, _option("services")]
PortalAnonymous = Annotated[bool | None, _option("portal_anonymous")]
PortalOutgoing = Annotated[str | None, _option("portal_outgoing")]
PortalRegistration = Annotated[bool | None, _option("portal_registration")]
LdapUrl = Annotated[str | None, _option("ldap_url")]
LdapBase = Annotated[str | None, _option("ldap_base")]
LdapFilter = Annotated[str | None, _option("ldap_filter")]
LdapBindDn = Annotated[str | None, _option("ldap_bind_dn")]
LdapBindPassword = Annotated[str | None, _option("ldap_bind_password")]
LdapStartTls = Annotated[bool | None, _option("ldap_start_tls")]
LocalJobs = Annotated[str | None, _option("local_jobs")]
JobSlots = Annotated[int | None, _option("job_slots")]
JobPath = Annotated[str | None, _option("job_path")]
JobFolders = Annotated[str | None, _option("job_folders")]
JobHours = Annotated[int | None, _option("job_hours")]
JobMemoryMb = Annotated[int | None, _option("job_memory_mb")]
JobOutputMb = Annotated[int | None, _option("job_output_mb")]
JobsPerUser = Annotated[int | None, _option("jobs_per_user")]
ProjectMb = Annotated[int | None, _option("project_mb")]
DataMb = Annotated[int | None, _option("data_mb")]
JobsKeptDays = Annotated[int | None, _option("jobs_kept_days")]
DataKeptDays = Annotated[int | None, _option("data_kept_days")]
LogLevel = Annotated[str | None, _option("log_level")]
LogFormat = Annotated[str | None, _option("log_format")]
_multitenant = Settings.__dataclass_fields__["multitenant"].metadata["help"]
Multitenant = Annotated[
    bool | None,
    typer.Option(
        "--multitenant/--single-tenant",
        help=f"{_multitenant} [dim]\\[{PREFIX}MULTITENANT][/dim]",
        show_default=False,
        rich_help_panel="Settings",
    ),
]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config",
        help=f"TOML file with settings, named like the options. [dim]\\[default: DATA/fairlead.toml] "
        f"\\[{PREFIX}CONFIG][/dim]",
        show_default=False,
        rich_help_panel="Settings",
    ),
]


def settings_of(config: Path | None, **given: Any) -> Settings:
    """The settings that the options, the environment and the file add up to."""
    return load(given, file=config)
