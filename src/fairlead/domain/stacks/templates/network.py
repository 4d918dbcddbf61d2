"""What may a layer's instances be reached by: subnet, network ACL, security group?"""

from __future__ import annotations

from typing import Any

from .model import AclRule, Layers, PortRule, SecurityGroup, Subnet
from .problems import WRONG, Place
from .shapes import Field, Rule, Said, boolean, choice, integer, many, network, record, text

ANY_PROTOCOL = "-1"
_NAMED_PROTOCOLS = {"tcp": "tcp", "udp": "udp", "icmp": "icmp", "icmpv6": "icmpv6", "all": ANY_PROTOCOL}
_IDS = text(255)


def pointed_at(what: str) -> Rule:
    """What other layers have, or ids of the vendor's, joined by commas."""

    def rule(value: Any, at: Place) -> Any:
        if isinstance(value, Layers):
            return value if value.what == what else at.problem(f"must refer to a {what}, and refers to a {value.what}")
        ids = _IDS(value, at)
        return ids if ids is WRONG else tuple(one.strip() for one in ids.split(",") if one.strip())

    return rule


def _numbered_protocol(value: Any, at: Place) -> Any:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str) and (value == ANY_PROTOCOL or (value.isascii() and value.isdigit() and _is_byte(value))):
        return value
    return at.problem("must be -1 or the number of a protocol, 0 to 255")


def _protocol(value: Any, at: Place) -> Any:
    named = _NAMED_PROTOCOLS.get(value.lower()) if isinstance(value, str) else None
    if named:
        return named
    numbered = value if isinstance(value, int) and not isinstance(value, bool) else value if _is_digits(value) else None
    if numbered is None:
        return at.problem(f"must be {', '.join(_NAMED_PROTOCOLS)}, -1 or a number from 0 to 255")
    return _numbered_protocol(numbered, at)


def _is_digits(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.removeprefix("-").isdigit()


def _is_byte(digits: str) -> bool:
    return len(digits) <= 3 and int(digits) <= 255


def _subnet(said: Said) -> Any:
    if said.is_wrong:
        return WRONG
    return Subnet(said.get("cidr"), said.get("public", True), said.get("auto_assign_public_ip", True))


def _acl_rule(said: Said) -> Any:
    if said.is_wrong:
        return WRONG
    return AclRule(
        number=said.get("rule_number"),
        protocol=said.get("protocol"),
        allow=said.get("rule_action") == "allow",
        outgoing=said.get("acl_egress", False),
        cidr=said.get("cidr_block"),
    )


def _port_rule(said: Said) -> Any:
    if said.is_wrong:
        return WRONG
    rule = PortRule(said.get("cidr_ip"), said.get("ip_protocol"), said.get("from_port"), said.get("to_port"))
    if rule.protocol.startswith("icmp") or rule.from_port <= rule.to_port:  # with ICMP they are a type and a code
        return rule
    return said.at("to_port").problem(f"must not be less than 'from_port', which is {rule.from_port}")


def _security_group(said: Said) -> Any:
    if said.is_wrong:
        return WRONG
    return SecurityGroup(said.get("ingress", ()), said.get("egress", ()))


subnet = record(
    {
        "cidr": Field(network, spellings=("cidr_block",)),
        "public": Field(boolean),
        "auto_assign_public_ip": Field(boolean, spellings=("map_public_ip_on_launch",)),
    },
    _subnet,
)

_acl_rules = many(
    record(
        {
            "rule_number": Field(integer(1, 32766), required=True),
            "protocol": Field(_numbered_protocol, required=True),
            "rule_action": Field(choice("allow", "deny"), required=True),
            "acl_egress": Field(boolean, spellings=("egress",)),
            "cidr_block": Field(network, required=True, spellings=("cidr",)),
        },
        _acl_rule,
    ),
    most=100,
)


def network_acl(value: Any, at: Place) -> Any:
    """The rules of a network; a number stands once for what comes in and once for what goes out."""
    rules = _acl_rules(value, at)
    if rules is WRONG:
        return WRONG
    seen: dict[tuple[int, bool], int] = {}
    for index, rule in enumerate(rules):
        first = seen.setdefault((rule.number, rule.outgoing), index)
        if first != index:
            way = "outgoing" if rule.outgoing else "incoming"
            (at / index).problem(f"has the rule number {rule.number} of another {way} rule, at {first}")
    return rules


_port_rules = many(
    record(
        {
            "cidr_ip": Field(network, required=True),
            "from_port": Field(integer(-1, 65535), required=True),
            "ip_protocol": Field(_protocol, required=True),
            "to_port": Field(integer(-1, 65535), required=True),
        },
        _port_rule,
    ),
    most=200,
)

security_group = record(
    {
        "ingress": Field(_port_rules, spellings=("security_group_ingress",)),
        "egress": Field(_port_rules, spellings=("security_group_egress",)),
    },
    _security_group,
)
