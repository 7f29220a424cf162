"""The addresses of this machine itself, as others in its networks would type them."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final

_ELSEWHERE: Final = {
    socket.AF_INET: "192.0.2.1",
    socket.AF_INET6: "2001:db8::1",
}  # for documentation (RFC 5737, RFC 3849)

_SIOCGIFADDR: Final = 0x8915  # Linux: the IPv4 address of an interface
_PASSING: Final = 0x01 | 0x20 | 0x40  # Linux: IFA_F_TEMPORARY, IFA_F_DEPRECATED, IFA_F_TENTATIVE


def is_loopback(host: str) -> bool:
    """Whether this names the machine itself, and can be reached from nowhere else."""
    address = _address(host)
    return host.lower() == "localhost" or (address is not None and address.is_loopback)


def own_addresses() -> list[str]:
    """This machine's addresses, without those that only it knows; first the one by which it goes out into the world."""
    found = [*_outward(socket.AF_INET), *_ipv4(), *_outward(socket.AF_INET6), *_ipv6()]
    return [host for host in dict.fromkeys(found) if _is_reachable(host)]


def _is_reachable(host: str) -> bool:
    address = _address(host)
    return address is not None and not (
        address.is_loopback or address.is_link_local or address.is_unspecified or address.is_multicast
    )


def _address(host: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(host)
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def _outward(family: socket.AddressFamily) -> Iterator[str]:
    # Nothing is sent: the system only chooses a way.
    with suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as probe:
        probe.connect((_ELSEWHERE[family], 9))
        yield probe.getsockname()[0]


def _ipv4() -> Iterator[str]:
    if sys.platform != "linux":
        yield from _by_name(socket.AF_INET)
        return
    import fcntl  # noqa: PLC0415 - does not exist on Windows

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # it has none
                request = name.encode()[:15].ljust(256, b"\0")
                yield socket.inet_ntoa(fcntl.ioctl(asked, _SIOCGIFADDR, request)[20:24])


def _ipv6() -> Iterator[str]:
    if sys.platform != "linux":
        yield from _by_name(socket.AF_INET6)
        return
    with suppress(OSError):  # there is no IPv6
        for line in Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines():
            digits, _, _, _, flags, _ = line.split()
            if not int(flags, 16) & _PASSING:
                yield str(IPv6Address(bytes.fromhex(digits)))


def _by_name(family: socket.AddressFamily) -> Iterator[str]:
    with suppress(OSError):
        for entry in socket.getaddrinfo(socket.gethostname(), None, family, socket.SOCK_STREAM):
            yield str(entry[4][0]).partition("%")[0]
