"""For whom a reverse proxy speaks: its headers, believed only if it is one of ours. Pure.

A proxy adds at the right what it has seen itself; what stands left of that was brought along, and anybody may bring anything.
So the list is read from the right, past the proxies that we know, to the first address that is none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

from besedka.serve.rate_limits import network_of

FORWARDED: Final = frozenset(
    {"forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"}
)
"""Headers by which one tells that one speaks for somebody else."""

UNIX: Final = "unix"
"""How a proxy is named that comes over a Unix socket."""

_PAIR: Final = r'\s*([\w!#$%&\'*+.^`|~-]+)=([^\s",;=\\]+|"(?:[^"\\]|\\.)*")\s*(?:;|$)'
_ELEMENT: Final = re.compile(rf"(?:{_PAIR})+")

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks for something.

    Attributes:
        host: the address that counts as his; empty for one who comes over a Unix socket.
        is_forwarded: whether a proxy speaks for him, or seems to: he is no program of this machine itself.
        is_told: whether a proxy of ours has told the address, or was to tell it. Then it is limited whatever it is, also
            where it is this machine's own.
    """

    host: str
    is_forwarded: bool = False
    is_told: bool = False

    @property
    def is_local(self) -> bool:
        """Whether it is a program of this machine itself."""
        return not self.is_forwarded and network_of(self.host) is None


class Proxies:
    """The proxies whose word counts.

    Args:
        trusted: their addresses or networks, or `UNIX`, as `clean_proxy` gives them.
    """

    def __init__(self, trusted: Iterable[str] = ()) -> None:
        given = set(trusted)
        self._is_unix_trusted = UNIX in given
        self._networks = [ip_network(one) for one in given - {UNIX}]

    def trust(self, peer: str) -> bool:
        """Whether who comes from this address, empty for a Unix socket, is one of ours."""
        if not peer:
            return self._is_unix_trusted
        address = _address(peer)
        return address is not None and self._has(address)

    def client(self, peer: str, headers: Iterable[tuple[str, str]]) -> Client:
        """Who asks, if this is the peer of the connection and these are the headers, with names in small letters."""
        told = [(name, value) for name, value in headers if name in FORWARDED]
        if not self.trust(peer):
            return Client(peer, is_forwarded=bool(told))
        # Nearly all proxies add to X-Forwarded-For, and hand on a Forwarded that was brought along.
        hops = _hops_x([value for name, value in told if name == "x-forwarded-for"])
        hops = hops or _hops([value for name, value in told if name == "forwarded"])
        found: Address | None = None
        for hop in hops:
            found = _address(hop)
            if found is None or not self._has(found):
                break
        return Client(str(found) if found else peer, is_forwarded=bool(told), is_told=bool(told))

    def _has(self, address: Address) -> bool:
        return any(address in network for network in self._networks)


def clean_proxy(text: str) -> str:
    """A proxy's address or network as it is compared.

    Raises:
        ValueError: if it is none.
    """
    try:
        return UNIX if text == UNIX else str(_network(text))
    except ValueError as error:
        raise ValueError(
            f"{text!r} is neither an IP address, nor a network such as 10.0.0.0/8, nor the word {UNIX}: {error}"
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
    """What stands before the last element, and that element.

    What was brought along may open a quotation which the proxy's own words would seem to end: so the shortest end counts
    that is an element.
    """
    comma = len(text)
    while (comma := text.rfind(",", 0, comma)) >= 0:
        if _ELEMENT.fullmatch(text, comma + 1):
            return text[:comma], text[comma + 1 :]
    return "", text if _ELEMENT.fullmatch(text) else ""


def _address(hop: str) -> Address | None:
    """The address in ``192.0.2.1``, ``192.0.2.1:4711``, ``2001:db8::1`` or ``[2001:db8::1]:4711``."""
    bracketed = re.fullmatch(r"\[([^\]]*)\](?::\d*)?", hop)
    with_port = re.fullmatch(r"([\d.]+):\d*", hop)
    text = bracketed[1] if bracketed else with_port[1] if with_port else hop
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
