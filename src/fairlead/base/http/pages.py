"""How is a page made that is one file, without anything from elsewhere?

Its policy lets no script run but its own, by its hash, whatever else would get into it.
"""

from __future__ import annotations

import base64
import hashlib
import html
from dataclasses import dataclass

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="portal" content="{portal}">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>{without_script}</main>
<script>{script}</script>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class Page:
    """`portal` is told to the script, `without_script` to people whose browser runs none."""

    title: str
    script: str
    style: str
    portal: str = ""
    without_script: str = ""
    framed_by: str = "'none'"

    def content(self) -> bytes:
        without = f"<noscript><p>{html.escape(self.without_script)}</p></noscript>" if self.without_script else ""
        said = {"portal": html.escape(self.portal), "title": html.escape(self.title), "without_script": without}
        return _PAGE.format(style=self.style, script=self.script, **said).encode()

    def headers(self) -> dict[str, str]:
        """With what a page is answered, besides its type."""
        policy = (
            f"default-src 'none'; script-src {_hash_of(self.script)}; style-src {_hash_of(self.style)}; "
            f"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {self.framed_by}"
        )
        return {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Content-Security-Policy": policy,
            "Cache-Control": "no-cache",
        }


def _hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
