"""What can be set, and where does each setting come from?

In order: the command line, the environment (`FAIRLEAD_…`), a TOML file, the default. Only `app.py` and the command
line read settings; everyone else is handed values.
"""

from __future__ import annotations

import os
import re
import socket
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from fairlead.base.errors import Refusal
from fairlead.base.smtp import SECURITY, is_address
from fairlead.domain import stacks
from fairlead.domain.identity import portal

PREFIX = "FAIRLEAD_"
FILE_NAME = "fairlead.toml"
_NUMBER = re.compile(r"-?[0-9]{1,9}")


class BadSetting(Refusal):
    message = "{name}: {reason}"


def _setting(default: Any, help_: str) -> Any:
    return field(default=default, metadata={"help": help_})


def _secret(help_: str) -> Any:
    """A setting that is never shown, not even where all settings are."""
    return field(default="", repr=False, metadata={"help": help_})


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of a server, checked."""

    data: Path = _setting(Path("data"), "Folder for everything that is kept: database, payloads, keys.")
    listen: str = _setting("127.0.0.1:8080", "Address and port for devices, people and tools.")
    internal_listen: str = _setting(
        "127.0.0.1:8081", "Address and port of the internal API and of /metrics; empty: not served."
    )
    database: str = _setting("", "sqlite:///PATH or postgresql://USER:PASSWORD@HOST/NAME; default: SQLite in DATA.")
    blobs: str = _setting("", "Folder, or s3://BUCKET/PREFIX?endpoint=…; default: a folder in DATA.")
    keys: str = _setting("", "Folder of the signing keys; default: DATA/keys. Share its content between machines.")
    public_url: str = _setting("", "URL in download links; default: the host by which each client reached us.")
    tls_cert: str = _setting("", "PEM file with the certificate chain; with --tls-key the server speaks https.")
    tls_key: str = _setting("", "PEM file with the certificate's private key.")
    workers: int = _setting(1, "Number of server processes.")
    multitenant: bool = _setting(False, "Serve many organizations; devices then need a tenant token.")
    trusted_proxies: str = _setting("", "Comma-separated addresses of proxies whose X-Forwarded-… is believed.")
    smtp_host: str = _setting("", "SMTP server for mail; empty: letters become files in DATA/mail.")
    smtp_port: int = _setting(587, "Port of the SMTP server.")
    smtp_security: str = _setting("starttls", "none, starttls, or tls from the first byte.")
    smtp_user: str = _setting("", "User at the SMTP server; empty: no login.")
    smtp_password: str = _setting("", "Password at the SMTP server; better set as a variable or in the file.")
    mail_from: str = _setting("", "Address that mail comes from; needed with --smtp-host.")
    trial_days: int = _setting(14, "Days until the trial of an organization ends.")
    stripe_key: str = _secret("Secret key at Stripe: plans are charged for; better set as a variable or in the file.")
    stripe_url: str = _setting("https://api.stripe.com", "Address of Stripe's API.")
    stripe_prices: str = _setting(
        "", "What plans cost, as Stripe's price ids: professional=price_1,enterprise=price_2."
    )
    recaptcha_secret: str = _secret("Secret of reCAPTCHA: who signs up must pass it; set it like --stripe-key.")
    recaptcha_url: str = _setting(
        "https://www.google.com/recaptcha/api/siteverify", "Address at which reCAPTCHA responses are verified."
    )
    workflow_threads: int = _setting(4, "Jobs that each process works on at once; 0: leave them to `fairlead worker`.")
    workflow_folder: str = _setting("", "Folder with workflow definitions (*.json) that are read at each start.")
    workflow_programs: str = _setting("", "Programs that cli tasks may run, comma-separated: NAME=/PATH or /PATH.")
    workflow_env: str = _setting("", "What definitions see as ${env.NAME}, comma-separated: NAME=VALUE, or NAME.")
    workflow_lease: int = _setting(15, "Seconds after which others take over the jobs of a process that has died.")
    workflow_per_tenant: int = _setting(8, "Jobs that run at once for one tenant, in all processes together.")
    workflow_per_name: int = _setting(32, "Jobs that run at once of one workflow, in all processes together.")
    allow_outgoing: str = _setting(
        "", "Hosts, addresses and networks that workflows may call though they are not public, comma-separated."
    )
    nats_url: str = _setting("", "NATS server on which nats tasks publish, like nats://127.0.0.1:4222.")
    local_stacks: str = _setting(
        "auto", "Run stacks of the vendor local as processes of this host: on, off, or auto: on without --multitenant."
    )
    local_instances: int = _setting(50, "Instances that all stacks on this host together may have; 0: any number.")
    run_on_local: str = _setting("", "Vendors whose templates run on this host instead, for a trial: aws,alicloud.")
    agents_url: str = _setting("", "URL at which agents on instances call; default: the public URL, else --listen.")
    portal_name: str = _setting("local", "What this server is called among portals of scientific services.")
    services: str = _setting("", "Folder with descriptions of scientific services that are loaded at each start.")
    portal_anonymous: bool = _setting(True, "Let people use the portals without an account.")
    portal_outgoing: str = _setting(
        "", "What people of the portals may have data fetched from though it is not public, like --allow-outgoing."
    )
    portal_registration: bool = _setting(True, "Let people make themselves an account on the portals.")
    ldap_url: str = _setting("", "Directory in which portals look for people: ldap://HOST or ldaps://HOST.")
    ldap_base: str = _setting("", "Below which entry of the directory people are; needed with --ldap-url.")
    ldap_filter: str = _setting("(|(uid={name})(mail={name}))", "What finds somebody by the name that they type.")
    ldap_bind_dn: str = _setting("", "As whom the directory is searched; empty: as nobody.")
    ldap_bind_password: str = _secret("Password for that; better set as a variable or in the file.")
    ldap_start_tls: bool = _setting(False, "Encrypt what is said to ldap://….")
    local_jobs: str = _setting(
        "auto", "Run scientific jobs as processes of this host: on, off, or auto: on without --multitenant."
    )
    job_slots: int = _setting(0, "Jobs that run at once on this host; 0: as many as it has cores.")
    job_path: str = _setting(
        "/usr/lib/phylip/bin", "Folders in which programs of jobs are looked for besides the system's, like PATH."
    )
    job_folders: str = _setting("", "Folders that programs of jobs may read, such as databanks, comma-separated.")
    job_hours: int = _setting(24, "Hours after which a job is ended.")
    job_memory_mb: int = _setting(4096, "Memory of a job, in MiB.")
    job_output_mb: int = _setting(4096, "What a job may write, in MiB.")
    jobs_per_user: int = _setting(500, "Jobs that a user may have under way; 0: any number.")
    project_mb: int = _setting(10_240, "Data that a project may hold, in MiB; 0: any amount.")
    data_mb: int = _setting(2048, "How large one piece of data may be, in MiB; 0: of any size.")
    jobs_kept_days: int = _setting(30, "Days after which jobs that are over are removed; 0: never.")
    data_kept_days: int = _setting(90, "Days after which data is removed that nobody uses or keeps; 0: never.")
    log_level: str = _setting("info", "debug, info, warning or error.")
    log_format: str = _setting("auto", "text, json, or auto: text on a terminal, json elsewhere.")

    @property
    def database_url(self) -> str:
        return self.database or f"sqlite:///{(self.data / 'fairlead.db').absolute()}"

    @property
    def blobs_url(self) -> str:
        return self.blobs or str((self.data / "blobs").absolute())

    @property
    def keys_folder(self) -> Path:
        return Path(self.keys) if self.keys else self.data / "keys"

    @property
    def mail_folder(self) -> Path:
        return self.data / "mail"

    @property
    def home_url(self) -> str:
        """The address that links in letters begin with."""
        if self.public_url:
            return self.public_url.rstrip("/")
        host, port = address_of("--listen", self.listen)
        host = socket.gethostname() if host in {"0.0.0.0", "::"} else host  # noqa: S104 - not a place to go to
        return f"{'https' if self.is_tls else 'http'}://{f'[{host}]' if ':' in host else host}:{port}"

    @property
    def prices(self) -> dict[str, str]:
        """Stripe's price ids by plan."""
        pairs = (pair.partition("=") for pair in self.stripe_prices.split(",") if pair.strip())
        return {plan.strip(): price.strip() for plan, _, price in pairs}

    @property
    def programs(self) -> dict[str, list[str]]:
        """What each program that cli tasks may run stands for."""
        pairs = [entry.strip().partition("=") for entry in self.workflow_programs.split(",") if entry.strip()]
        return {name: [path or name] for name, _, path in pairs}

    @property
    def workflow_environment(self) -> dict[str, str]:
        """The values that definitions may see; a name alone is taken from this process's environment."""
        pairs = [entry.strip().partition("=") for entry in self.workflow_env.split(",") if entry.strip()]
        return {name: value if equals else os.environ.get(name, "") for name, equals, value in pairs}

    @property
    def internal_address(self) -> str:
        """Where this server's own internal listener is called; "" if there is none."""
        return _callable_at("--internal-listen", self.internal_listen) if self.internal_listen else ""

    @property
    def public_address(self) -> str:
        return _callable_at("--listen", self.listen)

    @property
    def local_folder(self) -> Path:
        """Where instances of stacks on this host live."""
        return (self.data / "stacks").absolute()

    @property
    def has_local_stacks(self) -> bool:
        """What a template says is run as this server's user: several organizations do not share that unasked."""
        return self.local_stacks == "on" or (self.local_stacks == "auto" and not self.multitenant)

    @property
    def jobs_folder(self) -> Path:
        """Where the folders of scientific jobs are."""
        return (self.data / "jobs").absolute()

    @property
    def has_local_jobs(self) -> bool:
        """Which programs there are, administrators of portals say: several organizations do not share that unasked."""
        return self.local_jobs == "on" or (self.local_jobs == "auto" and not self.multitenant)

    @property
    def readable_by_jobs(self) -> list[Path]:
        return [Path(path.strip()) for path in self.job_folders.split(",") if path.strip()]

    @property
    def vendors_on_local(self) -> list[str]:
        return [name.strip() for name in self.run_on_local.split(",") if name.strip()]

    @property
    def agents_address(self) -> str:
        """What agents are told to call."""
        own = f"{'https' if self.is_tls else 'http'}://{self.public_address}"
        return (self.agents_url or self.public_url or own).rstrip("/")

    @property
    def is_tls(self) -> bool:
        return bool(self.tls_cert)


