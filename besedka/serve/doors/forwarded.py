"""The client behind a reverse proxy: forwarding headers, believed only from trusted proxies. Pure.

A proxy appends the address that it has seen itself; everything to the left of that came with the request and may be forged.
So the list is read from the right, past the trusted proxies, to the first other address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from besedka.serve.limits.networks import network_of

FORWARDED: Final = frozenset(
    {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
)
"""Headers that show that a request was made for somebody else."""

UNIX: Final = "unix"
"""The name of a proxy that connects over a Unix socket."""

_ADDRESS_CHARACTERS_AT_MOST: Final = 64
"""A longer text is no address: with brackets, a zone and a port an IPv6 address takes less."""

_ADDRESSES_REMEMBERED: Final = 128
"""Parsed addresses that are remembered: a client asks for an upgrade after several requests, and several clients are behind a proxy."""

_SITE_BITS: Final = {4: 16, 6: 64}
"""Prefixes shorter than these are more than one site's network of machines."""

_PAIR: Final = r'\s*([\w!#$%&\'*+.^`|~-]+)=([^\s",;=\\]+|"(?:[^"\\]|\\.)*")\s*(?:;|$)'
_ELEMENT: Final = re.compile(rf"(?:{_PAIR})+")

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Client:
    """The origin of a request.

    Attributes:
        host: the client's address; empty for a Unix socket.
        is_forwarded: whether the request came through a proxy, or seems to: then the client does not count as a program on
            this machine.
        is_via_trusted_proxy: whether a trusted proxy forwarded the request. Then rate limits apply to any address that it
            names, even a loopback one.
    """

    host: str
    is_forwarded: bool = False
    is_via_trusted_proxy: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it is a program on this machine."""
        return not self.is_forwarded and network_of(self.host) is None


class Proxies:
    """The trusted proxies.

    Args:
        trusted: their addresses or networks, or `UNIX`, as returned by `clean_proxy`.
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        given = set(trusted)
        self._is_unix_trusted = UNIX in given
        self._networks = [ip_network(network) for network in given - {UNIX}]

    def trust(self, peer: str) -> bool:
        """Whether the peer with this address (empty: a Unix socket) is a trusted proxy."""
        if not peer:
            return self._is_unix_trusted
        address = _address(peer)
        return address is not None and self._has(address)

    def client(self, peer: str, headers: Iterable[tuple[str, str]]) -> Client:
        """The client of a request, by the peer of its connection and its headers (names in lower case)."""
        forwarded = [(name, value) for name, value in headers if name in FORWARDED]
        if not self.trust(peer):
            return Client(peer, is_forwarded=bool(forwarded))
        # Nearly all proxies append to X-Forwarded-For, and pass on a Forwarded that came with the request.
        hops = _hops_x([value for name, value in forwarded if name == "x-forwarded-for"])
        hops = hops or _hops([value for name, value in forwarded if name == "forwarded"])
        found: Address | None = None
        for hop in hops:
            found = _address(hop)
            if found is None or not self._has(found):
                break
        is_forwarded = bool(forwarded)
        host = str(found) if found else peer
        return Client(host, is_forwarded=is_forwarded, is_via_trusted_proxy=is_forwarded)

    def _has(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def doubtful(trusted: Iterable[str], own: Iterable[str]) -> list[str]:
    """The networks that probably hold clients, each of whom would choose the address that counts.

    They are larger than one site gives to its proxies, or are networks that this machine is in itself.

    Args:
        trusted: as `clean_proxy` gives them.
        own: this machine's addresses, without loopback.
    """
    machine = [address for address in map(_address, own) if address]
    networks = [ip_network(one) for one in trusted if one != UNIX]
    return [str(network) for network in networks if _holds_clients(network, machine)]


def _holds_clients(network: IPv4Network | IPv6Network, machine: Iterable[Address]) -> bool:
    if network.num_addresses == 1 or network.is_loopback:
        return False
    return network.prefixlen < _SITE_BITS[network.version] or any(one in network for one in machine)


def clean_proxy(text: str) -> str:
    """Normalize a proxy's address or network.

    Raises:
        ValueError: if it is neither.
    """
    try:
        return UNIX if text == UNIX else str(_network(text))
    except ValueError as error:
        raise ValueError(
            f"{text!r} is neither an IP address, nor a network such as 172.18.0.0/24, nor the word {UNIX}: {error}"
        ) from None


def _network(text: str) -> IPv4Network | IPv6Network:
    network = ip_network(text)
    if isinstance(network, IPv6Network) and network.prefixlen == 128 and network.network_address.ipv4_mapped:  # noqa: PLR2004 - bits of an address
        return ip_network(network.network_address.ipv4_mapped)
    return network


def _hops_x(values: Sequence[str]) -> list[str]:
    return [hop.strip() for value in reversed(values) for hop in reversed(value.split(","))]


def _hops(values: Sequence[str]) -> list[str]:
    """The ``for=`` of each element of ``Forwarded`` (RFC 7239, section 4), from the right; empty where there is none."""
    text, hops = ", ".join(values), []
    while text:
        text, element = _split_last(text)
        pairs = {name.lower(): value for name, value in re.findall(_PAIR, element)}
        hops.append(re.sub(r"\\(.)", r"\1", pairs.get("for", "").strip('"')))
    return hops


def _split_last(text: str) -> tuple[str, str]:
    """Split off the last element.

    A forged part may open a quotation that the proxy's own element seems to close: so the shortest suffix that is an
    element counts.
    """
    comma = len(text)
    while (comma := text.rfind(",", 0, comma)) >= 0:
        if _ELEMENT.fullmatch(text, comma + 1):
            return text[:comma], text[comma + 1 :]
    return "", text if _ELEMENT.fullmatch(text) else ""


def _address(hop: str) -> Address | None:
    """The address in ``192.0.2.1``, ``192.0.2.1:4711``, ``2001:db8::1`` or ``[2001:db8::1]:4711``."""
    return _parsed(hop) if len(hop) <= _ADDRESS_CHARACTERS_AT_MOST else None


@lru_cache(maxsize=_ADDRESSES_REMEMBERED)
def _parsed(hop: str) -> Address | None:
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::\d*)?", hop)
    with_port = re.fullmatch(r"([\d.]+):\d*", hop)
    text = bracketed[1] if bracketed else with_port[1] if with_port else hop
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
