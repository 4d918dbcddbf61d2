"""Templates: is one usable, what does it ask for, how do two differ, and what does an agent make of it?

The language is Mobingi's of 2017 and 2018 (mobingi.md §1). Nothing in here runs anything: texts of a template are data.
"""

from .agent import agent_config, next_stamp
from .comparing import Comparison, Edit, compare
from .compiler import compiled, read
from .container import KEYS as CONTAINER_KEYS
from .json_text import document
from .limits import Limits
from .model import (
    AclRule,
    Addon,
    AutoScaling,
    Choose,
    Container,
    Database,
    HealthCheck,
    Hole,
    Layer,
    Layers,
    Listener,
    LoadBalancer,
    PortRule,
    Provision,
    SecurityGroup,
    SharedScaling,
    Storage,
    Subnet,
    Template,
    User,
    Vendor,
    Volume,
    in_outline,
    with_vendor_of,
    without_secrets,
)
from .numbers import Counts, Range, SpotShare
from .problems import BadTemplate, EmptyTemplate, Problem
from .spelling import spelled
from .vendors import documented

__all__ = [
    "CONTAINER_KEYS",
    "AclRule",
    "Addon",
    "AutoScaling",
    "BadTemplate",
    "Choose",
    "Comparison",
    "Container",
    "Counts",
    "Database",
    "Edit",
    "EmptyTemplate",
    "HealthCheck",
    "Hole",
    "Layer",
    "Layers",
    "Limits",
    "Listener",
    "LoadBalancer",
    "PortRule",
    "Problem",
    "Provision",
    "Range",
    "SecurityGroup",
    "SharedScaling",
    "SpotShare",
    "Storage",
    "Subnet",
    "Template",
    "User",
    "Vendor",
    "Volume",
    "agent_config",
    "compare",
    "compiled",
    "document",
    "documented",
    "in_outline",
    "next_stamp",
    "read",
    "spelled",
    "with_vendor_of",
    "without_secrets",
]
