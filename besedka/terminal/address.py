"""Where a chat is: what a person types as its address, and the WebSocket URL that it means. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from besedka.wire.names import DEFAULT_ROOM

DEFAULT_PORT = 8765
_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


@dataclass(frozen=True, slots=True)
class Address:
    """A room of a chat.

    Attributes:
        url: of the chat's WebSocket.
        room: as the address names it behind a #, or the default one.
    """

    url: str
    room: str


def address(given: str) -> Address:
    """What this address means: ``host``, ``host:port``, or a URL as a browser shows it.

    Raises:
        ValueError: if it is no address; the message says what is allowed.
    """
    try:
        parts = urlsplit(given if "://" in given else f"ws://{given}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not host:
        raise ValueError(
            f"{given!r} is no address: use HOST, HOST:PORT or ws://HOST:PORT/ws, and #ROOM behind it"
        )
    shown = f"[{host}]" if ":" in host else host
    default_port = 443 if scheme == "wss" else DEFAULT_PORT
    path = parts.path if parts.path.rstrip("/").endswith("/ws") else parts.path.rstrip("/") + "/ws"
    return Address(
        f"{scheme}://{shown}:{port or default_port}{path}", unquote(parts.fragment).strip() or DEFAULT_ROOM
    )
