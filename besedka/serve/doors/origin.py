"""Which web pages may talk to the chat: the check against cross-site WebSocket hijacking.

A browser tells in the ``Origin`` header which page opened the connection (RFC 6454). A page of the same host may,
on whatever port it was served, and so may the origins that are allowed by name; no other page may. Names are compared
whole. Programs that are no browsers send no Origin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import SplitResult, urlsplit

DEFAULT_PORTS = {"http": 80, "https": 443}


class Origins:
    """The origins that may.

    Args:
        allowed: those beside the same host, as `clean_origin` gives them.
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
        return _text(origin) in self._allowed or (host is not None and origin.hostname == host.hostname)


def clean_origin(text: str) -> str:
    """An origin as it is compared.

    Raises:
        ValueError: if it is none.
    """
    origin = _split(text)
    if origin is None:
        raise ValueError(f"{text!r} is not an origin; it looks like https://chat.example or http://host:8080")
    return _text(origin)


def _split(text: str) -> SplitResult | None:
    if " " in text or not text.isprintable():
        return None  # urlsplit would leave some of it out, and compare the rest
    try:
        parts = urlsplit(text)
        is_port = parts.port is None or parts.port >= 0
    except ValueError:
        return None
    is_bare = not (parts.path or parts.query or parts.fragment or parts.username or parts.password)
    return parts if parts.scheme in DEFAULT_PORTS and parts.hostname and is_bare and is_port else None


def _text(origin: SplitResult) -> str:
    return f"{origin.scheme}://{origin.hostname}:{origin.port or DEFAULT_PORTS[origin.scheme]}"
