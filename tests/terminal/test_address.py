"""What a person may type as the address of a chat."""

from __future__ import annotations

import pytest

from besedka.terminal.address import websocket_url


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("localhost", "ws://localhost:8765/ws"),
        ("192.168.1.5:9000", "ws://192.168.1.5:9000/ws"),
        ("ws://lab", "ws://lab:8765/ws"),
        ("ws://lab:8765/", "ws://lab:8765/ws"),
        ("ws://lab:8765/ws", "ws://lab:8765/ws"),
        ("http://lab:8765/#dev", "ws://lab:8765/ws"),
        ("https://chat.example/talk/", "wss://chat.example:443/talk/ws"),
        ("ws://[::1]:8765/ws", "ws://[::1]:8765/ws"),
    ],
)
def test_an_address_means_a_url(address: str, url: str) -> None:
    assert websocket_url(address) == url


@pytest.mark.parametrize("address", ["", "ftp://lab", "ws://", "lab:port", "ws://lab:99999", "http://[::1"])
def test_what_is_no_address_is_named(address: str) -> None:
    with pytest.raises(ValueError, match="is no address"):
        websocket_url(address)
