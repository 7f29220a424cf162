"""Which pages may talk to the chat."""

from __future__ import annotations

import pytest

from besedka.serve.doors.origin import Origins, clean_origin


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (None, "chat.example:8765"),
        ("http://chat.example", "chat.example"),
        ("http://chat.example:8080", "chat.example:8765"),
        ("https://chat.example", "chat.example:8765"),
        ("http://CHAT.example", "chat.EXAMPLE"),
        ("http://localhost:8080", "localhost:8765"),
        ("http://[::1]:8080", "[::1]:8765"),
    ],
)
def test_a_page_of_the_same_host_may_on_any_port(origin: str | None, host: str) -> None:
    assert Origins().allow([origin] if origin else [], [host])


@pytest.mark.parametrize(
    "origin",
    [
        "",
        "null",
        "http://evil.example",
        "http://sub.chat.example",
        "http://chat.example.evil.example",
        "http://evilchat.example",
        "http://chat.example@evil.example",
        "http://chat.example/evil",
        "http://chat.example:port",
        "ftp://chat.example",
        "chat.example",
        "http://",
        "http://[::1",
        "http://chat\t.example",
        " http://chat.example",
    ],
)
def test_no_other_page_may(origin: str) -> None:
    assert not Origins().allow([origin], ["chat.example:8765"])


@pytest.mark.parametrize("hosts", [[], [""], ["["], ["chat.example:x"], ["chat.example", "chat.example"]])
def test_a_host_that_is_none_or_many_allows_no_page(hosts: list[str]) -> None:
    assert not Origins().allow(["http://chat.example"], hosts)


def test_two_origins_are_none() -> None:
    assert not Origins().allow(["http://chat.example"] * 2, ["chat.example"])


def test_an_address_with_something_behind_it_is_no_host() -> None:
    assert not Origins().allow(["http://[::1]evil.example"], ["[::1]:8765"])


@pytest.mark.parametrize(
    ("origin", "is_allowed"),
    [
        ("https://other.example", True),
        ("https://OTHER.example:443", True),
        ("http://other.example", False),
        ("https://other.example:8443", False),
        ("https://other.example:0", False),
        ("https://sub.other.example", False),
        ("https://other.example.evil.example", False),
        ("http://local.example:8080", True),
        ("http://local.example", False),
    ],
)
def test_an_origin_that_is_allowed_by_name_may_with_its_scheme_and_port(
    origin: str, is_allowed: bool
) -> None:
    origins = Origins(map(clean_origin, ["https://Other.example", "http://local.example:8080"]))
    assert origins.allow([origin], ["chat.example"]) is is_allowed


@pytest.mark.parametrize(
    "text", ["", "*", "other.example", "https://other.example/", "ftp://x", "https://x:y"]
)
def test_what_is_no_origin_cannot_be_allowed(text: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        clean_origin(text)
