"""Who carries out jobs, and where? `local.LocalSystem` on this machine; a batch system fits in beside it."""

from .local import LEAST_FREE_BYTES, LocalSystem, describe_local
from .routes import LOCAL, Asked, BadRoutes, Route, Routes, Rule, read_routes
from .spec import BadSpec, JobSpec, Limits, Pipe, Stage, one
from .system import WORK, ExecutionSystem, NotSubmitted, Observation, State, Usage, WrongFolder

__all__ = [
    "LEAST_FREE_BYTES",
    "LOCAL",
    "WORK",
    "Asked",
    "BadRoutes",
    "BadSpec",
    "ExecutionSystem",
    "JobSpec",
    "Limits",
    "LocalSystem",
    "NotSubmitted",
    "Observation",
    "Pipe",
    "Route",
    "Routes",
    "Rule",
    "Stage",
    "State",
    "Usage",
    "WrongFolder",
    "describe_local",
    "one",
    "read_routes",
]
