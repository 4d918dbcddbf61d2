"""Which values and files does a submission mean, and how are they kept until the job is built?

A file is data of a project. What comes as text or as an address becomes data first, when all the rest is right.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from fairlead.base.blobs.naming import safe_file_name
from fairlead.base.database import Tx
from fairlead.base.errors import Refusal
from fairlead.domain.catalog import ArrayType, Input, Program, Service, StructType, Type
from fairlead.domain.identity import portal
from fairlead.domain.jobs import receiving
from fairlead.domain.jobs.commands import BadValues, Checked, File, check, is_file_name, own_names
from fairlead.domain.jobs.data import find_data
from fairlead.domain.jobs.data_model import LONGEST_NAME, Data, DataStatus, Draft, encoded_size_is_good
from fairlead.domain.jobs.job_model import JobInput
from fairlead.domain.jobs.tools import Tools

LARGEST_INPUTS = 1024 * 1024
MOST_FILES = 500
_SOURCES = ({"data"}, {"url"}, {"content"}, {"content", "filename"}, {"url", "filename"})


@dataclass(frozen=True, slots=True)
class Given:
    """A file as somebody gives it: data that are there, or what will become data."""

    data: Data | None = None
    content: str | None = None
    url: str = ""
    name: str = ""

    @property
    def mark(self) -> str:
        """The same for the same bytes, as far as that can be known before."""
        if self.data is not None:
            return self.data.sha256 or f"data {self.data.id}"
        if self.content is not None:
            return hashlib.sha256(self.content.encode()).hexdigest()
        return f"url {self.url}"


@dataclass(slots=True)
class Asked:
    """The values of a submission that are good, with the file that each name in the job's folder stands for."""

    checked: Checked
    files: Mapping[str, Given]

    def likeness(self, service_hash: str) -> str:
        """Equal for submissions that would do the same."""
        same = shown(self.checked.values, lambda parameter, position, file: {"file": self.files[file.name].mark})
        return hashlib.sha256(msgspec.json.encode([service_hash, same], order="sorted")).hexdigest()


class _Bad(Exception):
    """What is wrong with a file, for whoever gave it."""


@dataclass(slots=True)
class _Reader:
    """Reads the files of a submission, and gives each a name of its own."""

    tx: Tx
    tools: Tools
    taken: set[str]
    files: dict[str, Given] = field(default_factory=dict)

    def read(self, parameter: Input, value: Any, type_: Type | None) -> Any:
        if _is_source(value, type_):
            return self._file(parameter, self._given(value), type_)
        if isinstance(value, list | tuple):
            inner = type_.items if isinstance(type_, ArrayType) else type_
            return [self.read(parameter, each, inner) for each in value]
        if isinstance(value, Mapping) and isinstance(type_, StructType):
            return {name: self.read(parameter, each, type_.properties.get(name)) for name, each in value.items()}
        return value

    def _given(self, value: Mapping[str, Any]) -> Given:
        if not all(isinstance(each, str) for each in value.values()):
            raise _Bad("A file is given by texts.")
        name = value.get("filename", "")
        if "data" in value:
            return self._data(value["data"])
        if "content" in value:
            if not encoded_size_is_good(value["content"]):
                raise _Bad("It is too long, or no text: upload it as data first.")
            return Given(content=value["content"], name=name)
        try:
            receiving.make_sure_url_is_good(self.tools, value["url"])
        except Refusal as refusal:
            raise _Bad(str(refusal)) from None
        return Given(url=value["url"], name=name or value["url"].partition("?")[0].rstrip("/").rpartition("/")[2])

    def _data(self, id_: str) -> Given:
        try:
            data = find_data(self.tx, portal.number_of(id_))
        except portal.NotThere:
            raise _Bad("There is no such data.") from None
        if data.status is DataStatus.ERROR:
            raise _Bad(f"This data cannot be read: {data.message}")
        return Given(data=data, name=data.name)

    def _file(self, parameter: Input, given: Given, type_: Type | None) -> File:
        if len(self.files) >= MOST_FILES:
            raise _Bad(f"A job reads at most {MOST_FILES} files.")
        name = self._name_for(parameter, given)
        self.files[name] = given
        if given.data is None:
            return File(name)
        return File(name, given.data.data_terms, given.data.format_terms)

    def _name_for(self, parameter: Input, given: Given) -> str:
        """Its own, if a program may have it, and no other file has."""
        own = file_name_for(given.name) or file_name_for(parameter.name) or "input"
        names = [own, *(f"{number}_{own}" for number in range(2, MOST_FILES + 3))]
        name = next(each for each in names if each not in self.taken)
        self.taken.add(name)
        return name


