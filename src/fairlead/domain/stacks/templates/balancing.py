"""What stands in front of a layer's instances?"""

from __future__ import annotations

from typing import Any

from .model import HealthCheck, Layers, Listener, LoadBalancer
from .network import pointed_at
from .problems import WRONG, Place
from .shapes import Field, Said, choice, integer, many, record, text

_PORT = integer(1, 65535)
_PROTOCOL = choice("HTTP", "HTTPS", "TCP", "SSL")
_SECURE = ("HTTPS", "SSL")
_LAYERS = {"HTTP": "HTTP/HTTPS", "HTTPS": "HTTP/HTTPS", "TCP": "TCP/SSL", "SSL": "TCP/SSL"}
_CHECKS = integer(1, 100)
_PARTS_OF_A_NETWORK = ("application", "networking")
"""These need two subnets, in zones of their own, so that one of them may fail."""


def _listener(said: Said) -> Any:
    outside, inside = said.get("protocol"), said.get("instance_protocol", said.get("protocol"))
    if said.is_wrong:
        return WRONG
    if _LAYERS[outside] != _LAYERS[inside]:
        return said.at("instance_protocol").problem(f"must be {_LAYERS[outside]}, as 'protocol' is {outside}")
    return Listener(
        port=said.get("load_balancer_port"),
        protocol=outside,
        instance_port=said.get("instance_port"),
        instance_protocol=inside,
        cert_domain=said.get("cert_domain"),
    )


_some_listeners = many(
    record(
        {
            "load_balancer_port": Field(_PORT, required=True),
            "protocol": Field(_PROTOCOL, required=True),
            "instance_port": Field(_PORT, required=True),
            "instance_protocol": Field(_PROTOCOL),
            "cert_domain": Field(text(255, shortest=1)),
        },
        _listener,
    ),
    least=1,
    most=100,
)


def _listeners(value: Any, at: Place) -> Any:
    listeners = _some_listeners(value, at)
    if listeners is WRONG:
        return WRONG
    ports: dict[int, int] = {}
    secure: dict[int, tuple[int, bool]] = {}
    for index, one in enumerate(listeners):
        first = ports.setdefault(one.port, index)
        if first != index:
            (at / index).problem(f"has the port {one.port} of another listener, at {first}")
        is_secure = one.instance_protocol in _SECURE
        before, was_secure = secure.setdefault(one.instance_port, (index, is_secure))
        if was_secure != is_secure:
            (at / index).problem(
                f"must agree with the listener at {before} whether the instances' port {one.instance_port} is secure"
            )
    return listeners


def _health_check(said: Said) -> Any:
    interval, timeout = said.number("interval"), said.number("timeout")
    if interval is not None and timeout is not None and timeout >= interval:
        said.at("timeout").problem(f"must be less than 'interval', which is {interval}")
    if said.is_wrong:
        return WRONG
    return HealthCheck(
        target=said.get("target"),
        interval_seconds=said.get("interval"),
        healthy_threshold=said.get("healthy_threshold"),
        timeout_seconds=timeout,
        unhealthy_threshold=said.get("unhealthy_threshold"),
    )


def _target(value: Any, at: Place) -> Any:
    target = text(
        1024,
        matching=r"(?i:(TCP|SSL):[0-9]{1,5}|HTTPS?:[0-9]{1,5}/[!-~]*)",
        like="like TCP:80 or HTTP:80/path",
    )(value, at)
    if target is WRONG:
        return WRONG
    port = int(target.partition(":")[2].partition("/")[0])
    return target if 1 <= port <= 65535 else at.problem(f"must have a port of 1 to 65535, and has {port}")


def _balancer(said: Said) -> Any:
    kind, subnets = said.get("lb_type", "classic"), said.get("subnets", ())
    if kind in _PARTS_OF_A_NETWORK and subnets is not WRONG and _how_many(subnets) < 2:
        said.at("subnets").problem(f"must name two subnets or more, as 'lb_type' is {kind}")
    if said.is_wrong:
        return WRONG
    return LoadBalancer(
        type=kind,
        scheme=said.get("scheme", "internet-facing"),
        listeners=said.get("listeners"),
        security_groups=said.get("security_groups", ()),
        subnets=subnets,
        health_check=said.get("health_check"),
    )


def _how_many(named: Layers | tuple[str, ...]) -> int:
    return len(set(named.flags if isinstance(named, Layers) else named))


load_balancer = record(
    {
        "lb_type": Field(choice("classic", "application", "networking")),
        "scheme": Field(choice("internet-facing", "internal")),
        "security_groups": Field(pointed_at("security_group")),
        "subnets": Field(pointed_at("subnet")),
        "listeners": Field(_listeners, required=True),
        "health_check": Field(
            record(
                {
                    "healthy_threshold": Field(_CHECKS, required=True),
                    "interval": Field(integer(5, 300), required=True),
                    "target": Field(_target, required=True),
                    "timeout": Field(integer(1, 299)),
                    "unhealthy_threshold": Field(_CHECKS),
                },
                _health_check,
            )
        ),
    },
    _balancer,
)
