"""Networks: the addresses that count as one."""

from __future__ import annotations

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
        ("64:ff9b::192.0.2.1", "192.0.2.1", True),
        ("64:ff9b::192.0.2.1", "64:ff9b::192.0.2.2", False),
        ("::ffff:0:192.0.2.1", "192.0.2.1", True),
        ("2002:c000:201::1", "192.0.2.1", True),
        ("2002:c000:201:7::9", "192.0.2.1", True),
        ("2002:c000:202::1", "192.0.2.1", False),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, *, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


@pytest.mark.parametrize("host", [UNIX_SOCKET, "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
def test_this_machine_is_not_limited(host: str) -> None:
    assert network_of(host) is None


@pytest.mark.parametrize("host", ["unknown", "localhost", "192.0.2.1:80", "/run/chat.sock", " "])
def test_what_is_no_address_does_not_count_as_this_machine(host: str) -> None:
    with pytest.raises(ValueError, match="IP"):
        network_of(host)
