"""Addresses of a chat, as a person may type them."""

from __future__ import annotations

import pytest
from hypothesis import given as of
from hypothesis import strategies as st

from besedka.remote.address import Address, address, link
from besedka.remote.errors import InvalidAddress
from besedka.wire.links import Fragment


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("localhost", "ws://localhost:8765/ws"),
        ("192.168.1.5:9000", "ws://192.168.1.5:9000/ws"),
        ("ws://lab", "ws://lab:8765/ws"),
        ("ws://lab:8765/", "ws://lab:8765/ws"),
        ("ws://lab:8765/ws", "ws://lab:8765/ws"),
        ("http://lab:8765/#dev", "ws://lab:8765/ws"),
        ("http://lab/", "ws://lab:80/ws"),
        ("https://chat.example/talk/", "wss://chat.example:443/talk/ws"),
        ("ws://[::1]:8765/ws", "ws://[::1]:8765/ws"),
        ("grpc://lab", "grpc://lab:50051"),
        ("grpcs://[::1]:9000/#dev", "grpcs://[::1]:9000"),
        ("unix:/run/besedka.sock#dev", "unix:/run/besedka.sock"),
    ],
)
def test_an_address_means_a_url(given: str, url: str) -> None:
    assert address(given).url == url


def test_a_room_stands_behind_the_hash() -> None:
    assert address("http://lab:8765/#dev") == Address("ws://lab:8765/ws", "dev")
    assert address("lab#%D0%BA%D1%83%D1%85%D0%BD%D1%8F").room == "кухня"
    assert address("lab").room == "main"


@pytest.mark.parametrize(
    ("url", "opened"),
    [
        ("ws://lab:8765/ws", "http://lab:8765/#dev;invite=i"),
        ("wss://chat.example:443/talk/ws", "https://chat.example:443/talk/#dev;invite=i"),
        ("grpc://lab:50051", "grpc://lab:50051#dev;invite=i"),
        ("unix:/run/x", "unix:/run/x#dev;invite=i"),
    ],
)
def test_a_link_leads_to_the_page_where_there_is_one(url: str, opened: str) -> None:
    assert link(url, Fragment(room="dev", invite="i")) == opened


KEYS = st.sampled_from(["", "a-key-of-some-length"])


@of(
    st.sampled_from(
        ["lab", "ws://lab:1/ws", "https://chat.example/talk/", "ws://[::1]:9/ws", "grpcs://lab", "unix:/x"]
    ),
    st.builds(Fragment, room=st.text(), key=KEYS, invite=st.text(), name=st.text(), device=st.text()),
)
def test_a_link_that_is_opened_means_what_it_was_made_from(where: str, fragment: Fragment) -> None:
    url = address(where).url
    there = address(link(url, fragment))
    assert there.url == url
    assert there.room == (fragment.room.strip() or "main")
    said = (fragment.key, fragment.invite, fragment.device, fragment.name)
    assert (there.key, there.invite, there.device, there.name) == said


def test_keys_and_tokens_stand_behind_the_room() -> None:
    key = "a-key-of-some-length"
    assert address(f"lab#dev;key={key};invite=T;device=D;name=N%20N") == Address(
        "ws://lab:8765/ws", "dev", key, "T", "D", "N N"
    )
    assert address(f"grpc://lab/#;key={key}") == Address("grpc://lab:50051", "main", key)
    assert address("unix:/run/x#dev;invite=T") == Address("unix:/run/x", "dev", invite="T")


@pytest.mark.parametrize(
    "given",
    [
        "lab#;key=a-secret",
        "my lab#;key=a-secret",
        "lab:x;key=a-secret",
        "lab:x?key=a-secret",
        "ftp://a-secret@lab",
    ],
)
def test_no_error_shows_a_key_or_a_token(given: str) -> None:
    with pytest.raises(InvalidAddress) as raised:
        address(given)
    assert "a-secret" not in str(raised.value)


@pytest.mark.parametrize(
    "given",
    [
        *(
            "",
            "ftp://lab",
            "ws://",
            "lab:port",
            "ws://lab:99999",
            "http://[::1",
            "my lab",
            "http://exa..mple",
        ),
        *(
            "ws://lab:0",
            "ws://lab/a   13:00   Boss:/ws",
            "unix:/run/x\nkey ws://bank:8765/ws",
            "unix:/a\x1b[2J",
        ),
        *("ws://la\x1bb", "ws://la\nb", "\tlab", "ws://lab/\u2028", "ws://lab\x85"),
    ],
)
def test_an_invalid_address_is_named_in_the_error(given: str) -> None:
    with pytest.raises(ValueError, match="is not an address"):
        address(given)


@pytest.mark.parametrize(
    "given", ["ws://bank.example@evil.example/", "anna:secret@evil.example:1", "grpc://@evil.example"]
)
def test_an_address_that_looks_like_that_of_another_host_is_none(given: str) -> None:
    with pytest.raises(InvalidAddress, match=r"no user .* is evil\.example here") as raised:
        address(given)
    assert "secret" not in str(raised.value)
