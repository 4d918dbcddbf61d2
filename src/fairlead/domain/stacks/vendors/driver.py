"""What does a vendor have to be able to do? Plan, create, change, delete, observe: this, and no more.

A driver is told what is wanted (`Order`) and makes a plan of its own, which is written down before anything of it is
carried out. `create`, `change` and `delete` start what the plan says and return; how far that has come is told by
`observe`. All of them are called again after a power cut, with the same plan, and by another process: what is there
already is left alone, and nothing is made twice. They are called by one job of a stack at a time.

Adding a vendor: write a class like this one, and add it to the drivers in `app.py`. Nothing else knows vendors by name.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.stacks.templates import Template

Plan = Mapping[str, Any]
"""A driver's own words: a JSON object. Whatever it will need to find again what it has made must be in it."""


class VendorFailed(Refusal):
    """The vendor will not do it, and asking again does not help. `cause` is told to people."""

    kind = Kind.UNPROCESSABLE
    message = "{cause}"


class VendorIsAway(Refusal):
    """The vendor does not answer. The job tries again."""

    kind = Kind.UNAVAILABLE
    message = "{vendor} does not answer: {reason}"


@dataclass(frozen=True, slots=True)
class AgentBrief:
    """What the agent on an instance of the stack has to know: mobingi.md §4, `alm-agent.cfg`."""

    account: str
    stack_id: str
    api_url: str
    auth_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Order:
    """What is wanted of a stack. `retire` names instances that must go, each once its replacement is there."""

    brief: AgentBrief
    template: Template
    public_keys: Mapping[str, str] = field(default_factory=dict)
    """By flag: for those who log in to the layer's instances."""
    credential: Mapping[str, str] = field(default_factory=dict, repr=False)
    """What was kept under the credential's name, opened."""
    retire: frozenset[str] = frozenset()

    @property
    def stack_id(self) -> str:
        return self.brief.stack_id


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance as the vendor sees it. `details` is what people are shown besides, in the vendor's own words.

    `has_agent`: something on it will report to us, and the stack is not complete before it has.
    """

    id: str
    flag: str
    is_spot: bool = False
    state: str = "pending"
    has_agent: bool = True
    details: Mapping[str, Any] = field(default_factory=dict)


class Progress(enum.Enum):
    UNDER_WAY = "under way"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Observation:
    """How far has the plan come? `cause` says in plain words why it failed."""

    progress: Progress
    instances: tuple[Instance, ...] = ()
    cause: str = ""


class Driver(Protocol):
    """One vendor."""

    @property
    def name(self) -> str:
        """As templates call it."""

    def plan(self, order: Order, before: Plan | None) -> Plan:
        """What is to be there, given what was planned before (None: nothing). Touches nothing outside.

        Raises `VendorFailed` for what this vendor cannot do.
        """

    def create(self, order: Order, plan: Plan) -> None:
        """Start to make all that the plan names."""

    def change(self, order: Order, plan: Plan, before: Plan) -> None:
        """Start to turn what was planned before into what the plan names. What replaces something comes first."""

    def delete(self, brief: AgentBrief, plan: Plan) -> None:
        """Start to remove everything that any plan of this stack has ever named; nothing being there is no error."""

    def observe(self, brief: AgentBrief, plan: Plan, *, deleted: bool = False) -> Observation:
        """How far has `create` or `change` come (or, with `deleted`, `delete`), and what is there now?

        It may take the next step that had to wait, like ending what has been replaced. An instance that has ended
        without being asked to is `terminated`, and then nothing is `DONE`.
        """
