"""The web pages that may connect to the chat: the check against cross-site WebSocket hijacking.

A browser names the page that opens a connection in the ``Origin`` header (RFC 6454). Pages of the same host may connect, on
any port, and so may origins that are allowed by name; no other page may. Names are compared whole. Programs other than
browsers send no Origin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from besedka.serve.doors.hosts import HOST_CHARACTERS_AT_MOST, HOSTS_REMEMBERED, name_of

DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_CHARACTERS_AT_MOST: Final = len("https://") + HOST_CHARACTERS_AT_MOST


class _Origin(NamedTuple):
    """The parts of an origin."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


class Origins:
    """The allowed origins.

    Args:
        allowed: origins other than the same host, as returned by `clean_origin`.
    """

    def __init__(self, allowed: Iterable[str] = ()) -> None:
        self._allowed = frozenset(allowed)

    def allow(self, origins: Sequence[str], hosts: Sequence[str]) -> bool:
        """Whether a request with these ``Origin`` and ``Host`` headers may open a connection."""
        if not origins:
            return True
        if len(origins) != 1 or len(hosts) != 1:
            return False
        origin = _split(origins[0])
        if origin is None:
            return False
        host = _split(f"http://{hosts[0]}")
        return str(origin) in self._allowed or (host is not None and origin.host == host.host)


def clean_origin(text: str) -> str:
    """Normalize an origin.

    Raises:
        ValueError: if it is not an origin.
    """
    origin = _split(text)
    if origin is None:
        raise ValueError(f"{text!r} is not an origin; it looks like https://chat.example or http://host:8080")
    return str(origin)


def _split(text: str) -> _Origin | None:
    return _parsed(text) if len(text) <= _CHARACTERS_AT_MOST else None


@lru_cache(maxsize=HOSTS_REMEMBERED)
def _parsed(text: str) -> _Origin | None:
    if " " in text or not text.isprintable():
        return None  # urlsplit would drop some of it, and the rest would be compared
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return None
    is_bare = not (parts.path or parts.query or parts.fragment)
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or not is_bare or not name_of(parts.netloc):
        return None
    return _Origin(parts.scheme, parts.hostname, DEFAULT_PORTS[parts.scheme] if port is None else port)
