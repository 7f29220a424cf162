"""Buffers of a connection: what the server holds for it, over TLS too."""

from __future__ import annotations

import asyncio
from typing import Final

from besedka.serve.doors.timeouts import STUCK_SECONDS

BUFFER_BYTES: Final = 64 * 1024
"""Unsent bytes above which a connection is full."""

TLS_BYTES: Final = 16 * 1024
"""The same, and received bytes above which nothing more is read, over TLS: its socket has `BUFFER_BYTES` of its own below."""


def is_over_tls(transport: asyncio.BaseTransport) -> bool:
    """Whether a connection is encrypted here."""
    return transport.get_extra_info("sslcontext") is not None


def limit_buffers(transport: asyncio.Transport, unsent: int = BUFFER_BYTES) -> None:
    """Have a transport pause its protocol above so many unsent bytes, and less over TLS; received bytes are limited over TLS, too.

    Without that, TLS holds 512 KiB of what is unsent, and 256 KiB of what is not read.
    """
    if is_over_tls(transport):
        transport.set_write_buffer_limits(high=min(unsent, TLS_BYTES))
        transport.set_read_buffer_limits(high=TLS_BYTES)  # type: ignore[attr-defined]  # only TLS has it
    else:
        transport.set_write_buffer_limits(high=unsent)


def unsent_bytes(transport: asyncio.Transport) -> int:
    """The unsent bytes of a connection; over TLS the socket below is full if there are any."""
    unsent = transport.get_write_buffer_size()
    return unsent + BUFFER_BYTES if unsent and is_over_tls(transport) else unsent


class StuckDeadline:
    """The time at which a client that does not read is given up; it moves on while its unsent bytes become fewer."""

    __slots__ = ("_at", "_unsent")

    def __init__(self) -> None:
        self._at = float("inf")
        self._unsent = 0

    def look(self, unsent: int, now: float) -> float:
        """The deadline, now that so many bytes are unsent; infinity if there are none."""
        if not unsent:
            self._at = float("inf")
        elif unsent < self._unsent or self._at == float("inf"):
            self._at = now + STUCK_SECONDS
        self._unsent = unsent
        return self._at
