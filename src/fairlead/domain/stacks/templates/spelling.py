"""How does one write the name of a key? In several generations of templates: `cidr_ip`, `CidrIp`, `cidrIp`."""

from __future__ import annotations

import re
from collections.abc import Iterable

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """The name as we write it. Longer ones than anybody uses stay as they are."""
    return name if len(name) > 64 else _HUMP.sub("_", name).lower()


def spelled(keys: Iterable[str], *names: str) -> list[str]:
    """Those of the keys that mean one of the names, however they are written."""
    wanted = {snake(name) for name in names}
    return [key for key in keys if key in names or snake(key) in wanted]
