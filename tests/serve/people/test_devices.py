"""Links by which a name is taken along."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Network

import pytest

from besedka.serve.people.devices import (
    LINK_SECONDS,
    LINKS_AT_MOST,
    LINKS_OF_SITE_AT_MOST,
    LINKS_OF_SOURCE_AT_MOST,
    DeviceLinks,
)
from besedka.wire.errors import ErrorCode, Refused


def fails(links: DeviceLinks, token: str, now: float) -> bool:
    with pytest.raises(Refused) as refusal:
        links.take(token, now)
    return refusal.value.code is ErrorCode.BAD_LINK


def test_a_link_is_taken_once() -> None:
    links = DeviceLinks()
    token = links.make("Anna", "secret", 0.0)
    taken = links.take(token, LINK_SECONDS - 1)
    assert (taken.user, taken.secret) == ("Anna", "secret")
    assert fails(links, token, 1.0)


def test_a_link_lasts_some_minutes() -> None:
    links = DeviceLinks()
    assert fails(links, links.make("Anna", "secret", 0.0), float(LINK_SECONDS))


def test_a_person_has_one_link_at_a_time() -> None:
    links = DeviceLinks()
    first, second = links.make("Anna", "secret", 0.0), links.make("Anna", "secret", 1.0)
    assert fails(links, first, 2.0)
    assert links.take(second, 2.0).user == "Anna"


def test_an_address_pushes_out_its_own_links_only() -> None:
    links = DeviceLinks()
    other = links.make("Boris", "b", 0.0, IPv4Address("192.0.2.2"))
    own = [
        links.make(f"P{number}", str(number), 0.0, IPv4Address("192.0.2.1"))
        for number in range(LINKS_OF_SOURCE_AT_MOST + 1)
    ]
    assert fails(links, own[0], 1.0)
    assert links.take(own[1], 1.0).user == "P1"
    assert links.take(other, 1.0).user == "Boris"


def test_so_many_wait_at_most() -> None:
    links = DeviceLinks()
    tokens = [links.make(f"P{number}", str(number), 0.0) for number in range(LINKS_AT_MOST + 1)]
    assert fails(links, tokens[0], 1.0)
    assert links.take(tokens[1], 1.0).user == "P1"


def test_all_networks_of_an_ipv6_site_push_out_their_own_links_only() -> None:
    links = DeviceLinks()
    other = links.make("Boris", "b", 0.0, IPv4Address("192.0.2.2"))
    networks = [*IPv6Network("2001:db8:1::/56").subnets(new_prefix=64)]
    own = [
        links.make(f"P{number}", str(number), 0.0, networks[number % len(networks)])
        for number in range(2 * LINKS_AT_MOST)
    ]
    assert links.take(other, 1.0).user == "Boris"
    assert links.take(own[-LINKS_OF_SITE_AT_MOST], 1.0).user == f"P{len(own) - LINKS_OF_SITE_AT_MOST}"
    assert fails(links, own[-LINKS_OF_SITE_AT_MOST - 1], 1.0)


def test_many_sites_together_push_out_their_own_links_only() -> None:
    links = DeviceLinks()
    other = links.make("Boris", "b", 0.0, IPv4Address("192.0.2.2"))
    for number in range(3 * LINKS_AT_MOST):
        links.make(f"P{number}", str(number), 0.0, IPv4Address(f"198.51.100.{number % 50}"))
    assert links.take(other, 1.0).user == "Boris"
