"""How do threads share the types that JSON is read into?

msgspec works out what a Struct looks like when the first document is read into it, and marks the type as known before
it is done: a second thread that reads into the same type at that moment ends the process with a segmentation fault
(msgspec 0.22). A process that has threads therefore gets to know all its types before it starts them.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec


def learn_types() -> frozenset[type[msgspec.Struct]]:
    """Get to know every Struct that was imported or made until now, and say which those are."""
    learnt = frozenset(_descendants(msgspec.Struct))
    for each in learnt:
        msgspec.json.Decoder(each)
    return learnt


def _descendants(ancestor: type[msgspec.Struct]) -> Iterator[type[msgspec.Struct]]:
    for child in ancestor.__subclasses__():
        yield child
        yield from _descendants(child)
