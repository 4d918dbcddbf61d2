"""What do devices say, byte for byte? Made before the clock runs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from fairlead.cli.bench.artifact import DEVICE_TYPE
from fairlead.domain import devices

RUNNING = "release-0"
_DEVICES = "/api/devices/v1"
_NEXT = f"{_DEVICES}/deployments/device/deployments/next"
_AGENT = "Host: bench.local\r\nUser-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n"


def next_by_get(tokens: Iterable[bytes]) -> Iterator[bytes]:
    """Have you work for me? As clients up to mender-client 2 ask."""
    start = f"GET {_NEXT}?artifact_name={RUNNING}&device_type={DEVICE_TYPE} HTTP/1.1\r\n{_AGENT}Authorization: Bearer "
    return _around(start.encode(), tokens, b"\r\n\r\n")


def next_by_post(tokens: Iterable[bytes]) -> Iterator[bytes]:
    """The same with a body that says all that the device provides."""
    body = json.dumps({"artifact_name": RUNNING, "device_type": DEVICE_TYPE}).encode()
    return _with_body("POST", _NEXT, tokens, body)


def reports(tokens: Iterable[bytes]) -> Iterator[bytes]:
    """Here is my inventory: each device says something else."""
    path = f"{_DEVICES}/inventory/device/attributes"
    for number, token in enumerate(tokens):
        body = json.dumps([{"name": a.name, "value": a.value} for a in attributes(number)]).encode()
        yield from _with_body("PATCH", path, (token,), body)


def auth_request(body: bytes, signature: bytes) -> bytes:
    """Let me in."""
    start = f"POST {_DEVICES}/authentication/auth_requests HTTP/1.1\r\n{_AGENT}"
    more = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\nX-MEN-Signature: "
    return b"".join((start.encode(), more.encode(), signature, b"\r\n\r\n", body))


def attributes(number: int) -> list[devices.Attribute]:
    """About what mender-client's inventory scripts find on a small device."""
    octets = f"{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
    values: dict[str, str | int | float | list[str | int | float]] = {
        "device_type": DEVICE_TYPE,
        "artifact_name": RUNNING,
        "mender_client_version": "2.6.0",
        "kernel": "Linux version 5.10.0-8-arm64 (gcc 10.2.1) #1 SMP PREEMPT",
        "hostname": f"bench-{number}",
        "cpu_model": "ARMv7 Processor rev 5 (v7l)",
        "mem_total_kB": 948_304 + number % 7,
        "ipv4_eth0": f"10.{octets}/24",
        "network_interfaces": ["eth0", "wlan0"],
        "uptime_hours": number % 1000 + 0.5,
    }
    return [devices.Attribute(name, value) for name, value in values.items()]


def _with_body(method: str, path: str, tokens: Iterable[bytes], body: bytes) -> Iterator[bytes]:
    head = f"{method} {path} HTTP/1.1\r\n{_AGENT}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return _around(f"{head}Authorization: Bearer ".encode(), tokens, b"\r\n\r\n" + body)


def _around(start: bytes, tokens: Iterable[bytes], end: bytes) -> Iterator[bytes]:
    return (b"".join((start, token, end)) for token in tokens)
