"""Networks: the addresses that count as one."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Network

import pytest

from besedka.serve.limits.networks import UNIX_SOCKET, network_of


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("64:ff9b::198.41.0.4", "198.41.0.4", True),
        ("64:ff9b::198.41.0.4", "64:ff9b::198.41.0.5", False),
        ("::ffff:0:198.41.0.4", "198.41.0.4", True),
        ("2002:c629:4::1", "198.41.0.4", True),
        ("2002:c629:4:7::9", "198.41.0.4", True),
        ("2002:c629:5::1", "198.41.0.4", False),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, *, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


@pytest.mark.parametrize("host", [UNIX_SOCKET, "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_not_limited(host: str) -> None:
    assert network_of(host) is None


@pytest.mark.parametrize(
    "inner", ["127.0.0.1", "192.168.1.5", "10.0.0.1", "169.254.1.1", "100.64.0.1", "240.0.0.1"]
)
def test_a_neighbour_cannot_take_an_address_that_counts_as_this_machine_or_as_another_neighbour(
    inner: str,
) -> None:
    """Such forms are routed for global addresses only; in a network at hand anybody may take them."""
    high, low = divmod(int(IPv4Address(inner)), 1 << 16)
    for host in (f"2002:{high:x}:{low:x}::2", f"64:ff9b::{inner}", f"::ffff:0:{inner}"):
        assert network_of(host) == IPv6Network((host, 64), strict=False)


@pytest.mark.parametrize("host", ["unknown", "localhost", "192.0.2.1:80", "/run/chat.sock", " "])
def test_what_is_no_address_does_not_count_as_this_machine(host: str) -> None:
    with pytest.raises(ValueError, match="IP"):
        network_of(host)
