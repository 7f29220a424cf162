"""Parses the addresses of chats that users type into URLs. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from besedka.remote.errors import InvalidAddress
from besedka.wire.access import why_no_key
from besedka.wire.links import Fragment, read_fragment
from besedka.wire.sanitize import is_one_line
from besedka.wire.validation import DEFAULT_ROOM

DEFAULT_PORT = 8765
DEFAULT_GRPC_PORT = 50051
_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_HIDDEN: Final = re.compile(r"[#?;].*|(?<=//)[^/@]*@", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """A room of a chat, with the credentials that its link carries.

    Attributes:
        url: ``ws://host:port/ws`` or ``wss://``, ``grpc://host:port`` or ``grpcs://``, ``unix:/path``.
        room: the room named behind the ``#``, or the default room.
        key: the access key behind the ``#``; empty if there is none, as are the attributes below.
        invite: the token of an invitation.
        device: the token that makes this device one of a known person.
        name: the name that the invitation is made out to.
    """

    url: str
    room: str
    key: str = ""
    invite: str = ""
    device: str = ""
    name: str = ""


def address(given: str) -> Address:
    """Parse an address: ``host``, ``host:port``, a URL as a browser shows it, or a URL for gRPC.

    `besedka.wire.links` defines the part behind the ``#``. It may hold secrets, so no error shows it.

    Raises:
        InvalidAddress: if it is not an address; the message says what is allowed.
    """
    path, _, fragment = given.partition("#")
    if given.startswith("unix:") and is_one_line(path):
        return _address(path, fragment)
    try:
        parts = urlsplit(given if "://" in given else f"ws://{given}")
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    is_clean = is_one_line(path) and not any(map(str.isspace, path)) and port != 0
    if not (host and is_clean) or parts.scheme not in {*_SCHEMES, "grpc", "grpcs"}:
        raise InvalidAddress(
            f"{_HIDDEN.sub('', given)!r} is not an address: use HOST, HOST:PORT, ws://HOST:PORT/ws, grpc://HOST:PORT or unix:PATH, "
            "and #ROOM behind it"
        )
    if "@" in parts.netloc:
        # It is of no use to a chat, and makes an address look like that of another host.
        raise InvalidAddress(f"an address of a chat has no user in front of its host, which is {host} here")
    shown = f"[{host}]" if ":" in host else host
    if parts.scheme in {"grpc", "grpcs"}:
        return _address(f"{parts.scheme}://{shown}:{port or DEFAULT_GRPC_PORT}", parts.fragment)
    scheme = _SCHEMES[parts.scheme]
    # A URL copied from a browser has the default port of its scheme; a typed address, the port of the chat.
    default_port = {"http": 80, "https": 443, "wss": 443}.get(parts.scheme, DEFAULT_PORT)
    path = parts.path if parts.path.rstrip("/").endswith("/ws") else parts.path.rstrip("/") + "/ws"
    return _address(f"{scheme}://{shown}:{port or default_port}{path}", parts.fragment)


def link(url: str, fragment: Fragment) -> str:
    """The link that a person opens: to the chat's page over WebSocket, else an address for the ``besedka`` commands.

    Args:
        url: the chat's URL, as `address` returns it.
        fragment: the part behind the ``#``.
    """
    if not url.startswith(("ws:", "wss:")):
        return f"{url}#{fragment}"
    page = url.replace("ws", "http", 1).removesuffix("/ws")
    return f"{page}/#{fragment}"


def _address(url: str, fragment: str) -> Address:
    parsed = read_fragment(fragment)
    check_key(parsed.key)
    return Address(url, parsed.room or DEFAULT_ROOM, parsed.key, parsed.invite, parsed.device, parsed.name)


def check_key(key: str) -> None:
    """Check that this is empty or has the form of an access key.

    Raises:
        InvalidAddress: if it has not; most likely it was not copied as a whole.
    """
    if key and (why := why_no_key(key)):
        raise InvalidAddress(f"this is not an access key: {why}")
