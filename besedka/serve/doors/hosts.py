"""The host names of the chat: the check against DNS rebinding.

The ``Origin`` check keeps out pages of other hosts. But the owner of a domain can point its name at their own server first
and at this machine a minute later; then their page and the chat have the same host, and the ``Origin`` is right. The ``Host``
header (RFC 9110, section 7.2) gives it away: it names their domain. So the chat accepts only names that nobody else can own.
Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final
from urllib.parse import urlsplit

HOST_CHARACTERS_AT_MOST: Final = 260
"""A longer ``Host`` header names no host: 253 characters (RFC 1035, section 2.3.4), a dot, and a port."""

_AUTHORITY: Final = re.compile(r"(?:\[[^\[\]]*\]|[^\[\]:@]*)(?::\d*)?")
"""A host and perhaps a port (RFC 3986, section 3.2), which `urlsplit` takes apart; it takes ``[::1]chat.example`` for ``::1``."""

HOSTS_REMEMBERED: Final = 128
"""Parsed headers that are remembered: nearly all requests to a server have the same one."""


class Hosts:
    """The host names that the chat accepts, on any port.

    Every IP address is accepted, because an address cannot be pointed elsewhere; so are ``localhost`` and its subdomains.

    Args:
        public: further names, as returned by `clean_host`.
    """

    def __init__(self, public: Iterable[str] = ()) -> None:
        self._public = frozenset(public)

    def know(self, host: str) -> bool:
        """Whether this ``Host`` header names the chat."""
        name = name_of(host)
        return name is not None and (
            _address(name) is not None or _is_localhost(name) or name in self._public
        )


def is_loopback(host: str) -> bool:
    """Whether only a program on this machine sends this ``Host`` header."""
    name = name_of(host) or ""
    address = _address(name)
    return address.is_loopback if address else _is_localhost(name)


def is_authority(text: str) -> bool:
    """Whether this is a host, perhaps with a port, and without a user."""
    return text.isascii() and text.isprintable() and " " not in text and name_of(text) is not None


def clean_host(text: str) -> str:
    """Normalize a host's name; a port is dropped.

    Raises:
        ValueError: if it is not a host's name.
    """
    try:
        name = (name_of(text) or "").encode("idna").decode()
    except UnicodeError:
        name = ""
    if not all(_is_label(label) for label in name.split(".")):
        raise ValueError(f"{text!r} is not the name of a host; it looks like chat.example")
    return name


def names_of_machine(hostname: str) -> tuple[str, ...]:
    """The names by which people in the same network reach the machine with this hostname.

    Only the first label counts: a network (DHCP) may assign the domain, and it could be a stranger's.
    """
    label = hostname.partition(".")[0].lower()
    return (label, f"{label}.local") if _is_label(label) else ()


def name_of(host: str) -> str | None:
    """The name in ``NAME``, ``NAME:PORT`` or ``[ADDRESS]:PORT``."""
    return _parsed(host) if len(host) <= HOST_CHARACTERS_AT_MOST else None


@lru_cache(maxsize=HOSTS_REMEMBERED)
def _parsed(host: str) -> str | None:
    try:
        parts = urlsplit(f"http://{host}")
        is_port = parts.port is None or parts.port >= 0
        is_bare = parts.netloc == host and _AUTHORITY.fullmatch(host)
        name = (parts.hostname or "").removesuffix(".")
    except ValueError:
        return None
    return name if is_port and is_bare and name else None


@lru_cache(maxsize=HOSTS_REMEMBERED)
def _address(name: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(name)
    except ValueError:
        return None


def _is_localhost(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def _is_label(label: str) -> bool:
    bare = label.replace("-", "").replace("_", "")
    return bare.isascii() and bare.isalnum() and not label.startswith("-") and not label.endswith("-")
