"""By which names the chat may be asked for: the check against DNS rebinding.

A page of another host cannot talk to the chat: its ``Origin`` tells. But whoever owns a domain can let its name lead to his
own server first and to this machine a minute later; then his page and the chat are of one host, and no ``Origin`` is
against it. What gives it away is the ``Host`` header (RFC 9110, section 7.2): it names his domain. So that must be a
name which nobody else can have. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit


class Hosts:
    """The names by which the chat may be asked for, on whatever port.

    Any IP address may, because behind an address nothing can be exchanged; and so may ``localhost`` and all below it.

    Args:
        public: further names, as `clean_host` gives them.
    """

    def __init__(self, public: Iterable[str] = ()) -> None:
        self._public = frozenset(public)

    def know(self, host: str) -> bool:
        """Whether this ``Host`` header names the chat."""
        name = _name(host)
        return name is not None and (_is_address(name) or _is_localhost(name) or name in self._public)


def is_loopback(host: str) -> bool:
    """Whether this ``Host`` header is one by which only a program of this machine itself asks."""
    name = _name(host) or ""
    return ip_address(name).is_loopback if _is_address(name) else _is_localhost(name)


def is_authority(text: str) -> bool:
    """Whether this names a host, and perhaps a port, and nobody's account there."""
    return text.isascii() and text.isprintable() and " " not in text and _name(text) is not None


def clean_host(text: str) -> str:
    """A host's name as it is compared; a port behind it counts for nothing.

    Raises:
        ValueError: if it is none.
    """
    try:
        name = (_name(text) or "").encode("idna").decode()
    except UnicodeError:
        name = ""
    if not all(_is_label(label) for label in name.split(".")):
        raise ValueError(f"{text!r} is not the name of a host; it looks like chat.example")
    return name


def names_of_machine(hostname: str) -> tuple[str, ...]:
    """By which names people in the same network ask for a machine that calls itself so.

    Only its first label, because a network may give a machine its domain (DHCP), and so a stranger's could be given.
    """
    label = hostname.partition(".")[0].lower()
    return (label, f"{label}.local") if _is_label(label) else ()


def _name(host: str) -> str | None:
    """The name in ``NAME``, ``NAME:PORT`` or ``[ADDRESS]:PORT``."""
    try:
        parts = urlsplit(f"http://{host}")
        is_port = parts.port is None or parts.port >= 0
        is_bare = parts.netloc == host and "@" not in host
        name = (parts.hostname or "").removesuffix(".")
    except ValueError:
        return None
    return name if is_port and is_bare and name else None


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _is_localhost(name: str) -> bool:
    return name == "localhost" or name.endswith(".localhost")


def _is_label(label: str) -> bool:
    bare = label.replace("-", "").replace("_", "")
    return bare.isascii() and bare.isalnum() and not label.startswith("-") and not label.endswith("-")
