"""Descriptions of services: what does one say, is it one, and what do its conditions and expressions mean?"""

from .comparing import as_typed
from .conditions import Condition
from .documents import read_document
from .edam import Branching, Term, accepts, canonical, find_term, is_a, tree
from .expressions import CannotEvaluate, Expression, literals
from .json_text import read_json
from .marks import can_be_marked, has_marks, is_marked, marked, plain
from .model import (
    NO_VALUE,
    ArrayType,
    BooleanType,
    Control,
    FloatType,
    FormattedType,
    Image,
    Input,
    IntegerType,
    Link,
    Option,
    Output,
    Paragraph,
    Placed,
    Program,
    Reference,
    Service,
    Software,
    StringType,
    StructType,
    Task,
    TaskValue,
    Type,
    Widget,
    Workflow,
)
from .problems import BadDescription, Problem
from .writing import as_document
from .xml_text import read_xml
from .yaml_text import read_yaml

__all__ = [
    "NO_VALUE",
    "ArrayType",
    "BadDescription",
    "BooleanType",
    "Branching",
    "CannotEvaluate",
    "Condition",
    "Control",
    "Expression",
    "FloatType",
    "FormattedType",
    "Image",
    "Input",
    "IntegerType",
    "Link",
    "Option",
    "Output",
    "Paragraph",
    "Placed",
    "Problem",
    "Program",
    "Reference",
    "Service",
    "Software",
    "StringType",
    "StructType",
    "Task",
    "TaskValue",
    "Term",
    "Type",
    "Widget",
    "Workflow",
    "accepts",
    "as_document",
    "as_typed",
    "can_be_marked",
    "canonical",
    "find_term",
    "has_marks",
    "is_a",
    "is_marked",
    "literals",
    "marked",
    "plain",
    "read_document",
    "read_json",
    "read_xml",
    "read_yaml",
    "tree",
]
