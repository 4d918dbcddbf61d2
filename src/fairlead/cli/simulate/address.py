"""Which address is meant? URLs as users, servers and artifact links give them, taken apart once."""

from typing import NamedTuple
from urllib.parse import urljoin, urlsplit


class BadAddress(ValueError):
    """Says what is wrong with it, in a sentence."""


class Origin(NamedTuple):
    """Where one connection leads to."""

    secure: bool
    host: str
    port: int

    @property
    def authority(self) -> str:
        """As it stands in the Host header: without the port that goes without saying."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{'https' if self.secure else 'http'}://{self.authority}"


class Address(NamedTuple):
    origin: Origin
    target: str


def parse(url: str) -> Address:
    if any(character.isspace() or not character.isprintable() for character in url):
        raise BadAddress(f"{url!r} has characters that no address may have")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise BadAddress(f"{url!r} is not an address: {error}") from None
    if parts.scheme not in ("http", "https") or not host:
        raise BadAddress(f"{url!r} is not an address like https://fairlead.example.com:8443")
    secure = parts.scheme == "https"
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Address(Origin(secure, host, port or (443 if secure else 80)), target)


def parse_server(url: str) -> Origin:
    """A server is named without a path: devices know by themselves where everything is."""
    address = parse(url)
    if address.target != "/":
        raise BadAddress(f"{url!r} has a path; give only the server, like {address.origin}")
    return address.origin


def follow(base: Address, location: str) -> Address:
    return parse(urljoin(f"{base.origin}{base.target}", location))
