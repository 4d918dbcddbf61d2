"""Is this YAML that we are willing to look at? Tags say what something is, and never make an object of it."""

from __future__ import annotations

from typing import Any

import yaml

from .documents import read_document
from .model import Service
from .problems import bad

MOST_BYTES = 1024 * 1024
MOST_EVENTS = 200_000
DEEPEST = 60
MOST_ALIASES = 1000
_PREFIX = "!mobyle/"


_Parser: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Parser):  # type: ignore[misc]
    """Mappings know their tag; a key may stand in one only once; `yes`, `no`, `on` and `off` are words like others."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - it is PyYAML's
        first: [(tag, written) for tag, written in resolvers if first in "tTfF" or tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in _Parser.yaml_implicit_resolvers.items()
    }


def _tagged(loader: _Loader, kind: str, node: yaml.Node) -> Any:
    if not isinstance(node, yaml.MappingNode):
        raise yaml.constructor.ConstructorError(None, None, f"{_PREFIX}{kind} must be a mapping", node.start_mark)
    return {"_type": kind} | _mapping(loader, node)


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    made: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str | int | float | bool | None) or key in made:
            problem = f"{str(key)[:60]!r} is no key, or is there twice"
            raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
        made[key] = loader.construct_object(value_node, deep=True)
    return made


_Loader.add_multi_constructor(_PREFIX, _tagged)
_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_str)


def read_yaml(text: bytes | str) -> Service:
    """The service that a YAML text describes; `BadDescription` lists all that is wrong with it."""
    data = text.encode() if isinstance(text, str) else text
    if len(data) > MOST_BYTES:
        raise bad(f"A description may have at most {MOST_BYTES} bytes.")
    try:
        _make_sure_it_is_flat(data)
        document = yaml.load(data, Loader=_Loader)  # noqa: S506 - a loader of ours that makes plain data
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError) as error:
        raise bad(f"The description is not YAML that can be read: {_in_a_line(error)}.") from None
    return read_document(document)


def _make_sure_it_is_flat(data: bytes) -> None:
    """Before anything is made of it."""
    depth = aliases = 0
    for count, event in enumerate(yaml.parse(data, Loader=_Parser)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        aliases += isinstance(event, yaml.AliasEvent)
        if count > MOST_EVENTS or depth > DEEPEST or aliases > MOST_ALIASES:
            raise ValueError("it is too large or nested too deeply")


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
