"""Sockets that listen at the TCP ports."""

from __future__ import annotations

import asyncio
import socket
import sys
from typing import Final

from besedka.serve.errors import AddressUnusable
from besedka.serve.files.descriptor import reason

BACKLOG: Final = 2_048
"""Connections that may wait to be accepted, when all clients reconnect at once."""

UNSENT_BYTES: Final = 64 * 1024
"""Unsent bytes that the kernel may hold for a connection; unbounded they grow to 4 MB for a client that does not read."""

TCP_NOTSENT_LOWAT: Final = 25
"""Linux's number; Python's `socket` has a name for it only from 3.12 on."""


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens; without a host on all addresses.

    Raises:
        AddressUnusable: if it cannot.
    """
    is_both = not host and socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if is_both or ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=BACKLOG, dualstack_ipv6=is_both)
        if sys.platform == "linux":
            # Connections inherit it: a client that does not read shows in the server's own buffer, not in megabytes of the kernel's.
            listener.setsockopt(socket.IPPROTO_TCP, TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    except OSError as error:
        why = reason(error).split(" (", 1)[0]
        raise AddressUnusable(host or "all addresses,", port, why) from error
    return listener


def host_of(transport: asyncio.BaseTransport) -> str | None:
    """The address of the client at the other end of a TCP connection.

    None if the system has forgotten it (getpeername(2)), because the client has reset the connection right behind its first bytes. They could
    still be read: a connection from nowhere must not be served, or it would count as one from this machine.
    """
    address = transport.get_extra_info("peername")
    return address[0] if address else None
