"""Where a chat is: what a person types as its address, and the WebSocket URL that it means. Pure."""

from __future__ import annotations

from urllib.parse import urlsplit

DEFAULT_PORT = 8765
_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


def websocket_url(address: str) -> str:
    """The URL of the chat at this address: ``host``, ``host:port``, or a URL as a browser shows it.

    Raises:
        ValueError: if it is no address; the message says what is allowed.
    """
    given = address if "://" in address else f"ws://{address}"
    try:
        parts = urlsplit(given)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"{address!r} is no address: {error}") from None
    scheme = _SCHEMES.get(parts.scheme)
    if scheme is None or not host:
        raise ValueError(f"{address!r} is no address: use HOST, HOST:PORT or ws://HOST:PORT/ws")
    shown = f"[{host}]" if ":" in host else host
    secure_default = 443 if scheme == "wss" else DEFAULT_PORT
    path = parts.path if parts.path.rstrip("/").endswith("/ws") else parts.path.rstrip("/") + "/ws"
    return f"{scheme}://{shown}:{port or secure_default}{path}"
