"""What the headers of an artifact and of its payloads say together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from .broken import BrokenArtifact, shown
from .documents import TypeInfo
from .header import Header, Payload

Value = TypeVar("Value")


def augmented(payloads: list[Payload], augments: list[Payload]) -> list[Payload]:
    """Lay the unsigned header over the signed one: format document v3, "header-augment.tar.gz"."""
    if len(augments) > len(payloads):
        raise BrokenArtifact("the augmented header has more payloads than the header")
    return [augmented_payload(*pair) for pair in zip(payloads, augments, strict=False)] + payloads[len(augments) :]


def augmented_payload(payload: Payload, augment: Payload) -> Payload:
    under, over = payload.type_info or TypeInfo(), augment.type_info or TypeInfo()
    clears = over.clears_artifact_provides
    return Payload(
        type=augment.type or payload.type,
        type_info=TypeInfo(
            artifact_provides={**(under.artifact_provides or {}), **(over.artifact_provides or {})},
            artifact_depends={**(under.artifact_depends or {}), **(over.artifact_depends or {})},
            clears_artifact_provides=under.clears_artifact_provides if clears is None else clears,
        ),
        meta_data=augmented_meta_data(payload.meta_data or {}, augment.meta_data or {}),
    )


def augmented_meta_data(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Objects are joined and everything else is replaced, as long as it stays the same sort of thing."""
    joined = dict(under)
    for key, value in over.items():
        before = under.get(key, value)
        if sort_of(before) != sort_of(value):
            raise BrokenArtifact(f"the augmented meta-data makes something else of {shown(key)}")
        joined[key] = augmented_meta_data(before, value) if isinstance(value, dict) else value
    return joined


def sort_of(value: Any) -> str:
    match value:
        case dict():
            return "object"
        case list():
            return "list"
        case _:
            return "value"


def provides(header: Header) -> dict[str, str]:
    own = {"artifact_name": header.name}
    if header.group:
        own["artifact_group"] = header.group
    return joined(own, (info.artifact_provides for info in type_infos(header)))


def depends(header: Header) -> dict[str, str | list[str]]:
    return joined(header.depends, (info.artifact_depends for info in type_infos(header)))


def clears(header: Header) -> tuple[str, ...]:
    """Every pattern once, in the order of the payloads."""
    return tuple(dict.fromkeys(key for info in type_infos(header) for key in info.clears_artifact_provides or ()))


def type_infos(header: Header) -> list[TypeInfo]:
    return [payload.type_info for payload in header.payloads if payload.type_info]


def joined(own: Mapping[str, Value], others: Iterable[Mapping[str, Value] | None]) -> dict[str, Value]:
    """All of them in one; a key that two of them have is refused, for a device could not tell which one holds."""
    everything = dict(own)
    for other in others:
        for key, value in (other or {}).items():
            if key in everything:
                raise BrokenArtifact(f"conflicting keys are not allowed: {shown(key)}")
            everything[key] = value
    return everything
