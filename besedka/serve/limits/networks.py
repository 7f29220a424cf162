"""Networks of clients, and where messages come from. Pure.

Whatever is limited or restricted by address goes by these: rate limits, shares of rooms, mutes, bans and slow rooms.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Final, NamedTuple

Network = IPv4Address | IPv6Network
"""Addresses that count as one, as `network_of` gives them."""

NEIGHBOURS: Final = 64
"""The prefix of IPv6 networks: a single customer gets at least such a network (RFC 6177), and can use all of it."""

THIS_MACHINE: Final = IPv4Address("127.0.0.1")
"""The common address of all clients on this machine that may act for somebody else."""

FROM: Final = "from "
"""Prefix of identifiers that are networks."""

ON: Final = "on "
"""Prefix of identifiers that are connections."""

NETWORKS_REMEMBERED: Final = 128
"""Networks of addresses that are remembered: each request asks several times."""


@lru_cache(maxsize=NETWORKS_REMEMBERED)
def network_of(host: str) -> Network | None:
    """The unit of limits: an IPv4 address, or the network of an IPv6 address; None if it is not limited."""
    try:
        address: IPv4Address | IPv6Address = ip_address(host.partition("%")[0])
    except ValueError:
        return None  # a Unix socket
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_loopback:
        return None
    return address if isinstance(address, IPv4Address) else IPv6Network((address, NEIGHBOURS), strict=False)


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
    def identifiers(self) -> list[str]:
        """Identify those who post from there."""
        found = [f"{ON}{self.connection}"] if self.connection else []
        return found if self.is_shared_by_machine else [*found, f"{FROM}{self.network}"]


NOWHERE: Final = Origin()