def address_of(name: str, text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`; an IPv6 host stands in brackets."""
    host, colon, port = text.rpartition(":")
    if not colon or not _NUMBER.fullmatch(port) or not 0 <= int(port) <= 65535:
        raise BadSetting(name=name, reason=f"{text!r} is not HOST:PORT, for example 127.0.0.1:8080")
    return host.strip("[]") or "0.0.0.0", int(port)  # noqa: S104 - ":8080" says so


def load(given: Mapping[str, Any], environment: Mapping[str, str] = os.environ, file: Path | None = None) -> Settings:
    """The settings from all sources. Refuses with `BadSetting`, in one line, what is unknown or makes no sense."""
    known = {each.name: each for each in fields(Settings)}
    values: dict[str, Any] = {}
    from_environment = {
        name[len(PREFIX) :].lower(): value for name, value in environment.items() if name.startswith(PREFIX)
    }
    from_environment = {name: value for name, value in from_environment.items() if name in known}
    said = {name: value for name, value in given.items() if value is not None}
    data = Path(said.get("data") or from_environment.get("data") or "data")
    from_file = _read_file(file or _configured(environment), data, known)
    for name, each in known.items():
        for source, label in ((said, ""), (from_environment, PREFIX), (from_file, "file: ")):
            if name in source:
                shown = f"{label}{name.upper()}" if label == PREFIX else label + "--" + name.replace("_", "-")
                values[name] = _converted(shown, source[name], type(each.default))
                break
    settings = Settings(**values)
    _check(settings)
    return settings


def _configured(environment: Mapping[str, str]) -> Path | None:
    path = environment.get(f"{PREFIX}CONFIG")
    return Path(path) if path else None


def _read_file(path: Path | None, data: Path, known: Mapping[str, Any]) -> dict[str, Any]:
    wanted = path or data / FILE_NAME
    try:
        content = tomllib.loads(wanted.read_text(encoding="utf-8"))
    except OSError as problem:
        if path is None and isinstance(problem, FileNotFoundError | NotADirectoryError):
            return {}
        raise BadSetting(name="--config", reason=f"{wanted} cannot be read: {problem.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise BadSetting(name="--config", reason=f"{wanted} is not TOML: {problem}") from None
    content = {name.replace("-", "_"): value for name, value in content.items()}
    unknown = sorted(set(content) - set(known))
    if unknown:
        names = ", ".join(known)
        raise BadSetting(name="--config", reason=f"{wanted} sets {unknown[0]!r}, which is not one of: {names}")
    return content


def _converted(name: str, value: Any, wanted: type) -> Any:
    if "\0" in str(value):
        raise BadSetting(name=name, reason="NUL characters are not allowed")
    if isinstance(value, wanted) and not (wanted is int and isinstance(value, bool)):
        return value
    if wanted is bool and str(value).lower() in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
        return str(value).lower() in {"1", "true", "yes", "on"}
    if wanted is int and not isinstance(value, bool) and _NUMBER.fullmatch(str(value)):
        return int(value)
    if issubclass(wanted, Path) and isinstance(value, str) and value:
        return Path(value)
    words = {bool: "true or false", int: "a whole number", str: "a text"}.get(wanted, "a folder")
    raise BadSetting(name=name, reason=f"{value!r} is not {words}")


def _check(settings: Settings) -> None:
    address_of("--listen", settings.listen)
    if settings.internal_listen:
        address_of("--internal-listen", settings.internal_listen)
    if not 1 <= settings.workers <= 64:
        raise BadSetting(name="--workers", reason=f"{settings.workers} is not between 1 and 64")
    if bool(settings.tls_cert) != bool(settings.tls_key):
        raise BadSetting(name="--tls-cert", reason="the certificate and --tls-key are only good together")
    for name, path in (("--tls-cert", settings.tls_cert), ("--tls-key", settings.tls_key)):
        if path and not os.path.isfile(path):
            raise BadSetting(name=name, reason=f"there is no file {path}")
    if settings.public_url:
        _check_url("--public-url", settings.public_url)
    if settings.agents_url:
        _check_url("--agents-url", settings.agents_url)
    _check_stacks(settings)
    _check_mail(settings)
    _check_sign_up(settings)
    _check_workflows(settings)
    _check_portal(settings)
    _check_jobs(settings)
    _check_directory(settings)
    if settings.log_level not in {"debug", "info", "warning", "error"}:
        raise BadSetting(name="--log-level", reason=f"{settings.log_level!r} is not debug, info, warning or error")
    if settings.log_format not in {"auto", "text", "json"}:
        raise BadSetting(name="--log-format", reason=f"{settings.log_format!r} is not auto, text or json")
    if os.path.exists(settings.data) and not os.path.isdir(settings.data):
        raise BadSetting(name="--data", reason=f"{settings.data} is not a folder")


def _check_mail(settings: Settings) -> None:
    if not 1 <= settings.smtp_port <= 65535:
        raise BadSetting(name="--smtp-port", reason=f"{settings.smtp_port} is not between 1 and 65535")
    if settings.smtp_security not in SECURITY:
        raise BadSetting(name="--smtp-security", reason=f"{settings.smtp_security!r} is not none, starttls or tls")
    if bool(settings.smtp_user) != bool(settings.smtp_password):
        raise BadSetting(name="--smtp-user", reason="the user and --smtp-password are only good together")
    if settings.smtp_host and not settings.mail_from:
        raise BadSetting(name="--mail-from", reason="with --smtp-host it must say which address mail comes from")
    if settings.mail_from and not is_address(settings.mail_from):
        reason = f"{settings.mail_from!r} is not like fairlead@example.com or Fairlead <fairlead@example.com>"
        raise BadSetting(name="--mail-from", reason=reason)


def _check_sign_up(settings: Settings) -> None:
    if not 1 <= settings.trial_days <= 3650:
        raise BadSetting(name="--trial-days", reason=f"{settings.trial_days} is not between 1 and 3650")
    for plan, price in settings.prices.items():
        if plan not in {"os", "professional", "enterprise"} or not re.fullmatch(r"[A-Za-z0-9_]{1,255}", price):
            reason = f"{plan}={price} is not like professional=price_1, of a plan os, professional or enterprise"
            raise BadSetting(name="--stripe-prices", reason=reason)
    for name, url in (("--stripe-url", settings.stripe_url), ("--recaptcha-url", settings.recaptcha_url)):
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.netloc:
            raise BadSetting(name=name, reason=f"{url!r} is not an address like https://example.com")
    for name, secret in (("--stripe-key", settings.stripe_key), ("--recaptcha-secret", settings.recaptcha_secret)):
        if not (secret.isascii() and secret.isprintable()) or " " in secret:
            raise BadSetting(name=name, reason="it is not a key: there are characters in it that no key has")


def _callable_at(name: str, listened: str) -> str:
    """The address to call for one that is listened on: every address of a machine includes this one."""
    host, port = address_of(name, listened)
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not listened on here
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _check_workflows(settings: Settings) -> None:
    bounds = {"workflow_threads": (0, 64), "workflow_lease": (2, 3600), "workflow_per_tenant": (1, 10_000)}
    bounds["workflow_per_name"] = (1, 10_000)
    for name, (least, most) in bounds.items():
        value = getattr(settings, name)
        if not least <= value <= most:
            shown = f"--{name.replace('_', '-')}"
            raise BadSetting(name=shown, reason=f"{value} is not between {least} and {most}")
    if settings.workflow_folder and not os.path.isdir(settings.workflow_folder):
        raise BadSetting(name="--workflow-folder", reason=f"there is no folder {settings.workflow_folder}")
    for name, command in settings.programs.items():
        if not name or not os.path.isabs(command[0]):
            raise BadSetting(name="--workflow-programs", reason=f"{command[0]!r} is not an absolute path")


def _check_portal(settings: Settings) -> None:
    name = settings.portal_name
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}", name) or name == "public":
        reason = f"{name!r} is not made of letters, digits, _ and - (63 at most, no - at the beginning), or is public"
        raise BadSetting(name="--portal-name", reason=reason)
    if settings.services and not os.path.isdir(settings.services):
        raise BadSetting(name="--services", reason=f"there is no folder {settings.services}")


def _check_jobs(settings: Settings) -> None:
    if settings.local_jobs not in {"auto", "on", "off"}:
        raise BadSetting(name="--local-jobs", reason=f"{settings.local_jobs!r} is not auto, on or off")
    bounds = {"job_slots": (0, 1024), "job_hours": (1, 8760), "job_memory_mb": (16, 2**24), "job_output_mb": (1, 2**30)}
    bounds |= {"jobs_per_user": (0, 10**6), "project_mb": (0, 2**30), "data_mb": (0, 2**30)}
    bounds |= {"jobs_kept_days": (0, 36_500), "data_kept_days": (0, 36_500)}
    for name, (least, most) in bounds.items():
        if not least <= getattr(settings, name) <= most:
            reason = f"{getattr(settings, name)} is not between {least} and {most}"
            raise BadSetting(name=f"--{name.replace('_', '-')}", reason=reason)
    for path in settings.readable_by_jobs:
        if not path.is_absolute() or not path.is_dir():
            raise BadSetting(name="--job-folders", reason=f"{path} is not the absolute path of a folder")
    if any(not os.path.isabs(path) for path in settings.job_path.split(":") if path):
        raise BadSetting(name="--job-path", reason=f"{settings.job_path!r} is not made of absolute paths")


def _check_directory(settings: Settings) -> None:
    if not settings.ldap_url:
        return
    try:
        directory_of(settings)
    except portal.BadDirectory as problem:
        raise BadSetting(name="--ldap-url", reason=str(problem)) from None


def directory_of(settings: Settings) -> portal.Ldap | None:
    """Where people are looked for who have no account yet, if anywhere."""
    if not settings.ldap_url:
        return None
    return portal.Ldap(
        settings.ldap_url,
        settings.ldap_base,
        settings.ldap_filter,
        settings.ldap_bind_dn,
        settings.ldap_bind_password,
        settings.ldap_start_tls,
    )


def _check_url(name: str, url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path.strip("/") or parts.query:
        raise BadSetting(name=name, reason=f"{url!r} is not like https://updates.example.com")


def _check_stacks(settings: Settings) -> None:
    if settings.local_stacks not in {"auto", "on", "off"}:
        raise BadSetting(name="--local-stacks", reason=f"{settings.local_stacks!r} is not auto, on or off")
    if not 0 <= settings.local_instances <= 100_000:
        reason = f"{settings.local_instances} is not between 0 and 100000"
        raise BadSetting(name="--local-instances", reason=reason)
    for name in settings.vendors_on_local:
        if name not in stacks.vendor_names():
            known = ", ".join(stacks.vendor_names())
            raise BadSetting(name="--run-on-local", reason=f"{name!r} is not one of: {known}")
    if settings.vendors_on_local and not settings.has_local_stacks:
        raise BadSetting(name="--run-on-local", reason="nothing runs on this host without --local-stacks on")
