"""Which web pages may talk to the chat: the check against cross-site WebSocket hijacking.

A browser tells in the ``Origin`` header which page opened the connection (RFC 6454). A page of the same host may,
on whatever port it was served; a page of any other host may not. Programs that are no browsers send no Origin.
"""

from __future__ import annotations

from urllib.parse import urlsplit


def origin_allowed(origin: str | None, host: str | None) -> bool:
    """Whether a page of this origin may open a connection to this ``Host``."""
    if origin is None:
        return True
    name = _host_name(origin, {"http", "https"})
    return name is not None and name == _host_name(f"http://{host}", {"http"})


def _host_name(url: str, schemes: set[str]) -> str | None:
    try:
        parts = urlsplit(url)
        port_is_a_number = parts.port is None or parts.port >= 0
    except ValueError:
        return None
    is_origin = not (parts.path or parts.query or parts.fragment or parts.username or parts.password)
    return parts.hostname if parts.scheme in schemes and is_origin and port_is_a_number else None
