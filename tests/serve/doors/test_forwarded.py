"""For whom a proxy speaks, and who is believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.doors.forwarded import UNIX, Client, Proxies, clean_proxy, doubtful

PROXY = "10.0.0.1"
OURS = Proxies(map(clean_proxy, [PROXY, "fd00::/8", UNIX]))
"""Those of the tests."""


def client_host(*values: str, name: str = "x-forwarded-for", peer: str = PROXY) -> str:
    """The address that counts."""
    client = OURS.client(peer, [("host", "chat.example"), *((name, value) for value in values)])
    assert client.is_forwarded
    assert client.is_via_trusted_proxy
    assert not client.is_local
    return client.host


@pytest.mark.parametrize(
    ("values", "host"),
    [
        (["203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7:4711"], "203.0.113.7"),
        (["2001:db8::7"], "2001:db8::7"),
        (["[2001:DB8::7]:4711"], "2001:db8::7"),
        (["[2001:db8::7]"], "2001:db8::7"),
        (["::ffff:203.0.113.7"], "203.0.113.7"),
        (["fe80::7%eth0"], "fe80::7"),
        (["1.1.1.1, 203.0.113.7"], "203.0.113.7"),
        (["1.1.1.1", "2.2.2.2,203.0.113.7"], "203.0.113.7"),
        (["203.0.113.7", "10.0.0.1"], "203.0.113.7"),
        (["1.1.1.1, 203.0.113.7, fd00::5, [::ffff:10.0.0.1]:80"], "203.0.113.7"),
        (["10.0.0.1, fd00::5"], "10.0.0.1"),
        (["127.0.0.1"], "127.0.0.1"),
        ([""], PROXY),
        (["unknown"], PROXY),
        (["1.1.1.1, nonsense"], PROXY),
        (["1.1.1.1,"], PROXY),
        (["1.1.1.1, nonsense, 10.0.0.1"], PROXY),
        (["localhost"], PROXY),
        (["[1.2.3.4"], PROXY),
        (["1.2.3.4:5:6"], PROXY),
    ],
)
def test_the_address_at_the_right_counts_that_is_no_proxy_of_ours(values: list[str], host: str) -> None:
    assert client_host(*values) == host


@pytest.mark.parametrize(
    ("values", "host"),
    [
        (["for=203.0.113.7"], "203.0.113.7"),
        (["proto=https;FOR=203.0.113.7;by=10.0.0.1"], "203.0.113.7"),
        (['for="[2001:db8::7]:4711" ; proto=https'], "2001:db8::7"),
        (['for="203.0.113.7:4711"'], "203.0.113.7"),
        (['for="\\203.0.113.7"'], "203.0.113.7"),
        (["for=1.1.1.1, for=203.0.113.7"], "203.0.113.7"),
        (["for=1.1.1.1", "for=203.0.113.7, for=10.0.0.1"], "203.0.113.7"),
        (['for=1.1.1.1;host="a, for=2.2.2.2", for=203.0.113.7;host="b, for=3.3.3.3"'], "203.0.113.7"),
        (['for=203.0.113.7;host="b;for=3.3.3.3"'], "203.0.113.7"),
        (['for=203.0.113.7;host="a\\", for=3.3.3.3"'], "203.0.113.7"),
        (['for="', "for=203.0.113.7"], "203.0.113.7"),
        (['for=1.1.1.1;x="', 'for="203.0.113.7";by="10.0.0.1"'], "203.0.113.7"),
        (["for=unknown"], PROXY),
        (["for=_hidden"], PROXY),
        (["proto=https"], PROXY),
        (["nonsense"], PROXY),
        (["for=1.1.1.1, nonsense"], PROXY),
        ([""], PROXY),
    ],
)
def test_the_standards_header_is_read_as_well(values: list[str], host: str) -> None:
    assert client_host(*values, name="forwarded") == host


def test_what_all_proxies_add_to_counts_more_than_what_they_hand_on() -> None:
    headers = [("forwarded", "for=1.1.1.1"), ("x-forwarded-for", "203.0.113.7"), ("x-real-ip", "2.2.2.2")]
    assert OURS.client(PROXY, headers).host == "203.0.113.7"


def test_a_stranger_is_not_believed_but_seems_to_speak_for_somebody() -> None:
    for peer in ("10.0.0.2", "127.0.0.1", "::1"):
        client = OURS.client(peer, [("x-forwarded-for", "203.0.113.7")])
        assert client == Client(peer, is_forwarded=True)
        assert not client.is_local
    assert not Proxies().client("", [("forwarded", "for=203.0.113.7")]).is_local


def test_who_tells_nothing_of_others_speaks_for_himself() -> None:
    here = Proxies(["127.0.0.1/32"])
    for proxies, peer in ((OURS, ""), (here, "127.0.0.1"), (here, "::1")):
        assert proxies.client(peer, [("host", "localhost")]).is_local
    assert OURS.client(PROXY, []) == Client(PROXY)


def test_a_proxy_on_a_unix_socket_is_believed_where_it_is_one_of_ours() -> None:
    assert client_host("203.0.113.7", peer="") == "203.0.113.7"
    assert client_host("nonsense", peer="") == ""


@given(st.lists(st.text(), max_size=3), st.sampled_from(["x-forwarded-for", "forwarded"]))
def test_whatever_is_brought_along_does_not_change_what_the_proxy_adds(values: list[str], name: str) -> None:
    added = "203.0.113.7" if name == "x-forwarded-for" else 'for="203.0.113.7";proto=https'
    assert client_host(*values, added, name=name) == "203.0.113.7"
    assert client_host(", ".join([*values, added]), name=name) == "203.0.113.7"


@given(st.text('for="\\,;= 1.[]:', max_size=40))
def test_no_quotation_hides_what_the_proxy_adds(brought: str) -> None:
    assert client_host(f'{brought}, for="203.0.113.7";by="10.0.0.1"', name="forwarded") == "203.0.113.7"


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("10.0.0.1", "10.0.0.1/32"),
        ("10.0.0.0/8", "10.0.0.0/8"),
        ("fd00::/8", "fd00::/8"),
        ("::1", "::1/128"),
        ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ("unix", "unix"),
    ],
)
def test_an_address_or_a_network_is_a_proxy(text: str, clean: str) -> None:
    assert clean_proxy(text) == clean


@pytest.mark.parametrize("text", ["", "localhost", "10.0.0.1/8", "10.0.0.1:80", "*", "unix:/run/x"])
def test_nothing_else_is(text: str) -> None:
    with pytest.raises(ValueError, match="is neither"):
        clean_proxy(text)


OWN = ["192.168.1.5", "fd00:1::5", "203.0.113.9", "::ffff:10.9.0.1"]


@pytest.mark.parametrize(
    ("network", "is_doubtful"),
    [
        *(
            (network, True)
            for network in (
                "0.0.0.0/0",
                "::/0",
                "10.0.0.0/8",
                "172.16.0.0/12",
                "128.0.0.0/1",
                "fd00::/8",
                "2000::/3",
            )
        ),
        *(
            (network, True)
            for network in (
                "192.168.1.0/24",
                "192.168.0.0/16",
                "fd00:1::/64",
                "203.0.113.8/31",
                "10.9.0.0/30",
            )
        ),
        *(
            (network, False)
            for network in ("172.18.0.0/16", "10.1.2.0/24", "fd00:2::/64", "2001:db8::/112", UNIX)
        ),
        *(
            (network, False)
            for network in (
                "127.0.0.1",
                "127.0.0.0/8",
                "::1",
                "192.168.1.5",
                "fd00:1::5",
                "10.0.0.1",
                "203.0.113.9/32",
            )
        ),
    ],
)
def test_a_network_is_doubtful_if_it_is_large_or_this_machines_own(
    network: str, *, is_doubtful: bool
) -> None:
    cleaned = clean_proxy(network)
    assert doubtful([cleaned], OWN) == [cleaned] * is_doubtful
