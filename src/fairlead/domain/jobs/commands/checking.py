"""May a service be run with these values? Everything that is wrong is said at once, for each parameter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fairlead.base.errors import Kind, Refusal
from fairlead.domain.catalog import Input, Placed, Program, Software, StringType

from .building import words_of
from .values import Unfit, is_file_name, read_value, seen, usual, values_seen
from .words import begins_with_users_dash

MOST_UNKNOWN = 100
"""So many are told."""

_SCRIPT = re.compile(r"\.(ba|c|k|z|tc)?sh$")
_PLAIN_TEXT = re.compile(r"[\w .,:+=@-]*")


class BadValues(Refusal):
    """`errors` says for each parameter what is wrong with its value."""

    kind = Kind.UNPROCESSABLE
    message = "{summary}"

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        self.errors = dict(errors)
        summary = "\n".join(f"{name}: {' '.join(messages)}" for name, messages in self.errors.items())
        super().__init__(summary=summary, errors=self.errors)


@dataclass(frozen=True, slots=True)
class Checked:
    """Values that a service can be run with: what was given, of the right types. Defaults are not among them."""

    values: Mapping[str, Any]
    dropped: tuple[str, ...] = ()
    """Values that were given to parameters that the others switch off, and that nobody will look at."""


def check(service: Software, values: Mapping[str, Any]) -> Checked:
    """The values, or `BadValues` with all that is wrong with them. A `File` stands for a file."""
    errors: dict[str, list[str]] = {}
    inputs = list(service.inputs.placed())
    given = _read(inputs, values, errors)
    kept = _kept(service, inputs, given)
    all_values = values_seen(service, kept)
    active = [each for each in inputs if each.is_active(all_values)]
    unread = errors.keys() & _free_to_set(inputs) - {each.parameter.name for each in active}
    dropped = tuple(each for each in values if each in unread or (given.get(each) is not None and each not in kept))
    errors = {name: messages for name, messages in errors.items() if name not in dropped}
    for entry in active:
        if entry.parameter.name not in errors:
            messages = [
                *_wrongs(entry.parameter, kept, all_values),
                *_wrong_names(service, entry, kept),
                *_wrong_for_a_script(service, entry, kept),
            ]
            errors |= {entry.parameter.name: messages} if messages else {}
    if not errors and isinstance(service, Program):
        errors = {name: [_NO_OPTION] for name in _options_of_their_own(service, kept)}
    if errors:
        raise BadValues(errors)
    return Checked(kept, dropped)


_NO_OPTION = "It must not begin with a dash, as the program would take it for an option."


def _read(inputs: Iterable[Placed[Input]], values: Mapping[str, Any], errors: dict[str, list[str]]) -> dict[str, Any]:
    known = {each.parameter.name: each.parameter for each in inputs}
    given: dict[str, Any] = {}
    unknown = [name for name in values if name not in known]
    errors.update({name: ["There is no such parameter."] for name in unknown[:MOST_UNKNOWN]})
    for name in (name for name in known if name in values):
        parameter, value = known[name], values[name]
        if parameter.hidden:
            errors[name] = ["This is set by the service itself."]
        else:
            try:
                given[name] = read_value(parameter.type, value)
            except Unfit as unfit:
                errors[name] = [str(unfit)]
    return given


def _kept(service: Software, inputs: list[Placed[Input]], given: Mapping[str, Any]) -> dict[str, Any]:
    """What is left when the values of parameters that are switched off are dropped, until none is left to drop."""
    kept = dict(given)
    while True:
        values = values_seen(service, kept)
        on = {each.parameter.name for each in inputs if each.is_active(values)}
        if kept.keys() <= on:
            return kept
        kept = {name: value for name, value in kept.items() if name in on}


def _free_to_set(inputs: Iterable[Placed[Input]]) -> frozenset[str]:
    return frozenset(each.parameter.name for each in inputs if not each.parameter.hidden)


def _wrongs(parameter: Input, given: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    if parameter.mandatory and values[parameter.name] is None:
        yield "A value is needed."
    if given.get(parameter.name) is None:
        return
    about = {"value": seen(parameter, given[parameter.name]), "vdef": usual(parameter)}
    for control in parameter.ctrls:
        if not control.test.holds({**values, **about}):
            yield control.message or "This value is not allowed."


def _wrong_names(service: Software, entry: Placed[Input], given: Mapping[str, Any]) -> Iterator[str]:
    """Of texts that name outputs."""
    name = entry.parameter.name
    value = given.get(name)
    if not isinstance(value, str) or not _is_free_text(entry.parameter) or name not in _namers_of_files(service):
        return
    if not is_file_name(value):
        yield "It must be the name of a file: without slashes, and not beginning with a dot, a dash or an @."


def _wrong_for_a_script(service: Software, entry: Placed[Input], given: Mapping[str, Any]) -> Iterator[str]:
    """Scripts of a shell may put what they are given into commands of their own, and rarely quote it well."""
    if not isinstance(service, Program) or not _is_free_text(entry.parameter):
        return
    words = (service.command or "").split()
    value = given.get(entry.parameter.name)
    texts = [each for each in (value if isinstance(value, tuple) else [value]) if isinstance(each, str)]
    if words and _SCRIPT.search(words[0]) and not all(_PLAIN_TEXT.fullmatch(each) for each in texts):
        yield "It must be made of letters, digits, blanks and . , : + - = @ only, as this program is a shell's script."


def _is_free_text(parameter: Input) -> bool:
    return not (isinstance(parameter.type, StringType) and parameter.type.choices)


def _namers_of_files(service: Software) -> frozenset[str]:
    """The parameters of which names of outputs are made."""
    outputs = [each.parameter.filenames for each in service.outputs.placed()]
    return frozenset().union(*(each.names() for each in outputs if each is not None))


def _options_of_their_own(program: Program, given: Mapping[str, Any]) -> Iterator[str]:
    """The texts that would stand first in a word of the command, and begin with a dash."""
    for name, value in given.items():
        if isinstance(value, str) and value.startswith("-"):
            harmless = dict(given) | {name: f"x{value}"}
            if _dashes(program, given) > _dashes(program, harmless):
                yield name


def _dashes(program: Program, given: Mapping[str, Any]) -> int:
    try:
        words = words_of(program, values_seen(program, given))
    except Refusal:  # it is told when the command is built
        return 0
    return sum(begins_with_users_dash(word) for word in words)
