"""Does a definition ask for what the operator does not allow? Said when it is registered, and not when it runs."""

from __future__ import annotations

import re
from collections.abc import Container

from fairlead.base.http.outgoing import AddressNotAllowed, BadAddress, Outgoing
from fairlead.domain.workflows.definition import Definition
from fairlead.domain.workflows.model import BadDefinition
from fairlead.domain.workflows.substitution import without_expressions

_MARK = "{"
_BEGINNING = re.compile(r"[^/?#]*(?://[^/?#]*)?")


def make_sure_addresses_are_allowed(definition: Definition, outgoing: Outgoing) -> None:
    """Refuse a request to a host that is named, and may not be called.

    Where an expression says which host it is, or a name server does, `Outgoing.send` looks at it when it runs.
    """
    for task in definition.tasks:
        if task.http is None:
            continue
        beginning = _BEGINNING.match(without_expressions(task.http.uri, _MARK))
        assert beginning is not None
        if _MARK in beginning.group():
            continue
        try:
            outgoing.check(without_expressions(task.http.uri, "x"))
        except (AddressNotAllowed, BadAddress) as refusal:
            raise BadDefinition(reason=f"task {task.name!r}: {refusal}") from None


def make_sure_programs_are_allowed(definition: Definition, programs: Container[str]) -> None:
    """Refuse a task that runs a program which the operator has not named."""
    for task in definition.tasks:
        if task.cli is not None and task.cli.command[0] not in programs:
            raise BadDefinition(
                reason=f"task {task.name!r}: the program {task.cli.command[0][:100]!r} is not allowed: "
                "the operator can allow it with --workflow-programs"
            )
