"""What a template says, once it has been checked and everything is put in where it is referred to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .numbers import Counts, Range, SpotShare, shared_out
from .problems import Problem
from .spelling import snake

VERSION = "2017-03-03"


@dataclass(frozen=True, slots=True)
class Vendor:
    """Where the stack is to run. `credential` names what we keep, unless the template brings its `secret` along."""

    name: str
    region: str = ""
    credential: str = ""
    secret: str = field(default="", repr=False)
    project: str = ""


@dataclass(frozen=True, slots=True)
class Volume:
    type: str | None
    size_gib: int | None


@dataclass(frozen=True, slots=True)
class Subnet:
    cidr: str | None
    public: bool = True
    auto_assign_public_ip: bool = True
    """Says nothing where the subnet is not public."""


@dataclass(frozen=True, slots=True)
class AclRule:
    number: int
    protocol: str
    """A number of IANA's, or -1 for all of them."""
    allow: bool
    outgoing: bool
    cidr: str


@dataclass(frozen=True, slots=True)
class PortRule:
    cidr: str
    protocol: str
    from_port: int
    to_port: int


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    incoming: tuple[PortRule, ...]
    outgoing: tuple[PortRule, ...]


@dataclass(frozen=True, slots=True)
class Layers:
    """Named by `#ref` or `#share`: the very subnets, the groups … that these layers have."""

    what: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AutoScaling:
    """A group of instances that grows and shrinks. `spot` says how many of them may be taken away at any time."""

    min: int
    max: int
    spot: SpotShare
    availability_zones: tuple[str, ...] = ()
    cooldown_seconds: int = 360
    healthcheck_grace_seconds: int = 360
    subnets: Layers | tuple[str, ...] = ()
    security_groups: Layers | tuple[str, ...] = ()

    @property
    def is_off(self) -> bool:
        """From none to none: the layer has instances that are counted by hand."""
        return self.max == 0 and self.spot.is_none

    @property
    def counts(self) -> Counts:
        return shared_out(self.min, self.max, self.spot)


@dataclass(frozen=True, slots=True)
class SharedScaling:
    """The layer takes part in the group of another one, which has the instances of both."""

    flag: str


@dataclass(frozen=True, slots=True)
class Listener:
    port: int
    protocol: str
    instance_port: int
    instance_protocol: str
    cert_domain: str | None = None


@dataclass(frozen=True, slots=True)
class HealthCheck:
    target: str
    interval_seconds: int
    healthy_threshold: int
    timeout_seconds: int | None = None
    unhealthy_threshold: int | None = None


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """Groups and subnets are those of layers, or ids that the vendor knows."""

    type: str
    scheme: str
    listeners: tuple[Listener, ...]
    security_groups: Layers | tuple[str, ...] = ()
    subnets: Layers | tuple[str, ...] = ()
    health_check: HealthCheck | None = None


@dataclass(frozen=True, slots=True)
class Database:
    instance_type: str
    engine: str
    version: str | None
    storage_gib: int | None
    multi_az: bool
    replicas: int


@dataclass(frozen=True, slots=True)
class Provision:
    """What a layer's instances are made of. `None` is where neither the template nor we have anything to say."""

    availability_zone: str | None = None
    instance_type: str | None = None
    image: str | None = None
    instance_count: int = 1
    volume: Volume | None = None
    keypair: bool = True
    subnet: Subnet | None = None
    network_acl: tuple[AclRule, ...] = ()
    security_group: SecurityGroup | None = None
    auto_scaling: AutoScaling | SharedScaling | None = None
    load_balancer: LoadBalancer | None = None
    database: Database | None = None


@dataclass(frozen=True, slots=True)
class User:
    """May log in to the container with this key."""

    name: str
    public_key: str


@dataclass(frozen=True, slots=True)
class Addon:
    name: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Storage:
    type: str
    id: str
    mount_path: str


