"""What an organization runs in the cloud or on this host: layers of instances that a template describes."""

from fairlead.domain import identity
from fairlead.domain.stacks import store
from fairlead.domain.stacks.agents import admit_agent, verify_agent
from fairlead.domain.stacks.answers import container_config, private_key, session_keys
from fairlead.domain.stacks.credentials import add_credential, list_credentials, remove_credential
from fairlead.domain.stacks.lifecycle import apply, change, create, delete, update
from fairlead.domain.stacks.looking import find_stack, list_stacks
from fairlead.domain.stacks.model import (
    AgentReport,
    Applied,
    BadCredential,
    BadReport,
    Compared,
    Container,
    ContainerNotFound,
    ContainerReport,
    Credential,
    CredentialExists,
    CredentialInUse,
    CredentialNotFound,
    InstanceNotFound,
    KeyNotFound,
    NoDriver,
    NoRoomOnHost,
    ServerConfig,
    ServerConfigChange,
    SessionKeys,
    Stack,
    StackIsBusy,
    StackNotFound,
    Status,
    TooManyReports,
    UnknownVendor,
    Version,
    VersionNotFound,
    VersionRef,
)
from fairlead.domain.stacks.operations import WORKFLOW
from fairlead.domain.stacks.replacing import spot_shutdown, watch
from fairlead.domain.stacks.reports import find_container, list_containers, report_agent, report_container
from fairlead.domain.stacks.server_config import change_server_config, server_config
from fairlead.domain.stacks.template_versions import (
    compare,
    template_of,
    verify_template,
    versions,
)
from fairlead.domain.stacks.templates import (
    CONTAINER_KEYS,
    BadTemplate,
    Comparison,
    EmptyTemplate,
    Limits,
    Problem,
    Template,
    spelled,
)
from fairlead.domain.stacks.tools import Tools, vendor_names
from fairlead.domain.stacks.vendors.driver import Driver, Instance, VendorFailed
from fairlead.domain.stacks.vendors.local import LocalDriver
from fairlead.domain.stacks.work import steps

identity.when_member_removed(store.disown)

__all__ = [
    "CONTAINER_KEYS",
    "WORKFLOW",
    "AgentReport",
    "Applied",
    "BadCredential",
    "BadReport",
    "BadTemplate",
    "Compared",
    "Comparison",
    "Container",
    "ContainerNotFound",
    "ContainerReport",
    "Credential",
    "CredentialExists",
    "CredentialInUse",
    "CredentialNotFound",
    "Driver",
    "EmptyTemplate",
    "Instance",
    "InstanceNotFound",
    "KeyNotFound",
    "Limits",
    "LocalDriver",
    "NoDriver",
    "NoRoomOnHost",
    "Problem",
    "ServerConfig",
    "ServerConfigChange",
    "SessionKeys",
    "Stack",
    "StackIsBusy",
    "StackNotFound",
    "Status",
    "Template",
    "TooManyReports",
    "Tools",
    "UnknownVendor",
    "VendorFailed",
    "Version",
    "VersionNotFound",
    "VersionRef",
    "add_credential",
    "admit_agent",
    "apply",
    "change",
    "change_server_config",
    "compare",
    "container_config",
    "create",
    "delete",
    "find_container",
    "find_stack",
    "list_containers",
    "list_credentials",
    "list_stacks",
    "private_key",
    "remove_credential",
    "report_agent",
    "report_container",
    "server_config",
    "session_keys",
    "spelled",
    "spot_shutdown",
    "steps",
    "template_of",
    "update",
    "vendor_names",
    "verify_agent",
    "verify_template",
    "versions",
    "watch",
]
