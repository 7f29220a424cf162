"""By which names the chat may be asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.doors.hosts import Hosts, clean_host, is_loopback, names_of_machine


@pytest.mark.parametrize(
    ("host", "is_here"),
    [
        ("127.0.0.1:8765", True),
        ("127.1.2.3", True),
        ("[::1]:8765", True),
        ("localhost", True),
        ("LOCALHOST.:1", True),
        ("chat.localhost:8765", True),
        ("192.168.1.5:8765", False),
        ("[2001:db8::1]", False),
        ("0.0.0.0:80", False),
    ],
)
def test_an_address_and_localhost_may_on_any_port(host: str, is_here: bool) -> None:
    assert Hosts().know(host)
    assert is_loopback(host) is is_here


@pytest.mark.parametrize(
    "host",
    [
        "",
        "evil.example",
        "localhost.evil.example",
        "evillocalhost",
        "127.0.0.1.evil.example",
        "127.0.0.1@evil.example",
        "127.0.0.1/evil.example",
        "evil.example#127.0.0.1",
        "evil.example:127.0.0.1",
        "127.1",
        "2130706433",
        "[::1",
        "::1:80:x",
        "[::1]evil.example",
        "[::1]evil.example:80",
        "evil.example[::1]",
        "[::1][::1]",
        "127.0.0.1 evil.example",
        "127.0.0.1, evil.example",
        "127.0.0.1:port",
        "sub.chat.example",
        "example",
        "\u0441hat.example",
    ],
)
def test_no_other_name_may(host: str) -> None:
    assert not Hosts(["chat.example"]).know(host)
    assert not is_loopback(host)


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("chat.example", "chat.example:8765"),
        ("Chat.Example:443", "chat.example"),
        ("chat.example", "CHAT.example.:1"),
        ("беседка.рф", "xn--80abjda5a9b.xn--p1ai"),
        ("lab_1", "lab_1:80"),
    ],
)
def test_a_public_host_may_whatever_the_port(given: str, asked: str) -> None:
    assert Hosts([clean_host(given)]).know(asked)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        "*.example.org",
        "http://chat.example",
        "chat.example/",
        "a b",
        "chat..example",
        "-a.b",
        ".a",
        "a:b",
    ],
)
def test_what_is_no_name_cannot_be_a_public_host(text: str) -> None:
    with pytest.raises(ValueError, match="is not the name of a host"):
        clean_host(text)


@given(st.text())
def test_any_host_is_known_or_not_and_never_an_error(host: str) -> None:
    if Hosts().know(host):
        assert host.isascii()
        assert host[-1] not in "/?#@ "


@pytest.mark.parametrize(
    ("hostname", "names"),
    [
        ("Office", ("office", "office.local")),
        ("office.evil.example", ("office", "office.local")),
        ("", ()),
        ("my machine", ()),
    ],
)
def test_a_machine_is_asked_for_by_its_first_label(hostname: str, names: tuple[str, ...]) -> None:
    assert names_of_machine(hostname) == names