def file_name_for(wanted: str) -> str:
    """As near to what was wanted as a file in a job's folder may be called, "" if nothing is left of it."""
    name = safe_file_name(wanted).lstrip(".-@") if wanted else ""
    return name if is_file_name(name) else ""


def read_inputs(tx: Tx, tools: Tools, service: Service, values: Mapping[str, Any]) -> Asked:
    """All that is wrong is said at once, for each parameter: `BadValues`."""
    if len(msgspec.json.encode(_without_contents(values))) > LARGEST_INPUTS:
        raise BadValues({"": [f"The values have at most {LARGEST_INPUTS} bytes together."]})
    reader = _Reader(tx, tools, set(_names_of_its_own(service, values)))
    known = {each.parameter.name: each.parameter for each in service.inputs.placed()}
    errors: dict[str, list[str]] = {}
    read: dict[str, Any] = {}
    for name, value in values.items():
        parameter = known.get(name)
        try:
            read[name] = value if parameter is None else reader.read(parameter, value, parameter.type)
        except _Bad as bad:
            errors[name] = [str(bad)]
    try:
        checked = check(service, read)
    except BadValues as refusal:
        raise BadValues({**refusal.errors, **errors}) from None
    if errors:
        raise BadValues(errors)
    return Asked(checked, reader.files)


def _without_contents(values: Any) -> Any:
    """What is said of the files, and not what is in them."""
    if isinstance(values, Mapping):
        return {name: "" if name == "content" else _without_contents(each) for name, each in values.items()}
    if isinstance(values, list | tuple):
        return [_without_contents(each) for each in values]
    return values


def _is_source(value: Any, type_: Type | None) -> bool:
    if not isinstance(value, Mapping) or set(value) not in _SOURCES:
        return False
    return not (isinstance(type_, StructType) and set(value) <= set(type_.properties))


def _names_of_its_own(service: Service, values: Mapping[str, Any]) -> Iterator[str]:
    """Files that the job has, or may come to have, besides those that are given to it."""
    yield from (stdout_of(service), stderr_of(service))
    if isinstance(service, Program):
        yield from (each.parameter.paramfile for each in service.inputs.placed() if each.parameter.paramfile)
        yield from own_names(service, values)


def stdout_of(service: Service) -> str:
    return f"{file_name_for(service.name) or 'job'}.out"


def stderr_of(service: Service) -> str:
    return f"{file_name_for(service.name) or 'job'}.err"


def keep_files(tx: Tx, tools: Tools, project: int, asked: Asked) -> tuple[dict[str, Any], list[JobInput]]:
    """Make data of what is none yet; the values as they are kept, and the files that the job reads."""
    inputs: list[JobInput] = []

    def keep(parameter: str, position: int, file: File) -> Any:
        given = asked.files[file.name]
        data = given.data or _made(tx, tools, project, given, file)
        inputs.append(JobInput(parameter, position, data.number, file.name))
        return {"data": data.id}

    return shown(asked.checked.values, keep), inputs


def _made(tx: Tx, tools: Tools, project: int, given: Given, file: File) -> Data:
    draft = Draft(name=(file_name_for(given.name) or file.name)[:LONGEST_NAME])
    if given.content is not None:
        return receiving.add_text(tx, tools, project, draft, given.content)
    return receiving.add_from_url(tx, tools, project, draft, given.url)


ShownFile = Callable[[str, int, File], Any]


def shown(values: Mapping[str, Any], of_file: ShownFile) -> dict[str, Any]:
    """The values as JSON has them. Files are counted for each parameter, from 0."""
    return {name: _shown(value, name, [0], of_file) for name, value in values.items() if value is not None}


def _shown(value: Any, parameter: str, counter: list[int], of_file: ShownFile) -> Any:
    if isinstance(value, File):
        counter[0] += 1
        return of_file(parameter, counter[0] - 1, value)
    if isinstance(value, list | tuple):
        return [_shown(each, parameter, counter, of_file) for each in value]
    if isinstance(value, Mapping):
        return {name: _shown(each, parameter, counter, of_file) for name, each in value.items()}
    return value


def values_again(service: Service, kept: Mapping[str, Any], inputs: Collection[JobInput]) -> Checked:
    """The values of a job as they were checked when it was submitted, whatever its data are called by now."""
    by_place = {(each.parameter, each.position): each for each in inputs}

    def again(value: Any, parameter: str, counter: list[int]) -> Any:
        if isinstance(value, Mapping) and set(value) == {"data"} and (parameter, counter[0]) in by_place:
            each = by_place[parameter, counter[0]]
            counter[0] += 1
            return File(each.file_name)
        if isinstance(value, list):
            return [again(each, parameter, counter) for each in value]
        if isinstance(value, Mapping):
            return {name: again(each, parameter, counter) for name, each in value.items()}
        return value

    return check(service, {name: again(value, name, [0]) for name, value in kept.items()})
