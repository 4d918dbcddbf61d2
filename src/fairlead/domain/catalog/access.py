"""Who may call a service, besides what their role in its project allows?"""

from __future__ import annotations

import ipaddress

import msgspec

from fairlead.base.errors import Refusal

MOST_ENTRIES = 100
LONGEST_GROUP = 100


class BadAccess(Refusal):
    message = "This cannot be who may call a service: {reason}"


class Access(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Only members of these groups, only from these networks, only people with an account; unless empty, all of it."""

    groups: tuple[str, ...] = ()
    networks: tuple[str, ...] = ()
    authenticated_only: bool = False

    @property
    def is_open(self) -> bool:
        return not (self.groups or self.networks or self.authenticated_only)


def lets_in(access: Access, groups: frozenset[str], address: str, *, is_known: bool) -> bool:
    """May they call it who belong to these groups, call from there, and are known for who they are, or are not?"""
    if access.authenticated_only and not is_known:
        return False
    if access.groups and not groups & set(access.groups):
        return False
    return not access.networks or _is_within(address, access.networks)


def make_sure_access_is_good(access: Access) -> Access:
    """The same with its networks written in the usual way, or `BadAccess`."""
    if len(access.groups) > MOST_ENTRIES or len(access.networks) > MOST_ENTRIES:
        raise BadAccess(reason=f"there may be at most {MOST_ENTRIES} groups and as many networks")
    for group in access.groups:
        if not 0 < len(group) <= LONGEST_GROUP or not group.isprintable():
            reason = f"the name of a group is printable and has 1 to {LONGEST_GROUP} characters"
            raise BadAccess(reason=reason)
    networks = tuple(dict.fromkeys(_network(text) for text in access.networks))
    return msgspec.structs.replace(access, groups=tuple(dict.fromkeys(access.groups)), networks=networks)


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text.strip(), strict=False))
    except ValueError:
        raise BadAccess(reason=f"{text[:60]!r} is no network like 192.0.2.0/24 or 2001:db8::/32") from None


def _is_within(address: str, networks: tuple[str, ...]) -> bool:
    """Nobody is, whose address is not known."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    plain = mapped or found
    return any(plain in ipaddress.ip_network(network) for network in networks)
