"""What is a service? The model of Mobyle2, whatever language a description was written in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Literal, TypeVar

from .conditions import Condition
from .expressions import Expression
from .problems import Problem

NO_VALUE = ("null", "Null", "NULL", "mobyle_null")
"""Options and defaults that stand for no value."""

OutputKind = Literal["file", "stdout", "stderr", "progress"]


@dataclass(frozen=True, slots=True)
class Option:
    label: str | None
    value: str | None
    """`None`: choosing it is choosing nothing."""


@dataclass(frozen=True, slots=True)
class BooleanType:
    default: bool | None = None
    data_terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class IntegerType:
    default: int | None = None
    min: int | None = None
    max: int | None = None
    data_terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FloatType:
    default: float | None = None
    min: float | None = None
    max: float | None = None
    data_terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StringType:
    """One of its options, or whatever somebody writes if it has none."""

    default: str | None = None
    options: tuple[Option, ...] = ()
    data_terms: tuple[str, ...] = ()

    @property
    def choices(self) -> tuple[str, ...]:
        return tuple(option.value for option in self.options if option.value is not None)


@dataclass(frozen=True, slots=True)
class FormattedType:
    """A file."""

    default: str | None = None
    data_terms: tuple[str, ...] = ()
    format_terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ArrayType:
    """Several of one type; expressions see them joined by the separator."""

    items: Type
    default: tuple[Any, ...] | None = None
    separator: str = " "
    data_terms: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StructType:
    """Things of different types by name."""

    properties: Mapping[str, Type]
    default: Mapping[str, Any] | None = None
    data_terms: tuple[str, ...] = ()


Type = BooleanType | IntegerType | FloatType | StringType | FormattedType | ArrayType | StructType


@dataclass(frozen=True, slots=True)
class Control:
    """What a value must be; the message says it to whoever gave another."""

    test: Condition
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """A parameter that goes into a service. Its type was lost in some descriptions: then it is a file or a text.

    Workflows and widgets use nothing from `argpos` on.
    """

    name: str
    prompt: str | None = None
    comment: str | None = None
    precond: Condition | None = None
    type: Type | None = None
    main: bool = False
    hidden: bool = False
    simple: bool = False
    mandatory: bool = False
    ctrls: tuple[Control, ...] = ()
    argpos: int | None = None
    format: Expression | None = None
    paramfile: str | None = None
    command: bool = False


@dataclass(frozen=True, slots=True)
class Output:
    """A parameter that comes out. `filenames` is evaluated to a pattern for files in the job's folder."""

    name: str
    prompt: str | None = None
    comment: str | None = None
    precond: Condition | None = None
    type: Type | None = None
    main: bool = False
    hidden: bool = False
    simple: bool = False
    argpos: int | None = None
    filenames: Expression | None = None
    output_type: OutputKind = "file"
    progress: bool = False


P = TypeVar("P", bound=Input | Output)


@dataclass(frozen=True, slots=True)
class Paragraph(Generic[P]):
    """Parameters and paragraphs that are shown together. Its precondition is one of everything in it."""

    children: tuple[P | Paragraph[P], ...] = ()
    name: str | None = None
    prompt: str | None = None
    comment: str | None = None
    precond: Condition | None = None
    argpos: int | None = None

    def placed(self, above: tuple[Paragraph[P], ...] = ()) -> Iterator[Placed[P]]:
        """Every parameter below here, in the order of the description."""
        way = (*above, self)
        for child in self.children:
            if isinstance(child, Paragraph):
                yield from child.placed(way)
            else:
                yield Placed(child, way)


@dataclass(frozen=True, slots=True)
class Placed(Generic[P]):
    """A parameter with the paragraphs that it is in, the outermost first."""

    parameter: P
    paragraphs: tuple[Paragraph[P], ...]

    @property
    def preconds(self) -> tuple[Condition, ...]:
        conditions = [*(each.precond for each in self.paragraphs), self.parameter.precond]
        return tuple(each for each in conditions if each is not None)

    @property
    def argpos(self) -> int:
        """Its own place in the command, else its innermost paragraph's, else 0 for the command and 1 for others."""
        if self.parameter.argpos is not None:
            return self.parameter.argpos
        if isinstance(self.parameter, Input) and self.parameter.command:
            return 0
        given = [each.argpos for each in reversed(self.paragraphs) if each.argpos is not None]
        return given[0] if given else 1

    def is_active(self, values: Mapping[str, Any]) -> bool:
        return all(condition.holds(values) for condition in self.preconds)


@dataclass(frozen=True, slots=True)
class Reference:
    label: str | None = None
    doi: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Image:
    """A container's image: `type` says of what, such as docker."""

    type: str | None = None
    id: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Software:
    name: str
    version: str | None = None
    public_name: str | None = None
    title: str | None = None
    description: str | None = None
    authors: str | None = None
    references: tuple[Reference, ...] = ()
    documentation_links: tuple[str, ...] = ()
    source_links: tuple[str, ...] = ()
    homepage_links: tuple[str, ...] = ()
    comment: str | None = None
    operations: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    package: str | None = None
    categories: tuple[str, ...] = ()
    """Where Mobyle 1 lists it, like `alignment:multiple`."""
    inputs: Paragraph[Input] = field(default_factory=Paragraph)
    outputs: Paragraph[Output] = field(default_factory=Paragraph)
    warnings: tuple[Problem, ...] = field(default=(), compare=False)
    """What is odd about the description, and was read nevertheless."""

    def find_input(self, name: str) -> Input | None:
        return next((each.parameter for each in self.inputs.placed() if each.parameter.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program(Software):
    """A command line."""

    command: str | None = None
    env: Mapping[str, str] = field(default_factory=dict)
    cpu: int | None = None
    mem: int | None = None
    network: bool = False
    containers: tuple[Image, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskValue:
    """A parameter of a task that the workflow sets: to a value, or to data that is referred to."""

    name: str
    value: Any = None
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Task:
    id: str
    service: str
    server: str | None = None
    suspend: bool = False
    description: str | None = None
    values: tuple[TaskValue, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """Without a task it comes from an input of the workflow, or goes to an output of it."""

    from_parameter: str
    to_parameter: str
    from_task: str | None = None
    to_task: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Workflow(Software):
    """A graph of services."""

    tasks: tuple[Task, ...] = ()
    links: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Widget(Software):
    """Something in the browser that shows or edits data."""

    url: str | None = None


Service = Program | Workflow | Widget
