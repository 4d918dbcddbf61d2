"""Which characters of a text came from a user, after expressions have put texts together and taken them apart?

Every character that a user typed is moved, one to one, to a private plane of Unicode before a description's expressions
see it, and back when the command has been split into words. So whatever the expressions do with it, the splitter knows
each character of a user's and takes it for a letter. Characters beyond the first plane stay where they are: none of
them means anything to the splitter.
"""

from __future__ import annotations

_PLANE = 0xF0000
_LAST = 0xFFFD
"""The last code point of the first plane that is a character."""


def marked(text: str) -> str:
    """The text as a user's."""
    return "".join(chr(_PLANE + ord(each)) if ord(each) <= _LAST else each for each in text)


def plain(text: str) -> str:
    """The text as it was typed; as long as with its marks."""
    return "".join(chr(ord(each) - _PLANE) if is_marked(each) else each for each in text)


def is_marked(character: str) -> bool:
    return _PLANE <= ord(character) <= _PLANE + _LAST


def has_marks(text: str) -> bool:
    return any(is_marked(each) for each in text)


def can_be_marked(text: str) -> bool:
    """No characters of private planes, which would be taken for marks, and none that cannot be sent."""
    return not any(
        0xD800 <= ord(each) <= 0xDFFF or ord(each) in (0xFFFE, 0xFFFF) or ord(each) >= _PLANE for each in text
    )
