"""Networks of clients, and where messages come from. Pure.

Whatever is limited or restricted by address goes by these: rate limits, shares of rooms, mutes, bans and slow rooms.

One IPv6 customer may have many networks, so every limited resource has two shares, defined here for all limits: one for an address, or an IPv6 /64;
and one for a *site*, the widest network that one customer may have (`levels_of`, `share_of_site`).
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, NamedTuple

Network = IPv4Address | IPv6Network
"""Addresses that count as one, as `network_of` gives them."""

NEIGHBOURS: Final = 64
"""The prefix of IPv6 networks: a single customer gets at least such a network (RFC 6177), and can use all of it."""

SITE: Final = 48
"""The prefix of IPv6 sites: the widest network that a single customer may have (RFC 6177)."""

TRANSLATED: Final = (IPv6Network("64:ff9b::/96"), IPv6Network("::ffff:0:0:0/96"))
"""The networks whose addresses end with the IPv4 address of a client behind a translator (RFC 6052, section 2.1; RFC 7915): without
that all people with IPv4 would count as one address."""

SITE_TIMES: Final = 2
"""A site has so many times the share of an address: some sites are one home, others a university, and both are one customer's."""

UNIX_SOCKET: Final = ""
"""Stands for the address of a client that has come over a Unix socket."""

THIS_MACHINE: Final = IPv4Address("127.0.0.1")
"""The common address of all clients on this machine that may act for somebody else."""

FROM: Final = "from "
"""Prefix of identifiers that are networks."""

ON: Final = "on "
"""Prefix of identifiers that are connections."""

NETWORKS_REMEMBERED: Final = 128
"""Networks of addresses that are remembered: each request asks several times."""

SITES_REMEMBERED: Final = 4_096
"""Sites of networks that are remembered: as many as there may be device links, and some more."""


@lru_cache(maxsize=NETWORKS_REMEMBERED)
def network_of(host: str) -> Network | None:
    """The unit of limits: an IPv4 address, or the network of an IPv6 address; None for this machine itself, which is not limited.

    Args:
        host: an address, or `UNIX_SOCKET`.

    Raises:
        ValueError: if it is neither: an unknown client must not count as this machine.
    """
    if host == UNIX_SOCKET:
        return None
    address: IPv4Address | IPv6Address = ip_address(host.partition("%")[0])
    if isinstance(address, IPv6Address):
        address = _ipv4_in(address) or address
    if address.is_loopback:
        return None
    return address if isinstance(address, IPv4Address) else IPv6Network((address, NEIGHBOURS), strict=False)


def _ipv4_in(address: IPv6Address) -> IPv4Address | None:
    """The IPv4 address of which an IPv6 address is another form: mapped, 6to4 (RFC 3056), or translated (RFC 6052, RFC 7915).

    A mapped address is the kernel's word for a client with IPv4. Of the other forms only global addresses are believed: nothing else is routed so
    (RFC 3056, section 2; RFC 6052, section 3.1), and a neighbour who took such an address would count as this machine, or as somebody else in its network.
    """
    if address.ipv4_mapped:
        return address.ipv4_mapped
    is_translated = any(address in network for network in TRANSLATED)
    inner = IPv4Address(int(address) & 0xFFFF_FFFF) if is_translated else address.sixtofour
    return inner if inner and inner.is_global else None


@lru_cache(maxsize=SITES_REMEMBERED)
def site_of(network: Network | None) -> Network | None:
    """The widest network of the same customer, as far as can be known; an IPv4 address is a site of its own."""
    return network.supernet(new_prefix=SITE) if isinstance(network, IPv6Network) else network


def levels_of(network: Network | None) -> tuple[Network, ...]:
    """The networks that an address counts for: itself, and its site if that is more; none if it is not limited."""
    site = site_of(network)
    if network is None or site is None:
        return ()
    return (network,) if site == network else (network, site)


def share_of_site(share: int, whole: int) -> int:
    """The share of a site: `SITE_TIMES` that of an address, but not more than half of the whole, unless an address has more.

    Args:
        share: that of an address.
        whole: what there is for everybody.
    """
    return max(share, min(SITE_TIMES * share, whole // 2))


class Origin(NamedTuple):
    """Where messages come from.

    Attributes:
        connection: the number of the connection; 0 if there is none.
        network: the client's network; None if it is not known, or not limited.
    """

    connection: int = 0
    network: Network | None = None

    @property
    def is_shared_by_machine(self) -> bool:
        """Whether the network says nothing, because it is this machine: others may talk through it."""
        return self.network is None or self.network == THIS_MACHINE

    @property
    def of_connection(self) -> list[str]:
        """Identify whoever posts over the connection: a person, or a program that speaks for several names."""
        return [f"{ON}{self.connection}"] if self.connection else []

    @property
    def of_network(self) -> list[str]:
        """Identify all who post from the network, strangers to each other perhaps."""
        return [] if self.is_shared_by_machine else [f"{FROM}{self.network}"]


NOWHERE: Final = Origin()
