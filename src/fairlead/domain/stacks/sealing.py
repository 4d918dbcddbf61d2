"""What of a stack must not be readable in the database, and how is it kept?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import msgspec

from fairlead.base.seal import Seal


@dataclass(frozen=True, slots=True)
class Written:
    """A plan as it was written down, and what it takes the place of.

    `deploys` are the flags of the layers whose agents have something new to deploy, `retired` the instances that the
    plan lets go. It was written down `planned_at` for the template's `version_id`, together with the layers' stamps.
    """

    plan: Mapping[str, Any] | None = None
    before: Mapping[str, Any] | None = None
    deploys: Sequence[str] = ()
    retired: Sequence[str] = ()
    version_id: str = ""
    planned_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Overlay:
    """What was said about all layers of a stack besides its template."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    git_repo: str = ""


def close_text(seal: Seal, stack_id: str, what: str, text: str) -> str:
    return seal.close(text.encode(), _for(stack_id, what))


def open_text(seal: Seal, stack_id: str, what: str, sealed: str) -> str:
    return seal.open(sealed, _for(stack_id, what)).decode()


def close_plan(seal: Seal, stack_id: str, written: Written) -> str:
    return seal.close(msgspec.json.encode(written), _for(stack_id, "plan"))


def open_plan(seal: Seal, stack_id: str, sealed: str) -> Written:
    return msgspec.json.decode(seal.open(sealed, _for(stack_id, "plan")), type=Written) if sealed else Written()


def close_overlay(seal: Seal, stack_id: str, overlay: Overlay) -> str:
    return seal.close(msgspec.json.encode(overlay), _for(stack_id, "settings"))


def open_overlay(seal: Seal, stack_id: str, sealed: str) -> Overlay:
    return msgspec.json.decode(seal.open(sealed, _for(stack_id, "settings")), type=Overlay) if sealed else Overlay()


def _for(stack_id: str, what: str) -> str:
    return f"stack {stack_id} {what}"
