"""How frames travel to a chat and back: one kind of transport for each kind of URL."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from besedka.wire.frames import ClientFrame, ServerFrame

HANDSHAKE_SECONDS: Final = 10.0
"""How long a server may take to accept a connection."""


class Transport(Protocol):
    """An open connection to a chat. Every method raises `TransportClosed` once it is over."""

    async def send(self, frame: ClientFrame) -> None:
        """Send a frame; returns when there is room for the next."""

    def frames(self) -> AsyncIterator[ServerFrame]:
        """Receive frames until the connection ends."""


def open_transport(url: str, key: str = "") -> AbstractAsyncContextManager[Transport]:
    """Connect to a chat.

    Args:
        url: of the chat, as `besedka.remote.address` gives it.
        key: the access key, where the chat asks for one.

    Raises:
        TransportClosed: if it cannot be reached.
    """
    # Each kind needs a library that is slow to import, and most programs need only one.
    if url.startswith(("ws:", "wss:")):
        from besedka.remote.transport.websocket import open_websocket  # noqa: PLC0415

        return open_websocket(url, key)
    # gRPC's core writes its own errors to stderr, where a terminal client has its input line.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from besedka.remote.transport.grpc import open_grpc  # noqa: PLC0415

    return open_grpc(url, key)
