"""May we call this address, and how do we call it?

Whoever can make this server send requests could reach with it what only the server can: the machines beside it, the
cloud's metadata, itself. So every address is looked up first, and one that is not public is refused unless the operator
allows it. The connection is made to the very address that was looked at, and each request makes one of its own: so no
answer of a name server that came later counts, and no request fails because an idle connection has just been closed.
Redirects are not followed, and proxies that the environment names are not used.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlsplit

from fairlead.base.errors import Refusal

if TYPE_CHECKING:
    import httpcore

LARGEST_ANSWER = 1024 * 1024
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], list[str]]
"""The addresses of a name, as texts; raises `OSError` or `UnicodeError` if there are none."""

_BEGIN_CERTIFICATE, _END_OF_CERTIFICATE = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
_IN_A_URL = "".join(chr(mark) for mark in range(33, 127))
_PUBLIC_V6 = ipaddress.IPv6Network("2000::/3")
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class AddressNotAllowed(Refusal):
    message = "{host} is {address}, which is not a public address: the operator can allow it with {setting}"


class BadAddress(Refusal):
    message = "{reason}"


class NoAnswer(Exception):
    """The other side could not be reached, or did not answer in time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the other side said. `body` is cut off after `LARGEST_ANSWER` bytes."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def look_up(host: str, port: int) -> list[str]:
    """The addresses that the system knows for a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(entry[4][0]) for entry in found]


@dataclass(frozen=True, slots=True)
class Streamed:
    """An answer that is still coming."""

    status: int
    headers: tuple[tuple[str, str], ...]
    _response: httpcore.Response

    def header(self, name: str) -> str:
        """The first header of this name; "" if there is none."""
        return next((value for each, value in self.headers if each.lower() == name.lower()), "")

    def pieces(self) -> Iterator[bytes]:
        """All of the body, whatever its length."""
        yield from self._response.iter_stream()

    def beginning(self) -> bytes:
        """The body, cut off after `LARGEST_ANSWER` bytes."""
        return _beginning_of(self._response)


class Pinned:
    """Knows a server of our own by the certificate in a file, whatever name that has, and by no other.

    The file is read for each connection, and what was once in it stays good: whoever shows it may have been started
    before it was renewed, or after.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known: set[bytes] = set()
        self._learn()

    def is_it(self, shown: bytes | None) -> bool:
        self._learn()
        return shown in self._known

    def _learn(self) -> None:
        """Only the first certificate of the file: those after it have issued others besides."""
        with contextlib.suppress(OSError, ValueError):  # without one nobody is known
            first, end, _ = self._file.read_text("ascii").partition(_END_OF_CERTIFICATE)
            self._known.add(ssl.PEM_cert_to_DER_cert(first[first.index(_BEGIN_CERTIFICATE) :] + end))


