"""How the domain says no: a kind that machines understand and a sentence that people do."""

from __future__ import annotations

import enum
from typing import Any, ClassVar


class Kind(enum.Enum):
    """What sort of no it is. Each API turns a kind into its own status code."""

    INVALID = "invalid"  # the request makes no sense as it stands
    UNAUTHENTICATED = "unauthenticated"  # we do not know who asks
    FORBIDDEN = "forbidden"  # we know who asks, and they may not
    NOT_FOUND = "not found"  # not there, or not theirs: the two look the same
    CONFLICT = "conflict"  # the state of things stands against it
    PAYMENT = "payment"  # it costs something, and was not paid for
    LIMIT = "limit"  # a quota or a size is used up
    UNPROCESSABLE = "unprocessable"  # well formed, yet it cannot be carried out
    TOO_LARGE = "too large"  # more bytes than we are willing to read
    UNAVAILABLE = "unavailable"  # a part of ourselves is away; trying again may help
    NOT_BUILT = "not built"  # documented, and not there yet


class Refusal(Exception):
    """A no with a reason. Subclasses name what happened and stand beside the rule that raises them.

    `message` is a template over the keyword arguments, which stay readable in `facts`.
    """

    kind: ClassVar[Kind] = Kind.INVALID
    message: ClassVar[str] = "This cannot be done."

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(self.message.format(**facts))
