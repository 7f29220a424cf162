"""Which way words travel to a URL."""

from __future__ import annotations

import os
from contextlib import AbstractAsyncContextManager

from besedka.remote.carrier import Carrier


def carry(url: str, key: str = "") -> AbstractAsyncContextManager[Carrier]:
    """Connect to a chat; ``url`` and the access key as `address` gives them.

    Raises:
        CarrierEnded: if it cannot be reached.
    """
    # Each kind needs a library that takes its time to import, and most programs need only one.
    if url.startswith(("ws:", "wss:")):
        from besedka.remote.by_websocket import by_websocket  # noqa: PLC0415

        return by_websocket(url, key)
    # gRPC's own core writes what it thinks of errors to stderr, where a terminal client has its input line.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from besedka.remote.by_grpc import by_grpc  # noqa: PLC0415

    return by_grpc(url, key)
