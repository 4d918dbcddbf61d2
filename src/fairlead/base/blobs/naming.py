"""Under which name does a person find a download on the disk?"""

from __future__ import annotations

import re
from urllib.parse import quote

LONGEST_FILE_NAME = 120
_UNSAFE = re.compile(r"[^\w.+@=,-]+")


def safe_file_name(wanted: str) -> str:
    """As near to what was wanted as any disk, header and address takes: no folders, spaces, quotes or controls."""
    stem, dot, ending = _UNSAFE.sub("-", wanted).strip("-.").rpartition(".")
    room = LONGEST_FILE_NAME - len(dot + ending)
    name = (stem[:room] + dot + ending) if room > 0 else ending[:LONGEST_FILE_NAME]
    return name or "download"


def attachment(file_name: str) -> str:
    """The value of Content-Disposition, after RFC 6266: plain for old programs, exact for all others."""
    name = safe_file_name(file_name)
    plain = name.encode("ascii", "replace").decode().replace("?", "_")
    if plain == name:
        return f'attachment; filename="{name}"'
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