@dataclass(frozen=True, slots=True)
class Container:
    """What runs on the instances of a layer. Two that are equal need no deployment between them."""

    image: str | None = None
    registry_username: str | None = None
    registry_password: str | None = field(default=None, repr=False)
    code_dir: str | None = None
    git_repo: str | None = None
    git_reference: str | None = None
    git_private_key: str | None = field(default=None, repr=False)
    command: tuple[str, ...] = field(default=(), repr=False)
    """A program and its arguments, for the vendor `local`."""
    ports: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    users: tuple[User, ...] = ()
    addons: tuple[Addon, ...] = ()
    storage: Storage | None = None
    updated: int | None = None
    """A stamp that was written by hand; mostly it is left to us (`next_stamp`)."""


@dataclass(frozen=True, slots=True)
class Layer:
    role: str
    flag: str
    provision: Provision
    container: Container | None = None

    @property
    def instances(self) -> Counts:
        """How many instances the layer has of its own."""
        scaling = self.provision.auto_scaling
        if self.role not in ("web", "bastion") or isinstance(scaling, SharedScaling):
            return Counts()
        if scaling is None or scaling.is_off:
            count = self.provision.instance_count
            return Counts(on_demand=Range(count, count))
        return scaling.counts


@dataclass(frozen=True, slots=True)
class Template:
    """A template that can be used.

    `document` is what was written, with its expressions, and its secret too: `shown` is what may be given back.
    """

    document: Mapping[str, Any] = field(repr=False)
    vendor: Vendor
    layers: tuple[Layer, ...]
    label: str = ""
    description: str = ""
    warnings: tuple[Problem, ...] = ()

    @property
    def flags(self) -> tuple[str, ...]:
        return tuple(layer.flag for layer in self.layers)

    def layer(self, flag: str) -> Layer | None:
        return next((layer for layer in self.layers if layer.flag == flag), None)

    @property
    def fewest_instances(self) -> int:
        """How many instances there are to begin with."""
        return sum(layer.instances.fewest for layer in self.layers)

    @property
    def most_instances(self) -> int:
        """How many instances there are when every layer is scaled up as far as it goes."""
        return sum(layer.instances.most for layer in self.layers)

    @property
    def shown(self) -> dict[str, Any]:
        return without_secrets(self.document)


def without_secrets(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without the secret keys of its vendor, which are never given back, however they are spelled."""
    return {key: _vendor_without_secrets(said) if snake(key) == "vendor" else said for key, said in document.items()}


def _vendor_without_secrets(vendors: Any) -> Any:
    if not isinstance(vendors, Mapping):
        return vendors
    return {
        name: {key: value for key, value in said.items() if snake(key) != "secret"}
        if isinstance(said, Mapping)
        else said
        for name, said in vendors.items()
    }


def in_outline(document: Mapping[str, Any]) -> dict[str, Any]:
    """The document without what runs in its layers, which is full of keys and passwords."""
    return {key: _outlines(said) if snake(key) == "configurations" else said for key, said in document.items()}


def _outlines(layers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{key: value for key, value in layer.items() if snake(key) != "container"} for layer in layers]


def with_vendor_of(document: Mapping[str, Any], first: Mapping[str, Any]) -> dict[str, Any]:
    """The document with the vendor of the first one, in front of its layers: what it says itself of one is ignored."""
    vendor: Any = next((said for key, said in first.items() if snake(key) == "vendor"), {})
    told: dict[str, Any] = {}
    for key, said in document.items():
        if snake(key) == "configurations":
            told["vendor"] = vendor
        if snake(key) != "vendor":
            told[key] = said
    return told


@dataclass(frozen=True, slots=True)
class Hole:
    """Something that is left to us: it says `${computed}`, or nothing at all. `keys` are below the layer."""

    vendor: Vendor
    flag: str
    keys: tuple[str | int, ...]


Choose = Callable[[Hole], Any]
"""Fills a hole with a JSON value, the same one whenever it is asked; `None` leaves it out."""
