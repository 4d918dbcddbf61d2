"""Commands: may a service be run with these values, which words run it, and what comes out?

Nothing in here runs anything, and nothing that it makes is for a shell.
"""

from collections.abc import Mapping

from fairlead.domain.catalog import Program

from .building import CannotBuild, Command, build_command
from .checking import BadValues, Checked, check
from .outputs import OutputRule, output_rules
from .own_names import own_names
from .running import why_not_runnable
from .values import File, Unfit, is_file_name, values_seen
from .words import BadLine, NeedsShell


def build(program: Program, checked: Checked, files: Mapping[str, str | tuple[str, ...]] | None = None) -> Command:
    """The command for values that were checked. `files` are the names that files have in the job's folder.

    Without them they have those that they were checked with.
    """
    return build_command(program, values_seen(program, _with_files(checked, files)))


def outputs(
    program: Program, checked: Checked, files: Mapping[str, str | tuple[str, ...]] | None = None
) -> list[OutputRule]:
    """What the job leaves behind, for the values that it ran with."""
    return output_rules(program, values_seen(program, _with_files(checked, files)))


def _with_files(checked: Checked, files: Mapping[str, str | tuple[str, ...]] | None) -> dict[str, object]:
    named = {
        name: File(names) if isinstance(names, str) else tuple(File(each) for each in names)
        for name, names in (files or {}).items()
    }
    return dict(checked.values) | named


__all__ = [
    "BadLine",
    "BadValues",
    "CannotBuild",
    "Checked",
    "Command",
    "File",
    "NeedsShell",
    "OutputRule",
    "Unfit",
    "build",
    "check",
    "is_file_name",
    "outputs",
    "own_names",
    "why_not_runnable",
]
