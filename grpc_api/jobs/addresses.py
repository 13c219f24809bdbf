"""Which addresses of the network a partner's name may lead to: server-side request forgery.

The partner chooses the name, and whoever runs its DNS chooses the addresses: without this the
worker could be sent to our own machines, or to a cloud's metadata service (169.254.169.254).
"""

from collections.abc import Callable, Mapping
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from types import MappingProxyType
from typing import Final

IpAddress = IPv4Address | IPv6Address

_UNICAST: Final = IPv6Network("2000::/3")  # all that IANA has given out for the internet
# Of these an IPv4 address is a part, and who routes them decides where it leads.
_TUNNELS: Final = (
    IPv6Network("::ffff:0:0/96"),  # mapped, RFC 4291
    IPv6Network("::/96"),  # compatible, RFC 4291
    IPv6Network("64:ff9b::/96"),  # NAT64, RFC 6052
    IPv6Network("64:ff9b:1::/48"),  # NAT64 of one network, RFC 8215
    IPv6Network("2001::/32"),  # Teredo, RFC 4380
    IPv6Network("2002::/16"),  # 6to4, RFC 3056
)
# What our Python still takes for public.
_SPECIAL: Final = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments, RFC 6890; a cloud's metadata service
    IPv4Network("192.88.99.0/24"),  # relays of 6to4, RFC 7526
    IPv6Network("3fff::/20"),  # documentation, RFC 9637
)
_LOOPBACK: Final = IPv6Address("::1")  # the one address of ::/96 that is in use


class Reach(Enum):
    """How far a call may go."""

    PUBLIC = "a public address"
    INTERNAL = "an address of a machine"  # the sandbox: our own networks, too
    LOOPBACK = "this machine"  # where there is no TLS


class RefusedAddressError(Exception):
    """A name leads where it must not; the message is a sentence without data."""


def verify_addresses(addresses: list[str], reach: Reach) -> list[str]:
    """Check every address that a name has; return them as they are to be connected to.

    One that is refused refuses the name: which of them is used must not be the DNS's choice.

    Raises:
        RefusedAddressError: there is none, or one is out of reach.
    """
    if not addresses:
        raise RefusedAddressError("the partner's name has no address")
    parsed = [_parse(one) for one in addresses]
    if not all(_is_within(one, reach) for one in parsed):
        raise RefusedAddressError(f"the partner's name does not lead to {reach.value}")
    return [str(one) for one in parsed]


def _parse(address: str) -> IpAddress:
    try:
        return ip_address(address)
    except ValueError:
        raise RefusedAddressError("the partner's name has an address of no known kind") from None


def _is_within(address: IpAddress, reach: Reach) -> bool:
    return not _leads_to_nobody(address) and _WITHIN[reach](address)


def _leads_to_nobody(address: IpAddress) -> bool:
    """Tell of what is never one machine of a partner, in any network."""
    if address == _LOOPBACK:
        return False
    if isinstance(address, IPv6Address) and any(address in one for one in _TUNNELS):
        return True
    return (
        address.is_unspecified
        or address.is_multicast
        or address.is_link_local
        or address.is_reserved
    )


def _is_public(address: IpAddress) -> bool:
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return False
    return address.is_global and not any(address in one for one in _SPECIAL)


_WITHIN: Final[Mapping[Reach, Callable[[IpAddress], bool]]] = MappingProxyType(
    {
        Reach.PUBLIC: _is_public,
        Reach.INTERNAL: lambda _: True,
        Reach.LOOPBACK: lambda address: address.is_loopback,
    }
)
