"""What carries words to a chat and back; one kind for each kind of URL."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from besedka.wire.words import ClientWord, ServerWord

HANDSHAKE_SECONDS: Final = 10.0
"""How long a server may take to answer at first."""


class Carrier(Protocol):
    """An open connection. All of it raises `CarrierEnded` when it is over."""

    async def send(self, word: ClientWord) -> None:
        """Say something; returns when there is room for the next word."""

    def words(self) -> AsyncIterator[ServerWord]:
        """What the server tells, until the connection ends."""


def carry(url: str) -> AbstractAsyncContextManager[Carrier]:
    """Connect to a chat; ``url`` as `address` gives it.

    Raises:
        CarrierEnded: if it cannot be reached.
    """
    # Each kind needs a library that takes its time to import, and most programs need only one.
    if url.startswith(("ws:", "wss:")):
        from besedka.remote.by_websocket import by_websocket  # noqa: PLC0415

        return by_websocket(url)
    # gRPC's own core writes what it thinks of errors to stderr, where a terminal client has its input line.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from besedka.remote.by_grpc import by_grpc  # noqa: PLC0415

    return by_grpc(url)
