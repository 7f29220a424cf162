"""Addresses of chats as people type them, and the URLs that they mean. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from besedka.remote.errors import InvalidAddress
from besedka.wire.access import why_no_key
from besedka.wire.links import Fragment, read_fragment
from besedka.wire.validation import DEFAULT_ROOM

DEFAULT_PORT = 8765
DEFAULT_GRPC_PORT = 50051
_SCHEMES = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}
_HIDDEN: Final = re.compile(r"[#?;].*|(?<=//)[^/@]*@", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """A room of a chat, and what lets a person in.

    Attributes:
        url: ``ws://host:port/ws`` or ``wss://``, ``grpc://host:port`` or ``grpcs://``, ``unix:/path``.
        room: as the address names it behind a #, or the default one.
        key: the access key that stands behind the #; it and all below is empty if it is not there.
        invite: the token of an invitation.
        device: the token by which this device becomes a known person.
        name: the name that the invitation is for.
    """

    url: str
    room: str
    key: str = ""
    invite: str = ""
    device: str = ""
    name: str = ""


def address(given: str) -> Address:
    """The meaning of an address: ``host``, ``host:port``, a URL as a browser shows it, or one for gRPC.

    What stands behind a ``#`` is read as `besedka.wire.links` says. No error shows it.

    Raises:
        InvalidAddress: if it is no address; the message says what is allowed.
    """
    if given.startswith("unix:"):
        path, _, fragment = given.partition("#")
        return _address(path, fragment)
    try:
        parts = urlsplit(given if "://" in given else f"ws://{given}")
        host, port = parts.hostname, parts.port
        (host or "").encode("idna")
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host or any(map(str.isspace, host)) or parts.scheme not in {*_SCHEMES, "grpc", "grpcs"}:
        raise InvalidAddress(
            f"{_HIDDEN.sub('', given)!r} is no address: use HOST, HOST:PORT, ws://HOST:PORT/ws, grpc://HOST:PORT or unix:PATH, "
            "and #ROOM behind it"
        )
    shown = f"[{host}]" if ":" in host else host
    if parts.scheme in {"grpc", "grpcs"}:
        return _address(f"{parts.scheme}://{shown}:{port or DEFAULT_GRPC_PORT}", parts.fragment)
    scheme = _SCHEMES[parts.scheme]
    # What a browser shows means what it means there; an address that is typed, the port where the chat is by itself.
    default_port = {"http": 80, "https": 443, "wss": 443}.get(parts.scheme, DEFAULT_PORT)
    path = parts.path if parts.path.rstrip("/").endswith("/ws") else parts.path.rstrip("/") + "/ws"
    return _address(f"{scheme}://{shown}:{port or default_port}{path}", parts.fragment)


def link(url: str, fragment: Fragment) -> str:
    """The link to a chat that a person opens: its page where that is known, else an address for our own commands.

    Args:
        url: of the chat, as `address` gives it.
        fragment: what stands behind the ``#``.
    """
    if not url.startswith(("ws:", "wss:")):
        return f"{url}#{fragment}"
    page = url.replace("ws", "http", 1).removesuffix("/ws")
    return f"{page}/#{fragment}"


def _address(url: str, fragment: str) -> Address:
    said = read_fragment(fragment)
    check_key(said.key)
    return Address(url, said.room or DEFAULT_ROOM, said.key, said.invite, said.device, said.name)


def check_key(key: str) -> None:
    """Check that this can be an access key, or is empty.

    Raises:
        InvalidAddress: if it can be none: then it was not copied as a whole.
    """
    if key and (why := why_no_key(key)):
        raise InvalidAddress(f"the access key that was given can be none: {why}")