class Outgoing:
    """Sends requests. `allowed` holds hosts, addresses and networks that need not be public, with or without a port.

    `aliases` names hosts that stand for others: `mender-inventory:8080` for `127.0.0.1:8081`, our own internal
    listener, or for `https://inventory.example.com:8443`. Where an alias leads may be called by its own name as well:
    what calls addresses that anybody may name has none. `setting` is what refusals name as the way to allow more.
    `certificates` names the file of the certificate that must be shown where an alias leads: exactly that one, issued
    for whatever name. Everybody else needs one that the system trusts, and that has their name.
    """

    def __init__(
        self,
        allowed: Iterable[str] = (),
        aliases: Mapping[str, str] | None = None,
        resolve: Resolve = look_up,
        setting: str = "--allow-outgoing",
        certificates: Mapping[str, Path] | None = None,
    ) -> None:
        self._setting = setting
        self._hosts: set[tuple[str, int | None]] = set()
        self._networks: list[tuple[Network, int | None]] = []
        self._aliases: dict[str, SplitResult] = {}
        self._pinned: dict[tuple[str, int], Pinned] = {}
        self._resolve = resolve
        for entry in allowed:
            if entry.strip():
                self._allow(entry.strip().lower())
        for name, target in (aliases or {}).items():
            origin = urlsplit(target if "://" in target else f"http://{target}")
            host, port = _host_and_port(origin)
            self._aliases[name.lower()] = origin
            self._hosts.add((host, port))
            if certificates and name in certificates:
                self._pinned[host, port] = Pinned(certificates[name])

    def _allow(self, entry: str) -> None:
        try:
            self._networks.append((ipaddress.ip_network(entry, strict=False), None))
            return
        except ValueError:
            """It is a name, or it has a port."""
        parts = urlsplit(f"//{entry}")
        try:
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port = None, None
        if not host or parts.path or parts.query or parts.username is not None:
            raise BadAddress(reason=f"{entry!r} is no host, address or network that could be allowed")
        try:
            self._networks.append((ipaddress.ip_network(host), port))
        except ValueError:
            self._hosts.add((host, port))

    def check(self, url: str) -> None:
        """Refuse early what `send` would refuse without looking anything up."""
        host, port = _host_and_port(self._target(url))
        address = _spelled_out(host)
        if address is None and (name := host.rstrip(".")) and f".{name}".endswith((".localhost", ".localdomain")):
            address = ipaddress.IPv4Address("127.0.0.1")
        if address is not None:
            self._make_sure_it_is_allowed(host, port, address)

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        connect_seconds: float,
        read_seconds: float,
    ) -> Answer:
        """Send the request, and give back whatever was answered.

        However slowly the answer drips, all is over after both times together; only how long the system takes to look
        a name up is up to the system. Raises `AddressNotAllowed` and `BadAddress`, and `NoAnswer` when there was none
        in time.
        """
        with self._exchange(method, url, headers, body, connect_seconds, read_seconds) as response:
            return Answer(response.status, _told(response), _beginning_of(response))

    def download(
        self, url: str, take: Callable[[bytes], None], *, connect_seconds: float, read_seconds: float
    ) -> Answer:
        """Ask for what is there, and hand it over piece by piece if the answer is 200; otherwise as `send` does.

        What `take` raises ends it.
        """
        with self._exchange("GET", url, {}, b"", connect_seconds, read_seconds) as response:
            if response.status != 200:
                return Answer(response.status, _told(response), _beginning_of(response))
            for chunk in response.iter_stream():
                take(chunk)
            return Answer(response.status, _told(response), b"")

    @contextlib.contextmanager
    def stream(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Iterator[bytes] = b"",
        *,
        connect_seconds: float,
        read_seconds: float,
        seconds: float,
    ) -> Iterator[Streamed]:
        """Send the request, and hand over the answer as it comes; `seconds` are for all of it together.

        A body that comes piece by piece needs a `Content-Length`. Raises what `send` does, while reading, too.
        """
        with self._exchange(method, url, headers, body, connect_seconds, read_seconds, seconds) as response:
            yield Streamed(response.status, _told(response), response)

    @contextlib.contextmanager
    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Iterator[bytes],
        connect_seconds: float,
        read_seconds: float,
        seconds: float | None = None,
    ) -> Iterator[httpcore.Response]:
        import httpcore

        target = self._target(url)
        said = [(name.encode(), value.strip(" \t").encode()) for name, value in headers.items()]
        if not any(name.lower() == b"host" for name, _ in said):
            said.insert(0, (b"Host", target.netloc.encode()))  # the library leaves out the brackets of IPv6
        timeout = {"connect": connect_seconds, "read": read_seconds, "write": read_seconds, "pool": connect_seconds}
        until = time.monotonic() + (connect_seconds + read_seconds if seconds is None else seconds)
        try:
            with (
                self._own_connection(until, self._pinned_at(target)) as connection,
                connection.stream(
                    method, target.geturl(), headers=said, content=body, extensions={"timeout": timeout}
                ) as response,
            ):
                yield response
        except httpcore.LocalProtocolError:  # its text would quote the header, which may hold a secret
            raise BadAddress(reason="the method or a header has marks that HTTP does not allow") from None
        except (httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError, ssl.SSLError) as problem:
            raise NoAnswer(f"{type(problem).__name__}: {problem}") from None

    def _pinned_at(self, target: SplitResult) -> Pinned | None:
        return self._pinned.get(_host_and_port(target)) if target.scheme == "https" else None

    def _target(self, url: str) -> SplitResult:
        """Where the request goes, with an alias put in and what is not ASCII percent-encoded."""
        if any(ord(mark) <= 32 or ord(mark) == 127 for mark in url):
            raise BadAddress(reason="an address must not contain spaces or control characters")
        try:
            parts = urlsplit(url)
        except ValueError:
            raise BadAddress(reason=f"{_presentable(url)} is no address") from None
        origin = self._aliases.get(parts.netloc.lower())
        if origin is not None:
            parts = parts._replace(scheme=origin.scheme, netloc=origin.netloc)
        _host_and_port(parts)
        return parts._replace(path=quote(parts.path, _IN_A_URL), query=quote(parts.query, _IN_A_URL), fragment="")

    def addresses(self, host: str, port: int) -> list[str]:
        """The addresses of the host that we may call; `AddressNotAllowed` if one of them is not."""
        try:
            found = self._resolve(host, port)
        except (OSError, UnicodeError) as problem:
            raise NoAnswer(f"{host} is not known: {problem}") from None
        addresses = list(dict.fromkeys(address.partition("%")[0] for address in found))
        for address in addresses:
            self._make_sure_it_is_allowed(host.lower(), port, ipaddress.ip_address(address))
        return addresses

    def _make_sure_it_is_allowed(self, host: str, port: int, address: Address) -> None:
        if (host, None) in self._hosts or (host, port) in self._hosts:
            return
        plain = _behind(address)
        for network, only_port in self._networks:
            if plain in network and only_port in (None, port):
                return
        if not _is_public(plain):
            raise AddressNotAllowed(host=host, address=plain, setting=self._setting)

    @cached_property
    def _trust(self) -> ssl.SSLContext:
        return ssl.create_default_context()

    @cached_property
    def _no_trust(self) -> ssl.SSLContext:
        """Takes any certificate: for those who are known by theirs, which is looked at before anything is said."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return context

    def _own_connection(self, until: float, pinned: Pinned | None) -> httpcore.ConnectionPool:
        """What makes one connection, to an address that was looked at, and uses it until that time at most."""
        import httpcore

        outgoing = self

        class Timed(httpcore.NetworkStream):
            """A stream that ends at that time."""

            def __init__(self, stream: httpcore.NetworkStream) -> None:
                self._stream = stream

            def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
                return self._stream.read(max_bytes, _left(until, timeout, httpcore.ReadTimeout))

            def write(self, buffer: bytes, timeout: float | None = None) -> None:
                for start in range(0, len(buffer), 65536):
                    piece = buffer[start : start + 65536]
                    self._stream.write(piece, _left(until, timeout, httpcore.WriteTimeout))

            def close(self) -> None:
                self._stream.close()

            def start_tls(
                self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
            ) -> httpcore.NetworkStream:
                left = _left(until, timeout, httpcore.ConnectTimeout)
                encrypted = self._stream.start_tls(ssl_context, server_hostname, left)
                if pinned is not None and not pinned.is_it(_certificate_of(encrypted)):
                    encrypted.close()
                    raise httpcore.ConnectError("it shows another certificate than this server's own")
                return Timed(encrypted)

            def get_extra_info(self, info: str) -> Any:
                return self._stream.get_extra_info(info)

        class Checked(httpcore.SyncBackend):
            """Connects to addresses that were looked at, and to no others."""

            def connect_tcp(
                self, host: str, port: int, timeout: float | None = None, *more: Any, **named: Any
            ) -> Timed:
                problem: Exception = NoAnswer(f"{host} has no address")
                for address in outgoing.addresses(host, port):
                    left = _left(until, timeout, httpcore.ConnectTimeout)
                    try:
                        return Timed(super().connect_tcp(address, port, left, *more, **named))
                    except (httpcore.ConnectError, httpcore.ConnectTimeout) as failed:
                        problem = failed
                raise problem

        trust = self._trust if pinned is None else self._no_trust
        return httpcore.ConnectionPool(ssl_context=trust, max_keepalive_connections=0, network_backend=Checked())


def _certificate_of(encrypted: httpcore.NetworkStream) -> bytes | None:
    shown: ssl.SSLSocket = encrypted.get_extra_info("ssl_object")
    return shown.getpeercert(True)


def _left(until: float, timeout: float | None, too_late: type[Exception]) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise too_late("it takes too long altogether")
    return left if timeout is None else min(left, timeout)


def _told(response: httpcore.Response) -> tuple[tuple[str, str], ...]:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers)


def _beginning_of(response: httpcore.Response) -> bytes:
    content = bytearray()
    for chunk in response.iter_stream():
        content += chunk
        if len(content) >= LARGEST_ANSWER:
            break
    return bytes(content[:LARGEST_ANSWER])


def _host_and_port(parts: SplitResult) -> tuple[str, int]:
    shown = _presentable(parts.geturl())
    try:
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadAddress(reason=f"{shown} is no address: its port is none") from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise BadAddress(reason=f"{shown} is no http or https address")
    if parts.username is not None:
        raise BadAddress(reason="an address must not contain a user or a password")
    if not host.isascii():
        raise BadAddress(reason=f"{shown} is no address: names that are not ASCII are written as xn--…")
    return host.lower(), port or (443 if parts.scheme == "https" else 80)


def _presentable(url: str) -> str:
    """As much of an address as may stand in a log: its host, quoted. The rest may hold a password or a token."""
    scheme, slashes, rest = url.partition("://")
    host = re.split(r"[/?#\\]", rest, maxsplit=1)[0].rpartition("@")[2]
    return repr(f"{scheme}{slashes}{host}"[:200]) if scheme.lower() in ("http", "https") else "it"


def _spelled_out(host: str) -> Address | None:
    """The address that a host is, in any spelling that the system takes: 127.1, 0x7f000001, 017700000001."""
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        try:
            return ipaddress.IPv4Address(socket.inet_aton(host))
        except (OSError, UnicodeError):
            return None


def _behind(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to, if it does."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: Address) -> bool:
    in_use = isinstance(address, ipaddress.IPv4Address) or address in _PUBLIC_V6
    return in_use and address.is_global and not address.is_multicast
