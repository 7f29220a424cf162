"""Which pages may talk to the chat."""

from __future__ import annotations

import pytest

from besedka.serve.doors.origin import origin_allowed


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
    assert origin_allowed(origin, host)


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
    ],
)
def test_no_other_page_may(origin: str) -> None:
    assert not origin_allowed(origin, "chat.example:8765")


@pytest.mark.parametrize("host", [None, "", "[", "chat.example:x"])
def test_a_host_that_is_none_allows_no_page(host: str | None) -> None:
    assert not origin_allowed("http://chat.example", host)
