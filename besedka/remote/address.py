"""Where a chat is: what a person types as its address, and the URL that it means. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from besedka.remote.errors import AddressBad
from besedka.wire.names import DEFAULT_ROOM

DEFAULT_PORT = 8765
DEFAULT_GRPC_PORT = 50051
_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


@dataclass(frozen=True, slots=True)
class Address:
    """A room of a chat.

    Attributes:
        url: ``ws://host:port/ws`` or ``wss://``, ``grpc://host:port`` or ``grpcs://``, ``unix:/path``.
        room: as the address names it behind a #, or the default one.
    """

    url: str
    room: str


def address(given: str) -> Address:
    """What this address means: ``host``, ``host:port``, a URL as a browser shows it, or one for gRPC.

    Raises:
        AddressBad: if it is no address; the message says what is allowed.
    """
    if given.startswith("unix:"):
        path, _, room = given.partition("#")
        return Address(path, _room(room))
    try:
        parts = urlsplit(given if "://" in given else f"ws://{given}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or any(map(str.isspace, host)) or parts.scheme not in {*_SCHEMES, "grpc", "grpcs"}:
        raise AddressBad(
            f"{given!r} is no address: use HOST, HOST:PORT, ws://HOST:PORT/ws, grpc://HOST:PORT or unix:PATH, "
            "and #ROOM behind it"
        )
    shown = f"[{host}]" if ":" in host else host
    if parts.scheme in {"grpc", "grpcs"}:
        return Address(f"{parts.scheme}://{shown}:{port or DEFAULT_GRPC_PORT}", _room(parts.fragment))
    scheme = _SCHEMES[parts.scheme]
    default_port = 443 if scheme == "wss" else DEFAULT_PORT
    path = parts.path if parts.path.rstrip("/").endswith("/ws") else parts.path.rstrip("/") + "/ws"
    return Address(f"{scheme}://{shown}:{port or default_port}{path}", _room(parts.fragment))


def _room(fragment: str) -> str:
    return unquote(fragment).strip() or DEFAULT_ROOM
